use super::*;

const OPPORTUNISTIC: DeviceDirectory = DeviceDirectory::EntraAndIntuneOpportunistic;
const BOTH: DeviceDirectory = DeviceDirectory::EntraAndIntune;

fn intune(named_by: NamedBy) -> Candidate {
    Candidate {
        kind: Kind::IntuneDevice,
        object_kind: ObjectKind::IntuneDevice,
        object: ObjectId::from_u128(1),
        named_by,
    }
}

fn entra() -> Candidate {
    Candidate {
        kind: Kind::EntraDevice,
        object_kind: ObjectKind::EntraDevice,
        object: ObjectId::from_u128(2),
        named_by: NamedBy::CommonName,
    }
}

fn silent(kind: ObjectKind) -> Result<Candidate, Refusal> {
    Err(Refusal::DirectorySilent { kind })
}

#[test]
fn the_first_directory_that_has_the_device_is_the_one() {
    let named = intune(NamedBy::CommonName);
    let chosen = choose(BOTH, &[(named, Asked::Present)]);
    assert_eq!(chosen, Ok(named));
    let chosen = choose(BOTH, &[(named, Asked::Absent), (entra(), Asked::Present)]);
    assert_eq!(chosen, Ok(entra()));
    let unknown = choose(BOTH, &[(named, Asked::Absent), (entra(), Asked::Absent)]);
    assert_eq!(unknown, Err(Refusal::Unbound(Unbound::UnknownDevice)));
}

#[test]
fn intune_s_own_uri_means_no_other_directory() {
    let named = intune(NamedBy::IntuneUri);
    let chosen = choose(BOTH, &[(named, Asked::Absent), (entra(), Asked::Present)]);
    assert_eq!(chosen, Ok(named));
}

#[test]
fn silence_is_never_taken_for_absence() {
    let named = intune(NamedBy::CommonName);
    for directories in DeviceDirectory::ALL.iter().copied() {
        let chosen = choose(directories, &[(named, Asked::Silent), (entra(), Asked::Present)]);
        assert_eq!(chosen, silent(ObjectKind::IntuneDevice));
        let chosen = choose(directories, &[(named, Asked::Absent), (entra(), Asked::Silent)]);
        assert_eq!(chosen, silent(ObjectKind::EntraDevice));
    }
}

#[test]
fn intune_is_passed_over_without_a_permission_only_where_it_need_not_be_asked() {
    for answer in [Asked::NotPermitted, Asked::NotConnected] {
        for named_by in [NamedBy::IntuneUri, NamedBy::CommonName] {
            let asked = [(intune(named_by), answer), (entra(), Asked::Present)];
            for directories in DeviceDirectory::ALL.iter().copied() {
                let expected = if directories == OPPORTUNISTIC {
                    Ok(entra())
                } else {
                    silent(ObjectKind::IntuneDevice)
                };
                assert_eq!(choose(directories, &asked), expected);
            }
            let chosen =
                choose(OPPORTUNISTIC, &[(intune(named_by), Asked::Absent), (entra(), answer)]);
            let expected = match named_by {
                NamedBy::IntuneUri => Ok(intune(named_by)),
                NamedBy::CommonName => silent(ObjectKind::EntraDevice),
            };
            assert_eq!(chosen, expected);
        }
    }
    let alone = choose(OPPORTUNISTIC, &[(intune(NamedBy::IntuneUri), Asked::NotPermitted)]);
    assert_eq!(alone, Err(Refusal::Unbound(Unbound::IntuneNotAsked)));
}

#[test]
fn a_device_that_can_only_be_one_is_left_to_the_table_though_it_is_absent() {
    let named = intune(NamedBy::CommonName);
    assert_eq!(choose(DeviceDirectory::Intune, &[(named, Asked::Absent)]), Ok(named));
    assert_eq!(choose(DeviceDirectory::Entra, &[(entra(), Asked::Absent)]), Ok(entra()));
}

#[test]
fn an_id_that_no_device_has_is_passed_over_and_two_devices_are_refused() {
    let other = Candidate { object: ObjectId::from_u128(3), ..entra() };
    for (one, another) in [(entra(), other), (other, entra())] {
        let chosen = choose(BOTH, &[(one, Asked::Absent), (another, Asked::Present)]);
        assert_eq!(chosen, Ok(another));
        let chosen = choose(BOTH, &[(one, Asked::Present), (another, Asked::Absent)]);
        assert_eq!(chosen, Ok(one));
        let two = choose(BOTH, &[(one, Asked::Present), (another, Asked::Present)]);
        assert_eq!(two, Err(Refusal::Unbound(Unbound::SeveralDevices)));
        let none = choose(BOTH, &[(one, Asked::Absent), (another, Asked::Absent)]);
        assert_eq!(none, Err(Refusal::Unbound(Unbound::UnknownDevice)));
        let unsaid = choose(BOTH, &[(one, Asked::Present), (another, Asked::Silent)]);
        assert_eq!(unsaid, silent(ObjectKind::EntraDevice));
    }
    let same_device =
        choose(BOTH, &[(intune(NamedBy::CommonName), Asked::Present), (entra(), Asked::Present)]);
    assert_eq!(same_device, Ok(intune(NamedBy::CommonName)));
}
