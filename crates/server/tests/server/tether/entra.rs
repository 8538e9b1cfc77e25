//! Devices and users of Entra ID: deleted, disabled, at risk, not compliant; enrolled with a challenge or through Intune.

use lanyard_lifecycle::object::ObjectKind;
use lanyard_lifecycle::revocation::RevocationReason::{AffiliationChanged, CessationOfOperation};
use lanyard_pki::GeneralName;
use lanyard_server::config::unit::Span;
use lanyard_server::config::{CheckSetting, RiskSetting};
use serde_json::json;
use uuid::Uuid;

use super::device::Ask;
use super::{Stage, at};

impl Stage {
    /// A device of Entra ID enrolls with the challenge of `/static/aad`.
    async fn entra_device(&self, id: Uuid) -> lanyard_pki::Certificate {
        self.enroll("/static/aad", &Ask::named(&format!("CN={id}"))).await.unwrap()
    }

    /// A user of Entra ID does, by name.
    async fn entra_user(&self, upn: &str) -> lanyard_pki::Certificate {
        let ask = Ask::named("CN=somebody").and(GeneralName::upn(upn));
        self.enroll("/static/aad", &ask).await.unwrap()
    }

    /// The Entra id of the `n`-th device.
    fn entra_id(&self, n: usize) -> Uuid {
        self.managed(n).azure_ad_device_id.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_disabled_is_on_hold_and_one_that_is_deleted_is_revoked_for_good() {
    let stage = Stage::start().await;
    let (id, path) = (stage.entra_id(0), at("devices", stage.entra_id(0)));
    let certificate = stage.entra_device(id).await;
    let (done, undone) = (json!({ "accountEnabled": false }), json!({ "accountEnabled": true }));
    stage.is_on_hold_until_undone(&certificate, ("PATCH", &path), done, undone).await;
    stage.is_revoked_with(&certificate, CessationOfOperation, &path).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_not_compliant_is_on_hold_until_it_is() {
    let stage = Stage::with(|config| {
        config.tether.compliance_check = CheckSetting::Always;
        config.tether.compliance_grace = Span::seconds(0);
    })
    .await;
    let (id, path) = (stage.entra_id(0), at("devices", stage.entra_id(0)));
    let (done, undone) = (json!({ "isCompliant": false }), json!({ "isCompliant": true }));
    stage.tenancy.control("PATCH", &path, &undone).await;
    stage.knows(ObjectKind::EntraDevice, id, "isCompliant", "true").await;
    let certificate = stage.entra_device(id).await;
    stage.is_on_hold_until_undone(&certificate, ("PATCH", &path), done, undone).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_disabled_is_on_hold_and_one_who_is_deleted_is_revoked_for_good() {
    let stage = Stage::start().await;
    let device = stage.managed(0);
    let user = device.user_id.unwrap();
    let through_intune = stage.user_of(device.id).await;
    let with_challenge = stage.entra_user(&device.user_principal_name.clone().unwrap()).await;
    let path = at("users", user);
    let (done, undone) = (json!({ "accountEnabled": false }), json!({ "accountEnabled": true }));
    stage.is_on_hold_until_undone(&through_intune, ("PATCH", &path), done, undone).await;
    assert_eq!(stage.ocsp(&with_challenge).await, "good");
    stage.is_revoked_with(&through_intune, AffiliationChanged, &path).await;
    stage.comes_to(&with_challenge, "affiliationChanged").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_at_a_risk_that_is_not_tolerated_is_on_hold_until_it_is_over() {
    let stage = Stage::with(|config| {
        config.tether.user_risk_check = CheckSetting::Always;
        config.tether.untolerated_user_risks = vec![RiskSetting::Medium, RiskSetting::High];
    })
    .await;
    let device = stage.managed(0);
    let user = device.user_id.unwrap();
    let risk = |level: &str, state: &str| json!({ "riskLevel": level, "riskState": state });
    let mut made = risk("low", "atRisk");
    made["id"] = json!(user);
    stage.tenancy.control("POST", "riskyUsers", &made).await;
    let certificate = stage.user_of(device.id).await;
    let (done, undone) = (risk("high", "atRisk"), risk("none", "remediated"));
    let path = at("riskyUsers", user);
    stage.is_on_hold_until_undone(&certificate, ("PATCH", &path), done, undone).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_enrolls_whom_the_directory_does_not_know_or_does_not_hold_good() {
    let stage = Stage::start().await;
    let nobody = Ask::named(&format!("CN={}", Uuid::from_u128(0xdead)));
    let refused = stage.enroll("/static/aad", &nobody).await.unwrap_err();
    assert!(refused.contains("Entra ID"), "{refused}");
    let path = at("devices", stage.entra_id(0));
    stage.tenancy.control("PATCH", &path, &json!({ "accountEnabled": false })).await;
    let kind = ObjectKind::EntraDevice;
    stage.knows(kind, stage.entra_id(0), "accountEnabled", "false").await;
    let disabled = Ask::named(&format!("CN={}", stage.entra_id(0)));
    let refused = stage.enroll("/static/aad", &disabled).await.unwrap_err();
    assert!(refused.contains("disabled"), "{refused}");
    for n in [1, 2] {
        stage.entra_device(stage.entra_id(n)).await;
    }
    let two = format!("CN={},CN={}", stage.entra_id(1), stage.entra_id(2));
    let refused = stage.enroll("/static/aad", &Ask::named(&two)).await.unwrap_err();
    assert!(refused.contains("several"), "{refused}");
    stage.end().await;
}
