//! User principal names.

use super::*;

#[test]
fn a_user_is_named_by_a_user_principal_name() {
    let ada = GeneralName::upn("Ada@Example.com");
    for find in [intune, entra] {
        assert_eq!(find(&[cn("Ada")], std::slice::from_ref(&ada)), Ok(person("Ada@Example.com")));
        let twice = [ada.clone(), GeneralName::upn("ada@example.com")];
        assert_eq!(find(&[cn("Ada")], &twice), Ok(person("Ada@Example.com")));
        let two = [ada.clone(), GeneralName::upn("bob@example.com")];
        assert_eq!(find(&[cn("Ada")], &two), Err(Unbound::SeveralUsers));
    }
}

#[test]
fn a_user_s_certificate_may_carry_the_device_s_uri_and_a_device_s_the_user_s_name() {
    let names = [GeneralName::upn("ada@example.com"), device_uri(GUID)];
    assert_eq!(intune(&[cn("Ada")], &names), Ok(person("ada@example.com")));
    let device = intune(&[cn(OTHER)], &names);
    let expected = vec![in_intune(GUID, NamedBy::IntuneUri), in_entra(OTHER)];
    assert_eq!(device, Ok(Sought::Device(expected)));
}

#[test]
fn a_user_principal_name_in_the_subject_serves_where_none_is_among_the_alternative_names() {
    for find in [intune, entra] {
        let email = |address| (oid::EMAIL_ADDRESS, address);
        assert_eq!(find(&[cn("ada@example.com")], &[]), Ok(person("ada@example.com")));
        assert_eq!(find(&[(oid::USER_ID, "ada@example.com")], &[]), Ok(person("ada@example.com")));
        assert_eq!(
            find(&[cn("Ada"), email("ada@example.com")], &[]),
            Ok(person("ada@example.com"))
        );
        let mail_too = [cn("ada@example.com"), email("a.lovelace@example.com")];
        assert_eq!(find(&mail_too, &[]), Ok(person("ada@example.com")));
        let first = [GeneralName::upn("ada@example.com")];
        assert_eq!(find(&[cn("bob@example.com")], &first), Ok(person("ada@example.com")));
        let two = [cn("ada@example.com"), cn("bob@example.com")];
        assert_eq!(find(&two, &[]), Err(Unbound::SeveralUsers));
    }
}
