//! The Classic API: XML unless JSON is asked for, and pages of HTML where something is wrong.

use crate::{
    jamf_pro::Jamf,
    support::{Answer, Bench},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn read(jamf: &Jamf<'_>, path: &str) -> Answer {
    let call = jamf.call(Method::GET, &format!("JSSResource/{path}"));
    Answer::of(call.header("accept", "application/json")).await
}

#[tokio::test]
async fn a_computer_and_a_mobile_device_are_read_by_id_and_udid() {
    let bench = Bench::start().await;
    let jamf = Jamf::sign_in(&bench).await;
    let computer = read(&jamf, "computers/id/1").await.json()["computer"].clone();
    assert_eq!(computer["general"]["id"], 1, "a number");
    assert_eq!(computer["general"]["remote_management"]["managed"], true);
    assert_eq!(computer["general"]["serial_number"], "JC00000000");
    assert_eq!(computer["location"]["username"], "ada.almeida");
    assert_eq!(computer["location"]["email_address"], "ada.almeida@contoso.example");
    let udid = computer["general"]["udid"].as_str().unwrap();
    assert_eq!(read(&jamf, &format!("computers/udid/{udid}")).await.json()["computer"], computer);

    let device = read(&jamf, "mobiledevices/id/2").await.json()["mobile_device"].clone();
    assert_eq!(device["general"]["id"], 2);
    assert_eq!(device["general"]["managed"], true);
    assert!(device["general"]["device_ownership_level"].is_string());
    assert!(device["general"]["supervised"].is_boolean());
    let udid = device["general"]["udid"].as_str().unwrap();
    let path = format!("mobiledevices/udid/{udid}");
    assert_eq!(read(&jamf, &path).await.json()["mobile_device"], device);
}

#[tokio::test]
async fn a_user_is_read_by_id_and_name_and_in_a_list_by_email() {
    let bench = Bench::start().await;
    let jamf = Jamf::sign_in(&bench).await;
    let user = read(&jamf, "users/id/1").await.json()["user"].clone();
    assert_eq!(user["name"], "ada.almeida");
    assert_eq!(user["email"], user["email_address"]);
    assert_eq!(user["links"]["computers"], json!([{ "id": 1, "name": "JMAC-000000" }]));
    assert_eq!(user["links"]["mobile_devices"][0]["id"], 1);
    assert_eq!(read(&jamf, "users/name/ada.almeida").await.json()["user"], user);
    let email = user["email"].as_str().unwrap();
    let listed = read(&jamf, &format!("users/email/{email}")).await.json();
    assert_eq!(listed["users"], json!([user]));
    let none = read(&jamf, "users/email/nobody@contoso.example").await;
    assert_eq!((none.status, &none.json()["users"]), (StatusCode::OK, &json!([])));
}

#[tokio::test]
async fn a_user_that_is_renamed_or_gets_another_computer_is_found_as_such() {
    let bench = Bench::start().await;
    let jamf = Jamf::sign_in(&bench).await;
    let renamed = json!({ "name": "ada & co", "email": "co+ada@contoso.example" });
    bench.control(Method::PATCH, "jamf/users/1", renamed).await;
    let moved = json!({ "location": { "username": "ada & co" } });
    bench.control(Method::PATCH, "jamf/computers/2", moved).await;
    let user = read(&jamf, "users/name/ada%20%26%20co").await.json()["user"].clone();
    assert_eq!(user["links"]["computers"], json!([{ "id": 2, "name": "JMAC-000001" }]));
    let listed = read(&jamf, "users/email/co+ada@contoso.example").await.json();
    assert_eq!(listed["users"][0]["id"], 1);
    assert_eq!(read(&jamf, "users/name/ada.almeida").await.status, StatusCode::NOT_FOUND);
    let old = read(&jamf, "users/email/ada.almeida@contoso.example").await.json();
    assert_eq!(old["users"], json!([]));
}

#[tokio::test]
async fn xml_is_what_comes_unless_json_is_asked_for() {
    let bench = Bench::start().await;
    let jamf = Jamf::sign_in(&bench).await;
    for accept in ["*/*", "text/xml", "application/xml"] {
        let call = jamf.call(Method::GET, "JSSResource/computers/id/1").header("accept", accept);
        let answer = Answer::of(call).await;
        assert!(answer.content_type().starts_with("application/xml"), "{accept}");
        let start = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><computer><general><id>1</id>";
        assert!(answer.text.starts_with(start), "{}", answer.text);
    }
    let list = Answer::of(jamf.call(Method::GET, "JSSResource/mobiledevices")).await;
    assert!(list.text.contains("<mobile_devices><size>3</size><mobile_device><id>1</id>"));
    let list = read(&jamf, "computers").await.json();
    assert_eq!(list["computers"][2], json!({ "id": 3, "name": "JMAC-000002" }));
}

#[tokio::test]
async fn errors_are_pages_for_people() {
    let bench = Bench::start().await;
    let jamf = Jamf::sign_in(&bench).await;
    let narrow = json!({ "secret": "s", "privileges": ["Read Users"] });
    bench.put("jamf/accounts/narrow", narrow).await;
    let pair = bench.http.post(format!("{}/jamf/contoso/api/v1/auth/token", bench.base()));
    let granted = Answer::of(pair.basic_auth("narrow", Some("s"))).await.json();
    let narrow = Jamf { bench: &bench, token: granted["token"].as_str().unwrap().to_owned() };
    let basic = bench.http.get(format!("{}/jamf/contoso/JSSResource/users/id/1", bench.base()));
    let basic = Answer::of(basic.basic_auth("narrow", Some("s"))).await;
    for (answer, status) in [
        (read(&jamf, "computers/id/999").await, StatusCode::NOT_FOUND),
        (read(&jamf, "computers/id/one").await, StatusCode::NOT_FOUND),
        (read(&jamf, "users/name/nobody").await, StatusCode::NOT_FOUND),
        (read(&jamf, "printers").await, StatusCode::NOT_FOUND),
        (read(&narrow, "computers/id/1").await, StatusCode::FORBIDDEN),
        (basic, StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.content_type().starts_with("text/html"), "{}", answer.content_type());
        assert!(answer.text.starts_with("<html>"), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_is_deleted_is_not_there_any_more() {
    let bench = Bench::start().await;
    let all = json!({ "secret": "s", "privileges": [
        "Read Computers", "Read Mobile Devices", "Read Users", "Delete Computers",
        "Delete Mobile Devices", "Delete User",
    ]});
    bench.put("jamf/accounts/all", all).await;
    let pair = bench.http.post(format!("{}/jamf/contoso/api/v1/auth/token", bench.base()));
    let granted = Answer::of(pair.basic_auth("all", Some("s"))).await.json();
    let jamf = Jamf { bench: &bench, token: granted["token"].as_str().unwrap().to_owned() };
    for (path, name) in [
        ("computers/id/1", "computer"),
        ("mobiledevices/id/1", "mobile_device"),
        ("users/id/1", "user"),
    ] {
        let call = jamf.call(Method::DELETE, &format!("JSSResource/{path}"));
        let gone = Answer::of(call.header("accept", "application/json")).await;
        assert_eq!((gone.status, &gone.json()[name]), (StatusCode::OK, &json!({ "id": 1 })));
        assert_eq!(read(&jamf, path).await.status, StatusCode::NOT_FOUND);
        let twice = Answer::of(jamf.call(Method::DELETE, &format!("JSSResource/{path}"))).await;
        assert_eq!(twice.status, StatusCode::NOT_FOUND);
    }
    let left = bench.look("jamf").await;
    assert_eq!((&left["computers"], &left["users"]), (&Value::from(2), &Value::from(2)));
}
