use super::*;
use crate::{
    Digest, Extension, Extensions, GeneralName, Name, SignatureAlgorithm, Time,
    extension::{
        AuthorityInfoAccess, AuthorityKeyIdentifier, Criticality, CrlDistributionPoints,
        ExtendedKeyUsage, ExtensionValue, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
    },
    oid, testing,
    tlv::{Tag, Writer},
};
use Criticality::{Critical, NonCritical};
use proptest::prelude::*;

const NOW: Time = Time::from_unix(1_790_000_000);

/// Every part of a certificate, to be spoilt one at a time.
struct Draft {
    version: u64,
    serial: Vec<u8>,
    algorithm: Vec<u8>,
    issuer: Vec<u8>,
    validity: Vec<u8>,
    subject: Vec<u8>,
    spki: Vec<u8>,
    after_spki: Vec<u8>,
    extensions: Extensions,
}

fn name(text: &str) -> Vec<u8> {
    text.parse::<Name>().unwrap().as_der().to_vec()
}

fn times(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    write(&mut writer);
    writer.finish()
}

impl Draft {
    /// A certificate with nothing to find.
    fn good() -> Self {
        let key = testing::public_key("rsa2048");
        let identifier = key.key_identifier().to_vec();
        let names = vec![
            GeneralName::Dns("a_b.example.com".into()),
            GeneralName::Email("ada@example.com".into()),
            GeneralName::Uri("tag:example.com,2026:x".into()),
            GeneralName::upn("ada@example.com"),
        ];
        let urls = ["http://ca.example.com/crl"];
        let extensions = [
            KeyUsages::DIGITAL_SIGNATURE.extension(Critical),
            ExtendedKeyUsage(vec![oid::CLIENT_AUTH]).extension(NonCritical),
            SubjectKeyIdentifier(identifier).extension(NonCritical),
            AuthorityKeyIdentifier::of_key(&[1; 20]).extension(NonCritical),
            SubjectAltName(names).extension(NonCritical),
            CrlDistributionPoints::of_urls(&urls).extension(NonCritical),
        ];
        Self {
            version: 2,
            serial: vec![0x4a; 20],
            algorithm: SignatureAlgorithm::RsaPkcs1(Digest::Sha256).identifier(),
            issuer: name("CN=CA"),
            validity: times(|w| {
                w.time(NOW);
                w.time(NOW.plus(1000));
            }),
            subject: name("CN=Ada,OU=Lab+OU=Office,O=Example,C=CH"),
            spki: key.spki_der().to_vec(),
            after_spki: Vec::new(),
            extensions: extensions.into_iter().collect(),
        }
    }

    /// An authority with nothing to find.
    fn authority() -> Self {
        let mut draft = Self::good();
        let constraints = BasicConstraints::Authority { path_len: None };
        draft.extensions = [
            constraints.extension(Critical),
            (KeyUsages::KEY_CERT_SIGN | KeyUsages::CRL_SIGN).extension(Critical),
            draft.extensions.get(oid::SUBJECT_KEY_IDENTIFIER).unwrap().clone(),
            AuthorityKeyIdentifier::of_key(&[1; 20]).extension(NonCritical),
        ]
        .into_iter()
        .collect();
        draft
    }

    fn set(&mut self, value: &impl ExtensionValue, criticality: Criticality) {
        self.extensions.push(value.extension(criticality));
    }

    fn raw(&mut self, oid: crate::Oid, criticality: Criticality, value: &[u8]) {
        self.extensions.push(Extension { oid, criticality, value: value.to_vec() });
    }

    fn without(&mut self, oid: crate::Oid) {
        self.extensions =
            self.extensions.iter().filter(|listed| listed.oid != oid).cloned().collect();
    }

    fn subject_value(&mut self, oid: crate::Oid, tag: Tag, contents: &[u8]) {
        self.subject = Writer::sequence_of(|w| {
            w.set(|w| {
                w.sequence(|w| {
                    w.oid(oid);
                    w.value(tag, contents);
                });
            });
        });
    }

    fn der(&self) -> Vec<u8> {
        Writer::sequence_of(|w| {
            w.sequence(|w| {
                w.context(0, |w| w.small_integer(self.version));
                w.value(Tag::INTEGER, &self.serial);
                w.raw(&self.algorithm);
                w.raw(&self.issuer);
                w.value(Tag::SEQUENCE, &self.validity);
                w.raw(&self.subject);
                w.raw(&self.spki);
                w.raw(&self.after_spki);
                w.context(3, |w| self.extensions.write(w));
            });
            w.raw(&self.algorithm);
            w.bit_string(&[]);
        })
    }
}

