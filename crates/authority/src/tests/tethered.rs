//! Certificates that follow objects: a scripted directory, a clock that the test moves, and what OCSP, CRL and record say.

use lanyard_directory::Why;
use lanyard_lifecycle::binding::Binding;
use lanyard_lifecycle::id::{ObjectId, OrganizationId};
use lanyard_lifecycle::object::{ManagementState, ObjectKind, Properties, RiskLevel};
use lanyard_lifecycle::revocation::{RevocationReason, Standing};
use lanyard_lifecycle::verdict::State;
use lanyard_pki::ocsp::{CertStatus, ResponseStatus};
use lanyard_pki::{CrlReason, SerialNumber, crl};
use lanyard_store::Claim;

use super::mirrored::{mirroring, open_with};
use super::*;
use crate::certify::{Certified, Order, Origin};
use crate::crl::{CrlAddress, CrlForm};
use crate::mirror::testing::{Scripted, TENANT, at_risk, computer, device, jamf_user, user};
use crate::status::testing::{checked, request};

pub(super) const USER: ObjectKind = ObjectKind::EntraUser;
pub(super) const DEVICE: ObjectKind = ObjectKind::IntuneDevice;
pub(super) const HELD: Option<CrlReason> = Some(CrlReason::CERTIFICATE_HOLD);

/// An installation, its directory, and a process of it.
pub(super) struct Fleet {
    pub(super) installation: Installation,
    pub(super) script: Arc<Scripted>,
    pub(super) authority: Authority,
    key: SoftwareKey,
}

impl Fleet {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let installation = Installation::new();
        let script = Scripted::with_jamf(installation.clock.clone());
        let authority = node(&installation, &script, change).await;
        let key = SoftwareKey::generate(KeyAlgorithm::P256).unwrap();
        Self { installation, script, authority, key }
    }

    /// The same installation and its directory, without a process.
    pub(super) async fn stopped(self) -> (Stopped, Arc<Scripted>) {
        self.authority.store().close().await;
        let Self { installation, script, key, .. } = self;
        (Stopped { installation, key, script: script.clone() }, script)
    }

    pub(super) fn put(&self, number: u128, properties: Properties) {
        self.script.world().put(number, properties);
    }

    pub(super) fn delete(&self, kind: ObjectKind, number: u128) {
        self.script.world().delete(kind, number);
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.installation.clock.advance(seconds);
    }

    pub(super) fn now(&self) -> Time {
        self.authority.now()
    }

    /// Everything that runs in the background, once.
    pub(super) async fn work(&self) {
        self.authority.work_mirror().await.unwrap();
        self.authority.work_tethers().await.unwrap();
        self.authority.refresh_crls().await;
    }

    /// A certificate of a kind, tethered to an object.
    pub(super) async fn issue(&self, kind: Kind, number: u128) -> SerialNumber {
        issue(&self.authority, &self.key, kind, ObjectId::from_u128(number)).await
    }

    /// What a client is told.
    pub(super) async fn told(&self, serial: &SerialNumber) -> Told {
        self.told_until(serial).await.map_or(Told::TryLater, |(status, _)| Told::Is(status))
    }

    /// What a client is told and until when; none is tryLater.
    pub(super) async fn told_until(&self, serial: &SerialNumber) -> Option<(CertStatus, Time)> {
        told_until(&self.authority, serial).await
    }

    pub(super) async fn standing(&self, serial: &SerialNumber) -> Standing {
        let record = self.authority.store().certificate_status(serial.clone()).await;
        record.unwrap().unwrap().standing
    }

    /// What the CRL says of a certificate: since when and why.
    pub(super) fn listed(&self, serial: &SerialNumber) -> Option<(Time, Option<CrlReason>)> {
        let here = CrlAddress {
            ca: None,
            partition: lanyard_store::CrlPartition::COMPLETE,
            form: CrlForm::Full,
        };
        let published = self.authority.crl(here).expect("there is a CRL");
        let crl = crl::Crl::from_der(&published.der).unwrap();
        let entry = crl.entry(serial).unwrap();
        entry.map(|entry| (entry.revoked_at, entry.reason))
    }
}

/// What a client is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Told {
    Is(CertStatus),
    TryLater,
}

/// An installation and its directory, without a process.
pub(super) struct Stopped {
    pub(super) installation: Installation,
    key: SoftwareKey,
    script: Arc<Scripted>,
}

impl Stopped {
    /// What a new process stands on.
    pub(super) async fn ports(&self) -> Ports {
        let mut ports = self.installation.ports().await;
        ports.directories.push(self.script.clone());
        ports
    }

    /// The same with a new process.
    pub(super) fn with_process(self, authority: Authority) -> Fleet {
        let Self { installation, key, script } = self;
        Fleet { installation, script, authority, key }
    }
}

