//! Reading users, devices, managed devices, risky users and service principals.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Bench, POOR};

#[tokio::test]
async fn a_user_is_answered_without_what_nobody_asked_for() {
    let bench = Bench::start().await;
    let (id, upn) = bench.user(0);
    let user = bench.graph(&format!("/users/{id}")).await.good();
    assert_eq!(user["userPrincipalName"], upn);
    assert!(user.get("accountEnabled").is_none());
    assert!(user.get("onPremisesSecurityIdentifier").is_none());
    let path = format!(
        "/users/{upn}?$select=id,accountEnabled,onPremisesSecurityIdentifier,securityIdentifier"
    );
    let user = bench.graph(&path).await.good();
    assert_eq!((&user["id"], &user["accountEnabled"]), (&json!(id), &json!(true)));
    assert!(user["securityIdentifier"].as_str().unwrap().starts_with("S-1-12-1-"));
    assert!(user.get("userPrincipalName").is_none());
    assert!(user["@odata.context"].is_string());
}

#[tokio::test]
async fn names_with_odd_letters_are_found_by_their_escapes() {
    let bench = Bench::start().await;
    let guest = "ada_home.example#EXT#@contoso.example";
    for upn in [guest, "$ervice@contoso.example", "o'neill+x@contoso.example"] {
        let body = json!({ "userPrincipalName": upn });
        bench.control(Method::POST, "users", body).await.good();
    }
    for path in [
        "/users/ada_home.example%23EXT%23@contoso.example",
        "/users('$ervice@contoso.example')",
        "/users/o'neill+x@contoso.example",
        "/users('o''neill+x@contoso.example')",
    ] {
        bench.graph(path).await.good();
    }
    let filter = "/users?$filter=userPrincipalName%20eq%20'o''neill%2Bx@contoso.example'";
    assert_eq!(bench.graph(filter).await.good()["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_in_the_documented_words() {
    let bench = Bench::start().await;
    let nobody = uuid::Uuid::from_u128(42);
    let (_, device_id) = bench.device(0);
    for path in [
        format!("/users/{nobody}"),
        "/users/nobody@contoso.example".to_owned(),
        format!("/devices/{nobody}"),
        format!("/devices(deviceId='{nobody}')"),
        // A deviceId is no object id.
        format!("/devices/{device_id}"),
        format!("/identityProtection/riskyUsers/{nobody}"),
    ] {
        let refused = bench.graph(&path).await;
        assert_eq!(refused.refusal(), (404, "Request_ResourceNotFound".to_owned()), "{path}");
    }
    // Intune has words of its own: JSON inside a string.
    let refused = bench.graph(&format!("/deviceManagement/managedDevices/{nobody}")).await;
    assert_eq!(refused.refusal(), (404, "ResourceNotFound".to_owned()));
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    let inner: Value = serde_json::from_str(&message).unwrap();
    assert_eq!(inner["_version"], 3);
}

#[tokio::test]
async fn a_device_is_found_by_both_ids_and_has_an_owner() {
    let bench = Bench::start().await;
    let (id, device_id) = bench.device(0);
    assert_ne!(id, device_id);
    let by_id = bench.graph(&format!("/devices/{id}")).await.good();
    let by_key = bench.graph(&format!("/devices(deviceId='{device_id}')")).await.good();
    assert_eq!(by_id, by_key);
    for property in ["accountEnabled", "isCompliant", "isManaged", "trustType", "physicalIds"] {
        assert!(by_id.get(property).is_some(), "{property}");
    }
    assert!(by_id.get("registeredOwner").is_none(), "it is no property of Graph's");
    let owners = bench.graph(&format!("/devices/{id}/registeredOwners")).await.good();
    assert_eq!(owners["value"][0]["@odata.type"], "#microsoft.graph.user");
    let owner = owners["value"][0]["id"].as_str().unwrap();
    let devices = bench.graph(&format!("/users/{owner}/ownedDevices?$select=id")).await.good();
    assert!(devices["value"].as_array().unwrap().iter().any(|own| own["id"] == json!(id)));
}

#[tokio::test]
async fn a_managed_device_is_found_by_the_id_that_entra_gave_it() {
    let bench = Bench::start().await;
    let (_, device_id) = bench.device(2);
    let path =
        format!("/deviceManagement/managedDevices?$filter=azureADDeviceId%20eq%20'{device_id}'");
    let found = bench.graph(&path).await.good();
    let [device] = found["value"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(device["azureADDeviceId"], json!(device_id));
    assert_eq!(device["managementState"], "managed");
    assert_eq!(device["complianceState"], "compliant");
    assert!(["company", "personal"].contains(&device["managedDeviceOwnerType"].as_str().unwrap()));
    let id = device["id"].as_str().unwrap();
    let path = format!("/deviceManagement/managedDevices/{id}?$select=id,managementState");
    let device = bench.graph(&path).await.good();
    assert!(device.get("deviceName").is_none());
}

#[tokio::test]
async fn a_device_that_was_enrolled_again_is_answered_twice() {
    let bench = Bench::start().await;
    let (_, device_id) = bench.device(2);
    let again = json!({ "azureADDeviceId": device_id, "deviceName": "AGAIN" });
    let again = bench.control(Method::POST, "managedDevices", again).await.good();
    let path =
        format!("/deviceManagement/managedDevices?$filter=azureADDeviceId%20eq%20'{device_id}'");
    assert_eq!(bench.graph(&path).await.good()["value"].as_array().unwrap().len(), 2);
    let id = again["id"].as_str().unwrap();
    bench.control(Method::DELETE, &format!("managedDevices/{id}"), Value::Null).await;
    assert_eq!(bench.graph(&path).await.good()["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn lists_come_in_pages_that_lead_on_and_hold_everything_once() {
    let bench = Bench::of_devices(250).await;
    let mut ids = Vec::new();
    let mut link = "/devices?$select=id,deviceId&$top=99".to_owned();
    loop {
        let page = bench.graph(&link).await.good();
        let value = page["value"].as_array().unwrap();
        assert!(value.len() <= 99);
        assert!(value.iter().all(|device| device.as_object().unwrap().len() == 2));
        ids.extend(value.iter().map(|device| device["id"].as_str().unwrap().to_owned()));
        match page["@odata.nextLink"].as_str() {
            Some(next) => next.clone_into(&mut link),
            None => break,
        }
    }
    assert_eq!(ids.len(), 250);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 250);
}

#[tokio::test]
async fn a_page_without_any_match_leads_on() {
    let bench = Bench::of_devices(45_000).await;
    let filter = "/devices?$select=id&$filter=displayName%20eq%20'nothing'";
    let first = bench.graph(filter).await.good();
    assert_eq!(first["value"], json!([]));
    let second = bench.graph(first["@odata.nextLink"].as_str().unwrap()).await.good();
    let third = bench.graph(second["@odata.nextLink"].as_str().unwrap()).await.good();
    assert_eq!(third["value"], json!([]));
    assert!(third.get("@odata.nextLink").is_none());
}

#[tokio::test]
async fn unknown_properties_options_and_addresses_are_refused() {
    let bench = Bench::start().await;
    for path in [
        "/users?$select=nonsense",
        "/users?$filter=nonsense%20eq%201",
        "/users?$filter=id",
        "/users?$top=1000",
        "/users?$top=0",
        "/users?$orderby=displayName",
        "/users?$skiptoken=nonsense",
        "/nonsense",
        "/deviceManagement/deviceConfigurationsAllManagedDeviceCertificateStates",
    ] {
        assert_eq!(bench.graph(path).await.refusal().0, 400, "{path}");
    }
}

#[tokio::test]
async fn without_the_role_everything_is_forbidden_and_without_a_token_unauthorized() {
    let mut bench = Bench::start().await;
    let (id, _) = bench.user(0);
    bench.bearer = bench.token(POOR, "poor", crate::support::GRAPH).await;
    let paths = [
        "/users".to_owned(),
        format!("/users/{id}"),
        "/users/delta".to_owned(),
        "/devices".to_owned(),
        "/devices/delta".to_owned(),
        "/deviceManagement/managedDevices".to_owned(),
        "/identityProtection/riskyUsers".to_owned(),
        "/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints".to_owned(),
        "/beta/deviceManagement/deviceConfigurationsAllManagedDeviceCertificateStates".to_owned(),
    ];
    for path in &paths {
        let refused = bench.graph(path).await;
        assert_eq!(refused.refusal(), (403, "Authorization_RequestDenied".to_owned()), "{path}");
        bench.world().advance(std::time::Duration::from_secs(1));
    }
    for bearer in ["", "nonsense", "a.b.c"] {
        bearer.clone_into(&mut bench.bearer);
        let refused = bench.graph("/users").await.refusal();
        assert_eq!(refused, (401, "InvalidAuthenticationToken".to_owned()), "{bearer}");
    }
    // A token for another service is none for this one.
    bench.bearer =
        bench.token(bench.client, "rehearsal-secret", "https://api.manage.microsoft.com").await;
    assert_eq!(bench.graph("/users").await.refusal().0, 401);
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let bench = Bench::start().await;
    let other = bench.world().tenants().nth(1).unwrap();
    let foreign = bench.world().read(other, |tenant| {
        tenant.users.page(lanyard_simulator::tenant::View::Current, 0, 1).records[0].id
    });
    assert_eq!(bench.graph(&format!("/users/{}", foreign.unwrap())).await.refusal().0, 404);
}

#[tokio::test]
async fn intunes_services_are_discovered_by_the_literal_segment() {
    let bench = Bench::start().await;
    let path = "/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints";
    let found = bench.graph(path).await.good();
    let names: Vec<_> = found["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|endpoint| endpoint["providerName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["ScepRequestValidationFEService", "PkiConnectorFEService"]);
    for endpoint in found["value"].as_array().unwrap() {
        let uri = endpoint["uri"].as_str().unwrap();
        assert!(uri.starts_with(&format!("{}/manage/", bench.base())), "{uri}");
        for field in ["id", "capability", "providerId", "providerResourceId"] {
            assert!(endpoint[field].is_string(), "{endpoint}");
        }
    }
}

#[tokio::test]
async fn every_answer_carries_the_ids_of_the_request() {
    let bench = Bench::start().await;
    let request = bench
        .http
        .get(format!("{}/graph/v1.0/users/nobody@contoso.example", bench.base()))
        .bearer_auth(&bench.bearer)
        .header("client-request-id", "my-own");
    let answer = Answer::of(request).await;
    assert_eq!(answer.header("client-request-id"), Some("my-own"));
    assert_eq!(answer.json()["error"]["innerError"]["client-request-id"], "my-own");
    assert!(answer.header("request-id").is_some());
}

#[tokio::test]
async fn a_deleted_user_lies_among_the_deleted_items_until_it_is_purged() {
    let bench = Bench::start().await;
    let (id, _) = bench.user(1);
    let path = format!("users/{id}");
    assert_eq!(bench.control(Method::DELETE, &path, Value::Null).await.status, 204);
    assert_eq!(bench.graph(&format!("/users/{id}")).await.refusal().0, 404);
    let deleted = bench.graph(&format!("/directory/deletedItems/{id}")).await.good();
    assert!(deleted["deletedDateTime"].is_string());
    bench.control(Method::POST, &format!("users/{id}/restore"), Value::Null).await.good();
    bench.graph(&format!("/users/{id}")).await.good();
    bench.control(Method::DELETE, &path, Value::Null).await;
    let permanent = format!("{path}?permanent=true");
    assert_eq!(bench.control(Method::DELETE, &permanent, Value::Null).await.status, 204);
    assert_eq!(bench.graph(&format!("/directory/deletedItems/{id}")).await.refusal().0, 404);
}

#[tokio::test]
async fn objects_are_counted_for_who_says_that_eventual_consistency_will_do() {
    let bench = Bench::start().await;
    let ask = async |path: &str, level: Option<&str>| {
        let url = format!("{}/graph/v1.0{path}", bench.base());
        let request = bench.http.get(url).bearer_auth(&bench.bearer);
        Answer::of(match level {
            Some(level) => request.header("ConsistencyLevel", level),
            None => request,
        })
        .await
    };
    for (path, expected) in [("/users/$count", "6"), ("/devices/$count", "12")] {
        let counted = ask(path, Some("eventual")).await;
        assert_eq!((counted.status.as_u16(), counted.text.as_str()), (200, expected), "{path}");
        assert_eq!(counted.header("content-type"), Some("text/plain"));
        let refused = ask(path, None).await;
        assert_eq!(refused.refusal(), (400, "Request_BadRequest".to_owned()), "{path}");
    }
}
