//! What is done to devices, what becomes of them, and which certificates are to be revoked for it.

use crate::support::{Bench, Request};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

fn state(bench: &Bench, device: Uuid) -> Option<String> {
    let read = bench.running.world().read(bench.tenant, |tenant| {
        let found = tenant.managed_devices.find(device)?;
        serde_json::to_value(found.management_state).unwrap().as_str().map(str::to_owned)
    });
    read.unwrap()
}

/// Serial numbers and causes in the queue.
async fn queued(bench: &Bench) -> Vec<(String, String)> {
    let books = bench.look("revocations").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = books["value"].as_array().unwrap().iter();
    items.map(|item| (text(&item["serialNumber"]), text(&item["cause"]))).collect()
}

fn asked(serial: &str, cause: &str) -> Vec<(String, String)> {
    vec![(serial.to_owned(), cause.to_owned())]
}

async fn act(bench: &Bench, device: Uuid, action: &str) -> Value {
    bench.post(&format!("managedDevices/{device}/{action}"), Value::Null).await
}

#[tokio::test]
async fn a_wipe_and_a_retirement_are_pending_then_issued_then_the_device_is_gone() {
    for (action, pending, issued, cause) in [
        ("wipe", "wipePending", "wipeIssued", "wiped"),
        ("retire", "retirePending", "retireIssued", "retired"),
    ] {
        let bench = Bench::start().await;
        let device = bench.device(0);
        bench.issue(device, None, "01").await;
        assert_eq!(act(&bench, device, action).await["managementState"], pending);
        assert!(queued(&bench).await.is_empty());
        assert_eq!(act(&bench, device, "sync").await["managementState"], issued);
        assert_eq!(queued(&bench).await, asked("01", cause));
        assert_eq!(act(&bench, device, "sync").await["present"], false);
        assert_eq!(state(&bench, device), None);
        assert_eq!(queued(&bench).await, asked("01", cause));
    }
}

#[tokio::test]
async fn a_device_that_has_something_to_do_checks_in_every_eight_hours_by_itself() {
    let mut bench = Bench::start().await;
    let (first, second) = (bench.device(0), bench.device(1));
    act(&bench, first, "wipe").await;
    bench.pass(Duration::from_hours(4)).await;
    act(&bench, second, "wipe").await;
    bench.pass(Duration::from_hours(5)).await;
    bench.look("revocations").await;
    assert_eq!(state(&bench, first).as_deref(), Some("wipeIssued"));
    assert_eq!(state(&bench, second).as_deref(), Some("wipePending"));
    bench.pass(Duration::from_hours(24)).await;
    bench.look("revocations").await;
    assert_eq!((state(&bench, first), state(&bench, second)), (None, None));
}

#[tokio::test]
async fn a_device_that_cannot_be_reached_waits() {
    let mut bench = Bench::start().await;
    let device = bench.device(0);
    let reach = format!("managedDevices/{device}/reach");
    bench.put(&reach, json!({ "reach": "offline" })).await;
    act(&bench, device, "wipe").await;
    assert_eq!(act(&bench, device, "sync").await["managementState"], "wipePending");
    bench.pass(Duration::from_hours(100)).await;
    bench.look("revocations").await;
    assert_eq!(state(&bench, device).as_deref(), Some("wipePending"));
    bench.put(&reach, json!({ "reach": "online" })).await;
    assert_eq!(state(&bench, device).as_deref(), Some("wipeIssued"));
}

