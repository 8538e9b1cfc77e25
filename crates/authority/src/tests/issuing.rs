//! What a certificate says, and who gets none.

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::id::EndpointId;
use lanyard_pki::extension::{BasicConstraints, DistributionPoint, ExtendedKeyUsage, KeyUsages};
use lanyard_pki::oid;
use lanyard_store::{AuditOutcome, Within};

use super::*;

#[tokio::test]
async fn a_device_with_the_challenge_gets_what_the_profile_says() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let issued = issued(authority.issue(Device::new("laptop").request("t1").await).await);
    let certificate = certificate(&issued);
    assert_eq!(certificate.check_issued_by(&issued.ca.certificate, 0, START), Ok(()));
    assert_eq!(certificate.subject(), &name("CN=laptop"));
    let names = certificate.subject_alt_names().unwrap();
    assert_eq!(names, [GeneralName::Dns("laptop.example".into())]);
    assert_eq!(certificate.not_before(), START.plus(-86_400));
    assert_eq!(certificate.not_after(), START.plus(730 * 86_400));
    let purposes = certificate.extended_key_usage().unwrap().unwrap();
    assert_eq!(purposes, ExtendedKeyUsage(vec![oid::CLIENT_AUTH]));
    let ca = hex::encode(issued.ca.key_identifier);
    let access = certificate.authority_info_access().unwrap();
    assert_eq!(access.ocsp, ["http://pki.example/ocsp"]);
    assert_eq!(access.ca_issuers, [format!("http://pki.example/ca/{ca}")]);
    let points = certificate.crl_distribution_points().unwrap();
    let urls: Vec<&str> = points.0.iter().flat_map(DistributionPoint::urls).collect();
    assert_eq!(urls, [format!("http://pki.example/crl/{ca}")]);
}

#[tokio::test]
async fn what_is_issued_is_recorded_and_audited_once() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let issued = issued(authority.issue(Device::new("laptop").request("t1").await).await);
    let record = authority.store().certificate(issued.serial.clone()).await.unwrap().unwrap();
    assert_eq!(record.der.as_deref(), Some(&issued.certificate[..]));
    assert_eq!(record.summary.names.common_name.as_deref(), Some("laptop"));
    assert_eq!(record.summary.endpoint, STATIC);
    let trail = authority.store().audit_entries(Within::Everywhere, None, 100).await.unwrap();
    let acts: Vec<_> =
        trail.items.iter().filter(|one| one.entry.action == "certificate.issue").collect();
    assert_eq!(acts.len(), 1);
    assert_eq!(acts[0].entry.target, Some(issued.serial.to_string()));
}

#[tokio::test]
async fn a_wrong_challenge_is_refused_and_the_refusal_is_recorded() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let wrong = device.request_with("t1", device.csr(Some("close sesame")).await);
    assert_eq!(refusal(authority.issue(wrong).await), Refusal::WrongChallenge);
    let missing = device.request_with("t2", device.csr(None).await);
    assert_eq!(refusal(authority.issue(missing).await), Refusal::ChallengeMissing);
    assert_eq!(recorded(&authority).await, 0);
    let trail = authority.store().audit_entries(Within::Everywhere, None, 100).await.unwrap();
    let refused = |one: &&lanyard_store::AuditRecord| one.entry.outcome == AuditOutcome::Refused;
    assert_eq!(trail.items.iter().filter(refused).count(), 2);
    let written = format!("{trail:?}");
    assert!(!written.contains("sesame"), "no challenge is written anywhere");
}

#[tokio::test]
async fn a_request_to_be_a_ca_gets_an_ordinary_certificate() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let mut asked = Extensions::none();
    let ca = BasicConstraints::Authority { path_len: None };
    asked.push(ca.extension(Criticality::Critical));
    let usages = KeyUsages::KEY_CERT_SIGN.union(KeyUsages::CRL_SIGN);
    asked.push(usages.extension(Criticality::Critical));
    let csr = device.csr_with(Some(SECRET), asked).await;
    let issued = issued(authority.issue(device.request_with("t1", csr)).await);
    let certificate = certificate(&issued);
    assert!(!certificate.is_authority());
    assert!(!certificate.key_usage().unwrap().unwrap().contains(KeyUsages::KEY_CERT_SIGN));
}

#[tokio::test]
async fn a_name_that_the_profile_does_not_carry_is_refused() {
    let mut settings = settings();
    settings.endpoints[0].profile = Profile::code_signing();
    let installation = Installation::new();
    let authority = installation.open(settings).await;
    let refused = refusal(authority.issue(Device::new("laptop").request("t1").await).await);
    let part = lanyard_lifecycle::refusal::NamePart::AlternativeNames;
    assert_eq!(refused, Refusal::NameNotAllowed { part });
}

#[tokio::test]
async fn an_endpoint_that_is_not_configured_issues_nothing() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let mut request = Device::new("laptop").request("t1").await;
    request.endpoint = EndpointId::from_bytes([8; 16]);
    assert_eq!(refusal(authority.issue(request).await), Refusal::NotConfigured);
}