/// A process of an installation.
pub(super) async fn node(
    installation: &Installation,
    script: &Arc<Scripted>,
    change: impl FnOnce(&mut Settings),
) -> Authority {
    let mut settings = mirroring();
    change(&mut settings);
    open_with(installation, script, settings, Arc::new(Undisturbed)).await
}

pub(super) async fn issue(
    authority: &Authority,
    key: &SoftwareKey,
    kind: Kind,
    object: ObjectId,
) -> SerialNumber {
    let ca = authority.cas().current(OrganizationId::DEFAULT).unwrap().clone();
    let order = Order {
        profile: Profile::client(),
        binding: Binding::tethered(kind, object, TENANT).unwrap(),
        subject: name("CN=device"),
        alternative_names: Vec::new(),
        public_key: Signer::public_key(key).clone(),
        not_before: authority.now().plus(-60),
        not_after: authority.now().plus(365 * crate::settings::DAY),
        key_usages: None,
        extended_key_usages: None,
        extensions: Vec::new(),
        notice: None,
        origin: Origin { source: Source::Intune, ..Origin::internal(ca.scope) },
        ca,
    };
    match authority.certify(order, Claim::None).await.unwrap() {
        Certified::Issued(issued) => issued.serial,
        other => panic!("not issued: {other:?}"),
    }
}

pub(super) async fn told_until(
    authority: &Authority,
    serial: &SerialNumber,
) -> Option<(CertStatus, Time)> {
    let ca = authority.cas().current(OrganizationId::DEFAULT).unwrap().clone();
    let answer = authority.answer(&request(&ca, serial, None)).await;
    match answer.status() {
        ResponseStatus::Successful => {
            Some(checked(&answer.der(), &ca, authority.now()).unwrap().remove(0))
        }
        ResponseStatus::TryLater => None,
        other => panic!("{other:?}: {:?}", answer.fault().map(Fault::report)),
    }
}

pub(super) fn held(since: Time) -> Told {
    Told::Is(CertStatus::Revoked { at: since, reason: HELD })
}

pub(super) fn revoked(since: Time, reason: RevocationReason) -> Told {
    Told::Is(CertStatus::Revoked { at: since, reason: CrlReason::from_number(reason.code()) })
}

pub(super) fn gone(since: Time) -> Told {
    revoked(since, RevocationReason::CessationOfOperation)
}

pub(super) const GOOD: Told = Told::Is(CertStatus::Good);

#[tokio::test]
async fn a_deletion_revokes_at_once_and_for_good_once_it_has_lasted() {
    let fleet = Fleet::new().await;
    fleet.put(1, device(ManagementState::Managed));
    fleet.work().await;
    let serial = fleet.issue(Kind::IntuneDevice, 1).await;
    assert_eq!(fleet.told(&serial).await, GOOD);

    fleet.pass(100);
    fleet.delete(DEVICE, 1);
    let since = fleet.now();
    assert_eq!(fleet.told(&serial).await, gone(since), "it was asked for without any push");
    assert_eq!(fleet.standing(&serial).await, Standing::OnHold { since });
    fleet.authority.refresh_crls().await;
    assert_eq!(fleet.listed(&serial), Some((since, HELD)), "only a hold is ever taken off");
    let until = fleet.told_until(&serial).await.unwrap().1;
    assert!(until <= since.plus(300), "it may pass: {until}");

    fleet.pass(600);
    fleet.work().await;
    let reason = RevocationReason::CessationOfOperation;
    assert_eq!(fleet.standing(&serial).await, Standing::Revoked { since, reason });
    assert_eq!(fleet.listed(&serial), Some((since, CrlReason::from_number(reason.code()))));
    // From then on it depends on no directory.
    fleet.put(1, device(ManagementState::Managed));
    fleet.pass(700);
    fleet.work().await;
    assert_eq!(fleet.told(&serial).await, gone(since));
    let until = fleet.told_until(&serial).await.unwrap().1;
    assert_eq!(until, fleet.now().plus(7 * crate::settings::DAY));
}

#[tokio::test]
async fn a_flicker_heals_in_answers_and_crls() {
    let fleet = Fleet::new().await;
    fleet.put(1, user("ada@example.com", true));
    fleet.work().await;
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    fleet.pass(30);
    fleet.delete(USER, 1);
    fleet.work().await;
    let since = fleet.now();
    let left = revoked(since, RevocationReason::AffiliationChanged);
    assert_eq!(fleet.told(&serial).await, left);
    assert_eq!(fleet.listed(&serial), Some((since, HELD)));
    fleet.pass(300);
    fleet.put(1, user("ada@example.com", true));
    fleet.work().await;
    assert_eq!(fleet.told(&serial).await, GOOD);
    assert_eq!(
        (fleet.standing(&serial).await, fleet.listed(&serial)),
        (Standing::NotRevoked, None)
    );
    fleet.pass(1_000);
    fleet.work().await;
    assert_eq!(fleet.told(&serial).await, GOOD);
}

