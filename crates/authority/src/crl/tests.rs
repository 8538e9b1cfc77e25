use std::num::{NonZeroU16, NonZeroU32};

use lanyard_lifecycle::revocation::{Change, RevocationReason};
use lanyard_pki::crl as format;
use lanyard_pki::extension::FreshestCrl;
use lanyard_pki::{Certificate, CrlReason, GeneralName, KeyAlgorithm};
use lanyard_store::{CrlNumber, Within};
use proptest::prelude::*;

use super::*;
use crate::audit::Actor;
use crate::ca::Prepared;
use crate::settings::NewCa;
use crate::status::testing::{DAY, Lab, NOW};

const HERE: CrlAddress =
    CrlAddress { ca: None, partition: CrlPartition::COMPLETE, form: CrlForm::Full };
const DELTA: CrlAddress = CrlAddress { form: CrlForm::Delta, ..HERE };

fn revoke(reason: RevocationReason) -> Change {
    Change::Revoke(reason)
}

/// The CRL at an address, checked as a client does.
fn read(lab: &Lab, address: CrlAddress) -> format::Crl {
    let published = lab.authority.crl(address).expect("there is a CRL");
    let crl = format::Crl::from_der(&published.der).unwrap();
    crl.verify_signed_by(lab.ca().signer.public_key()).unwrap();
    assert!(crl.is_current_at(lab.clock_now()));
    assert_eq!(crl.number().unwrap().unwrap().0, published.number().0.unsigned_abs());
    crl
}

/// A certificate on a CRL, and why.
type Listed = (SerialNumber, Option<CrlReason>);

fn reasons(crl: &format::Crl) -> Vec<Listed> {
    let mut listed: Vec<_> = crl
        .entries()
        .map(|entry| entry.map(|entry| (entry.serial, entry.reason)).unwrap())
        .collect();
    listed.sort_by(|one, other| one.0.cmp(&other.0));
    listed
}

fn sorted<const N: usize>(mut expected: [Listed; N]) -> Vec<Listed> {
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    expected.to_vec()
}

fn with_addresses(settings: &mut crate::Settings) {
    settings.publication.crl = vec!["http://ca.example/crl/t0ken".to_owned()];
}

#[tokio::test]
async fn the_first_crl_is_empty_and_numbered() {
    let lab = Lab::new().await;
    assert!(lab.authority.crl(HERE).is_none(), "nothing is published before it is made");
    lab.authority.refresh_crls().await;
    let crl = read(&lab, HERE);
    assert_eq!(crl.entries().count(), 0);
    assert_eq!(crl.this_update(), NOW);
    assert_eq!(crl.next_update(), Some(NOW.plus(7 * DAY)));
    let text = String::from_utf8(lab.authority.crl(HERE).unwrap().pem().to_vec()).unwrap();
    assert_eq!(lanyard_pki::pem::decode("X509 CRL", &text).unwrap(), crl.as_der());
}

#[tokio::test]
async fn a_crl_lists_what_is_revoked_or_on_hold_and_drops_what_is_released() {
    let lab = Lab::new().await;
    lab.authority.refresh_crls().await;
    let (revoked, held, _good) = (lab.issue().await, lab.issue().await, lab.issue().await);
    lab.change(&revoked, revoke(RevocationReason::KeyCompromise)).await.unwrap();
    lab.change(&held, Change::Hold).await.unwrap();
    lab.authority.refresh_crls().await;
    let key_compromise = CrlReason::from_number(1);
    let both =
        [(revoked.clone(), key_compromise), (held.clone(), Some(CrlReason::CERTIFICATE_HOLD))];
    assert_eq!(reasons(&read(&lab, HERE)), sorted(both));
    lab.change(&held, Change::Release).await.unwrap();
    lab.authority.refresh_crls().await;
    assert_eq!(reasons(&read(&lab, HERE)), [(revoked, key_compromise)]);
    assert_eq!(lab.authority.crl(HERE).unwrap().number(), CrlNumber(3));
}

