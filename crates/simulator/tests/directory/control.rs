//! The control interface as scripts use it, and its page.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Bench, opened};

#[tokio::test]
async fn users_and_devices_are_changed_by_the_names_of_graph() {
    let bench = Bench::start().await;
    let (id, upn) = bench.user(0);
    let patch = json!({ "accountEnabled": false, "jobTitle": "gone" });
    let user = bench.control(Method::PATCH, &format!("users/{upn}"), patch).await.good();
    assert_eq!((&user["id"], &user["accountEnabled"]), (&json!(id), &json!(false)));
    let (_, device_id) = bench.device(1);
    let patch = json!({ "accountEnabled": false, "isCompliant": false });
    let device = format!("devices/{device_id}");
    bench.control(Method::PATCH, &device, patch).await.good();
    let device = bench.graph(&format!("/devices(deviceId='{device_id}')")).await.good();
    assert_eq!((&device["accountEnabled"], &device["isCompliant"]), (&json!(false), &json!(false)));
}

#[tokio::test]
async fn what_is_no_property_or_no_value_is_refused() {
    let bench = Bench::start().await;
    let (id, _) = bench.user(0);
    let (_, other) = bench.user(1);
    for (body, status) in [
        (json!({ "accountEnable": false }), 400),
        (json!({ "accountEnabled": "no" }), 400),
        (json!({ "id": uuid::Uuid::from_u128(1) }), 400),
        (json!({ "userPrincipalName": other }), 409),
        (json!([]), 400),
    ] {
        let refused = bench.control(Method::PATCH, &format!("users/{id}"), body).await;
        assert_eq!(refused.status.as_u16(), status, "{}", refused.text);
        assert!(refused.json()["error"].is_string());
    }
    let nobody = format!("users/{}", uuid::Uuid::from_u128(1));
    assert_eq!(bench.control(Method::PATCH, &nobody, json!({})).await.status, 404);
}