#[tokio::test]
async fn a_device_that_its_user_takes_out_is_gone_at_once_and_its_certificates_are_to_be_revoked() {
    let bench = Bench::start().await;
    let device = bench.device(0);
    bench.issue(device, None, "01").await;
    assert_eq!(act(&bench, device, "unenroll").await["present"], false);
    assert_eq!(queued(&bench).await, asked("01", "unenrolled"));
    let again = format!("managedDevices/{device}/unenroll");
    let gone = bench.control(Method::POST, &again, Value::Null).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn deleting_a_device_removes_it_at_once_and_revokes_nothing() {
    let bench = Bench::start().await;
    let device = bench.device(0);
    bench.issue(device, None, "01").await;
    assert_eq!(act(&bench, device, "delete").await["present"], false);
    assert_eq!(state(&bench, device), None);
    assert!(queued(&bench).await.is_empty());
}

#[tokio::test]
async fn the_entra_device_stays_when_intune_lets_go_of_it() {
    let bench = Bench::start().await;
    let device = bench.device(0);
    let entra = bench.running.world().read(bench.tenant, |tenant| {
        tenant.managed_devices.find(device).unwrap().azure_ad_device_id.unwrap()
    });
    act(&bench, device, "unenroll").await;
    let kept = bench
        .running
        .world()
        .read(bench.tenant, |tenant| tenant.devices.find_by(entra.as_ref().unwrap()).is_some());
    assert_eq!(kept, Ok(true));
}

#[tokio::test]
async fn a_changed_profile_has_every_certificate_replaced_and_a_new_name_none() {
    let bench = Bench::start().await;
    let device = bench.device(0);
    let profile = bench.post("profiles", json!({ "displayName": "VPN" })).await;
    let id: Uuid = profile["id"].as_str().unwrap().parse().unwrap();
    bench.issue(device, Some(id), "01").await;
    bench.issue(device, None, "02").await;
    let path = format!("profiles/{id}");
    let named = bench.control(Method::PATCH, &path, json!({ "displayName": "VPN 2" })).await;
    assert_eq!(named.json()["version"], 1);
    assert!(queued(&bench).await.is_empty());
    let open = Request::asked_for(&bench.challenge(device, Some(id)).await).encode();
    let larger = bench.control(Method::PATCH, &path, json!({ "keySize": 3072 })).await;
    assert_eq!(larger.json()["version"], 2);
    assert_eq!(queued(&bench).await, asked("01", "profileChanged"));
    let code = "ScepProfileNoLongerTargetedToTheClient";
    assert_eq!(bench.validate("T", &open).await, code);
    assert_eq!(bench.challenge(device, Some(id)).await["keySize"], 3072);
}

#[tokio::test]
async fn a_profile_that_is_unassigned_or_deleted_has_its_certificates_revoked() {
    let bench = Bench::start().await;
    let device = bench.device(0);
    let make = async |name: &str| -> Uuid {
        let profile = bench.post("profiles", json!({ "displayName": name })).await;
        profile["id"].as_str().unwrap().parse().unwrap()
    };
    let (first, second) = (make("A").await, make("B").await);
    bench.issue(device, Some(first), "01").await;
    bench.issue(device, Some(second), "02").await;
    let unassigned = json!({ "assignment": { "groups": [] } });
    bench.control(Method::PATCH, &format!("profiles/{first}"), unassigned).await;
    assert_eq!(queued(&bench).await, asked("01", "profileRemoved"));
    let deleted = bench.control(Method::DELETE, &format!("profiles/{second}"), Value::Null).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(queued(&bench).await[1..], asked("02", "profileRemoved"));
    let refused = bench.control(
        Method::POST,
        "challenges",
        json!({
            "deviceId": device, "profileId": first,
        }),
    );
    assert_eq!(refused.await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn leaving_the_group_revokes_what_came_by_it_alone() {
    let bench = Bench::start().await;
    let device = bench.device(0);
    let (user, entra) = bench
        .running
        .world()
        .read(bench.tenant, |tenant| {
            let device = tenant.managed_devices.find(device).unwrap();
            let entra = tenant.devices.find_by(&device.azure_ad_device_id.unwrap()).unwrap().id;
            (device.user_id.unwrap(), entra)
        })
        .unwrap();
    let group = bench.post("groups", json!({ "displayName": "VPN", "members": [entra] })).await;
    let group = group["id"].as_str().unwrap();
    let assigned = json!({ "displayName": "VPN", "assignment": { "groups": [group] } });
    let profile = bench.post("profiles", assigned).await;
    let profile: Uuid = profile["id"].as_str().unwrap().parse().unwrap();
    bench.issue(device, Some(profile), "01").await;
    bench.issue(device, None, "02").await;

    bench.put(&format!("groups/{group}/members/{user}"), Value::Null).await;
    let member = |id: Uuid| format!("groups/{group}/members/{id}");
    bench.control(Method::DELETE, &member(entra), Value::Null).await;
    assert!(queued(&bench).await.is_empty(), "the device's user is a member still");
    bench.control(Method::DELETE, &member(user), Value::Null).await;
    assert_eq!(queued(&bench).await, asked("01", "groupLeft"));
}

#[tokio::test]
async fn a_lost_licence_and_a_deleted_user_revoke_nothing() {
    let bench = Bench::start().await;
    let device = bench.device(0);
    bench.issue(device, None, "01").await;
    let user = bench
        .running
        .world()
        .read(bench.tenant, |tenant| tenant.managed_devices.find(device).unwrap().user_id.unwrap())
        .unwrap();
    bench.put(&format!("users/{user}/licence"), json!({ "licensed": false })).await;
    let removed = bench.running.world().change(bench.tenant, |tenant, now| {
        tenant.users.remove(user, lanyard_simulator::tenant::Removal::Permanent, now).is_some()
    });
    assert_eq!(removed, Ok(true));
    act(&bench, device, "sync").await;
    assert!(queued(&bench).await.is_empty());
    assert_eq!(state(&bench, device).as_deref(), Some("managed"));
}

#[tokio::test]
async fn what_is_pending_can_be_taken_back_and_what_is_issued_cannot() {
    let bench = Bench::start().await;
    for (action, canceled) in [("wipe", "wipeCanceled"), ("retire", "retireCanceled")] {
        let device = bench.device(0);
        act(&bench, device, action).await;
        assert_eq!(act(&bench, device, "cancel").await["managementState"], canceled);
        assert_eq!(act(&bench, device, "sync").await["managementState"], canceled);
        bench.challenge(device, None).await;
    }
    let device = bench.device(1);
    act(&bench, device, "wipe").await;
    act(&bench, device, "sync").await;
    assert_eq!(act(&bench, device, "cancel").await["managementState"], "wipeIssued");
}

#[tokio::test]
async fn a_device_that_checks_in_hears_which_certificates_it_is_to_get() {
    let bench = Bench::start().await;
    let device = bench.device(0);
    let ids = |profiles: &Value| {
        let profiles = profiles["value"].as_array().unwrap().iter();
        profiles.map(|profile| profile["id"].clone()).collect::<Vec<_>>()
    };
    let all = ids(&bench.look("profiles").await);
    assert_eq!(all.len(), 2);
    assert_eq!(act(&bench, device, "sync").await["certificatesDue"], json!(all));
    for (n, profile) in all.iter().enumerate() {
        let profile = profile.as_str().unwrap().parse().unwrap();
        bench.issue(device, Some(profile), &n.to_string()).await;
    }
    assert_eq!(act(&bench, device, "sync").await["certificatesDue"], json!([]));
    let path = format!("profiles/{}", all[0].as_str().unwrap());
    bench.control(Method::PATCH, &path, json!({ "keySize": 3072 })).await;
    assert_eq!(act(&bench, device, "sync").await["certificatesDue"], json!([all[0]]));
    act(&bench, device, "retire").await;
    assert_eq!(act(&bench, device, "sync").await["certificatesDue"], json!([]));
}

#[tokio::test]
async fn a_wipe_that_was_issued_is_not_taken_back_by_a_retirement() {
    let bench = Bench::start().await;
    let device = bench.device(0);
    act(&bench, device, "wipe").await;
    act(&bench, device, "sync").await;
    assert_eq!(act(&bench, device, "retire").await["managementState"], "wipeIssued");
}

#[tokio::test]
async fn devices_of_every_platform_and_mode_get_certificates_for_themselves_and_their_users() {
    let bench = Bench::start().await;
    let profiles = bench.look("profiles").await;
    let profiles: Vec<Uuid> = profiles["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|profile| profile["id"].as_str().unwrap().parse().unwrap())
        .collect();
    for n in 0..5 {
        for profile in &profiles {
            bench.issue(bench.device(n), Some(*profile), &format!("{n}-{profile}")).await;
        }
    }
    let modes = [
        "windows",
        "macOs",
        "ios",
        "androidWorkProfile",
        "androidFullyManaged",
        "androidDedicated",
        "androidKnox",
    ];
    for mode in modes {
        let device = bench.device(5);
        bench.put(&format!("managedDevices/{device}/mode"), json!({ "mode": mode })).await;
        bench.issue(device, None, mode).await;
    }
    let known = bench.look("certificates").await;
    assert_eq!(known["value"].as_array().unwrap().len(), 10 + modes.len());
}
