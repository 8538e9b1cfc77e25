//! Generations: how everything remembered about a certificate is forgotten the moment its standing changes, or an object
//! that it is tethered to.
//!
//! Whoever is about to read what is known of a certificate or an object first takes a [`Stamp`]. What follows from the
//! reading (a record, a signed answer) keeps the stamp and is worth something only while the stamp is current. Whoever
//! records a change moves the generation on after the change is durable and before it is acknowledged. So an answer that
//! was on its way during the change may be put into a cache after it and is still never given out.
//!
//! That an answer keeps the stamps of the objects behind it, too, spares a change the search for the certificates that
//! are tethered to its object: forgetting costs one addition, however many there are.
//!
//! Which caches there are is not known here.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

use lanyard_lifecycle::object::ObjectKey;
use lanyard_pki::SerialNumber;

/// Counters. Certificates and objects share them by hash: a change forgets one in 262 144 for nothing, and a mebibyte
/// serves any number of them.
const COUNTERS: usize = 1 << 18;

/// Counts the changes of every certificate's standing and of every object.
pub(crate) struct Generations {
    counters: Box<[AtomicU32]>,
    hasher: RandomState,
}

/// A certificate's or an object's generation at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    counter: u32,
    generation: u32,
}

impl Generations {
    /// Nothing has changed yet.
    pub(crate) fn new() -> Self {
        let counters = std::iter::repeat_with(AtomicU32::default).take(COUNTERS).collect();
        Self { counters, hasher: RandomState::new() }
    }

    /// The certificate's present generation. To be taken before anything about the certificate is read.
    pub(crate) fn stamp(&self, serial: &SerialNumber) -> Stamp {
        self.stamp_of(self.of_certificate(serial))
    }

    /// The object's present generation. To be taken before anything about the object is read.
    pub(crate) fn stamp_object(&self, key: &ObjectKey) -> Stamp {
        self.stamp_of(self.of_object(key))
    }

    /// Whether nothing has changed since the stamp was taken.
    pub(crate) fn is_current(&self, stamp: Stamp) -> bool {
        self.counter(stamp.counter).load(Ordering::SeqCst) == stamp.generation
    }

    /// Makes every stamp of the certificate worthless. To be called once the change is durable.
    pub(crate) fn advance(&self, serial: &SerialNumber) {
        self.counter(self.of_certificate(serial)).fetch_add(1, Ordering::SeqCst);
    }

    /// Makes every stamp of the object worthless. To be called once the change is durable.
    pub(crate) fn advance_object(&self, key: &ObjectKey) {
        self.counter(self.of_object(key)).fetch_add(1, Ordering::SeqCst);
    }

    /// Makes every stamp worthless.
    pub(crate) fn advance_all(&self) {
        for counter in &self.counters {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn stamp_of(&self, counter: u32) -> Stamp {
        Stamp { counter, generation: self.counter(counter).load(Ordering::SeqCst) }
    }

    fn counter(&self, number: u32) -> &AtomicU32 {
        &self.counters[number as usize % COUNTERS]
    }

    fn of_certificate(&self, serial: &SerialNumber) -> u32 {
        truncate(self.hasher.hash_one(serial.as_bytes()))
    }

    fn of_object(&self, key: &ObjectKey) -> u32 {
        truncate(self.hasher.hash_one(key))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
fn truncate(hash: u64) -> u32 {
    hash as u32
}

impl fmt::Debug for Generations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generations").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serial(number: u64) -> SerialNumber {
        SerialNumber::from_bytes(&number.to_be_bytes()).unwrap()
    }

    #[test]
    fn a_stamp_is_current_until_its_certificate_changes() {
        let generations = Generations::new();
        let stamp = generations.stamp(&serial(1));
        assert!(generations.is_current(stamp));
        generations.advance(&serial(1));
        assert!(!generations.is_current(stamp));
        assert!(generations.is_current(generations.stamp(&serial(1))));
    }

    #[test]
    fn an_object_has_a_generation_of_its_own() {
        use lanyard_lifecycle::id::{DirectoryId, ObjectId};
        use lanyard_lifecycle::object::ObjectKind;

        let generations = Generations::new();
        let key = |kind| ObjectKey {
            directory: DirectoryId::from_bytes([1; 16]),
            kind,
            object: ObjectId::from_u128(7),
        };
        let (user, risk) = (key(ObjectKind::EntraUser), key(ObjectKind::RiskyUser));
        let stamps = [user, risk].map(|key| generations.stamp_object(&key));
        generations.advance_object(&user);
        assert_eq!(stamps.map(|stamp| generations.is_current(stamp)), [false, true]);
    }

    #[test]
    fn a_change_of_one_certificate_leaves_nearly_all_others_alone() {
        let generations = Generations::new();
        let stamps: Vec<Stamp> = (1..=1_000).map(|n| generations.stamp(&serial(n))).collect();
        generations.advance(&serial(2_000));
        let lost = stamps.iter().filter(|stamp| !generations.is_current(**stamp)).count();
        assert!(lost < 10, "{lost} of 1,000 were forgotten for nothing");
    }
}