#[tokio::test]
async fn a_csr_signed_with_another_key_is_refused() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let mut der = device.csr(Some(SECRET)).await.as_der().to_vec();
    // The last octet of the signature.
    *der.last_mut().unwrap() ^= 1;
    let csr = CertificationRequest::from_der(&der).unwrap();
    let request = device.request_with("t1", csr);
    assert_eq!(refusal(authority.issue(request).await), Refusal::BadProofOfPossession);
}

#[tokio::test]
async fn a_ca_past_its_end_issues_nothing() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    installation.clock.advance(3651 * 86_400);
    let request = Device::new("laptop").request("t1").await;
    assert_eq!(refusal(authority.issue(request).await), Refusal::AuthorityNotValid);
}

#[tokio::test]
async fn no_certificate_outlives_its_ca() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    installation.clock.advance(3600 * 86_400);
    let issued = issued(authority.issue(Device::new("laptop").request("t1").await).await);
    assert_eq!(certificate(&issued).not_after(), issued.ca.certificate.not_after());
}

#[tokio::test]
async fn where_no_names_are_wanted_none_are_stored() {
    let mut settings = settings();
    settings.endpoints[0].keep = Keeping::RevocationOnly;
    let installation = Installation::new();
    let authority = installation.open(settings).await;
    let issued = issued(authority.issue(Device::new("laptop").request("t1").await).await);
    installation.clock.advance(2 * 86_400);
    authority.run_jobs().await;
    let record = authority.store().certificate(issued.serial.clone()).await.unwrap().unwrap();
    assert_eq!(record.der, None);
    assert!(!format!("{record:?}").contains("laptop"));
    assert_eq!(refusal(authority.issued(&issued.serial).await), Refusal::UnknownCertificate);
}

#[tokio::test]
async fn certificates_spread_over_the_crl_partitions() {
    let mut settings = settings();
    settings.status.crl.partitions = std::num::NonZeroU16::new(3);
    let installation = Installation::new();
    let authority = installation.open(settings).await;
    let device = Device::new("laptop");
    for number in 0..8 {
        let request = device.request(&format!("t{number}")).await;
        let issued = issued(authority.issue(request).await);
        let record = authority.store().certificate(issued.serial.clone()).await.unwrap().unwrap();
        let partition = record.summary.crl_partition.0;
        assert!((1..=3).contains(&partition));
        let points = certificate(&issued).crl_distribution_points().unwrap();
        let url = points.0[0].urls().next().unwrap();
        assert!(url.ends_with(&format!("/{partition}")), "{url}");
    }
}

#[tokio::test]
async fn an_issued_certificate_is_found_by_issuer_and_serial_number() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let issued = issued(authority.issue(Device::new("laptop").request("t1").await).await);
    let by = issued.ca.certificate.subject().clone();
    let found = authority.issued_by(&by, &issued.serial).await.unwrap();
    assert_eq!(found.certificate, issued.certificate);
    let ca = &issued.ca.certificate;
    let found = authority.issued_by(ca.issuer(), ca.serial()).await.unwrap();
    assert_eq!(found.certificate, ca.as_der());
    let other = authority.issued_by(&name("CN=Other"), &issued.serial).await;
    assert_eq!(refusal(other), Refusal::UnknownCertificate);
}

#[tokio::test]
async fn every_kind_of_device_key_is_certified() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    for key in [
        KeyAlgorithm::Rsa { bits: 2048 },
        KeyAlgorithm::Rsa { bits: 3072 },
        KeyAlgorithm::P256,
        KeyAlgorithm::P384,
        KeyAlgorithm::P521,
        KeyAlgorithm::Ed25519,
    ] {
        let device = Device { key: SoftwareKey::generate(key).unwrap(), name: "laptop" };
        let issued = issued(authority.issue(device.request(&key.to_string()).await).await);
        let certificate = certificate(&issued);
        assert_eq!(certificate.public_key().unwrap().algorithm(), key);
        let usages = certificate.key_usage().unwrap().unwrap();
        assert_eq!(usages.contains(KeyUsages::KEY_ENCIPHERMENT), key.can_encipher(), "{key}");
    }
}

#[tokio::test]
async fn every_kind_of_ca_key_issues() {
    for key in [
        KeyAlgorithm::Rsa { bits: 2048 },
        KeyAlgorithm::P256,
        KeyAlgorithm::P384,
        KeyAlgorithm::P521,
    ] {
        let mut settings = settings();
        settings.first.key = key;
        let installation = Installation::new();
        let authority = installation.open(settings).await;
        let issued = issued(authority.issue(Device::new("laptop").request("t1").await).await);
        let signed = certificate(&issued).check_issued_by(&issued.ca.certificate, 0, START);
        assert_eq!(signed, Ok(()), "{key}");
        let real = certificate(&issued).signature().len();
        // The linter saw the shape that was then signed: DER of two numbers varies by a few octets.
        assert!(issued.ca.stand_in.len().abs_diff(real) <= 6, "{key}");
    }
}

#[tokio::test]
async fn a_certificate_with_the_stand_in_signature_verifies_under_no_key_of_ours() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let issued = issued(authority.issue(Device::new("laptop").request("t1").await).await);
    let ca = &issued.ca;
    let tbs = certificate(&issued).tbs_der().to_vec();
    let verified = ca.signer.public_key().verify(ca.signature_algorithm, &tbs, &ca.stand_in);
    assert!(verified.is_err());
}
