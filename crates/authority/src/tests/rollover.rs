//! The next CA: announced, activated, and the old one's certificates after that.

use lanyard_pki::SerialNumber;
use lanyard_store::CaState;

use super::first_start::certify_below;
use super::*;
use crate::ca::{CaError, Form, Prepared};
use crate::settings::{CertifiedBy, NewCa};

fn operator() -> Actor {
    Actor::Operator("ada".into())
}

fn next_ca() -> NewCa {
    NewCa { key: KeyAlgorithm::P256, ..NewCa::new(name("CN=Test CA 2,O=Example")) }
}

async fn prepared(authority: &Authority) -> lanyard_store::CaId {
    match authority.prepare_next_ca(&next_ca(), &operator()).await.unwrap() {
        Prepared::Next(id) => id,
        other @ Prepared::Requested(_) => panic!("not prepared: {other:?}"),
    }
}

#[tokio::test]
async fn the_next_ca_is_announced_while_the_current_one_issues() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let next = prepared(&authority).await;
    let cas = authority.cas();
    assert_eq!(cas.next(Scope::DEFAULT.organization).unwrap().id, next);
    let issued = issued(authority.issue(Device::new("laptop").request("t1").await).await);
    assert_ne!(issued.ca.id, next);
}

#[tokio::test]
async fn an_activated_ca_issues_and_the_old_one_still_answers_for_its_own() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let before = issued(authority.issue(device.request("t1").await).await);
    let next = prepared(&authority).await;
    authority.activate_ca(next, None, &operator()).await.unwrap();
    let after = issued(authority.issue(device.request("t2").await).await);
    assert_eq!(after.ca.id, next);
    assert_ne!(before.ca.id, next);
    let found = authority.issued(&before.serial).await.unwrap();
    assert_eq!(found.ca.id, before.ca.id);
    assert_eq!(found.ca.state, CaState::Retired);
    let renewed = Request {
        proof: Proof::Renewal(certificate(&before)),
        ..device.request_with("t3", device.csr(None).await)
    };
    let renewed = issued(authority.issue(renewed).await);
    assert_eq!(renewed.ca.id, next, "certificates of the old CA are renewed by the new one");
}

#[tokio::test]
async fn an_activation_waits_for_its_time_and_survives_a_restart() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let next = prepared(&authority).await;
    let at = START.plus(7 * 86_400);
    authority.activate_ca(next, Some(at), &operator()).await.unwrap();
    assert_eq!(authority.scheduled_activation().await.unwrap(), Some((next, at)));
    authority.store().close().await;
    drop(authority);

    let authority = installation.open(settings()).await;
    let current =
        |authority: &Authority| authority.cas().current(Scope::DEFAULT.organization).unwrap().id;
    assert_ne!(current(&authority), next);
    installation.clock.set(at.plus(-1));
    assert_eq!(authority.run_jobs().await, at, "the jobs are due when the activation is");
    assert_ne!(current(&authority), next);
    installation.clock.set(at);
    authority.run_jobs().await;
    assert_eq!(current(&authority), next);
    assert_eq!(authority.scheduled_activation().await.unwrap(), None);
}

