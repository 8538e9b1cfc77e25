use std::str::FromStr;

use lanyard_pki::certificate::Certificate;
use lanyard_pki::csr::{PeriodUnit, RequestedValidity};
use lanyard_pki::extension::{
    BasicConstraints, Criticality, ExtensionValue, Extensions, KeyUsages, SecurityIdentifier,
    SubjectAltName,
};
use lanyard_pki::tlv::Writer;
use lanyard_pki::{KeyAlgorithm, SerialNumber};

use super::*;
use crate::refusal::{UnsupportedKey, WeakKey};
use crate::revocation::Standing;
use crate::verdict::{Verdict, record, verdict};

mod renewal;
mod usages;

const NOW: Time = Time::from_unix(1_800_000_000);
const ISSUER: Period = Period {
    not_before: Time::from_unix(1_700_000_000),
    not_after: Time::from_unix(2_000_000_000),
};
const CHALLENGE: &[u8] = b"open sesame";

fn p256() -> PublicKey {
    let point = hex::decode(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
         4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    );
    PublicKey::from_point(KeyAlgorithm::P256, &point.unwrap()).unwrap()
}

fn ed25519() -> PublicKey {
    let point = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    PublicKey::from_point(KeyAlgorithm::Ed25519, &point.unwrap()).unwrap()
}

/// Odd, of so many bits, and without small factors as far as the test of them looks.
fn rsa(bits: usize) -> PublicKey {
    let mut modulus = vec![0xFF; bits / 8];
    let last = modulus.len() - 1;
    for low in (1..=u8::MAX).step_by(2) {
        modulus[last] = low;
        let key = PublicKey::from_rsa_components(&modulus, &[1, 0, 1]).unwrap();
        if rsa::check(&key, 3).is_ok() {
            return key;
        }
    }
    panic!("no sound modulus of {bits} bits was found");
}

fn claims() -> Claims {
    Claims {
        public_key: p256(),
        signed_with: SignatureAlgorithm::Ecdsa(Digest::Sha256),
        subject: Name::from_str("CN=laptop,O=Example").unwrap(),
        alternative_names: vec![GeneralName::Dns("laptop.example.com".into())],
        key_usages: None,
        extended_key_usages: None,
        validity: None,
        other_extensions: Vec::new(),
    }
}

fn challenge(given: Option<&[u8]>) -> Challenge<'_> {
    Challenge { given, expected: Some(CHALLENGE) }
}

fn ask(
    policy: &EndpointPolicy,
    claims: &Claims,
    credential: &Credential<'_>,
) -> Result<Permit, Refusal> {
    let terms = Terms { policy, limits: &Limits::default(), issuer: ISSUER };
    decide(&terms, claims, credential, NOW)
}

fn enroll(policy: &EndpointPolicy, claims: &Claims) -> Result<Permit, Refusal> {
    ask(policy, claims, &Credential::Challenge(challenge(Some(CHALLENGE))))
}

/// A certificate of these names, as far as renewal looks at it; its signature is none.
fn certificate(subject: &str, names: &[GeneralName], validity: Period) -> Certificate {
    let algorithm = SignatureAlgorithm::Ecdsa(Digest::Sha256).identifier();
    let names = SubjectAltName(names.to_vec()).extension(Criticality::NonCritical);
    let extensions: Extensions = [names].into_iter().collect();
    let der = Writer::sequence_of(|w| {
        w.sequence(|w| {
            w.context(0, |w| {
                w.small_integer(2);
            });
            w.serial_number(&SerialNumber::from_bytes(&[1]).unwrap());
            w.raw(&algorithm);
            w.raw(Name::from_str("CN=CA").unwrap().as_der());
            w.sequence(|w| {
                w.time(validity.not_before);
                w.time(validity.not_after);
            });
            w.raw(Name::from_str(subject).unwrap().as_der());
            w.raw(ed25519().spki_der());
            w.context(3, |w| extensions.write(w));
        });
        w.raw(&algorithm);
        w.bit_string(&[0]);
    });
    Certificate::from_der(&der).unwrap()
}

fn old() -> Certificate {
    certificate("CN=laptop,O=Example", &claims().alternative_names, ISSUER)
}

