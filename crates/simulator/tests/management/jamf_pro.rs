//! The Pro API: tokens by both flows, computers, mobile devices, lists.

use crate::support::{Answer, Bench};
use lanyard_simulator::fault::{Fault, Kind, Service};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// A caller of the first tenant's Jamf Pro.
pub(crate) struct Jamf<'a> {
    pub(crate) bench: &'a Bench,
    pub(crate) token: String,
}

impl<'a> Jamf<'a> {
    /// With a token of the API client that every instance has.
    pub(crate) async fn sign_in(bench: &'a Bench) -> Self {
        let answer = Answer::of(client_token(bench, "api/v1/oauth/token").await).await;
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        Self { bench, token }
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        call(self.bench, method, path).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.call(Method::GET, path)).await
    }
}

fn call(bench: &Bench, method: Method, path: &str) -> RequestBuilder {
    bench.http.request(method, format!("{}/jamf/contoso/{path}", bench.base()))
}

async fn client_token(bench: &Bench, path: &str) -> RequestBuilder {
    let about = bench.look("jamf").await;
    let (id, client) = about["clients"].as_object().unwrap().iter().next().unwrap();
    let form = [
        ("client_id", id.as_str()),
        ("client_secret", client["secret"].as_str().unwrap()),
        ("grant_type", "client_credentials"),
    ];
    call(bench, Method::POST, path).form(&form)
}

