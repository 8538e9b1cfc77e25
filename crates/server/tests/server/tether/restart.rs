//! What is known over an outage of the tenant, and how deletion is told from a flicker.

use lanyard_lifecycle::revocation::RevocationReason::AffiliationChanged;
use lanyard_server::config::unit::Span;
use serde_json::{Value, json};

use super::{A_MOMENT, GIVEN_UP, PAUSE, Stage, at, nothing};

/// Every service of the tenant is gone.
fn outage() -> Value {
    json!({ "faults": [{ "kind": "outage" }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_leaves_what_is_known_and_past_its_time_clients_are_told_to_try_later_until_it_ends()
 {
    let stage = Stage::with(|config| config.directory[0].max_staleness = Span::minutes(30)).await;
    let certificate = stage.user_of(stage.managed(0).id).await;
    assert_eq!(stage.ocsp(&certificate).await, "good");
    stage.act("PUT", "faults", outage()).await;
    assert_eq!(stage.ocsp(&certificate).await, "good");
    stage.site.clock.advance(600);
    assert_eq!(stage.ocsp(&certificate).await, "good", "ten minutes are not too long");
    stage.site.clock.advance(1_800);
    assert_eq!(stage.ocsp(&certificate).await, "TryLater");
    let why = stage.why(&certificate).await;
    assert_eq!((why.state.as_str(), why.ocsp.status.as_str()), ("unknown", "tryLater"), "{why:?}");
    assert_eq!(why.rule, "directorySilent");
    assert_eq!(stage.crl(&certificate).await, "good", "nobody is revoked by silence");
    stage.act("PUT", "faults", json!({ "faults": [] })).await;
    let over = async {
        while stage.ocsp(&certificate).await != "good" {
            // Silence is believed in for a moment, and a service that was down is not asked at once again.
            tokio::time::sleep(PAUSE).await;
            stage.site.clock.advance(A_MOMENT);
            stage.look().await;
        }
    };
    tokio::time::timeout(GIVEN_UP, over).await.expect("the outage is over");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_comes_back_soon_is_good_again_and_one_who_comes_back_late_is_not() {
    let stage = Stage::start().await;
    let [soon, late] = [stage.managed(0), stage.managed(1)];
    let of_soon = stage.user_of(soon.id).await;
    let path = at("users", soon.user_id.unwrap());
    stage.act("DELETE", &path, nothing()).await;
    stage.come_to(&of_soon, AffiliationChanged.name(), "certificateHold").await;
    stage.act("POST", &format!("{path}/restore"), nothing()).await;
    stage.comes_to(&of_soon, "good").await;

    let of_late = stage.user_of(late.id).await;
    let path = at("users", late.user_id.unwrap());
    stage.is_revoked_with(&of_late, AffiliationChanged, &path).await;
    stage.act("POST", &format!("{path}/restore"), nothing()).await;
    stage.comes_to(&of_late, AffiliationChanged.name()).await;
    stage.end().await;
}