fn standing(standing: Standing) -> Verdict {
    verdict(record(Some(standing), None, NOW))
}

fn renewing() -> EndpointPolicy {
    let from = RenewalFrom::ThisEndpoint;
    let renewal = RenewalRules::On { kinds: vec![Kind::Static], key: KeyReuse::Allowed, from };
    EndpointPolicy { renewal, ..EndpointPolicy::default() }
}

fn ours<'a>(certificate: &'a Certificate, verdict: &'a Verdict) -> OldCertificate<'a> {
    issued(IssuedAt::ThisEndpoint, certificate, verdict)
}

fn issued<'a>(
    issued_at: IssuedAt,
    certificate: &'a Certificate,
    verdict: &'a Verdict,
) -> OldCertificate<'a> {
    OldCertificate { certificate, origin: Origin::Ours { kind: Kind::Static, issued_at, verdict } }
}

#[test]
fn the_right_challenge_gets_what_the_policy_grants() {
    let permit = enroll(&EndpointPolicy::default(), &claims()).unwrap();
    assert_eq!(permit.grant, Grant::Enrollment);
    assert_eq!(permit.approval, Approval::Automatic);
    assert_eq!(permit.subject, claims().subject);
    assert_eq!(permit.alternative_names, claims().alternative_names);
    assert_eq!(permit.usages.extended, [oid::CLIENT_AUTH]);
    assert_eq!(permit.validity.not_before, NOW.plus(-86_400));
    assert_eq!(permit.validity.not_after, NOW.plus(730 * 86_400));
}

#[test]
fn challenges_are_told_apart() {
    let policy = EndpointPolicy::default();
    let long = vec![b'a'; 1025];
    for (given, refusal) in [
        (None, Refusal::ChallengeMissing),
        (Some(&b""[..]), Refusal::ChallengeMissing),
        (Some(b"open sesam"), Refusal::WrongChallenge),
        (Some(b"open sesame "), Refusal::WrongChallenge),
        (Some(&long), Refusal::ChallengeTooLong { limit: 1024 }),
    ] {
        let refused = ask(&policy, &claims(), &Credential::Challenge(challenge(given)));
        assert_eq!(refused, Err(refusal));
    }
}

#[test]
fn an_endpoint_without_a_challenge_to_compare_with_lets_nobody_in() {
    let policy = EndpointPolicy::default();
    for expected in [None, Some(&b""[..])] {
        for given in [None, Some(&b""[..]), Some(CHALLENGE)] {
            let credential = Credential::Challenge(Challenge { given, expected });
            assert_eq!(ask(&policy, &claims(), &credential), Err(Refusal::NotConfigured));
        }
    }
}

#[test]
fn a_closed_endpoint_says_it_is_not_there_whoever_asks() {
    let policy = EndpointPolicy { availability: Availability::Closed, ..EndpointPolicy::default() };
    assert_eq!(enroll(&policy, &claims()), Err(Refusal::NotConfigured));
    assert_eq!(ask(&policy, &claims(), &Credential::Vouched), Err(Refusal::NotConfigured));
}

#[test]
fn a_person_approves_what_a_challenge_speaks_for_and_nothing_else() {
    let policy = EndpointPolicy { approval: Approval::Manual, ..renewing() };
    assert_eq!(enroll(&policy, &claims()).unwrap().approval, Approval::Manual);
    let vouched = ask(&policy, &claims(), &Credential::Vouched).unwrap();
    assert_eq!(vouched.approval, Approval::Automatic);
    let (old, good) = (old(), standing(Standing::NotRevoked));
    let renewed = ask(&policy, &claims(), &Credential::Renewal(ours(&old, &good))).unwrap();
    assert_eq!(renewed.approval, Approval::Automatic);
}

