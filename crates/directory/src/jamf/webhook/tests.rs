use proptest::prelude::*;
use serde_json::json;

use super::*;

fn secret() -> SecretString {
    "Bearer correct horse battery staple".into()
}

fn read(body: &serde_json::Value) -> Vec<Hint> {
    let body = serde_json::to_vec(body).unwrap();
    hints(&body, Some(b"Bearer correct horse battery staple"), &secret()).unwrap()
}

fn delivery(event: &str, content: serde_json::Value) -> serde_json::Value {
    let mut body = json!({"webhook": {
        "id": 7, "name": "Lanyard", "webhookEvent": event, "eventTimestamp": 1_553_550_275_590_i64,
    }});
    body["event"] = content;
    body
}

#[test]
fn device_events_name_the_device() {
    let event = json!({
        "jssID": 12, "udid": "U", "serialNumber": "S", "deviceName": "mac", "username": "ada",
        "emailAddress": "ada@example.org", "managementId": "M",
    });
    for (name, kind) in [
        ("ComputerAdded", ObjectKind::JamfComputer),
        ("ComputerInventoryCompleted", ObjectKind::JamfComputer),
        ("ComputerPushCapabilityChanged", ObjectKind::JamfComputer),
        ("MobileDeviceEnrolled", ObjectKind::JamfMobileDevice),
        ("MobileDeviceUnEnrolled", ObjectKind::JamfMobileDevice),
    ] {
        let object = Some(ObjectId::jamf_device(12));
        assert_eq!(read(&delivery(name, event.clone())), [Hint { kind, object }], "{name}");
    }
}

#[test]
fn a_device_one_level_down_is_found() {
    let event = json!({"computer": {"jssID": "12"}, "trigger": "CLIENT_CHECKIN"});
    let object = Some(ObjectId::jamf_device(12));
    assert_eq!(
        read(&delivery("ComputerCheckIn", event)),
        [Hint { kind: ObjectKind::JamfComputer, object }],
    );
}

#[test]
fn a_deletion_through_the_api_names_the_object() {
    for (name, kind, object) in [
        ("Computer", ObjectKind::JamfComputer, ObjectId::jamf_device(5)),
        ("Mobile Device", ObjectKind::JamfMobileDevice, ObjectId::jamf_device(5)),
        ("User", ObjectKind::JamfUser, ObjectId::jamf_user(0, 5)),
    ] {
        let event = json!({
            "objectID": 5, "objectTypeName": name, "restAPIOperationType": "DELETE",
            "operationSuccessful": true, "authorizedUsername": "admin",
        });
        let expected = [Hint { kind, object: Some(object) }];
        assert_eq!(read(&delivery("RestAPIOperation", event)), expected, "{name}");
    }
}

#[test]
fn reads_through_the_api_and_other_objects_name_nothing() {
    for event in [
        json!({"objectID": 5, "objectTypeName": "Computer", "restAPIOperationType": "GET"}),
        json!({"objectID": 5, "objectTypeName": "Policy", "restAPIOperationType": "DELETE"}),
        json!({}),
    ] {
        assert_eq!(read(&delivery("RestAPIOperation", event)), []);
    }
    assert_eq!(read(&delivery("PatchSoftwareTitleUpdated", json!({"jssID": 3}))), []);
    assert_eq!(read(&delivery("", json!({"jssID": 3}))), []);
}

#[test]
fn a_smart_group_names_who_came_and_went() {
    let event = json!({
        "computer": true, "name": "g", "smartGroup": true, "jssid": 4,
        "groupAddedDevicesIds": [1, 2], "groupRemovedDevicesIds": [3],
    });
    let found = read(&delivery("SmartGroupComputerMembershipChange", event));
    let named: Vec<_> = found.iter().filter_map(|hint| hint.object).collect();
    assert_eq!(named, [1, 2, 3].map(ObjectId::jamf_device));
    assert!(found.iter().all(|hint| hint.kind == ObjectKind::JamfComputer));
}

#[test]
fn an_event_without_a_number_still_names_the_kind() {
    assert_eq!(
        read(&delivery("MobileDeviceEnrolled", json!({}))),
        [Hint { kind: ObjectKind::JamfMobileDevice, object: None }],
    );
}

#[test]
fn nothing_is_read_without_the_configured_header() {
    let body = serde_json::to_vec(&delivery("ComputerAdded", json!({"jssID": 1}))).unwrap();
    let sent: [Option<&[u8]>; 4] = [
        None,
        Some(b""),
        Some(b"Bearer correct horse battery stapl"),
        Some(b"Bearer correct horse battery staple "),
    ];
    for header in sent {
        assert_eq!(hints(&body, header, &secret()), Err(WebhookError::NotAuthorized));
    }
}

#[test]
fn xml_and_endless_bodies_are_refused_in_words() {
    let header: Option<&[u8]> = Some(b"Bearer correct horse battery staple");
    let xml = b"<?xml version=\"1.0\"?><JSSEvent/>";
    assert_eq!(hints(xml, header, &secret()), Err(WebhookError::Unreadable));
    assert_eq!(hints(&vec![b' '; MAX_BODY + 1], header, &secret()), Err(WebhookError::TooLong));
}

proptest! {
    #[test]
    fn no_body_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let header: Option<&[u8]> = Some(b"Bearer correct horse battery staple");
        prop_assert!(hints(&body, header, &secret()).is_err());
    }
}