/// The certificate that issues: its subject, key identifier, end and kind of key are compared with.
fn issuer() -> Certificate {
    let mut draft = Draft::authority();
    draft.subject = name("CN=CA");
    draft.set(&SubjectKeyIdentifier(vec![1; 20]), NonCritical);
    draft.validity = times(|w| {
        w.time(NOW);
        w.time(NOW.plus(2000));
    });
    Certificate::from_der(&draft.der()).unwrap()
}

fn rules(draft: &Draft) -> Vec<&'static str> {
    lint(&draft.der(), Some(&issuer()), None).into_iter().map(|finding| finding.rule).collect()
}

/// Spoils one thing and expects the one rule that it breaks, and no other unless it follows.
fn spoilt(rule: &'static str, spoil: impl FnOnce(&mut Draft)) {
    let mut draft = Draft::good();
    spoil(&mut draft);
    let found = rules(&draft);
    assert!(found.contains(&rule), "{rule} is not among {found:?}");
}

fn spoilt_authority(rule: &'static str, spoil: impl FnOnce(&mut Draft)) {
    let mut draft = Draft::authority();
    spoil(&mut draft);
    let found = rules(&draft);
    assert!(found.contains(&rule), "{rule} is not among {found:?}");
}

#[test]
fn good_certificates_have_no_findings() {
    assert_eq!(lint(&Draft::good().der(), Some(&issuer()), None), []);
    assert_eq!(lint(&Draft::authority().der(), Some(&issuer()), None), []);
    assert_eq!(lint(&Draft::good().der(), None, None), []);
}

#[test]
fn bytes_that_are_no_certificate_are_one_finding() {
    let findings = lint(&[0x30, 0], None, None);
    assert_eq!(findings.len(), 1);
    assert!(!may_be_issued(&findings));
    let shown = findings[0].to_string();
    assert!(shown.starts_with("error: the certificate cannot be read: "), "{shown}");
}

#[test]
fn every_octet_must_be_der() {
    spoilt("version", |draft| draft.version = 1);
    spoilt("der", |draft| draft.raw(oid::KEY_USAGE, Critical, &[3, 2, 7, 0xff]));
    spoilt("der", |draft| draft.raw(oid::OCSP_NO_CHECK, NonCritical, &[5, 1, 0]));
    spoilt("der", |draft| draft.raw(oid::BASIC_CONSTRAINTS, Critical, &[0x30, 3, 1, 1, 0]));
    spoilt("der", |draft| draft.raw(oid::BASIC_CONSTRAINTS, Critical, &[0x30, 3, 1, 1, 1]));
    spoilt("der", |draft| {
        draft.raw(oid::BASIC_CONSTRAINTS, Critical, &[0x30, 7, 1, 1, 0xff, 2, 2, 0, 1]);
    });
    spoilt("der", |draft| draft.raw(oid::SUBJECT_ALT_NAME, NonCritical, &[0x30, 0x80, 0, 0]));
    spoilt("der", |draft| {
        let attribute = |text: &str| {
            Writer::sequence_of(|w| {
                w.oid(oid::ORGANIZATIONAL_UNIT);
                w.utf8_string(text);
            })
        };
        draft.subject = Writer::sequence_of(|w| {
            w.set(|w| {
                w.raw(&attribute("b"));
                w.raw(&attribute("a"));
            });
        });
    });
    spoilt("algorithm-identifier", |draft| {
        draft.algorithm = Writer::sequence_of(|w| w.oid(oid::SHA256_WITH_RSA));
    });
}

#[test]
fn fields_must_be_what_rfc_5280_asks_for() {
    spoilt("serial", |draft| draft.serial = vec![0x8a; 20]);
    spoilt("serial", |draft| draft.serial = vec![0x4a; 21]);
    spoilt("serial", |draft| draft.serial = vec![0]);
    spoilt("serial-entropy", |draft| draft.serial = vec![1, 2, 3]);
    spoilt("algorithm", |draft| {
        draft.algorithm = Writer::sequence_of(|w| w.oid(oid::RSA_ENCRYPTION));
    });
    spoilt("algorithm-strength", |draft| {
        draft.algorithm = SignatureAlgorithm::RsaPkcs1(Digest::Sha1).identifier();
    });
    spoilt("algorithm-of-issuer", |draft| {
        draft.algorithm = SignatureAlgorithm::Ed25519.identifier();
    });
    spoilt("issuer-named", |draft| draft.issuer = name(""));
    spoilt("issuer-as-subject", |draft| draft.issuer = name("CN=ca"));
    spoilt("validity-order", |draft| {
        draft.validity = times(|w| {
            w.time(NOW);
            w.time(NOW.plus(-1));
        });
    });
    spoilt("validity-encoding", |draft| {
        draft.validity = times(|w| {
            w.generalized_time(NOW);
            w.time(NOW.plus(1));
        });
    });
    spoilt("validity-within-issuer", |draft| {
        draft.validity = times(|w| {
            w.time(NOW);
            w.time(NOW.plus(2001));
        });
    });
    spoilt("no-unique-identifiers", |draft| draft.after_spki = vec![0x81, 2, 0, 1]);
    spoilt("key-strength", |draft| {
        draft.spki = testing::certificate("certificates/version-1-md5.pem").spki_der().to_vec();
    });
    spoilt("key", |draft| {
        draft.spki = testing::certificate("certificates/brainpool.pem").spki_der().to_vec();
    });
}

