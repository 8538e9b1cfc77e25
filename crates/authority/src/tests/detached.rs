//! A responder without the installation's store: what it makes of serial numbers, a directory and the CRL.

use lanyard_lifecycle::id::OrganizationId;
use lanyard_lifecycle::revocation::RevocationReason;
use lanyard_pki::SerialNumber;
use lanyard_pki::ocsp::{CertStatus, ResponseStatus};

use super::mirrored::mirroring;
use super::tethered::{Fleet, Told, USER, gone, held, revoked};
use super::*;
use crate::crl::{CrlAddress, CrlForm};
use crate::detached::{CrlRefused, DetachedResponder, Material, MaterialError};
use crate::mirror::testing::user;
use crate::settings::days;
use crate::status::testing::{Lab, checked, request};

/// A responder on a folder of its own.
struct Outpost {
    responder: DetachedResponder,
    _folder: TempDir,
}

async fn outpost(fleet: &Fleet, settings: Settings) -> Outpost {
    let material = fleet.authority.make_responder_material(days(90)).await.unwrap();
    let material = Material::from_pem(&material.to_pem()).unwrap();
    let folder = TempDir::new().unwrap();
    let mut ports = ports(folder.path(), fleet.installation.clock.clone(), 99).await;
    ports.directories.push(fleet.script.clone());
    let responder = DetachedResponder::open(settings, ports, material).await.unwrap();
    Outpost { responder, _folder: folder }
}

impl Outpost {
    /// What a client is told; none is *unknown*.
    async fn told(&self, fleet: &Fleet, serial: &SerialNumber) -> Told {
        let ca = fleet.authority.cas().current(OrganizationId::DEFAULT).unwrap().clone();
        let answer = self.responder.answer(&request(&ca, serial, None)).await;
        match answer.status() {
            ResponseStatus::Successful => {
                Told::Is(checked(&answer.der(), &ca, fleet.now()).unwrap()[0].0)
            }
            ResponseStatus::TryLater => Told::TryLater,
            other => panic!("{other:?}"),
        }
    }
}

/// The installation's CRL as it is now.
async fn crl(fleet: &Fleet) -> Vec<u8> {
    fleet.authority.refresh_crls().await;
    let partition = lanyard_store::CrlPartition::COMPLETE;
    let address = CrlAddress { ca: None, partition, form: CrlForm::Full };
    fleet.authority.crl(address).unwrap().der.to_vec()
}

#[tokio::test]
async fn serial_numbers_lead_to_objects_and_the_crl_says_the_rest() {
    let fleet = Fleet::new().await;
    for number in 1..=3 {
        fleet.put(number, user(&format!("person{number}@example.com"), true));
    }
    fleet.work().await;
    let one = fleet.issue(Kind::EntraUser, 1).await;
    let two = fleet.issue(Kind::EntraUser, 2).await;
    let three = fleet.issue(Kind::EntraUser, 3).await;
    let post = outpost(&fleet, mirroring()).await;
    post.responder.work().await.unwrap();
    assert_eq!(post.told(&fleet, &one).await, Told::TryLater, "there is no CRL yet");

    let by_hand = Revocation {
        serial: three.clone(),
        change: Change::Revoke(RevocationReason::KeyCompromise),
        invalidity_date: None,
        actor: Actor::Operator("ada".into()),
        within: Within::Everywhere,
    };
    fleet.authority.revoke(by_hand).await.unwrap();
    post.responder.take_crl(&crl(&fleet).await).unwrap();
    fleet.pass(5);
    let good = Told::Is(CertStatus::Good);
    assert_eq!(post.told(&fleet, &one).await, good);
    assert_eq!(post.told(&fleet, &three).await, revoked(START, RevocationReason::KeyCompromise));

    fleet.put(1, user("person1@example.com", false));
    fleet.delete(USER, 2);
    fleet.pass(60);
    post.responder.work().await.unwrap();
    let now = fleet.now();
    assert_eq!(post.told(&fleet, &one).await, held(now));
    assert_eq!(post.told(&fleet, &two).await, revoked(now, RevocationReason::AffiliationChanged));
    fleet.put(1, user("person1@example.com", true));
    fleet.pass(60);
    post.responder.work().await.unwrap();
    assert_eq!(post.told(&fleet, &one).await, good);

    // With a CRL that is over, nothing is said.
    fleet.pass(7 * crate::settings::DAY);
    post.responder.work().await.unwrap();
    assert_eq!(post.told(&fleet, &one).await, Told::TryLater);
    post.responder.take_crl(&crl(&fleet).await).unwrap();
    fleet.pass(5);
    assert_eq!(post.told(&fleet, &one).await, good);
}

#[tokio::test]
async fn what_follows_no_object_and_what_was_never_made_here_is_unknown() {
    let fleet = Fleet::new().await;
    let free = issued(fleet.authority.issue(Device::new("one").request("1").await).await);
    let post = outpost(&fleet, mirroring()).await;
    post.responder.take_crl(&crl(&fleet).await).unwrap();
    let unknown = Told::Is(CertStatus::Unknown);
    assert_eq!(post.told(&fleet, &free.serial).await, unknown);
    let nobody = SerialNumber::from_bytes(&[0x11; 20]).unwrap();
    assert_eq!(post.told(&fleet, &nobody).await, unknown);
}

