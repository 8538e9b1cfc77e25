use lanyard_pki::{Digest, KeyAlgorithm, Name, PublicKey, SignatureAlgorithm};
use proptest::prelude::*;

use super::*;

mod jamf;
mod users;

const GUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
const OTHER: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
const NIL: &str = "00000000-0000-0000-0000-000000000000";
const BOTH: DeviceDirectory = DeviceDirectory::EntraAndIntune;

fn key() -> PublicKey {
    let point = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    PublicKey::from_point(KeyAlgorithm::Ed25519, &point.unwrap()).unwrap()
}

fn claims(subject: &[(Oid, &str)], names: &[GeneralName]) -> Claims {
    Claims {
        public_key: key(),
        signed_with: SignatureAlgorithm::Ecdsa(Digest::Sha256),
        subject: Name::from_attributes(subject.iter().copied()).unwrap(),
        alternative_names: names.to_vec(),
        key_usages: None,
        extended_key_usages: None,
        validity: None,
        other_extensions: Vec::new(),
    }
}

fn cn(name: &str) -> (Oid, &str) {
    (oid::COMMON_NAME, name)
}

fn ou(name: &str) -> (Oid, &str) {
    (oid::ORGANIZATIONAL_UNIT, name)
}

fn uri(text: &str) -> GeneralName {
    GeneralName::Uri(text.to_owned())
}

fn device_uri(id: &str) -> GeneralName {
    uri(&format!("IntuneDeviceId://{id}"))
}

fn intune(subject: &[(Oid, &str)], names: &[GeneralName]) -> Result<Sought, Unbound> {
    unbound(sought(BindingRule::Intune(BOTH), &claims(subject, names)))
}

fn entra(subject: &[(Oid, &str)], names: &[GeneralName]) -> Result<Sought, Unbound> {
    unbound(sought(BindingRule::Entra, &claims(subject, names)))
}

fn unbound(sought: Result<Sought, Refusal>) -> Result<Sought, Unbound> {
    sought.map_err(|refusal| match refusal {
        Refusal::Unbound(unbound) => unbound,
        other => panic!("{other}"),
    })
}

fn candidate(kind: Kind, object_kind: ObjectKind, id: &str, named_by: NamedBy) -> Candidate {
    Candidate { kind, object_kind, object: id.parse().unwrap(), named_by }
}

fn in_intune(id: &str, named_by: NamedBy) -> Candidate {
    candidate(Kind::IntuneDevice, ObjectKind::IntuneDevice, id, named_by)
}

fn in_entra(id: &str) -> Candidate {
    candidate(Kind::EntraDevice, ObjectKind::EntraDevice, id, NamedBy::CommonName)
}

fn person(name: &str) -> Sought {
    Sought::User { user_principal_name: name.to_owned() }
}

#[test]
fn a_common_name_that_is_a_guid_is_asked_for_in_intune_first() {
    let both = [in_intune(GUID, NamedBy::CommonName), in_entra(GUID)];
    assert_eq!(intune(&[cn(GUID)], &[]), Ok(Sought::Device(both.to_vec())));
    let seen = |directories| sought(BindingRule::Intune(directories), &claims(&[cn(GUID)], &[]));
    assert_eq!(seen(DeviceDirectory::Intune), Ok(Sought::Device(both[..1].to_vec())));
    assert_eq!(seen(DeviceDirectory::Entra), Ok(Sought::Device(both[1..].to_vec())));
    assert_eq!(entra(&[cn(GUID)], &[]), Ok(Sought::Device(both[1..].to_vec())));
}

#[test]
fn intune_s_uri_names_a_device_there_and_the_common_name_one_in_entra() {
    let uri = [device_uri(GUID)];
    let seen = intune(&[cn(OTHER)], &uri);
    let expected = vec![in_intune(GUID, NamedBy::IntuneUri), in_entra(OTHER)];
    assert_eq!(seen, Ok(Sought::Device(expected)));
    let alone = intune(&[cn("laptop")], &uri);
    assert_eq!(alone, Ok(Sought::Device(vec![in_intune(GUID, NamedBy::IntuneUri)])));
    let rule = BindingRule::Intune(DeviceDirectory::Entra);
    let not_there = unbound(sought(rule, &claims(&[cn("laptop")], &uri)));
    assert_eq!(not_there, Err(Unbound::IntuneNotAsked));
    let by_name = unbound(sought(rule, &claims(&[cn(OTHER)], &uri)));
    assert_eq!(by_name, Ok(Sought::Device(vec![in_entra(OTHER)])));
}

