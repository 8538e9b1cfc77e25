//! Generations: how everything remembered about a certificate is forgotten the moment its standing changes.
//!
//! Whoever is about to read what is known of a certificate first takes a [`Stamp`]. What follows from the reading (a
//! record, a signed answer) keeps the stamp and is worth something only while the stamp is current. Whoever changes a
//! certificate's standing moves its generation on after the change is durable and before it is acknowledged. So an
//! answer that was on its way during the change may be put into a cache after it and is still never given out.
//!
//! Which caches there are is not known here.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

use lanyard_pki::SerialNumber;

/// Counters. Certificates share them by hash: a change forgets one certificate in 65 536 for nothing, and a quarter
/// of a mebibyte serves any number of certificates.
const COUNTERS: usize = 1 << 16;

/// Counts the changes of every certificate's standing.
pub(crate) struct Generations {
    counters: Box<[AtomicU32]>,
    hasher: RandomState,
}

/// A certificate's generation at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    counter: u16,
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
        let counter = self.counter(serial);
        Stamp { counter, generation: self.counters[usize::from(counter)].load(Ordering::SeqCst) }
    }

    /// Whether nothing has changed since the stamp was taken.
    pub(crate) fn is_current(&self, stamp: Stamp) -> bool {
        self.counters[usize::from(stamp.counter)].load(Ordering::SeqCst) == stamp.generation
    }

    /// Makes every stamp of the certificate worthless. To be called once the change is durable.
    pub(crate) fn advance(&self, serial: &SerialNumber) {
        self.counters[usize::from(self.counter(serial))].fetch_add(1, Ordering::SeqCst);
    }

    #[expect(clippy::cast_possible_truncation, reason = "any 16 bits of a hash will do")]
    fn counter(&self, serial: &SerialNumber) -> u16 {
        self.hasher.hash_one(serial.as_bytes()) as u16
    }
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
    fn a_change_of_one_certificate_leaves_nearly_all_others_alone() {
        let generations = Generations::new();
        let stamps: Vec<Stamp> = (1..=1_000).map(|n| generations.stamp(&serial(n))).collect();
        generations.advance(&serial(2_000));
        let lost = stamps.iter().filter(|stamp| !generations.is_current(**stamp)).count();
        assert!(lost < 10, "{lost} of 1,000 were forgotten for nothing");
    }
}