#[tokio::test]
async fn a_crl_is_made_anew_on_time_though_nothing_changes_and_only_then() {
    let lab = Lab::new().await;
    assert_eq!(lab.authority.refresh_crls().await, NOW.plus(DAY));
    lab.clock.advance(DAY - 1);
    lab.authority.refresh_crls().await;
    assert_eq!(lab.authority.crl(HERE).unwrap().number(), CrlNumber(1));
    lab.clock.advance(1);
    lab.authority.refresh_crls().await;
    assert_eq!(lab.authority.crl(HERE).unwrap().number(), CrlNumber(2));
    assert_eq!(read(&lab, HERE).this_update(), NOW.plus(DAY));
}

#[tokio::test]
async fn an_expired_certificate_is_listed_once_more_and_then_dropped() {
    let lab = Lab::new().await;
    let serial = lab.issue_until(NOW.plus(DAY / 2)).await;
    lab.change(&serial, revoke(RevocationReason::Superseded)).await.unwrap();
    lab.authority.refresh_crls().await;
    lab.clock.advance(DAY);
    lab.authority.refresh_crls().await;
    assert!(read(&lab, HERE).entry(&serial).unwrap().is_some(), "it ended since the last one");
    lab.clock.advance(DAY);
    lab.authority.refresh_crls().await;
    assert!(read(&lab, HERE).entry(&serial).unwrap().is_none());
}

#[tokio::test]
async fn crls_are_served_after_a_restart_and_numbered_on() {
    let lab = Lab::new().await;
    lab.authority.refresh_crls().await;
    let before = lab.authority.crl(HERE).unwrap().der.clone();
    let lab = lab.restarted(|_| {}).await;
    lab.authority.refresh_crls().await;
    assert_eq!(lab.authority.crl(HERE).unwrap().der, before, "nothing was due");
    let serial = lab.issue().await;
    lab.change(&serial, Change::Hold).await.unwrap();
    let lab = lab.restarted(|_| {}).await;
    lab.authority.refresh_crls().await;
    assert_eq!(lab.authority.crl(HERE).unwrap().number(), CrlNumber(2));
    assert!(read(&lab, HERE).entry(&serial).unwrap().is_some());
}

#[tokio::test]
async fn a_store_that_fails_leaves_the_last_crl_in_service() {
    let lab = Lab::new().await;
    lab.authority.refresh_crls().await;
    lab.authority.store().close().await;
    lab.clock.advance(DAY);
    let next = lab.authority.refresh_crls().await;
    assert!(next < lab.clock_now().plus(60), "it is tried again soon");
    assert_eq!(read(&lab, HERE).this_update(), NOW);
}

#[tokio::test]
async fn a_certificate_is_on_the_crl_that_its_distribution_point_names_and_on_the_complete_one() {
    let lab = Lab::with(|settings| {
        with_addresses(settings);
        settings.status.crl.partitions = NonZeroU16::new(4);
    })
    .await;
    for _ in 0..6 {
        let serial = lab.issue().await;
        lab.change(&serial, revoke(RevocationReason::Superseded)).await.unwrap();
        lab.authority.refresh_crls().await;
        let shown = lab.authority.show(&serial, Within::Everywhere).await.unwrap();
        let certificate = Certificate::from_der(&shown.certificate.der.unwrap()).unwrap();
        let points = certificate.crl_distribution_points().unwrap();
        let url = points.0[0].urls().next().unwrap().to_owned();
        let tail = url.strip_prefix("http://ca.example/crl/t0ken").unwrap();
        let address: CrlAddress = tail.parse().unwrap();
        assert_eq!(address.partition, shown.certificate.summary.crl_partition);
        let crl = read(&lab, address);
        assert!(crl.entry(&serial).unwrap().is_some());
        let covers = crl.distribution_point().unwrap().unwrap();
        assert_eq!(covers.full_name, [GeneralName::Uri(url)]);
        assert!(read(&lab, HERE).entry(&serial).unwrap().is_some());
    }
    let lists = |n| CrlAddress { partition: CrlPartition(n), ..HERE };
    let listed: usize = (1..=4).map(|n| read(&lab, lists(n)).entries().count()).sum();
    assert_eq!(listed, 6, "each certificate is on one partition");
    assert!(lab.authority.crl(lists(5)).is_none());

    let lab = lab.restarted(|settings| {
        with_addresses(settings);
        settings.status.crl.partitions = NonZeroU16::new(2);
    });
    let lab = lab.await;
    lab.clock.advance(DAY);
    lab.authority.refresh_crls().await;
    assert_eq!(read(&lab, lists(4)).this_update(), NOW.plus(DAY), "certificates still lead there");
}

