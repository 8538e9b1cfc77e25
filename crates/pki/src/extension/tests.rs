use super::*;
use proptest::prelude::*;
use std::fmt::Debug;

fn value<T: ExtensionValue>(it: &T) -> Vec<u8> {
    it.extension(Criticality::NonCritical).value
}

fn survives<T: ExtensionValue + PartialEq + Debug>(it: &T) {
    let written = value(it);
    assert_eq!(T::read(&written).as_ref(), Ok(it));
    assert!(T::read(&[&written[..], &[5, 0]].concat()).is_err(), "octets after {it:?}");
}

#[test]
fn every_value_reads_back_and_nothing_may_follow_it() {
    let url = |text: &str| GeneralName::Uri(text.into());
    survives(&(KeyUsages::DIGITAL_SIGNATURE | KeyUsages::DECIPHER_ONLY));
    survives(&ExtendedKeyUsage(vec![oid::CLIENT_AUTH, oid::KDC]));
    survives(&CertificatePolicies(vec![oid::ANY_POLICY]));
    survives(&SubjectKeyIdentifier(vec![7; 20]));
    survives(&AuthorityKeyIdentifier::of_key(&[7; 20]));
    survives(&AuthorityKeyIdentifier {
        key_identifier: None,
        issuer: vec![GeneralName::DirectoryName("CN=Root".parse().unwrap())],
        serial: Some("80AA".parse().unwrap()),
    });
    survives(&BasicConstraints::EndEntity);
    survives(&BasicConstraints::Authority { path_len: None });
    survives(&BasicConstraints::Authority { path_len: Some(0) });
    survives(&NameConstraints {
        permitted: vec![GeneralName::Dns("example.com".into())],
        excluded: vec![GeneralName::Email("example.org".into())],
    });
    survives(&AuthorityInfoAccess {
        ocsp: vec!["http://a/ocsp".into()],
        ca_issuers: vec!["http://a/ca".into(), "http://b/ca".into()],
    });
    survives(&CrlDistributionPoints::of_urls(&["http://a/crl", "ldap://b"]));
    survives(&FreshestCrl::of_urls(&["http://a/delta"]));
    for scope in [Scope::All, Scope::UserCertificates, Scope::AuthorityCertificates] {
        survives(&IssuingDistributionPoint {
            full_name: vec![url("http://a/crl/7")],
            scope,
            ..IssuingDistributionPoint::default()
        });
    }
    survives(&IssuingDistributionPoint {
        scope: Scope::AttributeCertificates,
        indirect: true,
        ..IssuingDistributionPoint::default()
    });
    survives(&SubjectAltName(vec![GeneralName::upn("ada@example.com"), url("http://a/")]));
    survives(&OcspNoCheck);
    survives(&SecurityIdentifier("S-1-5-21-1".into()));
    survives(&EntraTenantId([3; 16]));
}

/// Each value against octets worked out by hand from RFC 5280, appendix A.
#[test]
fn values_have_the_octets_of_their_asn_1() {
    let hex = |octets: Vec<u8>| hex::encode(octets);
    let usages = KeyUsages::KEY_CERT_SIGN | KeyUsages::CRL_SIGN;
    assert_eq!(hex(value(&usages)), "03020106");
    assert_eq!(hex(value(&KeyUsages::DECIPHER_ONLY)), "0303070080");
    assert_eq!(hex(value(&BasicConstraints::EndEntity)), "3000");
    assert_eq!(hex(value(&BasicConstraints::Authority { path_len: Some(0) })), "30060101ff020100");
    assert_eq!(hex(value(&OcspNoCheck)), "0500");
    let idp = IssuingDistributionPoint {
        full_name: vec![GeneralName::Uri("a".into())],
        scope: Scope::UserCertificates,
        ..IssuingDistributionPoint::default()
    };
    assert_eq!(hex(value(&idp)), "300aa005a003860161".to_owned() + "8101ff");
    assert_eq!(IssuingDistributionPoint::OID.to_string(), "2.5.29.28");
    assert_eq!(hex(value(&CrlDistributionPoints::of_urls(&["a"]))), "30093007a005a003860161");
    assert_eq!(CrlDistributionPoints::of_urls::<&str>(&[]), CrlDistributionPoints::default());
}