#[tokio::test]
async fn what_cannot_be_activated_says_why() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let first = authority.cas().iter().next().unwrap().id;
    let next = prepared(&authority).await;
    let activate = async |id, at| authority.activate_ca(id, at, &operator()).await.unwrap_err();
    assert!(matches!(activate(first, None).await, CaError::AlreadyCurrent(_)));
    let unknown = lanyard_store::CaId(4711);
    assert!(matches!(activate(unknown, None).await, CaError::Unknown(_)));
    let past = START.plus(-1);
    assert!(matches!(activate(next, Some(past)).await, CaError::InThePast(_)));
    let beyond = START.plus(4000 * 86_400);
    assert!(matches!(activate(next, Some(beyond)).await, CaError::NotValidThen { .. }));
    let requested = NewCa { certified_by: CertifiedBy::Another, ..next_ca() };
    let requested = authority.request_ca(&requested, &operator()).await.unwrap().id;
    assert!(matches!(activate(requested, None).await, CaError::NotCertified(_)));
    authority.activate_ca(next, None, &operator()).await.unwrap();
    assert!(matches!(activate(first, None).await, CaError::Retired(_)));
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_is_not_imported() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let above = Installation::new();
    above.seed.set(50);
    let root = above.open(settings()).await;
    let root_der = root.cas().iter().next().unwrap().certificate.as_der().to_vec();
    let new = NewCa { certified_by: CertifiedBy::Another, ..next_ca() };
    let requested = authority.request_ca(&new, &operator()).await.unwrap();
    let import = async |given: &[Vec<u8>]| {
        authority.import_ca(requested.id, given, &operator()).await.unwrap_err()
    };
    let good = certify_below(&root, &requested.request).await;
    assert!(matches!(import(&[]).await, CaError::NoCertificate));
    assert!(matches!(import(std::slice::from_ref(&root_der)).await, CaError::ForeignKey(_)));
    assert!(matches!(import(std::slice::from_ref(&good)).await, CaError::ChainEnds { .. }));
    let garbage = vec![0x30, 0x03, 0x02, 0x01, 0x01];
    let unreadable = import(&[good.clone(), garbage]).await;
    assert!(matches!(unreadable, CaError::Unreadable { position: 2, .. }));
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    let broken = import(&[forged, root_der.clone()]).await;
    assert!(matches!(broken, CaError::BrokenLink { .. }), "{broken}");
    installation.clock.advance(1001 * 86_400);
    let expired = import(&[good.clone(), root_der.clone()]).await;
    assert!(matches!(expired, CaError::NotValid { .. }), "{expired}");
    installation.clock.set(START);

    let imported =
        authority.import_ca(requested.id, &[root_der.clone(), good.clone()], &operator()).await;
    assert_eq!(imported.unwrap(), crate::ca::Imported::Next);
    let twice = import(&[root_der, good]).await;
    assert!(matches!(twice, CaError::NotRequested(_)));
}

#[tokio::test]
async fn a_destroyed_key_of_a_retired_ca_does_not_keep_the_next_one_from_starting() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let next = prepared(&authority).await;
    authority.activate_ca(next, None, &operator()).await.unwrap();
    authority.store().close().await;
    drop(authority);
    let key = installation.path().join("keys/ca-1.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let authority = installation.open(settings()).await;
    assert_eq!(authority.cas().iter().map(|ca| ca.id).collect::<Vec<_>>(), [next]);
    authority.store().close().await;
    drop(authority);

    // The current one's key is another matter.
    let current = installation.path().join("keys/ca-2.key");
    std::fs::write(&current, kept).unwrap();
    let opened = installation.open_disturbed(settings(), Arc::new(Undisturbed)).await;
    let fault = opened.unwrap_err().to_string();
    assert!(fault.contains("ca-2 does not hold the key of CA 2"), "{fault}");
}

#[tokio::test]
async fn a_ca_is_exported_with_its_chain() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let ca = authority.cas().iter().next().unwrap().clone();
    assert_eq!(ca.export(Form::Der), ca.certificate.as_der());
    let pem = String::from_utf8(ca.export(Form::Pem)).unwrap();
    let blocks = lanyard_pki::pem::decode_all(&pem).unwrap();
    assert_eq!(blocks.len(), 1);
    let cms = ca.export(Form::Cms);
    let needle = ca.certificate.as_der();
    assert!(cms.windows(needle.len()).any(|window| window == needle));
}

#[tokio::test]
async fn of_cas_with_one_name_the_crl_of_the_one_that_issued_is_given() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let before = issued(authority.issue(device.request("t1").await).await);
    let same = NewCa { key: KeyAlgorithm::P256, ..NewCa::new(name("CN=Test CA,O=Example")) };
    let prepared = authority.prepare_next_ca(&same, &operator()).await.unwrap();
    let Prepared::Next(next) = prepared else { panic!("not prepared: {prepared:?}") };
    authority.activate_ca(next, None, &operator()).await.unwrap();
    let after = issued(authority.issue(device.request("t2").await).await);
    authority.refresh_crls().await;

    let issuer = name("CN=Test CA,O=Example");
    let given =
        async |serial: &SerialNumber| authority.crl_for(&issuer, serial).await.unwrap().der.clone();
    let of = |issued: &Issued| authority.complete_crl(issued.ca.id).unwrap().der.clone();
    assert_eq!(given(&before.serial).await, of(&before));
    assert_eq!(given(&after.serial).await, of(&after));
    let unknown = SerialNumber::from_bytes(&[0x42; 20]).unwrap();
    assert_eq!(given(&unknown).await, of(&after), "the current one's where nothing is known");
    let stranger = authority.crl_for(&name("CN=Other"), &after.serial).await;
    assert_eq!(refusal(stranger), lanyard_lifecycle::Refusal::UnknownCertificate);
}
