//! Who receives and answers SCEP messages.

use lanyard_pki::cms::CertificateId;
use lanyard_pki::extension::KeyUsages;

use super::*;
use crate::settings::ScepIdentityChoice;

fn with_identity(key: KeyAlgorithm, identity: ScepIdentityChoice) -> Settings {
    let mut settings = settings();
    settings.first.key = key;
    settings.scep.identity = identity;
    settings
}

const RSA: KeyAlgorithm = KeyAlgorithm::Rsa { bits: 2048 };

#[tokio::test]
async fn an_rsa_ca_receives_and_answers_itself() {
    let settings = with_identity(RSA, ScepIdentityChoice::Automatic);
    let installation = Installation::new();
    let authority = installation.open(settings).await;
    let identity = authority.scep_identity(&Scope::DEFAULT).unwrap();
    assert!(identity.is_ca_itself());
    assert_eq!(identity.announced, std::slice::from_ref(&identity.ca.certificate));
    let usages = identity.certificate.key_usage().unwrap().unwrap();
    assert!(usages.contains(KeyUsages::KEY_ENCIPHERMENT));
    assert!(identity.receiver(&CertificateId::of(&identity.certificate)).is_some());
}

#[tokio::test]
async fn an_ec_ca_has_a_registration_authority() {
    let settings = with_identity(KeyAlgorithm::P256, ScepIdentityChoice::Automatic);
    let installation = Installation::new();
    let authority = installation.open(settings).await;
    let identity = authority.scep_identity(&Scope::DEFAULT).unwrap();
    assert!(!identity.is_ca_itself());
    let ra = &identity.certificate;
    assert_eq!(identity.announced, [ra.clone(), identity.ca.certificate.clone()]);
    assert_eq!(ra.check_issued_by(&identity.ca.certificate, 0, START), Ok(()));
    assert_eq!(ra.subject(), &name("CN=SCEP RA,O=Example"));
    assert_eq!(ra.not_after(), START.plus(30 * 86_400));
    let usages = ra.key_usage().unwrap().unwrap();
    assert!(usages.contains(KeyUsages::KEY_ENCIPHERMENT | KeyUsages::DIGITAL_SIGNATURE));
    let receiver = identity.receiver(&CertificateId::of(ra)).unwrap();
    assert_eq!(receiver.decrypter.public_key().spki_der(), ra.spki_der());
}

#[tokio::test]
async fn a_setting_keeps_the_ca_key_out_of_scep() {
    let settings = with_identity(RSA, ScepIdentityChoice::Ra);
    let installation = Installation::new();
    let authority = installation.open(settings).await;
    let identity = authority.scep_identity(&Scope::DEFAULT).unwrap();
    assert!(!identity.is_ca_itself());
    assert!(identity.receiver(&CertificateId::of(&identity.ca.certificate)).is_none());
}

#[tokio::test]
async fn an_ec_ca_without_a_registration_authority_offers_no_scep() {
    let settings = with_identity(KeyAlgorithm::P256, ScepIdentityChoice::Ca);
    let installation = Installation::new();
    let authority = installation.open(settings).await;
    assert!(authority.scep_identity(&Scope::DEFAULT).is_none());
}

#[tokio::test]
async fn a_restart_keeps_the_registration_authority() {
    let installation = Installation::new();
    let settings = with_identity(KeyAlgorithm::P256, ScepIdentityChoice::Automatic);
    let authority = installation.open(settings.clone()).await;
    let before = authority.scep_identity(&Scope::DEFAULT).unwrap().certificate.clone();
    authority.store().close().await;
    drop(authority);
    let authority = installation.open(settings).await;
    assert_eq!(authority.scep_identity(&Scope::DEFAULT).unwrap().certificate, before);
}

