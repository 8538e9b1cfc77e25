//! A device of Intune: deleted, wiped, retired, not compliant, listed as revoked by Intune; and what Intune is told.

use lanyard_lifecycle::id::DirectoryId;
use lanyard_lifecycle::object::ObjectKind;
use lanyard_lifecycle::revocation::RevocationReason::CessationOfOperation;
use lanyard_pki::Certificate;
use lanyard_pki::extension::{EntraDeviceId, EntraTenantId};
use lanyard_server::config::unit::Span;
use lanyard_server::config::{
    AvailabilitySetting, BootstrapSetting, CheckSetting, NotificationSetting,
};
use lanyard_server::routes::scep::door::INTUNE;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{A_MOMENT, Stage, at, nothing};

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_wiped_retired_or_deleted_loses_its_certificate_for_good() {
    let stage = Stage::start().await;
    for (n, action) in ["wipe", "retire"].into_iter().enumerate() {
        let device = stage.managed(n).id;
        let certificate = stage.device(device).await;
        let path = format!("managedDevices/{device}/{action}");
        let done = ("POST", path.as_str(), nothing());
        stage.is_revoked_for_good(&certificate, CessationOfOperation, done).await;
        // Taken back before the device knew of it: what was recorded stays.
        stage.act("POST", &format!("managedDevices/{device}/cancel"), nothing()).await;
        stage.comes_to(&certificate, "cessationOfOperation").await;
    }
    let device = stage.managed(2).id;
    let certificate = stage.device(device).await;
    let path = at("managedDevices", device);
    stage.is_revoked_with(&certificate, CessationOfOperation, &path).await;
    assert_eq!(stage.why(&certificate).await.rule, "intuneDeviceDeleted");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_not_compliant_is_on_hold_until_it_is() {
    let stage = Stage::with(|config| {
        config.tether.compliance_check = CheckSetting::Always;
        config.tether.compliance_grace = Span::seconds(0);
    })
    .await;
    let device = stage.managed(0).id;
    let path = at("managedDevices", device);
    stage.tenancy.control("PATCH", &path, &json!({ "complianceState": "compliant" })).await;
    stage.knows(ObjectKind::IntuneDevice, device, "complianceState", "compliant").await;
    let certificate = stage.device(device).await;
    let (done, undone) =
        (json!({ "complianceState": "noncompliant" }), json!({ "complianceState": "compliant" }));
    stage.is_on_hold_until_undone(&certificate, ("PATCH", &path), done, undone).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_not_compliant_yet_gets_a_short_lived_certificate_where_that_is_set() {
    let noncompliant = json!({ "complianceState": "noncompliant" });
    let stage = Stage::with(|config| {
        config.tether.compliance_check = CheckSetting::Always;
        config.tether.compliance_grace = Span::seconds(0);
        config.endpoints.intune.bootstrap = BootstrapSetting::Issued;
        config.endpoints.intune.bootstrap_within = Span::days(3650);
    })
    .await;
    let device = stage.managed(0).id;
    stage.tenancy.control("PATCH", &at("managedDevices", device), &noncompliant).await;
    stage.knows(ObjectKind::IntuneDevice, device, "complianceState", "noncompliant").await;
    let certificate = stage.device(device).await;
    let left =
        certificate.not_after().seconds_since(lanyard_authority::Clock::now(&*stage.site.clock));
    assert!(left <= 3 * 3600, "{left} s");
    assert_eq!(stage.ocsp(&certificate).await, "good");
    let wipe = format!("managedDevices/{device}/wipe");
    stage.is_revoked_for_good(&certificate, CessationOfOperation, ("POST", &wipe, nothing())).await;
    stage.end().await;

    let stage = Stage::with(|config| {
        config.tether.compliance_check = CheckSetting::Always;
        config.tether.compliance_grace = Span::seconds(0);
    })
    .await;
    let device = stage.managed(0).id;
    stage.tenancy.control("PATCH", &at("managedDevices", device), &noncompliant).await;
    stage.knows(ObjectKind::IntuneDevice, device, "complianceState", "noncompliant").await;
    let refused = stage.enroll(INTUNE, &stage.given(device).await).await.unwrap_err();
    assert!(refused.contains("not compliant"), "{refused}");
    stage.end().await;
}

impl Stage {
    /// Intune asks for the revocation of a certificate that it was told of.
    async fn intune_asks_to_revoke(&self, certificate: &Certificate) {
        let thumbprint = hex::encode(certificate.fingerprint_sha1());
        let known = self.tenancy.control("GET", "certificates", &Value::Null).await;
        let is_it =
            |one: &&Value| one["thumbprint"].as_str().unwrap().eq_ignore_ascii_case(&thumbprint);
        let one = known["value"].as_array().unwrap().iter().find(is_it).unwrap().clone();
        let asked = json!({
            "serialNumber": one["serialNumber"],
            "caConfiguration": one["caConfiguration"],
        });
        self.tenancy.control("POST", "revocations", &asked).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_intune_asks_to_revoke_is_revoked_for_device_and_user() {
    let stage = Stage::start().await;
    let device = stage.managed(0).id;
    let certificates = [stage.device(device).await, stage.user_of(device).await];
    for certificate in &certificates {
        assert_eq!(stage.ocsp(certificate).await, "good");
        stage.intune_asks_to_revoke(certificate).await;
    }
    let tenant = DirectoryId::from(stage.tenancy.id);
    stage.site.server.app().authority.drain_revocations(tenant).await.unwrap();
    for certificate in &certificates {
        stage.comes_to(certificate, "cessationOfOperation").await;
        assert_eq!(stage.why(certificate).await.rule, "intuneRevocationRequested");
    }
    // Intune is told, and asks no more.
    let queue = stage.tenancy.control("GET", "revocations", &Value::Null).await;
    let queue = queue["value"].as_array().unwrap();
    assert!(queue.iter().all(|one| one["standing"] == "revoked"), "{queue:?}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_is_edited_revokes_the_old_certificate_and_the_device_gets_a_new_one() {
    let stage = Stage::start().await;
    let device = stage.managed(0).id;
    let old = stage.device(device).await;
    stage.intune_asks_to_revoke(&old).await;
    // What was taken from Intune's queue a moment ago is not asked for again.
    stage.site.clock.advance(A_MOMENT);
    let new = stage.device(device).await;
    stage.comes_to(&old, "cessationOfOperation").await;
    stage.comes_to(&new, "good").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoint_is_found_however_its_address_is_written() {
    let stage = Stage::start().await;
    for (n, path) in [
        "/certsrv/mscep/mscep.dll/pkiclient.exe",
        "/CertSrv/mscep/MSCEP.DLL",
        "//certsrv//mscep/mscep.dll//pkiclient.exe",
    ]
    .into_iter()
    .enumerate()
    {
        let device = stage.managed(n).id;
        let certificate = stage.enroll(path, &stage.given(device).await).await.unwrap();
        assert_eq!(stage.ocsp(&certificate).await, "good", "{path}");
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn intune_is_told_of_a_certificate_before_or_after_the_device_has_it() {
    for notification in [NotificationSetting::BeforeAnswer, NotificationSetting::AfterAnswer] {
        let stage = Stage::with(|config| {
            config.endpoints.intune.notification = notification;
        })
        .await;
        let certificate = stage.device(stage.managed(0).id).await;
        let thumbprint = hex::encode(certificate.fingerprint_sha1());
        let is_told =
            async || {
                let known = stage.tenancy.control("GET", "certificates", &Value::Null).await;
                known["value"].as_array().unwrap().iter().any(|one| {
                    one["thumbprint"].as_str().unwrap().eq_ignore_ascii_case(&thumbprint)
                })
            };
        if notification == NotificationSetting::BeforeAnswer {
            assert!(is_told().await, "Intune knows it before the device has it");
        }
        while !is_told().await {
            tokio::task::yield_now().await;
        }
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_intune_does_not_know_gets_nothing() {
    let stage = Stage::start().await;
    let device = stage.managed(0).id;
    let mut ask = stage.given(device).await;
    let other = stage.given(stage.managed(1).id).await;
    ask.challenge = other.challenge;
    let refused = stage.enroll(INTUNE, &ask).await.unwrap_err();
    assert!(!refused.is_empty());
    let known = stage.tenancy.control("GET", "certificates", &Value::Null).await;
    assert_eq!(known["value"], json!([]));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_names_its_tenant_and_device_unless_that_is_off() {
    let stage = Stage::start().await;
    let certificate = stage.device(stage.managed(0).id).await;
    let tenant = certificate.extensions().decode::<EntraTenantId>().unwrap().unwrap();
    assert_eq!(Uuid::from_bytes_le(tenant.0), stage.tenancy.id);
    let device = certificate.extensions().decode::<EntraDeviceId>().unwrap().unwrap();
    assert_eq!(Some(Uuid::from_bytes_le(device.0)), stage.managed(0).azure_ad_device_id);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_are_closed_are_not_there() {
    let stage = Stage::with(|config| {
        config.endpoints.intune.availability = AvailabilitySetting::Closed;
        config.endpoints.static_aad.availability = AvailabilitySetting::Closed;
        config.endpoints.jamf.challenge = None;
        config.endpoints.dc.challenge = None;
    })
    .await;
    for path in [INTUNE, "/certsrv/mscep/mscep.dll/pkiclient.exe", "/static/aad", "/jamf", "/dc"] {
        for operation in ["GetCACaps", "GetCACert", "PKIOperation"] {
            let answer = stage.site.get(&format!("{path}?operation={operation}")).await;
            assert_eq!(answer.status(), 404, "{path} {operation}");
        }
    }
    stage.end().await;
}
