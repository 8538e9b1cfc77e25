//! Subjects as Jamf Pro writes them.

use super::*;

fn jamf(subject: &[(Oid, &str)], names: &[GeneralName]) -> Result<Sought, Unbound> {
    unbound(sought(BindingRule::Jamf, &claims(subject, names)))
}

#[test]
fn jamf_s_subject_names_the_number_and_the_sort_of_object() {
    let profile = cn("com.example.profile");
    for (unit, kind) in [("computers", Kind::JamfComputer), ("devices", Kind::JamfDevice)] {
        let expected = Ok(Sought::JamfDevice { kind, device: 17 });
        assert_eq!(jamf(&[cn("17"), ou(unit), profile], &[]), expected);
        assert_eq!(jamf(&[profile, ou(&unit.to_uppercase()), cn(" 17 ")], &[]), expected);
        assert_eq!(jamf(&[cn("17"), ou("Sales"), ou(unit)], &[]), expected);
    }
    let mail = [GeneralName::Email("Ada@example.com".to_owned())];
    for (unit, kind) in [
        ("users-on-computers", Kind::JamfUserOnComputer),
        ("users-on-devices", Kind::JamfUserOnDevice),
    ] {
        let email = "Ada@example.com".to_owned();
        let expected = Ok(Sought::JamfUser { kind, device: 17, email });
        assert_eq!(jamf(&[cn("17"), ou(unit)], &mail), expected);
        assert_eq!(jamf(&[cn("17"), ou(unit)], &[]), Err(Unbound::NoEmail));
        let two = [mail[0].clone(), GeneralName::Email("bob@example.com".to_owned())];
        assert_eq!(jamf(&[cn("17"), ou(unit)], &two), Err(Unbound::SeveralUsers));
    }
}

#[test]
fn a_subject_that_is_not_jamf_s_is_refused() {
    let computers = ou("computers");
    assert_eq!(jamf(&[cn("17")], &[]), Err(Unbound::NoJamfUnit));
    assert_eq!(jamf(&[cn("17"), ou("computer")], &[]), Err(Unbound::NoJamfUnit));
    let both = [cn("17"), computers, ou("devices")];
    assert_eq!(jamf(&both, &[]), Err(Unbound::SeveralJamfUnits));
    assert_eq!(jamf(&[cn("17"), cn("18"), computers], &[]), Err(Unbound::SeveralDevices));
    for number in ["0", "+17", "-1", "1.7", "17a", "$JSSID", "18446744073709551616"] {
        assert_eq!(jamf(&[cn(number), computers], &[]), Err(Unbound::NoJamfId), "{number}");
    }
}
