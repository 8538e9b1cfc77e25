//! Computers, mobile devices and their users of Jamf Pro: deleted, one or the other.

use lanyard_lifecycle::revocation::RevocationReason::{AffiliationChanged, CessationOfOperation};
use lanyard_pki::{Certificate, GeneralName};
use lanyard_simulator::tenant::{Tenant, View};

use super::Stage;
use super::device::Ask;

/// A device of Jamf Pro and the mail address of its user.
#[derive(Debug, Clone)]
struct Held {
    device: u32,
    user: u32,
    email: String,
}

impl Stage {
    /// The `n`-th computer with a user.
    fn computer(&self, n: usize) -> Held {
        self.read(|tenant| {
            let computers = tenant.jamf.computers.seen(View::Current).all();
            held(tenant, computers.map(|one| (one.id, one.location.email.clone()))).remove(n)
        })
    }

    /// The `n`-th mobile device with a user.
    fn mobile(&self, n: usize) -> Held {
        self.read(|tenant| {
            let devices = tenant.jamf.mobile_devices.seen(View::Current).all();
            held(tenant, devices.map(|one| (one.id, one.location.email.clone()))).remove(n)
        })
    }

    fn read<R>(&self, how: impl FnOnce(&Tenant) -> R) -> R {
        self.tenancy.simulator.world().read(self.tenancy.id, how).unwrap()
    }

    async fn jamf(&self, device: u32, unit: &str, user: Option<&Held>) -> Certificate {
        let mut ask = Ask::named(&format!("CN={device},OU={unit}"));
        if let Some(held) = user {
            ask = ask.and(GeneralName::Email(held.email.clone()));
        }
        self.enroll("/jamf", &ask).await.unwrap()
    }
}

fn held(tenant: &Tenant, devices: impl Iterator<Item = (u32, String)>) -> Vec<Held> {
    let users: Vec<_> = tenant.jamf.people.seen(View::Current).all().collect();
    devices
        .filter_map(|(device, email)| {
            let user = users.iter().find(|user| user.email == email)?;
            Some(Held { device, user: user.id, email })
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_or_mobile_device_that_is_deleted_loses_its_certificate_for_good() {
    let stage = Stage::start().await;
    for (held, unit, kind) in [
        (stage.computer(0), "computers", "computers"),
        (stage.mobile(0), "devices", "mobileDevices"),
    ] {
        let certificate = stage.jamf(held.device, unit, None).await;
        let path = format!("jamf/{kind}/{}", held.device);
        stage.is_revoked_with(&certificate, CessationOfOperation, &path).await;
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_a_device_loses_the_certificate_with_either() {
    let stage = Stage::start().await;
    for (first, second, unit, kind) in [
        (stage.computer(0), stage.computer(1), "users-on-computers", "computers"),
        (stage.mobile(2), stage.mobile(3), "users-on-devices", "mobileDevices"),
    ] {
        let certificate = stage.jamf(first.device, unit, Some(&first)).await;
        let path = format!("jamf/{kind}/{}", first.device);
        stage.is_revoked_with(&certificate, CessationOfOperation, &path).await;
        let certificate = stage.jamf(second.device, unit, Some(&second)).await;
        let path = format!("jamf/users/{}", second.user);
        stage.is_revoked_with(&certificate, AffiliationChanged, &path).await;
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_that_jamf_pro_does_not_know_gets_nothing() {
    let stage = Stage::start().await;
    let refused = stage.enroll("/jamf", &Ask::named("CN=99999,OU=computers")).await.unwrap_err();
    assert!(refused.contains("Jamf Pro"), "{refused}");
    let refused = stage.enroll("/jamf", &Ask::named("CN=1,OU=printers")).await.unwrap_err();
    assert!(!refused.is_empty());
    stage.end().await;
}
