//! The brake on mass revocation, from the deletion of too many objects to a person's decision.

use lanyard_server::control::operations::brake::{DecideHeldBack, DecisionView, ShowBrake};

use super::{A_MOMENT, Stage, at, nothing};

#[tokio::test(flavor = "multi_thread")]
async fn too_many_deletions_at_a_time_wait_for_a_person_and_a_wipe_does_not() {
    let stage = Stage::with(|config| {
        config.tether.brake_share = 1;
        config.tether.brake_minimum = 1;
    })
    .await;
    let mut certificates = Vec::new();
    for n in 0..4 {
        let device = stage.managed(n).id;
        certificates.push((device, stage.device(device).await));
    }
    stage.site.clock.advance(A_MOMENT);
    for (device, _) in &certificates[..3] {
        stage.tenancy.control("DELETE", &at("managedDevices", *device), &nothing()).await;
    }
    stage.look().await;
    let brake = loop {
        let brake = stage.control.run(ShowBrake {}).await.unwrap();
        if brake.waiting == 2 && brake.revoked == 1 {
            break brake;
        }
        tokio::task::yield_now().await;
    };
    assert!(brake.tethered >= 4 && brake.lets_pass == 0, "{brake:?}");
    let batch = &brake.batches[0];
    assert_eq!((batch.state.as_str(), batch.certificates), ("held", 2));
    assert!(batch.examples.iter().all(|held| held.rule == "intuneDeviceDeleted"), "{batch:?}");
    let mut held = Vec::new();
    for (_, certificate) in &certificates[..3] {
        let why = stage.why(certificate).await;
        if why.rule == "heldBack" {
            assert_eq!(stage.ocsp(certificate).await, "good");
            held.push(certificate);
        } else {
            assert_eq!(why.state, "revoked", "{why:?}");
        }
    }
    assert_eq!(held.len(), 2);
    let page = stage.site.get("/").await.text().await.unwrap();
    assert!(page.contains("Revocations of 2 certificates are held back"), "{page}");
    let metrics = stage.site.get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("lanyard_brake_waiting_certificates"), "{metrics}");

    let (device, certificate) = &certificates[3];
    stage.act("POST", &format!("managedDevices/{device}/wipe"), nothing()).await;
    stage.comes_to(certificate, "cessationOfOperation").await;

    let decide = DecideHeldBack { id: batch.id, decision: DecisionView::Confirm };
    stage.control.run(decide.clone()).await.unwrap();
    for certificate in held {
        // Of a deletion that has not lasted yet, the CRL says what can be taken back.
        stage.come_to(certificate, "cessationOfOperation", "certificateHold").await;
    }
    let again = stage.control.run(decide).await.unwrap_err();
    assert!(again.to_string().contains("confirmed already"), "{again}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_discards_stays_good() {
    let stage = Stage::with(|config| {
        config.tether.brake_share = 1;
        config.tether.brake_minimum = 0;
    })
    .await;
    let device = stage.managed(0).id;
    let certificate = stage.device(device).await;
    stage.act("DELETE", &at("managedDevices", device), nothing()).await;
    while stage.control.run(ShowBrake {}).await.unwrap().waiting == 0 {
        tokio::task::yield_now().await;
    }
    let batch = stage.control.run(ShowBrake {}).await.unwrap().batches[0].id;
    stage.control.run(DecideHeldBack { id: batch, decision: DecisionView::Discard }).await.unwrap();
    assert_eq!(stage.ocsp(&certificate).await, "good");
    assert_eq!(stage.crl(&certificate).await, "good");
    let decided = stage.control.run(ShowBrake {}).await.unwrap();
    assert_eq!((decided.waiting, decided.batches[0].state.as_str()), (0, "discarded"));
    assert!(decided.batches[0].decided_by.is_some());
    stage.end().await;
}
