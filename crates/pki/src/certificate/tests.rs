use super::*;
use crate::{
    Digest, KeyAlgorithm, Unsigned,
    extension::{Criticality, ExtensionValue},
    oid, testing,
    tlv::Writer,
};
use proptest::prelude::*;

/// A certificate with the given extensions, named and signed as told.
struct Draft {
    subject: &'static str,
    issuer: &'static str,
    extensions: Extensions,
    key: &'static str,
    signer: &'static str,
}

const NOW: Time = Time::from_unix(1_790_000_000);

impl Draft {
    fn authority() -> Self {
        let extensions = [
            BasicConstraints::Authority { path_len: Some(1) }.extension(Criticality::Critical),
            KeyUsages::KEY_CERT_SIGN.extension(Criticality::Critical),
            SubjectKeyIdentifier(vec![1; 20]).extension(Criticality::NonCritical),
        ];
        let extensions = extensions.into_iter().collect();
        Self { subject: "CN=CA", issuer: "CN=CA", extensions, key: "ed25519", signer: "ed25519" }
    }

    fn leaf() -> Self {
        let aki = AuthorityKeyIdentifier::of_key(&[1; 20]).extension(Criticality::NonCritical);
        let extensions = [aki].into_iter().collect();
        Self { subject: "CN=leaf", issuer: "cn=ca", extensions, key: "p256", signer: "ed25519" }
    }

    fn with(mut self, value: &impl ExtensionValue) -> Self {
        self.extensions.push(value.extension(Criticality::Critical));
        self
    }

    fn make(self) -> Certificate {
        let tbs = Writer::sequence_of(|w| {
            w.context(0, |w| w.small_integer(2));
            w.small_integer(7);
            w.raw(&testing::algorithm(self.signer).identifier());
            w.raw(self.issuer.parse::<Name>().unwrap().as_der());
            w.sequence(|w| {
                w.time(NOW.plus(-10));
                w.time(NOW.plus(10));
            });
            w.raw(self.subject.parse::<Name>().unwrap().as_der());
            w.raw(testing::public_key(self.key).spki_der());
            w.context(3, |w| self.extensions.write(w));
        });
        let unsigned = Unsigned::<Certificate>::new(tbs, testing::algorithm(self.signer));
        Certificate::from_der(&testing::signed(unsigned, self.signer)).unwrap()
    }
}

#[test]
fn a_certificate_is_read_field_by_field_and_kept_as_it_is() {
    let leaf = Draft::leaf().with(&ExtendedKeyUsage(vec![oid::CLIENT_AUTH])).make();
    assert_eq!(leaf.version(), 3);
    assert_eq!(leaf.serial().to_string(), "07");
    assert_eq!(leaf.subject().to_string(), "CN=leaf");
    assert_eq!((leaf.not_before(), leaf.not_after()), (NOW.plus(-10), NOW.plus(10)));
    assert_eq!(leaf.public_key().unwrap(), &testing::public_key("p256"));
    assert_eq!(leaf.spki_der(), testing::public_key("p256").spki_der());
    assert_eq!(leaf.signature_algorithm(), Ok(SignatureAlgorithm::Ed25519));
    assert_eq!(leaf.signature().len(), 64);
    assert_eq!(leaf.extended_key_usage().unwrap().unwrap().0, [oid::CLIENT_AUTH]);
    assert_eq!(leaf.basic_constraints(), Ok(BasicConstraints::EndEntity));
    assert_eq!(leaf.key_usage(), Ok(None));
    assert_eq!(Certificate::from_der(leaf.as_der()).unwrap(), leaf);
    assert!(!leaf.is_self_signed() && !leaf.is_authority());
    assert!(Draft::authority().make().is_self_signed());
    assert!(leaf.is_valid_at(leaf.not_before()) && leaf.is_valid_at(leaf.not_after()));
    assert!(!leaf.is_valid_at(NOW.plus(11)) && !leaf.is_valid_at(NOW.plus(-11)));
}

#[test]
fn a_link_holds_when_everything_fits() {
    let link = Draft::leaf().make().check_issued_by(&Draft::authority().make(), 0, NOW);
    assert_eq!(link, Ok(()));
}

#[test]
fn a_link_breaks_for_each_reason_by_itself() {
    let authority = || Draft::authority().make();
    let check = |leaf: Draft, issuer: Certificate, below, at| {
        leaf.make().check_issued_by(&issuer, below, at).unwrap_err()
    };
    let other_name = Draft { issuer: "CN=other", ..Draft::leaf() };
    assert_eq!(check(other_name, authority(), 0, NOW), LinkError::Name);
    let other_key = Draft::leaf().with(&AuthorityKeyIdentifier::of_key(&[2; 20]));
    assert_eq!(check(other_key, authority(), 0, NOW), LinkError::KeyIdentifier);
    let end_entity = Draft::authority().with(&BasicConstraints::EndEntity).make();
    assert_eq!(check(Draft::leaf(), end_entity, 0, NOW), LinkError::NotAuthority);
    let no_signing = Draft::authority().with(&KeyUsages::CRL_SIGN).make();
    assert_eq!(check(Draft::leaf(), no_signing, 0, NOW), LinkError::KeyUsage);
    assert_eq!(check(Draft::leaf(), authority(), 2, NOW), LinkError::PathLength);
    assert_eq!(check(Draft::leaf(), authority(), 0, NOW.plus(11)), LinkError::Expired);
    let forged = Draft { signer: "p256", ..Draft::leaf() };
    assert_eq!(check(forged, authority(), 0, NOW), LinkError::Signature);
    let mut unreadable = Draft::leaf();
    let mut aki = AuthorityKeyIdentifier::default().extension(Criticality::NonCritical);
    aki.value.push(0);
    unreadable.extensions.push(aki);
    assert_eq!(check(unreadable, authority(), 0, NOW), LinkError::Malformed);
}