#[tokio::test]
async fn a_wipe_revokes_for_good_at_first_sight_even_if_it_is_canceled() {
    let fleet = Fleet::new().await;
    fleet.put(1, device(ManagementState::Managed));
    fleet.work().await;
    let before = fleet.issue(Kind::IntuneDevice, 1).await;
    fleet.put(1, device(ManagementState::WipePending));
    fleet.pass(601);
    let since = fleet.now();
    fleet.work().await;
    let reason = RevocationReason::CessationOfOperation;
    assert_eq!(fleet.standing(&before).await, Standing::Revoked { since, reason });
    fleet.put(1, device(ManagementState::WipeCanceled));
    fleet.pass(601);
    fleet.work().await;
    assert_eq!(fleet.told(&before).await, gone(since));
    let after = fleet.issue(Kind::IntuneDevice, 1).await;
    assert_eq!(fleet.told(&after).await, GOOD, "what is issued later starts clean");
}

#[tokio::test]
async fn a_disabled_user_is_on_hold_until_enabled_and_all_say_since_when() {
    let fleet = Fleet::new().await;
    fleet.put(1, user("ada@example.com", true));
    fleet.work().await;
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    assert_eq!(fleet.told(&serial).await, GOOD);
    fleet.put(1, user("ada@example.com", false));
    fleet.pass(30);
    let since = fleet.now();
    fleet.work().await;
    for _ in 0..5 {
        assert_eq!(fleet.told(&serial).await, held(since));
        assert_eq!(fleet.standing(&serial).await, Standing::OnHold { since });
        assert_eq!(fleet.listed(&serial), Some((since, HELD)));
        fleet.pass(400);
        fleet.work().await;
    }
    fleet.put(1, user("ada@example.com", true));
    fleet.pass(30);
    fleet.work().await;
    assert_eq!(fleet.told(&serial).await, GOOD);
    assert_eq!(
        (fleet.standing(&serial).await, fleet.listed(&serial)),
        (Standing::NotRevoked, None)
    );
}

#[tokio::test]
async fn risk_holds_only_where_it_is_looked_at() {
    for (untolerated, expected) in [(vec![], false), (vec![RiskLevel::High], true)] {
        let fleet = Fleet::with(|s| s.tether.rules.untolerated_user_risks = untolerated).await;
        fleet.put(1, user("ada@example.com", true));
        fleet.work().await;
        let serial = fleet.issue(Kind::EntraUser, 1).await;
        assert_eq!(fleet.told(&serial).await, GOOD);
        fleet.put(1, at_risk(RiskLevel::High));
        fleet.pass(601);
        fleet.work().await;
        let is_held = fleet.told(&serial).await == held(fleet.now());
        assert_eq!(is_held, expected);
        fleet.delete(ObjectKind::RiskyUser, 1);
        fleet.pass(601);
        fleet.work().await;
        assert_eq!(fleet.told(&serial).await, GOOD);
    }
}

#[tokio::test]
async fn a_user_on_a_computer_follows_both() {
    let number = |device, user| u128::from_be_bytes(ObjectId::jamf_user(device, user).to_bytes());
    let fleet = Fleet::new().await;
    for (device, person) in [(7, 3), (7, 4), (8, 3)] {
        fleet.put(number(device, 0), computer());
        fleet.put(number(0, person), jamf_user());
    }
    fleet.work().await;
    let one = fleet.issue(Kind::JamfUserOnComputer, number(7, 3)).await;
    let two = fleet.issue(Kind::JamfUserOnComputer, number(7, 4)).await;
    let three = fleet.issue(Kind::JamfUserOnComputer, number(8, 3)).await;
    let four = fleet.issue(Kind::JamfComputer, number(8, 0)).await;
    for serial in [&one, &two, &three, &four] {
        assert_eq!(fleet.told(serial).await, GOOD);
    }
    fleet.delete(ObjectKind::JamfUser, number(0, 4));
    fleet.delete(ObjectKind::JamfComputer, number(8, 0));
    fleet.pass(601);
    fleet.work().await;
    let since = fleet.now();
    assert_eq!(fleet.told(&one).await, GOOD);
    let left = revoked(since, RevocationReason::AffiliationChanged);
    assert_eq!(fleet.told(&two).await, left);
    assert_eq!((fleet.told(&three).await, fleet.told(&four).await), (gone(since), gone(since)));
    let all = [&one, &two, &three, &four].map(|serial| fleet.listed(serial).is_some());
    assert_eq!(all, [false, true, true, true]);
}