#[test]
fn weak_keys_are_told_from_unsupported_ones() {
    let policy = EndpointPolicy::default();
    let with = |public_key| Claims { public_key, ..claims() };
    let weak = WeakKey::RsaTooShort { bits: 1024, least: 2048 };
    assert_eq!(enroll(&policy, &with(rsa(1024))), Err(Refusal::WeakKey(weak)));
    let long = UnsupportedKey::RsaTooLong { bits: 8200, most: 8192 };
    assert_eq!(enroll(&policy, &with(rsa(8200))), Err(Refusal::UnsupportedKey(long)));
    for key in [rsa(2048), rsa(8192), p256(), ed25519()] {
        assert!(enroll(&policy, &with(key)).is_ok());
    }
    let keys = KeyRules { kinds: vec![KeyKind::Rsa], ..KeyRules::default() };
    let only_rsa = EndpointPolicy { keys, ..policy };
    let left_out = UnsupportedKey::NotAllowedHere { algorithm: "P-256" };
    assert_eq!(enroll(&only_rsa, &claims()), Err(Refusal::UnsupportedKey(left_out)));
}

#[test]
fn md5_is_refused_unless_allowed() {
    let signed_with = SignatureAlgorithm::RsaPkcs1(Digest::Md5);
    let claims = Claims { public_key: rsa(2048), signed_with, ..claims() };
    let policy = EndpointPolicy::default();
    let refused = Refusal::AlgorithmNotAllowed { algorithm: "MD5" };
    assert_eq!(enroll(&policy, &claims), Err(refused));
    let old = EndpointPolicy { old_digests: OldDigests::Allowed, ..policy };
    assert!(enroll(&old, &claims).is_ok());
}

/// basicConstraints and unknown extensions are never carried over; the certificate is issued
/// without them.
#[test]
fn asking_to_be_an_authority_is_left_out_and_recorded() {
    let authority = BasicConstraints::Authority { path_len: None };
    let unknown: Oid = "1.3.6.1.4.1.99999.1".parse().unwrap();
    let criticality = Criticality::Critical;
    let claims = Claims {
        other_extensions: vec![
            authority.extension(criticality),
            Extension { oid: unknown, criticality, value: vec![5, 0] },
        ],
        ..claims()
    };
    let permit = enroll(&EndpointPolicy::default(), &claims).unwrap();
    assert_eq!(permit.left_out, [LeftOut::Authority, LeftOut::Extension(unknown)]);
    assert_eq!(permit.extensions, []);
}

#[test]
fn basic_constraints_that_cannot_be_read_count_as_asking_and_an_end_entity_s_do_not() {
    let left_out = |extension| {
        let claims = Claims { other_extensions: vec![extension], ..claims() };
        enroll(&EndpointPolicy::default(), &claims).unwrap().left_out
    };
    let end_entity = BasicConstraints::EndEntity.extension(Criticality::Critical);
    let broken = Extension { value: vec![0x30, 5], ..end_entity.clone() };
    assert_eq!(left_out(end_entity), []);
    assert_eq!(left_out(broken), [LeftOut::Authority]);
}

#[test]
fn a_security_identifier_is_carried_only_where_that_is_allowed() {
    let sid = SecurityIdentifier("S-1-5-21-1-2-3-500".into()).extension(Criticality::NonCritical);
    let claims = Claims { other_extensions: vec![sid.clone()], ..claims() };
    let policy = EndpointPolicy::default();
    let permit = enroll(&policy, &claims).unwrap();
    assert_eq!((permit.extensions, permit.left_out), (vec![], vec![LeftOut::SecurityIdentifier]));
    let carrying = EndpointPolicy { requested_sid: RequestedSid::Carried, ..policy };
    let permit = enroll(&carrying, &claims).unwrap();
    assert_eq!((permit.extensions, permit.left_out), (vec![sid], vec![]));
}

#[test]
fn a_shorter_validity_is_granted_as_asked() {
    let week = RequestedValidity { count: 1, unit: PeriodUnit::Weeks };
    let claims = Claims { validity: Some(week), ..claims() };
    let permit = enroll(&EndpointPolicy::default(), &claims).unwrap();
    assert_eq!(permit.validity.not_after, NOW.plus(7 * 86_400));
}

#[test]
fn a_challenge_does_not_show() {
    let shown = format!("{:?}", Credential::Challenge(challenge(Some(b"open"))));
    assert!(!shown.contains("open") && !shown.contains("111"), "{shown}");
}