#[tokio::test]
async fn a_delta_leads_from_its_base_to_the_full_crl_of_its_number() {
    let lab = Lab::with(|settings| {
        with_addresses(settings);
        settings.status.crl.delta_from = NonZeroU32::new(3);
    })
    .await;
    let mut serials = Vec::new();
    for _ in 0..8 {
        let serial = lab.issue().await;
        lab.change(&serial, Change::Hold).await.unwrap();
        serials.push(serial);
    }
    lab.authority.refresh_crls().await;
    assert!(lab.authority.crl(DELTA).is_none(), "there is no base yet");
    let base = read(&lab, HERE);

    lab.change(&serials[0], Change::Release).await.unwrap();
    lab.change(&serials[1], revoke(RevocationReason::KeyCompromise)).await.unwrap();
    let new = lab.issue().await;
    lab.change(&new, revoke(RevocationReason::Superseded)).await.unwrap();
    lab.authority.refresh_crls().await;

    let (full, delta) = (read(&lab, HERE), read(&lab, DELTA));
    assert_eq!(delta.base().unwrap(), base.number().unwrap());
    assert_eq!(delta.number().unwrap(), full.number().unwrap());
    let changed = [
        (serials[0].clone(), Some(CrlReason::REMOVE_FROM_CRL)),
        (serials[1].clone(), CrlReason::from_number(1)),
        (new.clone(), CrlReason::from_number(4)),
    ];
    assert_eq!(reasons(&delta), sorted(changed));
    let freshest = full.extensions().decode::<FreshestCrl>().unwrap().unwrap();
    let urls: Vec<_> = freshest.0[0].urls().collect();
    assert_eq!(urls, ["http://ca.example/crl/t0ken/delta"]);

    assert_eq!(applied(reasons(&base), &delta), reasons(&full));
}

#[tokio::test]
async fn the_first_long_crl_names_its_delta_and_so_does_the_first_one_after_a_start() {
    let long = |settings: &mut crate::Settings| {
        with_addresses(settings);
        settings.status.crl.delta_from = NonZeroU32::new(3);
    };
    let mut lab = Lab::with(long).await;
    lab.authority.refresh_crls().await;
    let mut before = read(&lab, HERE);
    let freshest = |crl: &format::Crl| crl.extensions().decode::<FreshestCrl>().unwrap();
    assert_eq!(freshest(&before), None, "a short list has no delta");
    for round in ["first", "after a start"] {
        for _ in 0..3 {
            let serial = lab.issue().await;
            lab.change(&serial, Change::Hold).await.unwrap();
        }
        lab.authority.refresh_crls().await;
        let (full, delta) = (read(&lab, HERE), read(&lab, DELTA));
        assert!(freshest(&full).is_some(), "{round}");
        assert_eq!(delta.base().unwrap(), before.number().unwrap(), "{round}");
        assert_eq!(delta.number().unwrap(), full.number().unwrap(), "{round}");
        assert_eq!(applied(reasons(&before), &delta), reasons(&full), "{round}");
        before = full;
        lab = lab.restarted(long).await;
    }
}

