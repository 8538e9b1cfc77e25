use super::*;
use crate::{
    GeneralName, Name, dump,
    extension::{Criticality, FreshestCrl, IssuingDistributionPoint, Scope},
    oid, pem,
    profile::Issuer,
    testing,
};
use proptest::prelude::*;

const NOW: Time = Time::from_unix(1_795_248_000);

fn issuer() -> Name {
    "CN=Example CA,O=Example".parse().unwrap()
}

fn builder(name: &Name) -> CrlBuilder<'_> {
    CrlBuilder {
        issuer: Issuer { subject: name, key_identifier: &[7; 20] },
        number: CrlNumber(300),
        this_update: NOW,
        next_update: NOW.plus(86_400),
        base: None,
        distribution_point: None,
        freshest_urls: Vec::new(),
        freshest_from: 0,
        expired_since: None,
        signature_algorithm: testing::algorithm("ed25519"),
    }
}

fn made(builder: &CrlBuilder<'_>, entries: Vec<Entry>) -> Crl {
    let der = testing::signed(builder.build(entries).unwrap(), "ed25519");
    Crl::from_der(&der).unwrap()
}

fn entry(serial: &str, reason: u8) -> Entry {
    let (serial, reason) = (serial.parse().unwrap(), CrlReason::from_number(reason));
    Entry { serial, revoked_at: NOW.plus(-60), reason, invalid_since: None }
}