#[tokio::test]
async fn a_change_drops_what_is_cached_at_once_and_who_answers_first_dates_it() {
    let fleet = Fleet::new().await;
    fleet.put(1, user("ada@example.com", true));
    fleet.work().await;
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    assert_eq!(fleet.told(&serial).await, GOOD);
    fleet.pass(30);
    fleet.put(1, user("ada@example.com", false));
    // Nobody has judged it yet; the mirror has learnt of it, and that is enough.
    fleet.authority.work_mirror().await.unwrap();
    let since = fleet.now();
    assert_eq!(fleet.told(&serial).await, held(since));
    assert_eq!(fleet.standing(&serial).await, Standing::OnHold { since });
    fleet.pass(30);
    fleet.work().await;
    assert_eq!(fleet.told(&serial).await, held(since));
    assert_eq!(fleet.listed(&serial), Some((since, HELD)));
}

#[tokio::test]
async fn a_hold_by_hand_and_one_by_rule_do_not_lift_each_other() {
    let fleet = Fleet::new().await;
    fleet.put(1, user("ada@example.com", false));
    fleet.work().await;
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    assert_eq!(fleet.told(&serial).await, held(START));
    let by_hand = async |change| {
        let revocation = Revocation {
            serial: serial.clone(),
            change,
            invalidity_date: None,
            actor: Actor::Operator("ada".into()),
            within: Within::Everywhere,
        };
        fleet.authority.revoke(revocation).await
    };
    fleet.pass(10);
    by_hand(Change::Hold).await.unwrap();
    by_hand(Change::Release).await.unwrap();
    assert_eq!(fleet.told(&serial).await, held(START), "the directory still says so");
    by_hand(Change::Hold).await.unwrap();
    fleet.put(1, user("ada@example.com", true));
    fleet.pass(30);
    fleet.work().await;
    assert_eq!(fleet.told(&serial).await, held(START.plus(10)));
    by_hand(Change::Release).await.unwrap();
    assert_eq!(fleet.told(&serial).await, GOOD);
}

#[tokio::test]
async fn renewal_is_refused_once_the_object_is_gone() {
    let fleet = Fleet::new().await;
    fleet.put(1, device(ManagementState::Managed));
    fleet.work().await;
    let serial = fleet.issue(Kind::IntuneDevice, 1).await;
    let certificate = fleet.authority.issued(&serial).await.unwrap();
    let certificate = Certificate::from_der(&certificate.certificate).unwrap();
    let verdict = async || match fleet.authority.old_certificate(&certificate).await.unwrap() {
        crate::renew::Old::Ours { verdict, .. } => verdict.state,
        crate::renew::Old::Foreign => panic!("it was issued here"),
    };
    assert_eq!(verdict().await, State::Good);
    fleet.delete(DEVICE, 1);
    fleet.pass(61);
    assert!(matches!(verdict().await, State::Revoked { .. }));
    // Ignorance renews nothing.
    fleet.put(2, device(ManagementState::Managed));
    fleet.script.world().look_up_faults.extend([Why::Unreachable; 50]);
    let unknown = fleet.issue(Kind::IntuneDevice, 2).await;
    let status = fleet.authority.status(&unknown).await.unwrap();
    assert_eq!(status.verdict.state, State::Undecided);
}

#[tokio::test]
async fn why_tells_everything_that_is_known() {
    let fleet =
        Fleet::with(|s| s.tether.rules.untolerated_user_risks = vec![RiskLevel::High]).await;
    fleet.put(1, user("ada@example.com", false));
    fleet.put(1, at_risk(RiskLevel::Low));
    fleet.work().await;
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    let why = async || fleet.authority.why(&serial, Within::Everywhere).await.unwrap();
    let facts = |why: &crate::tether::Why| {
        why.facts.iter().map(|fact| format!("{} {}", fact.name, fact.value)).collect::<Vec<_>>()
    };
    let told = why().await;
    assert_eq!(told.verdict.state, State::OnHold { since: START });
    let expected =
        ["accountEnabled false", "standing notRevoked", "EntraUser found", "riskLevel low"];
    assert_eq!(facts(&told), expected);
    assert_eq!(told.ocsp.status, ResponseStatus::Successful);
    assert_eq!(told.ocsp.next_update, Some(START.plus(60)));
    let revocation = Revocation {
        serial: serial.clone(),
        change: Change::Revoke(RevocationReason::KeyCompromise),
        invalidity_date: None,
        actor: Actor::System,
        within: Within::Everywhere,
    };
    fleet.authority.revoke(revocation).await.unwrap();
    let expected =
        ["standing keyCompromise", "EntraUser found", "accountEnabled false", "riskLevel low"];
    assert_eq!(facts(&why().await), expected);
    let nobody = SerialNumber::from_bytes(&[0x11; 20]).unwrap();
    let refused = refusal(fleet.authority.why(&nobody, Within::Everywhere).await);
    assert_eq!(refused, lanyard_lifecycle::Refusal::UnknownCertificate);
}