#[test]
fn two_different_statements_of_the_algorithm_do_not_verify() {
    let leaf = Draft::leaf().make();
    let mut der = leaf.as_der().to_vec();
    let outer = der.windows(5).rposition(|octets| octets == [6, 3, 0x2b, 0x65, 0x70]).unwrap();
    der[outer + 4] = 0x71;
    let changed = Certificate::from_der(&der).unwrap();
    assert!(!changed.algorithms_agree());
    assert_eq!(changed.verify_signed_by(&testing::public_key("ed25519")), Err(BadSignature));
}

#[test]
fn certificates_that_no_authority_would_issue_are_read() {
    let long = testing::certificate("certificates/serial-of-32-octets.pem");
    assert_eq!(long.serial().as_bytes(), [0x9a; 32]);
    assert!(long.is_self_signed());
    let old = testing::certificate("certificates/version-1-md5.pem");
    assert_eq!(old.version(), 1);
    assert_eq!(old.signature_algorithm(), Ok(SignatureAlgorithm::RsaPkcs1(Digest::Md5)));
    assert!(old.is_self_signed() && old.extensions().is_empty());
    assert_eq!(old.public_key().unwrap().algorithm(), KeyAlgorithm::Rsa { bits: 1024 });
    let brainpool = testing::certificate("certificates/brainpool.pem");
    let refusal = brainpool.public_key().unwrap_err().to_string();
    assert_eq!(refusal, "the elliptic curve 1.3.36.3.3.2.8.1.1.7 is not supported");
}

/// RFC 5280, appendix C.1 to C.3.
#[test]
fn the_examples_of_rfc_5280_read_and_verify() {
    let authority = testing::certificate("certificates/rfc5280-c1.pem");
    assert!(authority.is_self_signed() && authority.is_authority());
    assert_eq!(authority.subject().to_string(), "CN=Example CA,DC=example,DC=com");
    assert_eq!(authority.serial().to_string(), "11");
    let leaf = testing::certificate("certificates/rfc5280-c2.pem");
    let at = "2005-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(leaf.check_issued_by(&authority, 0, at), Ok(()));
    assert_eq!(leaf.not_after().to_string(), "2005-03-15T11:48:21Z");
    assert_eq!(leaf.subject_alt_names().unwrap()[0].to_string(), "email:end.entity@example.com");
    let identifier = leaf.public_key().unwrap().key_identifier();
    assert_eq!(leaf.subject_key_identifier().unwrap().unwrap(), identifier);
    let dsa = testing::certificate("certificates/rfc5280-c3.pem");
    assert_eq!(dsa.subject().common_name().as_deref(), Some("DSA End Entity"));
    let refusal = dsa.public_key().unwrap_err().to_string();
    assert_eq!(refusal, "public keys of algorithm 1.2.840.10040.4.1 are not supported");
    assert_eq!(dsa.serial().to_string(), "0100");
}

/// RFC 8410, 10.2, signed with the key of 10.1. Its extensions write out what is the default, as two errata
/// say; it is read all the same.
#[test]
fn the_example_of_rfc_8410_verifies() {
    let certificate = testing::certificate("certificates/rfc8410-10-2.pem");
    let spki =
        "302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    let key = PublicKey::from_spki_der(&hex::decode(spki).unwrap()).unwrap();
    assert_eq!(certificate.verify_signed_by(&key), Ok(()));
    assert_eq!(certificate.key_usage(), Ok(Some(KeyUsages::KEY_AGREEMENT)));
    assert!(!certificate.is_authority());
}

#[test]
fn fingerprints_are_over_all_of_it() {
    let certificate = testing::certificate("certificates/version-1-md5.pem");
    let der = certificate.as_der();
    assert_eq!(certificate.fingerprint_sha256()[..], Digest::Sha256.of(der));
    assert_eq!(certificate.fingerprint_sha1()[..], Digest::Sha1.of(der));
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Certificate::from_der(&bytes);
    }

    #[test]
    fn a_damaged_certificate_is_refused_or_does_not_verify(
        at in any::<prop::sample::Index>(), mask in 1u8..,
    ) {
        let leaf = Draft::leaf().with(&KeyUsages::DIGITAL_SIGNATURE).make();
        let mut der = leaf.as_der().to_vec();
        *at.get_mut(&mut der) ^= mask;
        if let Ok(damaged) = Certificate::from_der(&der) {
            let _ = (damaged.key_usage(), damaged.authority_key_identifier());
            let verified = damaged.verify_signed_by(&testing::public_key("ed25519"));
            prop_assert_eq!(verified, Err(BadSignature));
        }
    }

    #[test]
    fn a_truncated_certificate_is_refused(at in any::<prop::sample::Index>()) {
        let leaf = Draft::leaf().make();
        let der = leaf.as_der();
        prop_assert!(Certificate::from_der(&der[..at.index(der.len())]).is_err());
    }
}