#[tokio::test]
async fn curl_without_a_content_type_is_understood() {
    let bench = Bench::start().await;
    let (id, _) = bench.user(0);
    let request = bench
        .http
        .patch(format!("{}/_control/users/{id}", bench.base()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(r#"{"accountEnabled":false}"#);
    assert_eq!(Answer::of(request).await.good()["accountEnabled"], false);
    let managed = bench.control(Method::GET, "managedDevices?top=1", Value::Null).await.good();
    let device = managed["value"][0]["id"].as_str().unwrap();
    let challenge = json!({ "deviceId": device }).to_string();
    for (method, path, body) in [
        (Method::POST, "challenges".to_owned(), challenge.as_str()),
        (Method::POST, "profiles".to_owned(), "{}"),
        (Method::POST, "groups".to_owned(), r#"{"displayName":"Group","members":[]}"#),
        (Method::PUT, format!("users/{id}/licence"), r#"{"licensed":true}"#),
        (Method::PUT, format!("managedDevices/{device}/reach"), r#"{"reach":"online"}"#),
        (Method::PUT, "jamf/cluster".to_owned(), r#"{"nodes":1,"replicationSeconds":0}"#),
        (Method::POST, "jamf/computers".to_owned(), "{}"),
    ] {
        let request = bench
            .http
            .request(method, format!("{}/_control/{path}", bench.base()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.to_owned());
        let answer = Answer::of(request).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn objects_are_made_listed_and_taken_away() {
    let bench = Bench::start().await;
    let upn = json!({ "userPrincipalName": "new.person@contoso.example" });
    let made = bench.control(Method::POST, "users", upn.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(bench.control(Method::POST, "users", upn).await.status, StatusCode::CONFLICT);
    let found = bench.control(Method::GET, "users?search=NEW.PERSON", Value::Null).await.good();
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
    let device = json!({ "userId": id, "deviceName": "NEW-1", "serialNumber": "S1" });
    let device = bench.control(Method::POST, "managedDevices", device).await.good();
    assert_eq!(device["userPrincipalName"], "new.person@contoso.example");
    let device = format!("managedDevices/{}", device["id"].as_str().unwrap());
    assert_eq!(bench.control(Method::DELETE, &device, Value::Null).await.status, 204);
    assert_eq!(bench.control(Method::DELETE, &device, Value::Null).await.status, 404);
    let part = bench.control(Method::GET, "devices?top=5", Value::Null).await.good();
    assert_eq!((part["value"].as_array().unwrap().len(), &part["next"]), (5, &json!(5)));
    let other =
        bench.control(Method::POST, "users?tenant=fabrikam.example", json!({})).await.good();
    assert!(other["userPrincipalName"].as_str().unwrap().ends_with("@fabrikam.example"));
}

#[tokio::test]
async fn compliance_in_intune_reaches_entra() {
    let bench = Bench::start().await;
    let (_, device_id) = bench.device(0);
    let state = json!({ "complianceState": "noncompliant" });
    let path = format!("managedDevices/{device_id}");
    bench.control(Method::PATCH, &path, state).await.good();
    let device = bench.graph(&format!("/devices(deviceId='{device_id}')")).await.good();
    assert_eq!(device["isCompliant"], false);
}

#[tokio::test]
async fn a_user_becomes_risky_who_never_was() {
    let bench = Bench::start().await;
    let (id, upn) = bench.user(0);
    let risk = json!({ "riskLevel": "medium" });
    bench.control(Method::PATCH, &format!("riskyUsers/{upn}"), risk).await.good();
    let user = bench.graph(&format!("/identityProtection/riskyUsers/{id}")).await.good();
    assert_eq!((&user["riskLevel"], &user["riskState"]), (&json!("medium"), &json!("atRisk")));
    assert_eq!(user["userPrincipalName"], json!(upn));
}

#[tokio::test]
async fn a_risky_user_is_marked_while_it_is_deleted() {
    let bench = Bench::start().await;
    let (id, upn) = bench.user(0);
    bench.control(Method::PATCH, &format!("riskyUsers/{upn}"), json!({})).await.good();
    let path = format!("riskyUsers/{id}");
    let marked =
        async || bench.control(Method::GET, &path, Value::Null).await.good()["isDeleted"].clone();
    assert_eq!(marked().await, false);
    bench.control(Method::DELETE, &format!("users/{id}"), Value::Null).await;
    assert_eq!(marked().await, true);
    bench.control(Method::POST, &format!("users/{id}/restore"), Value::Null).await.good();
    assert_eq!(marked().await, false);
}

#[tokio::test]
async fn roles_of_an_application_are_given_to_people_and_applications() {
    let bench = Bench::start().await;
    let (_, upn) = bench.user(0);
    let app = json!({ "displayName": "Lanyard's API", "appRoles": [
        { "value": "enroll", "allowedMemberTypes": ["User"] },
        { "value": "revoke", "allowedMemberTypes": ["Application"] },
    ]});
    let app = bench.control(Method::POST, "apps", app).await.good();
    let app = app["appId"].as_str().unwrap();
    let path = |principal: &str, role: &str| format!("apps/{app}/assignments/{principal}/{role}");
    let client = bench.client.to_string();
    for (principal, role, status) in [
        (upn.as_str(), "enroll", 204),
        (upn.as_str(), "revoke", 400),
        (client.as_str(), "revoke", 204),
        (client.as_str(), "nonsense", 404),
        ("nobody@contoso.example", "enroll", 404),
    ] {
        let given = bench.control(Method::PUT, &path(principal, role), Value::Null).await;
        assert_eq!(given.status.as_u16(), status, "{principal} {role}: {}", given.text);
    }
    let token = bench.token(bench.client, "rehearsal-secret", &format!("api://{app}")).await;
    assert_eq!(opened(&token).1["roles"], json!(["revoke"]));
    let answer = bench.control(Method::DELETE, &path(&client, "revoke"), Value::Null).await;
    assert_eq!(answer.status, 204);
    let token = bench.token(bench.client, "rehearsal-secret", &format!("api://{app}")).await;
    assert!(opened(&token).1.get("roles").is_none());
}

#[tokio::test]
async fn time_goes_forward_by_seconds_and_to_dates_and_never_back() {
    let bench = Bench::start().await;
    let go = |body: Value| bench.control(Method::POST, "time", body);
    assert_eq!(go(json!({ "advance": 90 })).await.good()["now"], "2026-11-21T09:01:30Z");
    let to = json!({ "to": "2026-11-22T00:00:00Z" });
    assert_eq!(go(to.clone()).await.good()["now"], "2026-11-22T00:00:00Z");
    assert_eq!(go(to).await.good()["now"], "2026-11-22T00:00:00Z");
    for body in [
        json!({ "advance": -1 }),
        json!({ "to": "2026-11-21T00:00:00Z" }),
        json!({ "to": "tomorrow" }),
        json!({}),
        json!({ "advance": 1, "to": "2027-01-01T00:00:00Z" }),
    ] {
        assert_eq!(go(body.clone()).await.status, 400, "{body}");
    }
    let now = bench.control(Method::GET, "time", Value::Null).await.good();
    assert_eq!(now["now"], "2026-11-22T00:00:00Z");
}

#[tokio::test]
async fn tenants_are_counted() {
    let bench = Bench::start().await;
    let tenants = bench.control(Method::GET, "tenants", Value::Null).await.good();
    let first = &tenants["value"][0];
    assert_eq!((&first["id"], &first["name"]), (&json!(bench.tenant), &json!("Contoso")));
    assert_eq!(
        (&first["users"], &first["devices"], &first["managedDevices"]),
        (&json!(6), &json!(12), &json!(12))
    );
    assert_eq!(tenants["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn web_pages_of_others_are_refused() {
    let bench = Bench::start().await;
    let request = bench
        .http
        .post(format!("{}/_control/time", bench.base()))
        .header("origin", "https://elsewhere.example")
        .body(r#"{"advance":1}"#);
    assert_eq!(Answer::of(request).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_page_shows_the_tenant_and_its_forms_do_the_same() {
    let bench = Bench::start().await;
    let page = async |query: &str| {
        let answer = Answer::of(bench.http.get(format!("{}/_control/{query}", bench.base()))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.text
    };
    let submit = async |form: &[(&str, &str)]| {
        let url = format!("{}/_control/page", bench.base());
        let answer = Answer::of(bench.http.post(url).form(form)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        answer.header("location").unwrap().to_owned()
    };
    let (id, upn) = bench.user(0);
    assert!(page("").await.contains(&upn));
    let id = id.to_string();
    let back = submit(&[("do", "user-disable"), ("id", &id), ("search", &upn)]).await;
    let shown = Answer::of(bench.http.get(format!("{}{back}", bench.base()))).await.text;
    assert!(shown.contains("was changed"), "{shown}");
    let path = format!("/users/{id}?$select=accountEnabled");
    assert_eq!(bench.graph(&path).await.good()["accountEnabled"], false);
    let managed = bench.control(Method::GET, "managedDevices?top=1", Value::Null).await.good();
    let device = managed["value"][0]["id"].as_str().unwrap().to_owned();
    submit(&[("do", "managed"), ("action", "wipe"), ("id", &device)]).await;
    let path = format!("/deviceManagement/managedDevices/{device}");
    assert_eq!(bench.graph(&path).await.good()["managementState"], "wipePending");
    submit(&[("do", "fault"), ("kind", "html"), ("service", "graph"), ("times", "1")]).await;
    assert!(page("").await.contains("&#34;kind&#34;:&#34;html&#34;"));
    assert!(bench.graph("/users").await.text.contains("<html>"));
    submit(&[("do", "no-faults")]).await;
    submit(&[("do", "advance"), ("hours", "0.5")]).await;
    submit(&[("do", "user-delete"), ("id", &id)]).await;
    assert!(page("").await.contains("Restore"));
    submit(&[("do", "user-restore"), ("id", &id)]).await;
    submit(&[("do", "user-risk"), ("id", &id), ("level", "high")]).await;
    assert!(page("").await.contains("risk: high"));
    let wrong = submit(&[("do", "explode")]).await;
    assert!(wrong.contains("wrong="), "{wrong}");
    let injected = json!({ "displayName": "<script>alert(1)</script>" });
    bench.control(Method::PATCH, &format!("users/{id}"), injected).await.good();
    assert!(!page("").await.contains("<script>alert"));
}

#[tokio::test]
async fn the_page_makes_objects_assigns_roles_and_ends_one_fault_of_several() {
    let bench = Bench::start().await;
    let submit = async |form: &[(&str, &str)]| {
        let url = format!("{}/_control/page", bench.base());
        let answer = Answer::of(bench.http.post(url).form(form)).await;
        let back = answer.header("location").unwrap().to_owned();
        assert!(back.contains("done="), "{back}");
    };
    submit(&[("do", "user-make"), ("name", "new@contoso.example")]).await;
    bench.graph("/users/new@contoso.example").await.good();
    submit(&[("do", "device-make"), ("name", "NEW-1")]).await;
    submit(&[("do", "managed-make"), ("name", "NEW-2")]).await;
    for (list, name) in
        [("devices?search=NEW-1", "NEW-1"), ("managedDevices?search=NEW-2", "NEW-2")]
    {
        let listed = bench.control(Method::GET, list, Value::Null).await;
        assert!(listed.text.contains(name), "{}", listed.text);
    }
    let roles = json!([{ "value": "CSR.Request", "allowedMemberTypes": ["User"] }]);
    let app = json!({ "displayName": "Lanyard API", "appRoles": roles });
    let made = bench.control(Method::POST, "apps", app).await.good();
    let app = made["appId"].as_str().unwrap().to_owned();
    let role = [("do", "assign"), ("app", &app), ("role", "CSR.Request")];
    submit(&[&role[..], &[("principal", "new@contoso.example")]].concat()).await;
    let shown = bench.control(Method::GET, &format!("apps/{app}"), Value::Null).await.good();
    assert_eq!(shown["assignments"].as_array().unwrap().len(), 1, "{shown}");
    for kind in ["html", "forbidden"] {
        submit(&[("do", "fault"), ("kind", kind), ("path", "/v1.0/users")]).await;
    }
    submit(&[("do", "end-fault"), ("place", "0")]).await;
    assert_eq!(bench.graph("/users").await.refusal().0, 403, "the other goes on");
    let end = async || bench.control(Method::DELETE, "faults/0", Value::Null).await.status;
    assert_eq!(end().await, StatusCode::NO_CONTENT);
    assert_eq!(end().await, StatusCode::NOT_FOUND);
    bench.graph("/users").await.good();
}