/// The published example of a security identifier extension.
#[test]
fn a_security_identifier_has_the_form_of_windows() {
    let sid = SecurityIdentifier("S-1-5-21-666199682-1411342147-2938717855-1001".into());
    let expected = "303fa03d060a2b060104018237190201a02f042d".to_owned() + &hex::encode(&sid.0);
    assert_eq!(hex::encode(value(&sid)), expected);
}

#[test]
fn a_device_id_is_read_in_both_forms_and_written_in_one() {
    let octets = *b"0123456789abcdef";
    let wrapped = [&[4, 16][..], &octets].concat();
    assert_eq!(EntraDeviceId::read(&octets), Ok(EntraDeviceId(octets)));
    assert_eq!(EntraDeviceId::read(&wrapped), Ok(EntraDeviceId(octets)));
    assert_eq!(value(&EntraDeviceId(octets)), wrapped);
    assert!(EntraDeviceId::read(&wrapped[..15]).is_err());
}

#[test]
fn key_usages_are_read_from_padded_bits_and_by_name() {
    assert_eq!(KeyUsages::read(&[3, 2, 0, 0xa0]), KeyUsages::read(&[3, 2, 5, 0xbf]));
    assert_eq!(KeyUsages::read(&[3, 1, 0]), Ok(KeyUsages::EMPTY));
    assert!(KeyUsages::read(&[3, 4, 0, 1, 2, 3]).is_err());
    assert!(KeyUsages::read(&[3, 2, 8, 1]).is_err());
    assert_eq!(KeyUsages::from_name("KEYencipherment"), Some(KeyUsages::KEY_ENCIPHERMENT));
    assert_eq!(KeyUsages::from_name("contentCommitment"), Some(KeyUsages::NON_REPUDIATION));
    assert_eq!(KeyUsages::from_name("anything"), None);
    let two = KeyUsages::KEY_CERT_SIGN | KeyUsages::CRL_SIGN;
    assert_eq!(two.to_string(), "keyCertSign, cRLSign");
}

#[test]
fn an_extension_that_occurs_twice_is_refused() {
    let der = Writer::sequence_of(|w| {
        OcspNoCheck.extension(Criticality::Critical).write(w);
        OcspNoCheck.extension(Criticality::NonCritical).write(w);
    });
    let refusal = Extensions::from_der(&der).unwrap_err();
    assert_eq!(refusal.to_string(), "an extension that occurs twice");
}

#[test]
fn a_later_extension_replaces_an_earlier_one_in_its_place() {
    let usages = |usages: KeyUsages| usages.extension(Criticality::Critical);
    let list: Extensions = [
        usages(KeyUsages::CRL_SIGN),
        OcspNoCheck.extension(Criticality::NonCritical),
        usages(KeyUsages::DIGITAL_SIGNATURE),
    ]
    .into_iter()
    .collect();
    assert_eq!(list.iter().count(), 2);
    assert_eq!(list.decode::<KeyUsages>(), Ok(Some(KeyUsages::DIGITAL_SIGNATURE)));
    assert_eq!(list.iter().next().unwrap().oid, oid::KEY_USAGE);
}

proptest! {
    #[test]
    fn hostile_values_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = Extensions::from_der(&bytes);
        let _ = KeyUsages::read(&bytes);
        let _ = (ExtendedKeyUsage::read(&bytes), CertificatePolicies::read(&bytes));
        let _ = (SubjectKeyIdentifier::read(&bytes), AuthorityKeyIdentifier::read(&bytes));
        let _ = (BasicConstraints::read(&bytes), NameConstraints::read(&bytes));
        let _ = (AuthorityInfoAccess::read(&bytes), CrlDistributionPoints::read(&bytes));
        let _ = (IssuingDistributionPoint::read(&bytes), SubjectAltName::read(&bytes));
        let _ = (SecurityIdentifier::read(&bytes), EntraTenantId::read(&bytes));
    }

    #[test]
    fn lists_of_extensions_survive(
        values in proptest::collection::vec((0u8..40, any::<bool>(), any::<Vec<u8>>()), 0..8),
    ) {
        let list: Extensions = values
            .into_iter()
            .map(|(arc, critical, value)| Extension {
                oid: format!("2.5.29.{arc}").parse().unwrap(),
                criticality: if critical { Criticality::Critical } else { Criticality::NonCritical },
                value,
            })
            .collect();
        let mut writer = Writer::new();
        list.write(&mut writer);
        prop_assert_eq!(Extensions::from_der(&writer.finish()).unwrap(), list);
    }
}
