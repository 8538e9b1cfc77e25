use lanyard_lifecycle::id::{DepartmentId, OrganizationId};
use lanyard_lifecycle::revocation::RevocationReason;
use lanyard_pki::ocsp::CertStatus;
use lanyard_store::{AuditOutcome, Filter};
use proptest::prelude::*;

use super::*;
use crate::status::testing::{DAY, Lab, NOW, checked, request};

#[test]
fn a_department_reaches_its_own_certificates_only() {
    let one = DepartmentId::from_bytes([1; 16]);
    let scope = |department| Scope { organization: OrganizationId::DEFAULT, department };
    let within = Within::from(scope(Some(one)));
    assert!(reaches(within, scope(Some(one))));
    assert!(!reaches(within, scope(Some(DepartmentId::from_bytes([2; 16])))));
    assert!(!reaches(within, scope(None)));
    assert!(reaches(Within::from(scope(None)), scope(Some(one))));
}

#[tokio::test]
async fn every_reason_of_rfc_5280_is_recorded_and_told() {
    let lab = Lab::new().await;
    for reason in RevocationReason::ALL.iter().copied() {
        let serial = lab.issue().await;
        let changed = lab.change(&serial, Change::Revoke(reason)).await.unwrap();
        let standing = Standing::Revoked { since: NOW, reason };
        assert_eq!(changed, Revoked::Changed(standing));
        let CertStatus::Revoked { at, reason: told } = lab.status(&serial).await else {
            panic!("it is revoked")
        };
        let told = told.map_or(0, lanyard_pki::CrlReason::number);
        assert_eq!((at, told), (NOW, reason.code()));
    }
}

#[tokio::test]
async fn what_is_revoked_for_good_stays_so() {
    let lab = Lab::new().await;
    let serial = lab.issue().await;
    lab.change(&serial, Change::Hold).await.unwrap();
    lab.clock.advance(DAY);
    let held = lab.change(&serial, Change::Hold).await.unwrap();
    assert_eq!(held, Revoked::Unchanged(Standing::OnHold { since: NOW }));
    lab.change(&serial, Change::Revoke(RevocationReason::Superseded)).await.unwrap();
    let all = [Change::Release, Change::Hold, Change::Revoke(RevocationReason::KeyCompromise)];
    for change in all {
        let refused = lab.change(&serial, change).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(Refusal::RevokedForGood)), "{refused:?}");
    }
    let shown = lab.authority.show(&serial, Within::Everywhere).await.unwrap();
    let reason = RevocationReason::Superseded;
    assert_eq!(shown.certificate.summary.standing, Standing::Revoked { since: NOW, reason });
    assert!(shown.verdict.good().is_err());
}

#[tokio::test]
async fn what_was_not_issued_here_or_belongs_to_others_is_refused_alike() {
    let lab = Lab::new().await;
    let serial = lab.issue().await;
    let nobody = SerialNumber::from_bytes(&[0x11; 20]).unwrap();
    let elsewhere = Within::Organization(OrganizationId::from_bytes([9; 16]));
    for (serial, within) in [(nobody, Within::Everywhere), (serial.clone(), elsewhere)] {
        let refused = lab
            .authority
            .revoke(Revocation {
                serial,
                change: Change::Hold,
                invalidity_date: None,
                actor: Actor::Operator("mallory".to_owned()),
                within,
            })
            .await
            .unwrap_err();
        assert!(matches!(refused, Error::Refused(Refusal::UnknownCertificate)), "{refused:?}");
    }
    let trail = lab.authority.store().audit_entries(Within::Everywhere, None, 2).await.unwrap();
    for record in trail.items {
        assert_eq!(record.entry.action, "certificate.hold");
        assert_eq!(record.entry.outcome, AuditOutcome::Refused);
        assert!(record.entry.actor.contains("mallory"));
    }
    assert_eq!(lab.status(&serial).await, CertStatus::Good);
}