#[test]
fn names_must_be_readable_and_within_bounds() {
    spoilt("name-string", |draft| draft.subject_value(oid::COMMON_NAME, Tag::BMP_STRING, &[0]));
    spoilt("name-string-type", |draft| {
        draft.subject_value(oid::COMMON_NAME, Tag::TELETEX_STRING, b"a");
    });
    spoilt("name-string-type", |draft| draft.subject_value(oid::COUNTRY, Tag::UTF8_STRING, b"CH"));
    spoilt("name-string-characters", |draft| {
        draft.subject_value(oid::COMMON_NAME, Tag::PRINTABLE_STRING, b"a@b");
    });
    spoilt("name-empty", |draft| draft.subject_value(oid::COMMON_NAME, Tag::UTF8_STRING, b""));
    spoilt("name-control", |draft| draft.subject_value(oid::COMMON_NAME, Tag::UTF8_STRING, b"\0"));
    spoilt("name-length", |draft| draft.subject = name(&format!("CN={}", "x".repeat(65))));
    spoilt("named", |draft| {
        draft.subject = name("");
        draft.without(oid::SUBJECT_ALT_NAME);
    });
    spoilt("alt-name-criticality", |draft| draft.subject = name(""));
    spoilt("alt-name-criticality", |draft| {
        draft.set(&SubjectAltName(vec![GeneralName::upn("a")]), Critical);
    });
    spoilt("alt-name-present", |draft| draft.set(&SubjectAltName(Vec::new()), NonCritical));
}

#[test]
fn a_warning_about_a_name_does_not_forbid_to_issue() {
    let mut draft = Draft::good();
    draft.subject_value(oid::COMMON_NAME, Tag::PRINTABLE_STRING, b"a@b");
    assert!(may_be_issued(&lint(&draft.der(), Some(&issuer()), None)));
}

#[test]
fn alternative_names_have_a_syntax() {
    for wrong in [
        GeneralName::Dns("-a.example.com".into()),
        GeneralName::Dns("a..example.com".into()),
        GeneralName::Dns("a b".into()),
        GeneralName::Dns("*.*.example.com".into()),
        GeneralName::Dns("x".repeat(64)),
        GeneralName::Dns(vec!["x".repeat(63); 4].join(".")),
        GeneralName::Email("ada".into()),
        GeneralName::Email("@example.com".into()),
        GeneralName::Email("a da@example.com".into()),
        GeneralName::Uri("example.com".into()),
        GeneralName::Uri("1http://example.com".into()),
        GeneralName::Uri("http:".into()),
        GeneralName::upn(""),
        GeneralName::DirectoryName(Name::empty()),
        GeneralName::Unread(vec![0x87, 1, 0]),
    ] {
        spoilt("alt-name-syntax", |draft| draft.set(&SubjectAltName(vec![wrong]), NonCritical));
    }
    let mut draft = Draft::good();
    let names = vec![GeneralName::Dns("*.example.com".into())];
    draft.set(&SubjectAltName(names), NonCritical);
    assert_eq!(rules(&draft), [""; 0], "a wildcard is a name");
}

