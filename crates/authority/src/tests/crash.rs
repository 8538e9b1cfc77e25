//! Killed or failing in the middle of issuing: nothing lost, nothing half issued, one certificate.

use super::*;

const STEPS: [Step; 3] = [Step::Built, Step::Signed, Step::Recorded];

#[tokio::test]
async fn a_client_that_asks_again_after_a_kill_at_any_step_gets_one_certificate() {
    for step in STEPS {
        let installation = Installation::new();
        let request = Device::new("laptop").request("t1").await;
        installation
            .killed_at(step, settings(), async |authority| {
                let _ = authority.issue(request.clone()).await;
            })
            .await;
        let authority = installation.open(settings()).await;
        let expected = usize::from(step == Step::Recorded);
        assert_eq!(recorded(&authority).await, expected, "{step:?}: whole or not at all");
        let first = issued(authority.issue(request.clone()).await);
        let second = issued(authority.issue(request).await);
        assert_eq!(first.certificate, second.certificate, "{step:?}");
        assert_eq!(recorded(&authority).await, 1, "{step:?}");
    }
}

#[tokio::test]
async fn what_was_sent_before_a_kill_is_what_is_stored_after_it() {
    let installation = Installation::new();
    let request = Device::new("laptop").request("t1").await;
    let authority = installation.open(settings()).await;
    let sent = issued(authority.issue(request).await);
    authority.store().close().await;
    drop(authority);
    let authority = installation.open(settings()).await;
    let found = authority.issued(&sent.serial).await.unwrap();
    assert_eq!(found.certificate, sent.certificate);
}

#[tokio::test]
async fn a_failure_at_any_step_is_a_fault_and_the_retry_gets_one_certificate() {
    for step in STEPS {
        let installation = Installation::new();
        let steps = Fail::once_at(step);
        let authority = installation.open_disturbed(settings(), steps).await.unwrap();
        let request = Device::new("laptop").request("t1").await;
        match authority.issue(request.clone()).await {
            Err(Error::Fault(fault)) => {
                assert_eq!(fault.persistence(), Persistence::Passing);
                assert!(!fault.to_string().contains("as told"), "the cause is for the log");
            }
            other => panic!("{step:?}: {other:?}"),
        }
        issued(authority.issue(request).await);
        assert_eq!(recorded(&authority).await, 1, "{step:?}");
    }
}

#[tokio::test]
async fn a_closed_store_is_a_fault_and_no_certificate() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    authority.store().close().await;
    let outcome = authority.issue(Device::new("laptop").request("t1").await).await;
    assert!(matches!(outcome, Err(Error::Fault(_))), "{outcome:?}");
}

#[tokio::test]
async fn taken_serial_numbers_are_passed_over() {
    // After each restart with the same seed the same objects and nonces are drawn, all of them taken by the round before.
    let installation = Installation::new();
    installation.open(settings()).await.store().close().await;
    let mut seen = Vec::new();
    for round in 0..4 {
        installation.seed.set(1);
        let authority = installation.open(settings()).await;
        let request = Device::new("laptop").request(&format!("t{round}")).await;
        let issued = issued(authority.issue(request).await);
        assert!(!seen.contains(&issued.serial));
        seen.push(issued.serial);
        authority.store().close().await;
    }
}