#[tokio::test]
async fn the_trail_tells_who_revoked_what_and_why() {
    let lab = Lab::new().await;
    let serial = lab.issue().await;
    lab.change(&serial, Change::Revoke(RevocationReason::CessationOfOperation)).await.unwrap();
    let trail = lab.authority.store().audit_entries(Within::Everywhere, None, 1).await.unwrap();
    let entry = &trail.items[0].entry;
    assert_eq!(entry.action, "certificate.revoke");
    assert_eq!(entry.target.as_deref(), Some(serial.to_string().as_str()));
    assert_eq!(entry.outcome, AuditOutcome::Done);
    assert!(entry.detail.as_ref().unwrap().contains("\"reason\":5"));
}

#[tokio::test]
async fn certificates_are_found_shown_exported_and_watched() {
    let lab = Lab::new().await;
    let serial = lab.issue_until(NOW.plus(10 * DAY)).await;
    let authority = &lab.authority;
    let found = authority.search(Filter::all(Within::Everywhere), None, 10).await.unwrap();
    assert!(found.items.iter().any(|summary| summary.serial == serial));
    let exported = authority.export(&serial, Within::Everywhere).await.unwrap();
    let certificate = lanyard_pki::Certificate::from_der(&exported.certificate).unwrap();
    assert_eq!(certificate.serial(), &serial);
    assert_eq!(exported.chain, [lab.ca().certificate.as_der()]);
    let until = NOW.plus(20 * DAY);
    let ending = authority.expiring(Within::Everywhere, NOW, until, None, 10).await.unwrap();
    assert!(ending.items.iter().any(|summary| summary.serial == serial));
    let foreign = Within::Organization(OrganizationId::from_bytes([9; 16]));
    let refused = authority.show(&serial, foreign).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::UnknownCertificate)));
}

/// What clients and operators do at once.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ask { certificate: usize, nonce: bool },
    Change { certificate: usize, change: Change },
    Wait { seconds: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let certificate = 0..3_usize;
    let change = (0_u8..=10).prop_filter_map("7 is not used", Change::from_code);
    let step = prop_oneof![
        4 => (certificate.clone(), any::<bool>())
            .prop_map(|(certificate, nonce)| Step::Ask { certificate, nonce }),
        2 => (certificate, change)
            .prop_map(|(certificate, change)| Step::Change { certificate, change }),
        1 => (1_i64..400).prop_map(|seconds| Step::Wait { seconds }),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Runs every step as a task of its own, in rounds of `at_once`, and asserts after each round that what was
/// acknowledged in it or before is what every answer says.
async fn run(steps: Vec<Step>, at_once: usize) {
    let lab = std::sync::Arc::new(Lab::new().await);
    let serials = std::sync::Arc::new([lab.issue().await, lab.issue().await, lab.issue().await]);
    for round in steps.chunks(at_once) {
        let tasks: Vec<_> = round
            .iter()
            .copied()
            .map(|step| {
                let (lab, serials) = (lab.clone(), serials.clone());
                tokio::spawn(async move { carry_out(&lab, &serials[..], step).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        for serial in serials.iter() {
            let record = lab.authority.store().certificate_status(serial.clone()).await;
            let standing = record.unwrap().unwrap().standing;
            let good = matches!(standing, Standing::NotRevoked);
            for nonce in [None, Some(&b"nonce"[..])] {
                let der = lab.authority.answer(&request(&lab.ca(), serial, nonce)).await.der();
                let said = checked(&der, &lab.ca(), lab.clock_now()).unwrap()[0].0;
                assert_eq!(said == CertStatus::Good, good, "{standing:?} was acknowledged");
            }
        }
    }
}

async fn carry_out(lab: &Lab, serials: &[SerialNumber], step: Step) {
    match step {
        Step::Wait { seconds } => {
            lab.clock.advance(seconds);
        }
        Step::Ask { certificate, nonce } => {
            let nonce = nonce.then_some(&b"nonce"[..]);
            lab.authority.answer(&request(&lab.ca(), &serials[certificate], nonce)).await;
        }
        Step::Change { certificate, change } => {
            let serial = &serials[certificate];
            let changed = lab.change(serial, change).await;
            if let Ok(Revoked::Changed(Standing::Revoked { .. })) = changed {
                let said = lab.status(serial).await;
                assert_ne!(said, CertStatus::Good, "its revocation was acknowledged");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn after_a_revocation_was_acknowledged_no_answer_is_good(
        steps in steps(), at_once in 1_usize..8,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(run(steps, at_once));
    }
}
