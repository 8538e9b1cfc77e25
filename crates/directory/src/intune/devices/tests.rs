use lanyard_lifecycle::Presence;
use lanyard_lifecycle::object::ManagementState;
use serde_json::{Value, json};

use super::*;
use crate::canned::Reply;
use crate::entra::tests::{graph_lines, not_found, tenant};
use crate::{RoundEnd, Why};

const LAPTOP: Uuid = Uuid::from_u128(0x1a);
const REGISTERED: Uuid = Uuid::from_u128(0xaad);

fn laptop() -> Value {
    json!({
        "id": LAPTOP,
        "azureADDeviceId": REGISTERED,
        "userId": "",
        "userPrincipalName": "",
        "deviceName": "LAPTOP-1",
        "enrolledDateTime": "2026-01-02T03:04:05.678Z",
        "complianceState": "inGracePeriod",
        "complianceGracePeriodExpirationDateTime": "0001-01-01T00:00:00Z",
        "managementState": "quarantinePending",
        "managedDeviceOwnerType": "company",
    })
}

fn by_id() -> Query {
    Query::id(ObjectKind::IntuneDevice, LAPTOP.into())
}

async fn look_up(query: &Query, reply: fn() -> Reply) -> Result<Found, Ignorance> {
    let (tenant, _) = tenant(move |_| reply());
    Intune::new(&tenant).look_up(query).await
}

fn properties(found: Result<Found, Ignorance>) -> IntuneDevice {
    match found.unwrap().state().unwrap().presence {
        Presence::Present(Properties::IntuneDevice(device)) => device,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_states_are_kept_and_placeholders_are_not() {
    let device = properties(look_up(&by_id(), || Reply::json(200, &laptop())).await);
    let unknown = ManagementState::Other("quarantinePending".into());
    assert_eq!(device.management_state, Some(unknown));
    assert_eq!(device.enrolled.unwrap().to_string(), "2026-01-02T03:04:05Z");
    assert_eq!(device.azure_ad_device_id, Some(REGISTERED));
    assert_eq!((device.user_id, device.user_principal_name), (None, None));
    assert_eq!((device.compliance_grace_period_expiration, device.serial_number), (None, None));
}

#[tokio::test(start_paused = true)]
async fn intunes_own_not_found_counts_and_that_of_the_gateway_does_not() {
    let absent = |found: Result<Found, Ignorance>| {
        found.map(|found| found.state().unwrap().presence == Presence::Absent)
    };
    assert_eq!(absent(look_up(&by_id(), not_found).await), Ok(true));
    let intunes = || {
        let message = "{\r\n  \"_version\": 3,\r\n  \"Message\": \"An error has occurred\"\r\n}";
        Reply::json(404, &json!({ "error": { "code": "ResourceNotFound", "message": message } }))
    };
    assert_eq!(absent(look_up(&by_id(), intunes).await), Ok(true));
    let others: [fn() -> Reply; 6] = [
        || {
            let message = "Invalid version: devicemanagement";
            Reply::json(
                404,
                &json!({ "error": { "code": "ResourceNotFound", "message": message } }),
            )
        },
        || Reply::json(404, &json!({ "error": { "code": "ResourceNotFound", "message": "{}" } })),
        || Reply::json(404, &json!({ "error": { "code": "ResourceNotFound" } })),
        || Reply::json(404, &json!({ "error": { "code": "NotFound", "message": "" } })),
        || Reply::html(404),
        || Reply::text(404, "application/json", ""),
    ];
    for other in others {
        let why = look_up(&by_id(), other).await.unwrap_err().why;
        assert_eq!(why, Why::Refused { status: 404 });
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_is_found_by_its_id_in_entra_and_the_newest_enrolment_counts() {
    let query = Query { kind: ObjectKind::IntuneDevice, by: By::EntraDeviceId(REGISTERED) };
    let (tenant, wire) = tenant(|_| {
        let mut older = laptop();
        older["id"] = json!(Uuid::from_u128(2));
        older["enrolledDateTime"] = json!("2025-01-02T03:04:05Z");
        Reply::json(200, &json!({ "value": [older, laptop()] }))
    });
    let found = Intune::new(&tenant).look_up(&query).await.unwrap().state().unwrap();
    assert_eq!(found.key.object, LAPTOP.into());
    let path = format!(
        "GET /v1.0/deviceManagement/managedDevices?$filter=azureADDeviceId%20eq%20%27{REGISTERED}\
         %27&$select=id,azureADDeviceId,"
    );
    assert!(graph_lines(&wire)[0].starts_with(&path), "{:?}", graph_lines(&wire));
    let none = look_up(&query, || Reply::json(200, &json!({ "value": [] }))).await;
    assert_eq!(none.unwrap(), Found::NoSuch);
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_does_nothing_is_noticed() {
    let query = Query { kind: ObjectKind::IntuneDevice, by: By::EntraDeviceId(LAPTOP) };
    let all = || Reply::json(200, &json!({ "value": [laptop()] }));
    assert_eq!(look_up(&query, all).await.unwrap_err().why, Why::Unreadable);
    // Without a list there is no proof that it is empty; a 404 is none for a list.
    for reply in [|| Reply::json(200, &json!({})), not_found as fn() -> Reply, || Reply::html(200)]
    {
        assert!(look_up(&query, reply).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn every_round_reads_all_devices_page_by_page() {
    let (tenant, wire) = tenant(|request| {
        let next = "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=2";
        match request.uri().query() {
            Some("$skiptoken=2") => Reply::json(200, &json!({ "value": [] })),
            _ => Reply::json(
                200,
                &json!({ "@odata.count": 1, "@odata.nextLink": next, "value": [laptop()] }),
            ),
        }
    });
    let intune = Intune::new(&tenant);
    let kind = ObjectKind::IntuneDevice;
    let first = intune.changes(kind, None).await.unwrap();
    assert_eq!((first.changes.len(), first.end), (1, RoundEnd::MorePages));
    assert_eq!(first.total, Some(1));
    let last = intune.changes(kind, Some(&first.next)).await.unwrap();
    assert_eq!((last.changes.len(), last.end), (0, RoundEnd::RoundComplete));
    let again = intune.changes(kind, Some(&last.next)).await.unwrap();
    assert_eq!(again, first);
    assert!(graph_lines(&wire)[2].contains("managedDevices?$top=500&$select="));
    let other = intune.changes(ObjectKind::EntraUser, None).await;
    assert!(matches!(other, Err(ChangesError::Unanswered(_))), "{other:?}");
}

#[tokio::test(start_paused = true)]
async fn questions_that_cannot_be_asked_do_not_shift_the_answers() {
    let (tenant, _) = tenant(|request| {
        if request.uri().path().ends_with("$batch") {
            not_found()
        } else {
            Reply::json(200, &laptop())
        }
    });
    let wrong = Query::user_principal_name("ada@contoso.example");
    let queries = [wrong.clone(), by_id(), wrong];
    let answers = Intune::new(&tenant).look_up_all(&queries).await;
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0].as_ref().unwrap_err().why, Why::NotAskable);
    assert!(answers[1].is_ok());
    assert_eq!(answers[2].as_ref().unwrap_err().why, Why::NotAskable);
}