fn read(crl: &Crl) -> Vec<Entry> {
    crl.entries().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_complete_list_reads_back() {
    let name = issuer();
    let entries = vec![
        entry("4A00000000000000000000000000000000000001", 1),
        entry("80", 6),
        Entry { invalid_since: Some(NOW.plus(-1000)), ..entry("01", 4) },
        Entry { reason: None, ..entry("02", 0) },
        Entry { revoked_at: "2050-01-01T00:00:00Z".parse().unwrap(), ..entry("03", 9) },
    ];
    let crl = made(&builder(&name), entries.clone());
    assert_eq!(read(&crl), entries);
    assert_eq!(crl.issuer(), &name);
    assert_eq!(crl.number(), Ok(Some(CrlNumber(300))));
    assert_eq!(crl.base(), Ok(None));
    assert_eq!(crl.distribution_point(), Ok(None));
    assert_eq!((crl.this_update(), crl.next_update()), (NOW, Some(NOW.plus(86_400))));
    let aki = crl.authority_key_identifier().unwrap().unwrap();
    assert_eq!(aki.key_identifier.as_deref(), Some(&[7; 20][..]));
    assert_eq!(crl.verify_signed_by(&testing::public_key("ed25519")), Ok(()));
    assert!(crl.verify_signed_by(&testing::public_key("p256")).is_err());
    assert_eq!(crl.entry(&"80".parse().unwrap()), Ok(Some(entries[1].clone())));
    assert_eq!(crl.entry(&"81".parse().unwrap()), Ok(None));
    assert!(crl.is_current_at(NOW) && !crl.is_current_at(NOW.plus(86_400)));
    assert!(!crl.is_current_at(NOW.plus(-1)));
}

#[test]
fn unspecified_is_written_by_silence() {
    let name = issuer();
    let crl = made(&builder(&name), vec![entry("01", 0)]);
    assert_eq!(read(&crl)[0].reason, None);
}

#[test]
fn a_list_without_entries_has_no_list_at_all() {
    let name = issuer();
    let crl = made(&builder(&name), Vec::new());
    assert_eq!(crl.entries().count(), 0);
    let octets = crl.as_der();
    assert!(!octets.windows(2).any(|pair| pair == [0x30, 0x00]), "an empty SEQUENCE");
}

#[test]
fn a_delta_list_names_its_base_and_may_remove() {
    let name = issuer();
    let delta = CrlBuilder { base: Some(CrlNumber(299)), ..builder(&name) };
    let crl = made(&delta, vec![entry("01", 8)]);
    assert_eq!(crl.base(), Ok(Some(CrlNumber(299))));
    assert_eq!(read(&crl)[0].reason, Some(CrlReason::REMOVE_FROM_CRL));
    let indicator = crl.extensions().get(oid::DELTA_CRL_INDICATOR).unwrap();
    assert_eq!(indicator.criticality, Criticality::Critical);
}

#[test]
fn a_partition_says_what_it_covers() {
    let name = issuer();
    let point = IssuingDistributionPoint {
        full_name: vec![GeneralName::Uri("http://ca.example.com/crl/7".into())],
        scope: Scope::UserCertificates,
        ..IssuingDistributionPoint::default()
    };
    let partition = CrlBuilder {
        distribution_point: Some(point.clone()),
        freshest_urls: vec!["http://ca.example.com/crl/7/delta".into()],
        expired_since: Some(NOW.plus(-1000)),
        ..builder(&name)
    };
    let crl = made(&partition, vec![entry("01", 1)]);
    assert_eq!(crl.distribution_point(), Ok(Some(point)));
    let extension = crl.extensions().get("2.5.29.28".parse().unwrap()).unwrap();
    assert_eq!(extension.criticality, Criticality::Critical);
    let freshest: FreshestCrl = crl.extensions().decode().unwrap().unwrap();
    assert_eq!(freshest.0[0].urls().next(), Some("http://ca.example.com/crl/7/delta"));
    let since = crl.extensions().get(oid::EXPIRED_CERTS_ON_CRL).unwrap();
    assert_eq!(since.value[..2], [0x18, 15]);
}

#[test]
fn a_short_list_does_not_say_where_its_delta_is_found() {
    let name = issuer();
    let from_two = CrlBuilder {
        freshest_urls: vec!["http://ca.example.com/crl/delta".into()],
        freshest_from: 2,
        ..builder(&name)
    };
    let says = |entries| {
        let crl = made(&from_two, entries);
        crl.extensions().decode::<FreshestCrl>().unwrap().is_some()
    };
    assert!(!says(vec![entry("01", 1)]));
    assert!(says(vec![entry("01", 1), entry("02", 1)]));
}

/// The text and the PEM of lists that an RSA key signed, which is always the same.
#[test]
fn each_kind_of_list_has_its_golden_text() {
    let name = issuer();
    let identifier = testing::public_key("rsa2048").key_identifier();
    let complete = CrlBuilder {
        issuer: Issuer { subject: &name, key_identifier: &identifier },
        signature_algorithm: testing::algorithm("rsa2048"),
        ..builder(&name)
    };
    let serial = |last: &str| format!("{}{last}", "4A".repeat(19));
    let entries = vec![
        entry(&serial("01"), 5),
        Entry { invalid_since: Some(NOW.plus(-7200)), ..entry(&serial("02"), 1) },
        entry(&serial("03"), 6),
        entry(&serial("04"), 0),
    ];
    let delta = CrlBuilder { base: Some(CrlNumber(290)), ..complete.clone() };
    let partition = CrlBuilder {
        distribution_point: Some(IssuingDistributionPoint {
            full_name: vec![GeneralName::Uri("http://ca.example.com/crl/7".into())],
            ..IssuingDistributionPoint::default()
        }),
        freshest_urls: vec!["http://ca.example.com/crl/7/delta".into()],
        expired_since: Some(NOW.plus(-1_000_000)),
        ..complete.clone()
    };
    let cases = [
        ("complete", &complete, entries.clone()),
        ("empty", &complete, Vec::new()),
        ("delta", &delta, vec![entry(&serial("03"), 8), entry(&serial("05"), 4)]),
        ("partition", &partition, entries),
    ];
    for (case, builder, entries) in cases {
        let der = testing::signed(builder.build(entries).unwrap(), "rsa2048");
        let text = dump::crl(&Crl::from_der(&der).unwrap(), 10);
        insta::assert_snapshot!(case, format!("{text}\n{}", pem::encode(pem::CRL, &der)));
    }
}

#[test]
fn what_cannot_be_a_list_is_refused_in_words() {
    let name = issuer();
    let refusal = |builder: CrlBuilder<'_>, entries: Vec<Entry>| {
        builder.build(entries).unwrap_err().to_string()
    };
    assert_eq!(
        refusal(CrlBuilder { next_update: NOW, ..builder(&name) }, Vec::new()),
        "the next update at 2026-11-21T08:00:00Z is not after this one at 2026-11-21T08:00:00Z"
    );
    assert_eq!(
        refusal(builder(&name), vec![entry("01", 8)]),
        "only a delta CRL says that a certificate is no longer listed"
    );
    assert_eq!(
        refusal(CrlBuilder { base: Some(CrlNumber(300)), ..builder(&name) }, Vec::new()),
        "delta CRL 300 amends CRL 300, which is not older"
    );
    let freshest_urls = vec!["http://a".to_owned()];
    assert_eq!(
        refusal(
            CrlBuilder { base: Some(CrlNumber(1)), freshest_urls, ..builder(&name) },
            Vec::new()
        ),
        "a delta CRL does not say where the delta CRL is found"
    );
}

/// RFC 5280, appendix C.4, and the certificates of C.1 and C.2 that it is about.
#[test]
fn the_example_of_rfc_5280_reads_and_verifies() {
    let der =
        pem::decode(pem::CRL, &String::from_utf8(testing::data("crls/rfc5280-c4.pem")).unwrap());
    let crl = Crl::from_der(&der.unwrap()).unwrap();
    assert_eq!(crl.number(), Ok(Some(CrlNumber(12))));
    assert_eq!(crl.this_update().to_string(), "2005-02-05T12:00:00Z");
    assert_eq!(crl.next_update().unwrap().to_string(), "2005-02-06T12:00:00Z");
    let authority = testing::certificate("certificates/rfc5280-c1.pem");
    assert_eq!(crl.verify_signed_by(authority.public_key().unwrap()), Ok(()));
    let revoked = testing::certificate("certificates/rfc5280-c2.pem");
    let entry = crl.entry(revoked.serial()).unwrap().unwrap();
    assert_eq!(entry.revoked_at.to_string(), "2004-11-19T15:57:03Z");
    assert_eq!(entry.reason.unwrap().to_string(), "keyCompromise");
}