/// What a client with the base knows after the delta.
fn applied(base: Vec<Listed>, delta: &format::Crl) -> Vec<Listed> {
    let mut known: HashMap<_, _> = base.into_iter().collect();
    for (serial, reason) in reasons(delta) {
        match reason {
            Some(CrlReason::REMOVE_FROM_CRL) => known.remove(&serial),
            reason => known.insert(serial, reason),
        };
    }
    let mut known: Vec<_> = known.into_iter().collect();
    known.sort_by(|one, other| one.0.cmp(&other.0));
    known
}

/// Changes of some certificates between two CRLs, and the seconds until the next one.
fn editions() -> impl Strategy<Value = Vec<(Vec<(usize, Change)>, i64)>> {
    let change = (0_u8..=10).prop_filter_map("7 is not used", Change::from_code);
    let changes = proptest::collection::vec((0..8_usize, change), 0..6);
    proptest::collection::vec((changes, 0..DAY), 1..8)
}

/// Every full CRL lists exactly what is not good, and every delta leads from its base to the full one of its number.
async fn publish(editions: Vec<(Vec<(usize, Change)>, i64)>) {
    let lab = Lab::with(|settings| settings.status.crl.delta_from = NonZeroU32::new(1)).await;
    let mut serials = Vec::new();
    for _ in 0..8 {
        serials.push(lab.issue().await);
    }
    let mut made: HashMap<u64, Vec<Listed>> = HashMap::new();
    for (changes, seconds) in editions {
        for (certificate, change) in changes {
            let _refused_where_it_is_revoked = lab.change(&serials[certificate], change).await;
        }
        lab.authority.refresh_crls().await;
        let full = read(&lab, HERE);
        let mut bad = Vec::new();
        for serial in &serials {
            if lab.authority.status(serial).await.unwrap().verdict.good().is_err() {
                bad.push(serial.clone());
            }
        }
        bad.sort();
        let listed: Vec<_> = reasons(&full).into_iter().map(|(serial, _)| serial).collect();
        assert_eq!(listed, bad);
        let number = full.number().unwrap().unwrap();
        made.insert(number.0, reasons(&full));
        if lab.authority.crl(DELTA).is_some() {
            let delta = read(&lab, DELTA);
            assert_eq!(delta.number().unwrap(), Some(number));
            let base = made[&delta.base().unwrap().unwrap().0].clone();
            assert_eq!(applied(base, &delta), reasons(&full));
        }
        lab.clock.advance(seconds);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn crls_say_what_is_so_and_deltas_lead_to_it(editions in editions()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(publish(editions));
    }
}

#[tokio::test]
async fn whoever_keeps_the_crls_is_woken_by_a_revocation() {
    let lab = Lab::new().await;
    let authority = lab.authority.clone();
    let keeper = tokio::spawn(async move { authority.keep_crls().await });
    let serial = lab.issue().await;
    lab.change(&serial, Change::Hold).await.unwrap();
    let listed = async || {
        let crl = lab.authority.crl(HERE);
        crl.is_some_and(|crl| {
            let crl = format::Crl::from_der(&crl.der).unwrap();
            crl.entry(&serial).unwrap().is_some()
        })
    };
    while !listed().await {
        tokio::task::yield_now().await;
    }
    keeper.abort();
}

#[tokio::test]
async fn a_ca_that_is_prepared_has_its_crl_without_waiting() {
    let lab = Lab::new().await;
    let authority = lab.authority.clone();
    let keeper = tokio::spawn(async move { authority.keep_crls().await });
    let new = NewCa { key: KeyAlgorithm::P256, ..NewCa::new("CN=Second CA".parse().unwrap()) };
    let prepared = lab.authority.prepare_next_ca(&new, &Actor::System).await.unwrap();
    let Prepared::Next(next) = prepared else { panic!("it certifies itself") };
    while lab.authority.complete_crl(next).is_none() {
        tokio::task::yield_now().await;
    }
    keeper.abort();
}