#[test]
fn case_braces_hyphens_and_encoding_of_an_id_do_not_matter() {
    let upper = GUID.to_uppercase();
    let plain = GUID.replace('-', "");
    for id in [
        GUID.to_owned(),
        upper.clone(),
        format!("{{{GUID}}}"),
        format!("{{{upper}}}"),
        format!(" {GUID} "),
        plain,
    ] {
        assert_eq!(entra(&[cn(&id)], &[]), Ok(Sought::Device(vec![in_entra(GUID)])), "{id}");
    }
    for text in [
        format!("IntuneDeviceId://{GUID}"),
        format!("intunedeviceid://{GUID}"),
        format!("INTUNEDEVICEID://{upper}"),
        format!("IntuneDeviceID://{GUID}/"),
        format!("IntuneDeviceId://{{{upper}}}"),
        format!("IntuneDeviceId://%7B{GUID}%7D"),
        format!("IntuneDeviceId://%7b{}%7d", GUID.replace('-', "%2D")),
    ] {
        let seen = intune(&[cn("laptop")], &[uri(&text)]);
        let expected = vec![in_intune(GUID, NamedBy::IntuneUri)];
        assert_eq!(seen, Ok(Sought::Device(expected)), "{text}");
    }
}

#[test]
fn common_names_that_are_no_ids_are_passed_over_in_any_order() {
    let expected = Ok(Sought::Device(vec![in_entra(GUID)]));
    for names in [
        [cn(GUID), cn("laptop"), cn("Management profile")],
        [cn("laptop"), cn("Management profile"), cn(GUID)],
        [cn(GUID), cn("laptop"), cn(GUID)],
    ] {
        assert_eq!(entra(&names, &[]), expected);
    }
}

#[test]
fn several_ids_are_asked_for_and_too_many_refused() {
    let two = [cn(GUID), cn("laptop"), cn(OTHER), cn(NIL), cn(GUID)];
    assert_eq!(entra(&two, &[]), Ok(Sought::Device(vec![in_entra(GUID), in_entra(OTHER)])));
    let named = |id| in_intune(id, NamedBy::CommonName);
    let expected = vec![named(GUID), named(OTHER), in_entra(GUID), in_entra(OTHER)];
    assert_eq!(intune(&two, &[]), Ok(Sought::Device(expected)));
    let many: Vec<String> = (1..=5_u128).map(|id| Uuid::from_u128(id).to_string()).collect();
    let many: Vec<(Oid, &str)> = many.iter().map(|id| cn(id)).collect();
    assert_eq!(entra(&many, &[]), Err(Unbound::SeveralDevices));
    assert!(entra(&many[..4], &[]).is_ok());
}

#[test]
fn two_different_uris_are_refused() {
    let uris = [device_uri(GUID), device_uri(OTHER)];
    assert_eq!(intune(&[cn("laptop")], &uris), Err(Unbound::SeveralDevices));
    assert_eq!(intune(&[cn(GUID)], &uris), Err(Unbound::SeveralDevices));
    let same = [device_uri(GUID), device_uri(&GUID.to_uppercase())];
    assert!(intune(&[cn("laptop")], &same).is_ok());
}

/// Kandji writes a profile's id into every subject.
#[test]
fn an_id_that_a_management_adds_does_not_hide_a_user() {
    let noise = cn(OTHER);
    let ada = [GeneralName::upn("ada@example.com")];
    assert_eq!(entra(&[cn("Ada"), noise], &ada), Ok(person("ada@example.com")));
    assert_eq!(entra(&[noise, cn("ada@example.com")], &[]), Ok(person("ada@example.com")));
    let device = [noise, (oid::EMAIL_ADDRESS, "ada@example.com")];
    assert_eq!(entra(&device, &[]), Ok(Sought::Device(vec![in_entra(OTHER)])));
}

#[test]
fn a_device_that_is_not_registered_has_no_id() {
    assert_eq!(entra(&[cn(NIL)], &[]), Err(Unbound::NoDeviceId));
    assert_eq!(intune(&[cn("laptop")], &[device_uri(NIL)]), Err(Unbound::BadDeviceUri));
}

