use std::fmt::Write;

use proptest::prelude::*;

use super::*;

const DIRECTORY: DirectoryId = DirectoryId::from_bytes([7; 16]);

fn wiped() -> Properties {
    Properties::IntuneDevice(IntuneDevice {
        device_name: Some("LAPTOP-1".to_owned()),
        management_state: Some(ManagementState::WipePending),
        compliance_state: Some("quarantined".into()),
        enrolled: Some(Time::from_unix(1_750_000_000)),
        ..IntuneDevice::default()
    })
}

fn one_of_each() -> Vec<Properties> {
    vec![
        Properties::EntraUser(EntraUser {
            user_principal_name: Some("ada@example.com".to_owned()),
            account_enabled: Some(false),
            ..EntraUser::default()
        }),
        Properties::EntraDevice(EntraDevice {
            graph_id: Some(uuid::Uuid::from_u128(9)),
            is_compliant: Some(true),
            ..EntraDevice::default()
        }),
        Properties::RiskyUser(RiskyUser {
            risk_level: Some(RiskLevel::High),
            risk_state: Some(RiskState::AtRisk),
            ..RiskyUser::default()
        }),
        wiped(),
        Properties::JamfComputer(JamfDevice { managed: Some(true), ..JamfDevice::default() }),
        Properties::JamfMobileDevice(JamfDevice::default()),
        Properties::JamfUser(JamfUser { name: Some("ada".to_owned()), ..JamfUser::default() }),
    ]
}

#[test]
fn the_codes_and_the_stored_form_are_as_published() {
    let mut text = String::new();
    for (kind, properties) in ObjectKind::ALL.iter().zip(one_of_each()) {
        assert_eq!(properties.kind(), *kind);
        assert_eq!(ObjectKind::from_code(kind.code()), Some(*kind));
        let stored = serde_json::to_string(&Presence::Present(properties)).unwrap();
        writeln!(text, "{} {kind} {stored}", kind.code()).unwrap();
    }
    text += &serde_json::to_string(&Presence::Absent).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn the_stored_form_comes_back() {
    for properties in one_of_each() {
        let presence = Presence::Present(properties);
        let stored = serde_json::to_string(&presence).unwrap();
        assert_eq!(serde_json::from_str::<Presence>(&stored).unwrap(), presence, "{stored}");
    }
}

#[test]
fn a_stored_form_with_a_property_of_a_later_release_is_read() {
    let stored = r#"{"Present":{}}"#;
    assert!(serde_json::from_str::<Presence>(stored).is_err());
    let stored = r#"{"present":{"EntraUser":{"accountEnabled":true,"shoeSize":43}}}"#;
    let Presence::Present(Properties::EntraUser(user)) = serde_json::from_str(stored).unwrap()
    else {
        panic!("a present user");
    };
    assert_eq!((user.account_enabled, user.mail), (Some(true), None));
}

#[test]
fn facts_name_what_was_said_and_leave_out_what_was_not() {
    let state =
        ObjectState::present(DIRECTORY, ObjectId::from_u128(5), wiped(), Time::from_unix(1000));
    let facts: Vec<String> = state.facts("Intune").iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(facts.join("\n"));
    assert!(state.facts("Intune").iter().all(|fact| fact.object == Some(state.key.object)));
}

#[test]
fn an_absent_object_is_a_fact_too() {
    let key = ObjectKey {
        directory: DIRECTORY,
        kind: ObjectKind::JamfComputer,
        object: ObjectId::jamf_device(12),
    };
    let state = ObjectState::absent(key, Time::from_unix(0));
    assert_eq!(state.properties(), None);
    let facts = state.facts("Jamf Pro");
    assert_eq!(
        facts[0].to_string(),
        "Jamf Pro: JamfComputer=notFound (learnt 1970-01-01T00:00:00Z)"
    );
}

#[test]
fn known_words_are_read_in_any_letter_case() {
    for known in ManagementState::KNOWN {
        assert_eq!(ManagementState::from(known.as_str().to_uppercase().as_str()), *known);
    }
    for known in ComplianceState::KNOWN {
        assert_eq!(ComplianceState::from(known.as_str()), *known);
    }
}

proptest! {
    #[test]
    fn an_unknown_word_is_kept_as_it_came(word in "\\PC{0,24}") {
        let state = ManagementState::from(word.as_str());
        if matches!(state, ManagementState::Other(_)) {
            prop_assert_eq!(state.as_str(), word.as_str());
        }
        let stored = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<ManagementState>(&stored).unwrap(), state);
    }
}
