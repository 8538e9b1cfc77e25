//! Which certificates follow an object, and which are due.

use lanyard_lifecycle::{
    Binding, DirectoryId, Kind, ObjectId, RevocationReason,
    object::{ObjectKey, ObjectKind},
    revocation::Change,
    verdict::{Lasting, Rule},
};
use lanyard_pki::Time;

use super::{
    Outcome, equal,
    rule::{change, hold, record, revoke},
    sample,
};
use crate::{
    NewCertificate, ObjectSequence, RuleBatch, RuleChange, StandingChange, Store, StoreError,
};

const HERE: DirectoryId = DirectoryId::from_bytes([0xD1; 16]);
const ELSEWHERE: DirectoryId = DirectoryId::from_bytes([0xD2; 16]);

fn key(kind: ObjectKind, object: ObjectId) -> ObjectKey {
    ObjectKey { directory: HERE, kind, object }
}

/// Which of the seeds' certificates are bound to an object.
async fn bound(store: &Store, object: ObjectKey, now: Time) -> Result<Vec<u64>, StoreError> {
    let mut seeds = Vec::new();
    let mut after = None;
    loop {
        let page = store.certificates_bound_to(object, now, after, 2).await?;
        for bound in &page.items {
            let seed = (0..200).find(|seed| sample::serial(*seed) == bound.serial);
            seeds.extend(seed);
            let status = store.certificate_status(bound.serial.clone()).await?;
            if status.as_ref() != Some(&bound.status) {
                return Err(StoreError::Conflict(format!("{status:?}, {:?}", bound.status)));
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(seeds);
        }
    }
}

async fn revoke_by_hand(store: &Store, seed: u64) -> Result<(), StoreError> {
    let change = Change::Revoke(RevocationReason::Superseded);
    let (at, by, invalidity_date) = (sample::NOW, "ada".to_owned(), None);
    let wish = StandingChange { change, at, by, invalidity_date };
    store.change_standing(sample::serial(seed), wish, None).await.map(|_| ())
}

/// All that may still change their standing, in the order of issuance, page by page.
pub async fn an_object_leads_to_its_certificates(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let object = ObjectId::from_u128(0x1111);
    let of = |seed, object, directory| {
        let binding = Binding { kind: Kind::IntuneDevice, object, directory: Some(directory) };
        NewCertificate { binding, ..sample::certificate(ca, seed) }
    };
    for seed in 1..=7 {
        sample::issue(store, of(seed, object, HERE)).await?;
    }
    sample::issue(store, of(8, object, ELSEWHERE)).await?;
    sample::issue(store, of(9, ObjectId::from_u128(0x1112), HERE)).await?;
    let ended = NewCertificate { not_after: sample::NOW, ..of(10, object, HERE) };
    sample::issue(store, ended).await?;
    let device = key(ObjectKind::IntuneDevice, object);
    equal!(bound(store, device, sample::NOW).await?, (1..=7).collect::<Vec<_>>());
    equal!(bound(store, device, sample::NOW.plus(-1)).await?.len(), 8);

    revoke_by_hand(store, 1).await?;
    let rules = [
        (2, revoke(Lasting::Permanent, sample::NOW)),
        (3, revoke(Lasting::Passing, sample::NOW)),
        (4, hold(Rule::IntuneDeviceNotCompliant, sample::NOW)),
        (5, hold(Rule::IntuneDeviceNotCompliant, sample::NOW)),
    ];
    let rules = rules.into_iter().map(|(seed, rule)| change(seed, Some(rule))).collect();
    record(store, sample::NOW, rules).await?;
    revoke_by_hand(store, 5).await?;
    equal!(bound(store, device, sample::NOW).await?, vec![3, 4, 6, 7]);
    equal!(store.tethered_in_force(sample::NOW).await?, 4);
    Ok(())
}

/// A user's certificate on a device follows both; numbers of two servers are told apart.
pub async fn devices_and_users_in_jamf_lead_to_their_certificates(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let all = [
        (1, Kind::JamfComputer, ObjectId::jamf_device(5), HERE),
        (2, Kind::JamfUserOnComputer, ObjectId::jamf_user(5, 8), HERE),
        (3, Kind::JamfUserOnComputer, ObjectId::jamf_user(5, u64::MAX), HERE),
        (4, Kind::JamfUserOnDevice, ObjectId::jamf_user(6, 8), HERE),
        (5, Kind::JamfComputer, ObjectId::jamf_device(6), HERE),
        (6, Kind::JamfComputer, ObjectId::jamf_device(5), ELSEWHERE),
        (7, Kind::JamfUserOnComputer, ObjectId::jamf_user(5, 8), ELSEWHERE),
        (8, Kind::JamfDevice, ObjectId::jamf_device(4), HERE),
        (9, Kind::EntraUser, ObjectId::jamf_user(3, 8), HERE),
    ];
    for (seed, kind, object, directory) in all {
        let binding = Binding { kind, object, directory: Some(directory) };
        sample::issue(store, NewCertificate { binding, ..sample::certificate(ca, seed) }).await?;
    }
    let now = sample::NOW;
    let device = key(ObjectKind::JamfComputer, ObjectId::jamf_device(5));
    equal!(bound(store, device, now).await?, vec![1, 2, 3]);
    let device = key(ObjectKind::JamfMobileDevice, ObjectId::jamf_device(4));
    equal!(bound(store, device, now).await?, vec![8]);
    let user = key(ObjectKind::JamfUser, ObjectId::jamf_user(0, 8));
    equal!(bound(store, user, now).await?, vec![2, 4]);
    let user = key(ObjectKind::JamfUser, ObjectId::jamf_user(0, u64::MAX));
    equal!(bound(store, user, now).await?, vec![3]);
    Ok(())
}

/// From issuance on, until it is judged, has ended or is revoked for good.
pub async fn certificates_are_due_in_their_order(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let at = |seconds| sample::NOW.plus(seconds);
    for (seed, due) in [(1, Some(30)), (2, Some(10)), (3, Some(20)), (4, None), (5, Some(40))] {
        let due = due.map(at);
        sample::issue(store, NewCertificate { due, ..sample::certificate(ca, seed) }).await?;
    }
    let (not_after, due) = (at(25), Some(at(15)));
    let short = NewCertificate { not_after, due, ..sample::certificate(ca, 6) };
    sample::issue(store, short).await?;
    let told = async |now| -> Result<Vec<_>, StoreError> {
        let due = store.certificates_due(now, 9).await?;
        Ok(due.into_iter().map(|one| (one.serial, one.due)).collect())
    };
    let one = |seed, seconds| (sample::serial(seed), Some(at(seconds)));
    equal!(store.next_due().await?, Some(at(10)));
    equal!(told(at(9)).await?, vec![]);
    equal!(told(at(20)).await?, vec![one(2, 10), one(6, 15), one(3, 20)]);
    equal!(store.certificates_due(at(20), 1).await?.len(), 1);

    let judged = |seed, due, to| RuleChange { due, ..change(seed, to) };
    let held = || Some(hold(Rule::IntuneDeviceNotCompliant, sample::NOW));
    let changes = vec![
        judged(2, Some(at(50)), None),
        judged(3, Some(at(60)), held()),
        judged(4, Some(at(70)), None),
        // Past its end.
        judged(5, Some(at(400 * sample::DAY)), held()),
    ];
    record(store, at(20), changes).await?;
    equal!(told(at(24)).await?, vec![one(6, 15)]);
    revoke_by_hand(store, 1).await?;
    let gone = revoke(Lasting::Permanent, at(24));
    record(store, at(24), vec![judged(2, Some(at(90)), Some(gone))]).await?;
    equal!(told(at(100)).await?, vec![one(3, 60), one(4, 70)]);
    // What has ended is passed over, and forgotten with the next step of whoever judges.
    equal!(store.next_due().await?, Some(at(15)));
    let judged = Some(ObjectSequence(1));
    store.record_rules(RuleBatch { judged, ..RuleBatch::new(at(25)) }).await?;
    equal!(store.next_due().await?, Some(at(60)));
    Ok(())
}