#[test]
fn extensions_must_be_ours_and_in_their_one_form() {
    let unknown = "1.2.3.4".parse().unwrap();
    spoilt("extension-known", |draft| draft.raw(unknown, NonCritical, &[5, 0]));
    // The identifier that a library once carried for the issuing distribution point.
    let foreign = "1.3.6.1.5.5.7.1.11".parse().unwrap();
    spoilt("extension-known", |draft| draft.raw(foreign, Critical, &[0x30, 0]));
    spoilt("extension-readable", |draft| draft.raw(oid::KEY_USAGE, Critical, &[5, 0]));
    spoilt("extension-canonical", |draft| draft.raw(oid::KEY_USAGE, Critical, &[3, 2, 0, 0x80]));
    spoilt("extension-criticality", |draft| draft.set(&KeyUsages::DIGITAL_SIGNATURE, NonCritical));
    spoilt("extension-criticality", |draft| {
        draft.set(&AuthorityKeyIdentifier::of_key(&[1; 20]), Critical);
    });
    spoilt("subject-key-identifier", |draft| draft.without(oid::SUBJECT_KEY_IDENTIFIER));
    spoilt("subject-key-identifier", |draft| {
        draft.set(&SubjectKeyIdentifier(vec![9; 20]), NonCritical);
    });
    spoilt("authority-key-identifier", |draft| draft.without(oid::AUTHORITY_KEY_IDENTIFIER));
    spoilt("authority-key-identifier", |draft| {
        draft.set(&AuthorityKeyIdentifier::of_key(&[2; 20]), NonCritical);
    });
    spoilt("access-present", |draft| draft.set(&AuthorityInfoAccess::default(), NonCritical));
    spoilt("points-present", |draft| draft.set(&CrlDistributionPoints::default(), NonCritical));
    spoilt("place-url", |draft| {
        draft.set(&CrlDistributionPoints::of_urls(&["http://"]), NonCritical);
    });
    spoilt("place-https", |draft| {
        draft.set(&CrlDistributionPoints::of_urls(&["https://a/crl"]), NonCritical);
    });
}

#[test]
fn usages_purposes_and_keys_must_fit_each_other() {
    spoilt("key-usage-present", |draft| draft.without(oid::KEY_USAGE));
    spoilt("key-usage-empty", |draft| draft.set(&KeyUsages::EMPTY, Critical));
    let agreement = KeyUsages::DIGITAL_SIGNATURE | KeyUsages::KEY_AGREEMENT;
    spoilt("key-usage-of-key", |draft| draft.set(&agreement, Critical));
    spoilt("end-entity-signs", |draft| draft.set(&KeyUsages::KEY_CERT_SIGN, Critical));
    spoilt("purposes-empty", |draft| draft.set(&ExtendedKeyUsage(Vec::new()), NonCritical));
    let twice = ExtendedKeyUsage(vec![oid::CLIENT_AUTH, oid::CLIENT_AUTH]);
    spoilt("purposes-distinct", |draft| draft.set(&twice, NonCritical));
    spoilt("purposes-consistent", |draft| draft.set(&KeyUsages::KEY_ENCIPHERMENT, Critical));
    let responder = ExtendedKeyUsage(vec![oid::OCSP_SIGNING]);
    spoilt("responder-unchecked", |draft| draft.set(&responder, NonCritical));
    spoilt("responder-unchecked", |draft| draft.raw(oid::OCSP_NO_CHECK, NonCritical, &[5, 0]));
    spoilt_authority("authority-signs", |draft| draft.set(&KeyUsages::CRL_SIGN, Critical));
    let constraints = BasicConstraints::Authority { path_len: Some(0) };
    spoilt_authority("authority-critical", |draft| draft.set(&constraints, NonCritical));
    spoilt_authority("authority-named", |draft| draft.subject = name(""));
}

#[test]
fn what_was_decided_is_compared_with_what_was_written() {
    let key = testing::public_key("rsa2048");
    let serial = SerialNumber::from_bytes(&[0x4a; 20]).unwrap();
    let expected = Expectations {
        constraints: BasicConstraints::EndEntity,
        public_key: &key,
        serial: &serial,
    };
    let found = |draft: &Draft, expected: &Expectations<'_>| -> Vec<&'static str> {
        lint(&draft.der(), None, Some(expected)).iter().map(|finding| finding.rule).collect()
    };
    assert_eq!(found(&Draft::good(), &expected), [""; 0]);
    assert_eq!(found(&Draft::authority(), &expected), ["constraints-as-decided"]);
    let other = testing::public_key("p256");
    let expected = Expectations { public_key: &other, ..expected };
    assert_eq!(found(&Draft::good(), &expected), ["key-as-requested"]);
    let serial = SerialNumber::from_bytes(&[1]).unwrap();
    let expected = Expectations { public_key: &key, serial: &serial, ..expected };
    assert_eq!(found(&Draft::good(), &expected), ["serial-as-reserved"]);
}

#[test]
fn a_certificate_is_judged_before_it_is_signed() {
    let good = Certificate::from_der(&Draft::good().der()).unwrap();
    let unsigned =
        Unsigned::new(good.tbs_der().to_vec(), SignatureAlgorithm::RsaPkcs1(Digest::Sha256));
    assert_eq!(lint_unsigned(&unsigned, Some(&issuer()), None), []);
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!lint(&bytes, None, None).is_empty());
    }

    #[test]
    fn damage_never_panics(at in any::<prop::sample::Index>(), mask in 1u8..) {
        let mut der = Draft::good().der();
        *at.get_mut(&mut der) ^= mask;
        let _ = lint(&der, Some(&issuer()), None);
    }
}