/// What an implementation that is not ours reads.
#[test]
fn another_reader_reads_the_same() {
    use der::Decode;
    let name = issuer();
    let partition = CrlBuilder {
        base: Some(CrlNumber(7)),
        distribution_point: Some(IssuingDistributionPoint {
            scope: Scope::AuthorityCertificates,
            ..IssuingDistributionPoint::default()
        }),
        ..builder(&name)
    };
    let entries = vec![
        Entry { invalid_since: Some(NOW), ..entry("80FF", 1) },
        entry("7F", 8),
        entry("05", 0),
    ];
    let crl = made(&partition, entries.clone());
    let theirs =
        x509_cert::crl::CertificateList::<x509_cert::certificate::Rfc5280>::from_der(crl.as_der());
    let theirs = theirs.unwrap().tbs_cert_list;
    let listed = theirs.revoked_certificates.unwrap();
    assert_eq!(listed.len(), entries.len());
    for (ours, theirs) in entries.iter().zip(listed) {
        assert_eq!(theirs.serial_number.as_bytes(), ours.serial.integer_contents());
        let at = i64::try_from(theirs.revocation_date.to_unix_duration().as_secs()).unwrap();
        assert_eq!(at, ours.revoked_at.unix());
        let extensions = theirs.crl_entry_extensions.unwrap_or_default();
        let expected = usize::from(ours.reason.is_some_and(|reason| reason.number() != 0))
            + usize::from(ours.invalid_since.is_some());
        assert_eq!(extensions.len(), expected);
    }
    let identifiers: Vec<String> =
        theirs.crl_extensions.unwrap().iter().map(|e| e.extn_id.to_string()).collect();
    assert_eq!(identifiers, ["2.5.29.35", "2.5.29.20", "2.5.29.27", "2.5.29.28"]);
}

#[test]
fn an_entry_of_another_issuer_is_never_taken_for_ours() {
    let indirect = crate::tlv::Writer::sequence_of(|w| {
        w.sequence(|w| {
            w.small_integer(1);
            w.time(NOW);
            w.sequence(|w| {
                w.sequence(|w| {
                    w.oid(oid::CERTIFICATE_ISSUER);
                    w.boolean(true);
                    w.octet_string(&[0x30, 0]);
                });
            });
        });
    });
    let mut entries = Entries(crate::tlv::Reader::new(&indirect[2..]));
    assert!(entries.next().unwrap().is_err());
    assert!(entries.next().is_none(), "nothing after it");
}

#[test]
fn a_hundred_thousand_entries_keep_their_order_and_lengths() {
    let name = issuer();
    let entries = (1..=100_000u32).map(|number| Entry {
        serial: SerialNumber::from_bytes(&[&[0x4a; 16][..], &number.to_be_bytes()].concat())
            .unwrap(),
        revoked_at: NOW.plus(-i64::from(number)),
        reason: CrlReason::from_number(1),
        invalid_since: None,
    });
    let crl = made(&builder(&name), entries.collect());
    assert_eq!(crl.entries().count(), 100_000);
    let last = crl.entries().last().unwrap().unwrap();
    assert_eq!(last.revoked_at, NOW.plus(-100_000));
    let around = crl.as_der().len() - 53 * 100_000;
    assert!(around < 300, "{around} octets that are no entries");
}

proptest! {
    #[test]
    fn any_entries_read_back(
        entries in proptest::collection::vec(
            (
                proptest::collection::vec(any::<u8>(), 1..=64),
                Time::MIN.unix()..=Time::NO_WELL_DEFINED_END.unix(),
                prop::option::of(prop::sample::select(vec![1u8, 2, 3, 4, 5, 6, 9, 10])),
                prop::option::of(0i64..4_000_000_000),
            ),
            0..20,
        )
    ) {
        let name = issuer();
        let entries: Vec<Entry> = entries
            .into_iter()
            .map(|(serial, at, reason, since)| Entry {
                serial: SerialNumber::from_bytes(&serial).unwrap(),
                revoked_at: Time::from_unix(at),
                reason: reason.and_then(CrlReason::from_number),
                invalid_since: since.map(Time::from_unix),
            })
            .collect();
        prop_assert_eq!(read(&made(&builder(&name), entries.clone())), entries);
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Crl::from_der(&bytes);
        for entry in Entries(crate::tlv::Reader::new(&bytes)) {
            let _ = entry;
        }
    }

    #[test]
    fn a_damaged_list_is_refused_or_does_not_verify(
        at in any::<prop::sample::Index>(), mask in 1u8..,
    ) {
        let name = issuer();
        let mut der = made(&builder(&name), vec![entry("01", 1), entry("02", 6)]).as_der().to_vec();
        *at.get_mut(&mut der) ^= mask;
        if let Ok(damaged) = Crl::from_der(&der) {
            for entry in damaged.entries() {
                let _ = entry;
            }
            prop_assert!(damaged.verify_signed_by(&testing::public_key("ed25519")).is_err());
        }
    }
}
