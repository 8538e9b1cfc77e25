use lanyard_directory::{By, Found};
use lanyard_lifecycle::object::ManagementState;

use super::*;

#[tokio::test]
async fn a_person_is_found_by_id_and_by_name_until_deleted() {
    let rehearsal = Rehearsal::start().await;
    let Examples { user, upn, .. } = rehearsal.examples();
    let by_name = Query::user_principal_name(upn.to_uppercase());
    let found = rehearsal.entra.look_up(&by_name).await.unwrap().state().unwrap();
    assert_eq!(found.key.object, user.into());
    let Presence::Present(Properties::EntraUser(seen)) =
        rehearsal.presence(ObjectKind::EntraUser, user).await
    else {
        panic!("a user");
    };
    assert_eq!(seen.account_enabled, Some(true));
    assert_eq!(seen.user_principal_name.as_deref(), Some(upn.as_str()));

    let path = format!("users/{user}");
    rehearsal.control("PATCH", &path, &json!({ "accountEnabled": false })).await;
    let Presence::Present(Properties::EntraUser(seen)) =
        rehearsal.presence(ObjectKind::EntraUser, user).await
    else {
        panic!("a user");
    };
    assert_eq!(seen.account_enabled, Some(false));

    rehearsal.control("DELETE", &path, &json!({})).await;
    assert_eq!(rehearsal.presence(ObjectKind::EntraUser, user).await, Presence::Absent);
    assert_eq!(rehearsal.entra.look_up(&by_name).await.unwrap(), Found::NoSuch);
}

#[tokio::test]
async fn a_device_is_found_by_its_device_id_with_its_owner() {
    let rehearsal = Rehearsal::start().await;
    let Examples { device, device_object, .. } = rehearsal.examples();
    let Presence::Present(Properties::EntraDevice(seen)) =
        rehearsal.presence(ObjectKind::EntraDevice, device).await
    else {
        panic!("a device");
    };
    assert_eq!(seen.graph_id, Some(device_object));
    let by_object = Query { kind: ObjectKind::EntraDevice, by: By::GraphId(device_object) };
    let found = rehearsal.entra.look_up(&by_object).await.unwrap().state().unwrap();
    assert_eq!(found.key.object, device.into());
    let owners = rehearsal.entra.owners(device.into()).await.unwrap().unwrap();
    assert!(owners.len() <= 1, "{owners:?}");
    assert_eq!(rehearsal.entra.owners(Uuid::from_u128(1).into()).await.unwrap(), None);
    // The id of the directory object is no device's id.
    let kind = ObjectKind::EntraDevice;
    assert_eq!(rehearsal.presence(kind, device_object).await, Presence::Absent);
}

#[tokio::test]
async fn a_managed_device_is_seen_to_be_wiped_and_then_gone() {
    let rehearsal = Rehearsal::start().await;
    let Examples { managed, .. } = rehearsal.examples();
    let kind = ObjectKind::IntuneDevice;
    let state = |presence| match presence {
        Presence::Present(Properties::IntuneDevice(seen)) => seen,
        other => panic!("{other:?}"),
    };
    let seen = state(rehearsal.presence(kind, managed).await);
    assert_eq!(seen.management_state, Some(ManagementState::Managed));
    let registered = seen.azure_ad_device_id.unwrap();
    let by_registration = Query { kind, by: By::EntraDeviceId(registered) };
    let found = rehearsal.intune.look_up(&by_registration).await.unwrap().state().unwrap();
    assert_eq!(found.key.object, managed.into());
    let nobody = Query { kind, by: By::EntraDeviceId(Uuid::from_u128(1)) };
    assert_eq!(rehearsal.intune.look_up(&nobody).await.unwrap(), Found::NoSuch);

    rehearsal.control("POST", &format!("managedDevices/{managed}/wipe"), &json!({})).await;
    let wiped = state(rehearsal.presence(kind, managed).await).management_state.unwrap();
    assert!(matches!(wiped, ManagementState::WipePending | ManagementState::WipeIssued), "{wiped}");
    rehearsal.control("DELETE", &format!("managedDevices/{managed}"), &json!({})).await;
    assert_eq!(rehearsal.presence(kind, managed).await, Presence::Absent);
}

#[tokio::test]
async fn absences_are_proven_many_at_a_time() {
    let rehearsal = Rehearsal::start().await;
    let Examples { user, device, managed, .. } = rehearsal.examples();
    let there = [
        (ObjectKind::EntraUser, user),
        (ObjectKind::EntraDevice, device),
        (ObjectKind::IntuneDevice, managed),
    ];
    for (kind, id) in there {
        let mut queries: Vec<Query> =
            (1..45).map(|n| Query::id(kind, ObjectId::from_u128(n))).collect();
        queries.insert(30, Query::id(kind, id.into()));
        let answers = rehearsal.connector(kind).look_up_all(&queries).await;
        for (at, answer) in answers.into_iter().enumerate() {
            let state = answer.unwrap().state().unwrap();
            assert_eq!(state.presence == Presence::Absent, at != 30, "{kind} {at}");
            assert_eq!(Query::id(kind, state.key.object), queries[at]);
        }
    }
}

#[tokio::test]
async fn two_tenants_do_not_see_each_others_objects() {
    let rehearsal = Rehearsal::start().await;
    let other = rehearsal.simulator.world().tenants().nth(1).unwrap();
    let client = app_called(&rehearsal.simulator, other, "Lanyard");
    assert_ne!(client, rehearsal.client);
    let secret = REHEARSAL_SECRET.to_owned().into();
    let credential = Credential::Secret { client_id: client.to_string(), secret };
    let entra = EntraId::new(&tenant(&rehearsal.simulator, other, credential), UserRisk::Ignored);
    let query = Query::id(ObjectKind::EntraUser, rehearsal.examples().user.into());
    let found = entra.look_up(&query).await.unwrap().state().unwrap();
    assert_eq!(found.presence, Presence::Absent);
}