/// Name and password of the account that every instance has.
async fn account(bench: &Bench) -> (String, String) {
    let about = bench.look("jamf").await;
    let (name, account) = about["accounts"].as_object().unwrap().iter().next().unwrap();
    (name.clone(), account["secret"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_token_of_an_account_is_renewed_and_ended_by_itself() {
    let mut bench = Bench::start().await;
    let (name, password) = account(&bench).await;
    let basic = |bench: &Bench, password: &str| {
        call(bench, Method::POST, "api/v1/auth/token").basic_auth(&name, Some(password))
    };
    let wrong = Answer::of(basic(&bench, "wrong")).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong.json()["httpStatus"], 401);
    let granted = Answer::of(basic(&bench, &password)).await.json();
    assert_eq!(granted["expires"], "2026-11-21T09:30:00.000Z");
    let first = granted["token"].as_str().unwrap().to_owned();

    let with =
        |bench: &Bench, method, path, token: &str| call(bench, method, path).bearer_auth(token);
    let path = "api/v1/auth/keep-alive";
    bench.pass(Duration::from_mins(29)).await;
    let kept = Answer::of(with(&bench, Method::POST, path, &first)).await.json();
    assert_eq!(kept["expires"], "2026-11-21T09:59:00.000Z");
    let second = kept["token"].as_str().unwrap();
    let read = "api/v3/computers-inventory/1";
    let old = Answer::of(with(&bench, Method::GET, read, &first)).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
    let new = Answer::of(with(&bench, Method::GET, read, second)).await;
    assert_eq!(new.status, StatusCode::OK);

    let path = "api/v1/auth/invalidate-token";
    let ended = Answer::of(with(&bench, Method::POST, path, second)).await;
    assert_eq!((ended.status, ended.text.as_str()), (StatusCode::NO_CONTENT, ""));
    let over = Answer::of(with(&bench, Method::GET, read, second)).await;
    assert_eq!(over.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_token_of_a_client_cannot_be_renewed_and_outlives_the_client_being_disabled() {
    let mut bench = Bench::start().await;
    for path in ["api/v1/oauth/token", "api/oauth/token"] {
        let granted = Answer::of(client_token(&bench, path).await).await.json();
        assert_eq!(granted["token_type"], "Bearer");
        assert_eq!(granted["expires_in"], 60);
        assert!(granted["scope"].is_string() && granted["access_token"].is_string());
    }
    let jamf = Jamf::sign_in(&bench).await;
    let kept = Answer::of(jamf.call(Method::POST, "api/v1/auth/keep-alive")).await;
    assert_eq!(kept.status, StatusCode::UNAUTHORIZED);

    let about = bench.look("jamf").await;
    let (id, client) = about["clients"].as_object().unwrap().iter().next().unwrap();
    let mut disabled = client.clone();
    disabled["enabled"] = false.into();
    bench.put(&format!("jamf/clients/{id}"), disabled).await;
    let refused = Answer::of(client_token(&bench, "api/v1/oauth/token").await).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(jamf.get("api/v1/computers-inventory/1").await.status, StatusCode::OK);
    let token = jamf.token;
    bench.pass(Duration::from_mins(1)).await;
    let late = call(&bench, Method::GET, "api/v1/computers-inventory/1").bearer_auth(token);
    assert_eq!(Answer::of(late).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_node_that_has_not_learnt_of_a_token_refuses_it_unless_the_cookie_is_kept() {
    let mut bench = Bench::start().await;
    bench.put("jamf/cluster", json!({ "nodes": 2, "replicationSeconds": 5 })).await;
    let granted = Answer::of(client_token(&bench, "api/v1/oauth/token").await).await;
    let cookie = granted.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    assert!(cookie.starts_with("jpro-ingress="), "{cookie}");
    let cookie = cookie.to_owned();
    let token = granted.json()["access_token"].as_str().unwrap().to_owned();
    let path = "api/v3/computers-inventory/1";
    let with = |bench: &Bench| call(bench, Method::GET, path).bearer_auth(&token);
    for _ in 0..4 {
        let kept = Answer::of(with(&bench).header("cookie", &cookie)).await;
        assert_eq!(kept.status, StatusCode::OK);
        assert!(!kept.headers.contains_key("set-cookie"));
    }
    let mut refused = 0;
    for _ in 0..4 {
        refused += u32::from(Answer::of(with(&bench)).await.status == StatusCode::UNAUTHORIZED);
    }
    assert_eq!(refused, 2, "every other call gets to the node that does not know the token");
    bench.pass(Duration::from_secs(5)).await;
    for _ in 0..2 {
        assert_eq!(Answer::of(with(&bench)).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_computer_has_the_sections_that_are_asked_for_in_every_version() {
    let bench = Bench::start().await;
    let jamf = Jamf::sign_in(&bench).await;
    for version in ["v1", "v2", "v3"] {
        let path = format!("api/{version}/computers-inventory/1");
        let plain = jamf.get(&path).await.json();
        assert_eq!(plain["id"], "1", "a number, but as text");
        assert_eq!(plain["general"]["remoteManagement"]["managed"], true);
        assert_eq!(plain["userAndLocation"], Value::Null);
        let both = jamf.get(&format!("{path}?section=GENERAL&section=USER_AND_LOCATION")).await;
        let both = both.json();
        assert_eq!(both["general"]["name"], "JMAC-000000");
        assert!(both["udid"].is_string() && both["general"]["managementId"].is_string());
        assert!(both["general"]["mdmCapable"].is_object());
        assert_eq!(both["general"]["supervised"], true);
        assert_eq!(both["userAndLocation"]["username"], "ada.almeida");
        assert_eq!(both["userAndLocation"]["email"], "ada.almeida@contoso.example");
        assert!(both["userAndLocation"]["realname"].is_string());
    }
    let odd = jamf.get("api/v3/computers-inventory/1?section=WEATHER").await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_not_there_is_a_404_in_json_with_one_error() {
    let bench = Bench::start().await;
    let jamf = Jamf::sign_in(&bench).await;
    for path in [
        "api/v1/computers-inventory/999",
        "api/v3/computers-inventory/abc",
        "api/v2/mobile-devices/999",
        "api/v2/mobile-devices/999/detail",
        "api/v9/anything",
    ] {
        let answer = jamf.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.content_type(), "application/json");
        let body = answer.json();
        assert_eq!(body["httpStatus"], 404);
        let fault = body["errors"][0].as_object().unwrap();
        assert!(
            ["code", "field", "description", "id"].iter().all(|name| fault.contains_key(*name))
        );
    }
}

#[tokio::test]
async fn a_mobile_device_is_listed_shown_and_shown_in_detail() {
    let bench = Bench::start().await;
    let jamf = Jamf::sign_in(&bench).await;
    let list = jamf.get("api/v2/mobile-devices").await.json();
    assert_eq!(list["totalCount"], 3);
    assert_eq!(list["results"][2]["id"], "3");
    let one = jamf.get("api/v2/mobile-devices/2").await.json();
    let detail = jamf.get("api/v2/mobile-devices/2/detail").await.json();
    assert_eq!(one["udid"], detail["udid"]);
    assert_eq!(detail["managed"], true);
    assert_eq!(detail["serialNumber"], "JM00000001");
    assert_eq!(detail["location"]["emailAddress"], "amir.bauer@contoso.example");
    let all =
        jamf.get("api/v2/mobile-devices/detail?filter=general.displayName==JPAD-000001").await;
    assert_eq!(all.json()["totalCount"], 1);
    let all = all.json();
    assert_eq!(all["results"][0]["mobileDeviceId"], "2");
    assert_eq!(all["results"][0]["hardware"], Value::Null, "it was not asked for");
    let path = "api/v2/mobile-devices/detail?section=HARDWARE&sort=mobileDeviceId:asc";
    let all = jamf.get(&format!("{path}&filter=mobileDeviceId==%223%22")).await.json();
    assert_eq!(
        (&all["totalCount"], &all["results"][0]["mobileDeviceId"]),
        (&json!(1), &json!("3"))
    );
    assert_eq!(all["results"][0]["hardware"]["serialNumber"], "JM00000002");
    let none = jamf.get(&format!("{path}&filter=mobileDeviceId==%2299%22")).await;
    assert_eq!(none.json(), json!({ "totalCount": 0, "results": [] }));
}

#[tokio::test]
async fn an_instance_may_lack_versions_and_the_classic_api_still_answers() {
    let bench = Bench::start().await;
    bench.put("jamf/offers", json!({ "computersInventory": ["v1"], "mobileDevices": false })).await;
    let jamf = Jamf::sign_in(&bench).await;
    for (path, status) in [
        ("api/v3/computers-inventory", StatusCode::NOT_FOUND),
        ("api/v2/computers-inventory/1", StatusCode::NOT_FOUND),
        ("api/v1/computers-inventory/1", StatusCode::OK),
        ("api/v2/mobile-devices/1/detail", StatusCode::NOT_FOUND),
        ("JSSResource/mobiledevices/id/1", StatusCode::OK),
    ] {
        assert_eq!(jamf.get(path).await.status, status, "{path}");
    }
}

async fn ids(jamf: &Jamf<'_>, query: &str) -> (u64, Vec<String>) {
    let body = jamf.get(&format!("api/v3/computers-inventory?{query}")).await.json();
    let results = body["results"].as_array().unwrap().iter();
    let ids = results.map(|found| found["id"].as_str().unwrap().to_owned()).collect();
    (body["totalCount"].as_u64().unwrap(), ids)
}

#[tokio::test]
async fn lists_come_in_pages_that_are_cut_anew_at_every_call() {
    let bench = Bench::start().await;
    for n in 4..=7 {
        let made = bench.post("jamf/computers", json!({ "name": format!("Mac {n}") })).await;
        assert_eq!(made["id"], n);
    }
    let jamf = Jamf::sign_in(&bench).await;
    let text = |ids: &[u32]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(ids(&jamf, "page=0&page-size=3").await, (7, text(&[1, 2, 3])));
    assert_eq!(ids(&jamf, "page=2&page-size=3").await, (7, text(&[7])));
    assert_eq!(ids(&jamf, "page=3&page-size=3").await, (7, text(&[])));
    bench.control(Method::DELETE, "jamf/computers/2", Value::Null).await;
    assert_eq!(ids(&jamf, "page=1&page-size=3").await, (6, text(&[5, 6, 7])), "4 moved forward");
    assert_eq!(ids(&jamf, "page=0&page-size=3").await, (6, text(&[1, 3, 4])));
    bench.control(Method::DELETE, "jamf/computers/4", Value::Null).await;
    assert_eq!(ids(&jamf, "page=1&page-size=2").await, (5, text(&[5, 6])));
    assert_eq!(ids(&jamf, "sort=id:desc&page-size=2").await, (5, text(&[7, 6])));
    for bad in [
        "page-size=0",
        "page-size=2001",
        "page=x",
        "sort=id",
        "filter=id==",
        "filter=jssId==1",
        "sort=x:asc",
    ] {
        let answer = jamf.get(&format!("api/v3/computers-inventory?{bad}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn lists_are_filtered_by_what_objects_say_in_any_section() {
    let bench = Bench::start().await;
    let jamf = Jamf::sign_in(&bench).await;
    let filter = async |text: &str| {
        let query = jamf.call(Method::GET, "api/v3/computers-inventory").query(&[("filter", text)]);
        let body = Answer::of(query).await.json();
        let results = body["results"].as_array().unwrap().clone();
        results.iter().map(|found| found["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(filter(r#"general.name=="JMAC-00000*""#).await, ["1", "2", "3"]);
    assert_eq!(filter(r#"userAndLocation.username=="ada.almeida""#).await, ["1"]);
    assert_eq!(filter("id=in=(2,3,99)").await, ["2", "3"]);
    assert_eq!(filter("id=in=(1,2,3);hardware.serialNumber==JC00000001").await, ["2"]);
    let unmanaged = json!({ "managed": false });
    bench.control(Method::PATCH, "jamf/computers/3", unmanaged).await;
    assert_eq!(filter("general.remoteManagement.managed==false").await, ["3"]);
}

#[tokio::test]
async fn a_missing_privilege_is_a_403_and_no_token_a_401() {
    let bench = Bench::start().await;
    let only = json!({ "secret": "s", "privileges": ["Read Mobile Devices"] });
    bench.put("jamf/clients/narrow", only).await;
    let form =
        [("client_id", "narrow"), ("client_secret", "s"), ("grant_type", "client_credentials")];
    let granted = Answer::of(call(&bench, Method::POST, "api/v1/oauth/token").form(&form)).await;
    let token = granted.json()["access_token"].as_str().unwrap().to_owned();
    let jamf = Jamf { bench: &bench, token };
    assert_eq!(jamf.get("api/v2/mobile-devices/1/detail").await.status, StatusCode::OK);
    let refused = jamf.get("api/v3/computers-inventory/1").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["httpStatus"], 403);
    let absent = jamf.get("api/v3/computers-inventory/999").await;
    assert_eq!(absent.status, StatusCode::FORBIDDEN, "absence is not told either");
    let nobody = Answer::of(call(&bench, Method::GET, "api/v2/mobile-devices/1/detail")).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    assert_eq!(nobody.json()["errors"][0]["code"], "INVALID_TOKEN");
}

#[tokio::test]
async fn a_computer_can_be_deleted_with_the_privilege() {
    let bench = Bench::start().await;
    let jamf = Jamf::sign_in(&bench).await;
    let path = "api/v1/computers-inventory/1";
    let refused = Answer::of(jamf.call(Method::DELETE, path)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let may = json!({ "secret": "s", "privileges": ["Read Computers", "Delete Computers"] });
    bench.put("jamf/accounts/cleaner", may).await;
    let granted = call(&bench, Method::POST, "api/v1/auth/token").basic_auth("cleaner", Some("s"));
    let token = Answer::of(granted).await.json()["token"].as_str().unwrap().to_owned();
    let cleaner = Jamf { bench: &bench, token };
    let gone = Answer::of(cleaner.call(Method::DELETE, path)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(cleaner.get("api/v3/computers-inventory/1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn instances_share_nothing() {
    let bench = Bench::start().await;
    let jamf = Jamf::sign_in(&bench).await;
    let url = |name: &str| format!("{}/jamf/{name}/api/v3/computers-inventory/1", bench.base());
    let at = |name: &str| bench.http.get(url(name)).bearer_auth(&jamf.token);
    assert_eq!(Answer::of(at("contoso.example")).await.status, StatusCode::OK);
    assert_eq!(Answer::of(at("fabrikam")).await.status, StatusCode::UNAUTHORIZED);
    let nowhere = Answer::of(at("nobody")).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    assert!(nowhere.content_type().starts_with("text/html"));
}

#[tokio::test]
async fn a_new_computer_comes_and_goes_at_replicas_and_a_deleted_one_lingers() {
    let mut bench = Bench::start().await;
    bench.pass(Duration::from_mins(5)).await;
    let made = bench.post("jamf/computers", json!({ "name": "new" })).await;
    assert_eq!(made["id"], 4);
    bench.control(Method::DELETE, "jamf/computers/1", Value::Null).await;
    let jamf = Jamf::sign_in(&bench).await;
    let faults = &bench.running.shared().faults;
    let new = "api/v3/computers-inventory/4";
    faults.replace(vec![Fault::of(Kind::Flicker).at(Service::Jamf).on("*computers-inventory*")]);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(jamf.get(new).await.status.as_u16());
    }
    assert_eq!(statuses, [404, 200, 404, 200]);

    faults.replace(vec![Fault::of(Kind::Stale).at(Service::Jamf)]);
    assert_eq!(jamf.get("api/v3/computers-inventory/1").await.status, StatusCode::OK);
    let text = |ids: &[u32]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(ids(&jamf, "page-size=2").await, (3, text(&[1, 2])));
    let classic = jamf.call(Method::GET, "JSSResource/computers/id/4");
    assert_eq!(Answer::of(classic).await.status, StatusCode::NOT_FOUND);
    faults.replace(Vec::new());
    assert_eq!(ids(&jamf, "page-size=2").await, (3, text(&[2, 3])));
}