#[tokio::test]
async fn a_registration_authority_is_rotated_and_the_old_one_opens_messages_until_its_end() {
    let installation = Installation::new();
    let settings = with_identity(KeyAlgorithm::P256, ScepIdentityChoice::Automatic);
    let authority = installation.open(settings).await;
    let identity = || authority.scep_identity(&Scope::DEFAULT).unwrap();
    let first = identity().certificate.clone();
    installation.clock.set(START.plus(20 * 86_400 - 1));
    authority.run_jobs().await;
    assert_eq!(identity().certificate, first, "not before a third is left");
    installation.clock.set(START.plus(20 * 86_400));
    authority.run_jobs().await;
    let second = identity().certificate.clone();
    assert_ne!(second, first);
    assert!(identity().receiver(&CertificateId::of(&first)).is_some());

    installation.clock.set(first.not_after().plus(1));
    authority.run_jobs().await;
    let keys = KeyStore::open(&installation.path().join("keys"), None).unwrap();
    let left: Vec<String> = keys.names().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(left, ["ca-1", "installation", "ra-1-2"], "the old key is deleted");
    assert!(identity().receiver(&CertificateId::of(&first)).is_none());
    assert!(identity().receiver(&CertificateId::of(&second)).is_some());
}

#[tokio::test]
async fn a_rotation_killed_at_any_step_leaves_one_certificate_for_one_key() {
    for step in [Step::RaKeyMade, Step::Signed, Step::Recorded, Step::RaIssued] {
        let installation = Installation::new();
        let settings = with_identity(KeyAlgorithm::P256, ScepIdentityChoice::Automatic);
        installation.killed_at(step, settings.clone(), async |_| {}).await;
        let authority = installation.open(settings).await;
        let identity = authority.scep_identity(&Scope::DEFAULT).unwrap();
        assert!(!identity.is_ca_itself(), "{step:?}");
        let filter = Filter::all(Within::Everywhere);
        let issued = authority.store().search_certificates(filter, None, 10).await.unwrap();
        assert_eq!(issued.items.len(), 1, "{step:?}");
        assert_eq!(issued.items[0].serial, *identity.certificate.serial(), "{step:?}");
        let keys = KeyStore::open(&installation.path().join("keys"), None).unwrap();
        assert_eq!(keys.names().unwrap().len(), 3, "{step:?}");
    }
}

#[tokio::test]
async fn a_lost_registration_authority_key_is_replaced_at_the_next_start() {
    let installation = Installation::new();
    let settings = with_identity(KeyAlgorithm::P256, ScepIdentityChoice::Automatic);
    let authority = installation.open(settings.clone()).await;
    let before = authority.scep_identity(&Scope::DEFAULT).unwrap().certificate.clone();
    authority.store().close().await;
    drop(authority);
    std::fs::remove_file(installation.path().join("keys/ra-1-1.key")).unwrap();
    let authority = installation.open(settings).await;
    let after = authority.scep_identity(&Scope::DEFAULT).unwrap();
    assert_ne!(after.certificate, before);
    assert!(after.receiver(&CertificateId::of(&before)).is_none());
}

#[tokio::test]
async fn an_expired_ca_starts_without_scep() {
    let installation = Installation::new();
    let settings = with_identity(KeyAlgorithm::P256, ScepIdentityChoice::Automatic);
    installation.open(settings.clone()).await.store().close().await;
    installation.clock.advance(3651 * 86_400);
    let authority = installation.open(settings).await;
    assert!(authority.scep_identity(&Scope::DEFAULT).is_none());
    assert_eq!(authority.cas().iter().count(), 1, "it still answers for what it issued");
}

#[tokio::test]
async fn the_next_and_the_retired_ca_open_messages_too() {
    let settings = with_identity(RSA, ScepIdentityChoice::Automatic);
    let installation = Installation::new();
    let authority = installation.open(settings).await;
    let old = authority.cas().iter().next().unwrap().certificate.clone();
    let new = crate::settings::NewCa { key: RSA, ..crate::settings::NewCa::new(name("CN=Next")) };
    let operator = Actor::Operator("ada".into());
    let prepared = authority.prepare_next_ca(&new, &operator).await.unwrap();
    let crate::ca::Prepared::Next(next) = prepared else { panic!("{prepared:?}") };
    let next_certificate = authority.cas().by_id(next).unwrap().certificate.clone();
    let identity = || authority.scep_identity(&Scope::DEFAULT).unwrap();
    assert!(identity().receiver(&CertificateId::of(&next_certificate)).is_some());
    authority.activate_ca(next, None, &operator).await.unwrap();
    assert_eq!(identity().certificate, next_certificate);
    assert!(identity().receiver(&CertificateId::of(&old)).is_some());
}
