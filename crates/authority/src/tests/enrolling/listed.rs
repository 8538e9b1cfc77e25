//! The certificates that Intune believes to be issued.

use lanyard_directory::Why;
use lanyard_directory::intune::certificates::{CertificateRecord, CertificateStatus};
use lanyard_lifecycle::verdict::Rule;
use lanyard_pki::SerialNumber;

use super::*;
use crate::intune::Listed;

fn listed(serial: &SerialNumber, status: CertificateStatus) -> CertificateRecord {
    CertificateRecord {
        serial: Some(serial.clone()),
        thumbprint: None,
        status,
        status_since: None,
        device: None,
        device_name: None,
        user: None,
        user_principal_name: None,
        subject: None,
        issuer: None,
        not_after: None,
    }
}

#[tokio::test]
async fn what_intune_lists_as_revoked_is_revoked_and_nothing_else() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    let revoked = enrolled(&authority, &device, "t1").await;
    let pending = enrolled(&authority, &device, "t2").await;
    let upn = vec![GeneralName::upn(ADA)];
    let request = request_of(&Device::new("ada"), ENTRA, "t3", "CN=Ada", upn).await;
    let other = issued(authority.issue(request).await);
    let strange: SerialNumber = "5A4DBD24970CFB424C69099D27643287".parse().unwrap();
    tenancy.intune.world().list = vec![
        vec![listed(&pending.serial, CertificateStatus::Pending)],
        vec![],
        vec![
            listed(&strange, CertificateStatus::Revoked),
            listed(&other.serial, CertificateStatus::Revoked),
            listed(&revoked.serial, CertificateStatus::Revoked),
        ],
    ];
    let read = authority.read_endpoint_list(TENANT).await.unwrap();
    assert_eq!(read, Listed { certificates: 4, revoked: 1, held_back: 0 });
    for (one, is_good) in [(&revoked, false), (&pending, true), (&other, true)] {
        let verdict = authority.status(&one.serial).await.unwrap().verdict;
        assert_eq!(verdict.good().is_ok(), is_good);
    }
    let by_rule = record(&authority, &revoked).await.by_rule.unwrap();
    assert_eq!(by_rule.rule, Rule::IntuneListedRevoked);
    let again = authority.read_endpoint_list(TENANT).await.unwrap();
    assert_eq!(again, Listed { certificates: 4, revoked: 0, held_back: 0 });
}

#[tokio::test]
async fn a_list_that_breaks_off_has_revoked_what_it_said_until_then() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let issued = enrolled(&authority, &Device::new("laptop"), "t1").await;
    {
        let mut world = tenancy.intune.world();
        world.list = vec![vec![listed(&issued.serial, CertificateStatus::Revoked)], vec![]];
        world.list_faults.push_back(Why::TimedOut);
    }
    authority.read_endpoint_list(TENANT).await.unwrap_err();
    assert!(authority.status(&issued.serial).await.unwrap().verdict.good().is_ok());
    authority.read_endpoint_list(TENANT).await.unwrap();
    assert!(authority.status(&issued.serial).await.unwrap().verdict.good().is_err());
}