#[tokio::test]
async fn a_directory_that_cannot_be_asked_or_is_not_there_leaves_nothing_to_say() {
    let fleet = Fleet::new().await;
    let device = fleet.issue(Kind::IntuneDevice, 1).await;
    let computer = fleet.issue(Kind::JamfDevice, 1).await;
    let post = outpost(&fleet, mirroring()).await;
    post.responder.take_crl(&crl(&fleet).await).unwrap();
    let unreachable = lanyard_directory::Why::Unreachable;
    fleet.script.world().look_up_faults.extend([unreachable; 5]);
    assert_eq!(post.told(&fleet, &device).await, Told::TryLater);
    assert_eq!(post.told(&fleet, &computer).await, Told::TryLater, "nobody serves mobile devices");
    fleet.script.world().look_up_faults.clear();
    fleet.pass(15);
    assert_eq!(post.told(&fleet, &device).await, gone(fleet.now()), "every directory says so");
}

#[tokio::test]
async fn only_the_installations_own_complete_and_newest_crl_is_taken() {
    let fleet = Fleet::new().await;
    let first = crl(&fleet).await;
    let post = outpost(&fleet, mirroring()).await;
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    let by_hand = Revocation {
        serial,
        change: Change::Hold,
        invalidity_date: None,
        actor: Actor::System,
        within: Within::Everywhere,
    };
    fleet.authority.revoke(by_hand).await.unwrap();
    let second = crl(&fleet).await;
    assert_ne!(first, second);
    let taken = post.responder.take_crl(&second).unwrap();
    assert!(matches!(post.responder.take_crl(&first), Err(CrlRefused::Older(_))));
    assert_eq!(post.responder.take_crl(&second).unwrap().number, taken.number);
    let mut forged = second.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(post.responder.take_crl(&forged).unwrap_err(), CrlRefused::Foreign);
    assert!(matches!(post.responder.take_crl(b"no CRL"), Err(CrlRefused::Unreadable(_))));
    let stranger = Lab::new().await;
    stranger.authority.refresh_crls().await;
    let partition = lanyard_store::CrlPartition::COMPLETE;
    let address = CrlAddress { ca: None, partition, form: CrlForm::Full };
    let foreign = stranger.authority.crl(address).unwrap().der.clone();
    assert_eq!(post.responder.take_crl(&foreign).unwrap_err(), CrlRefused::Foreign);
    fleet.pass(8 * crate::settings::DAY);
    assert!(matches!(post.responder.take_crl(&second), Err(CrlRefused::NotCurrent { .. })));
}

#[tokio::test]
async fn what_it_is_given_is_whole_and_tells_nothing_in_a_log() {
    let fleet = Fleet::new().await;
    let material = fleet.authority.make_responder_material(days(90)).await.unwrap();
    let text = material.to_pem();
    assert!(!format!("{material:?}").contains("MII"));
    let without = text.replace("LANYARD SERIAL KEY", "SOMETHING ELSE");
    assert_eq!(Material::from_pem(&without).unwrap_err(), MaterialError::Incomplete);
    assert!(Material::from_pem("").is_err());
    let post = outpost(&fleet, mirroring()).await;
    post.responder.take_crl(&crl(&fleet).await).unwrap();
    // Past its certificate's end it signs nothing.
    fleet.put(1, user("ada@example.com", true));
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    fleet.pass(90 * crate::settings::DAY);
    post.responder.take_crl(&crl(&fleet).await).unwrap();
    assert_eq!(post.told(&fleet, &serial).await, Told::TryLater);
}

#[tokio::test]
async fn other_keys_are_taken_while_it_runs_and_only_of_its_own_installation() {
    let fleet = Fleet::new().await;
    fleet.put(1, user("ada@example.com", true));
    fleet.work().await;
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    let post = outpost(&fleet, mirroring()).await;
    post.responder.work().await.unwrap();
    post.responder.take_crl(&crl(&fleet).await).unwrap();
    let before = post.responder.authorities();
    assert_eq!(before.len(), 1);
    let ends = |post: &Outpost| post.responder.authorities()[0].responder_validity.unwrap().1;
    let first = ends(&post);
    fleet.pass(crate::settings::DAY);
    let next = fleet.authority.make_responder_material(days(90)).await.unwrap();
    post.responder.take_material(&next).unwrap();
    assert_eq!(ends(&post), first.plus(crate::settings::DAY));
    assert!(post.responder.authorities()[0].crl.is_some(), "its CRL is still the one it has");
    post.responder.work().await.unwrap();
    assert_eq!(post.told(&fleet, &serial).await, Told::Is(CertStatus::Good));

    let stranger = Lab::new().await;
    let foreign = stranger.authority.make_responder_material(days(90)).await.unwrap();
    let refused = post.responder.take_material(&foreign).unwrap_err().report();
    assert!(refused.contains("another installation"), "{refused}");
    assert_eq!(ends(&post), first.plus(crate::settings::DAY));
}