#[test]
fn an_empty_variable_in_the_uri_leaves_the_common_name() {
    for text in ["IntuneDeviceId://", "IntuneDeviceId://{{DeviceId}}", "IntuneDeviceId://%zz"] {
        let seen = intune(&[cn(GUID)], &[uri(text)]);
        let expected = vec![in_intune(GUID, NamedBy::CommonName), in_entra(GUID)];
        assert_eq!(seen, Ok(Sought::Device(expected)), "{text}");
        assert_eq!(intune(&[cn("laptop")], &[uri(text)]), Err(Unbound::BadDeviceUri), "{text}");
    }
}

#[test]
fn a_request_that_names_nobody_is_refused() {
    for find in [intune, entra] {
        for name in ["laptop", "@example.com", "ada@", "a@b@c", "ada at example"] {
            assert_eq!(find(&[cn(name)], &[]), Err(Unbound::NoDeviceOrUser), "{name}");
        }
        assert_eq!(find(&[], &[GeneralName::upn(" ")]), Err(Unbound::NoDeviceOrUser));
    }
    assert_eq!(entra(&[cn("laptop")], &[device_uri(GUID)]), Err(Unbound::NoDeviceOrUser));
}

#[test]
fn an_endpoint_that_tethers_to_nothing_looks_at_no_name() {
    let seen = sought(BindingRule::Untethered(Kind::Static), &claims(&[cn(GUID), cn(OTHER)], &[]));
    assert_eq!(seen, Ok(Sought::Untethered(Kind::Static)));
}

#[test]
fn refusals_say_what_is_missing() {
    let sentences: Vec<String> = [
        Unbound::NoDeviceOrUser,
        Unbound::NoDeviceId,
        Unbound::BadDeviceUri,
        Unbound::SeveralDevices,
        Unbound::SeveralUsers,
        Unbound::IntuneNotAsked,
        Unbound::UnknownDevice,
        Unbound::NoJamfUnit,
        Unbound::SeveralJamfUnits,
        Unbound::NoJamfId,
        Unbound::NoEmail,
        Unbound::NoSuchObject(ObjectKind::JamfUser),
        Unbound::NotGood(crate::verdict::Rule::IntuneDeviceWiped),
        Unbound::NotFollowed(Kind::AdUser),
    ]
    .into_iter()
    .map(|unbound| Refusal::Unbound(unbound).to_string())
    .chain([Refusal::DirectorySilent { kind: ObjectKind::IntuneDevice }.to_string()])
    .collect();
    insta::assert_snapshot!(sentences.join("\n"));
}

proptest! {
    #[test]
    fn no_name_makes_it_fail_otherwise_than_by_a_refusal(
        name in "\\PC{0,40}", text in "(?i)(IntuneDeviceId://)?[%{}0-9a-f/-]{0,50}", mail in "\\PC{0,20}",
    ) {
        let names =
            [uri(&text), GeneralName::upn(&mail), GeneralName::Email(mail.clone())];
        let subject = [cn(name.as_str()), ou("users-on-devices"), cn("17")];
        let Ok(made) = Name::from_attributes(subject) else { return Ok(()) };
        let asked = Claims { subject: made, ..claims(&[], &names) };
        for rule in [BindingRule::Intune(BOTH), BindingRule::Entra, BindingRule::Jamf] {
            if let Ok(Sought::Device(candidates)) = sought(rule, &asked) {
                prop_assert!(!candidates.is_empty());
            }
        }
    }

    #[test]
    fn the_id_found_is_the_one_that_was_meant(id: u128, upper: bool, braces: bool, hyphens: bool) {
        prop_assume!(id != 0);
        let guid = Uuid::from_u128(id);
        let mut text =
            if hyphens { guid.hyphenated().to_string() } else { guid.simple().to_string() };
        if upper {
            text = text.to_uppercase();
        }
        if braces && hyphens {
            text = format!("{{{text}}}");
        }
        let Ok(Sought::Device(by_name)) = entra(&[cn(&text)], &[]) else { panic!("{text}") };
        prop_assert_eq!(by_name[0].object, ObjectId::from(guid));
        let Ok(Sought::Device(by_uri)) = intune(&[], &[device_uri(&text)]) else { panic!("{text}") };
        prop_assert_eq!(by_uri[0].object, ObjectId::from(guid));
    }
}
