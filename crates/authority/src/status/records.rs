//! What is known of certificates, remembered while it is so: an answer with a nonce is signed without a read.
//!
//! Bounded in octets. What is remembered is forgotten the moment the certificate's standing changes, or an object that it
//! is tethered to; the verdict on a tethered one also once its facts are too old for a decision.

use std::sync::Arc;

use lanyard_lifecycle::revocation::Standing;
use lanyard_lifecycle::verdict::Verdict;
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::CaId;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::generations::{Generations, Stamp};
use crate::mirror::Vouched;

/// What one record costs with its key and its share of the table, in octets.
const ENTRY: u64 = 132;

/// The same of a tethered certificate, with its verdict, as a first guess.
const LARGE_ENTRY: u64 = 360;

/// What a verdict needs to know of a certificate that was issued here.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// The CA that issued it.
    pub(crate) ca: CaId,
    /// End of validity.
    pub(crate) not_after: Time,
    /// What is held against it.
    pub(crate) says: Says,
}

/// Who decides about a certificate.
#[derive(Debug, Clone)]
pub(crate) enum Says {
    /// The record alone: it is tethered to nothing, or revoked for good.
    Record(Standing),
    /// The record and the objects that it is tethered to.
    Verdict(Arc<Outlook>),
}

/// A verdict, and for how long it need not be reached anew.
#[derive(Debug)]
pub(crate) struct Outlook {
    /// Without its facts: nobody asks for them here.
    pub(crate) verdict: Verdict,
    /// When it was reached.
    pub(crate) reached: Time,
    /// When its facts are too old for a decision.
    pub(crate) until: Time,
    /// The generation of each object before anything was read of it.
    pub(crate) stamps: Box<[Stamp]>,
    /// What vouches for the objects once their facts are too old, as long as they have not changed.
    pub(crate) vouched: Option<Vouched>,
}

impl Outlook {
    fn is_current(&self, generations: &Generations, now: Time) -> bool {
        now < self.until && self.is_unchanged(generations, now)
    }

    fn is_unchanged(&self, generations: &Generations, now: Time) -> bool {
        self.reached <= now && self.stamps.iter().all(|stamp| generations.is_current(*stamp))
    }

    /// The same verdict for longer; never past the instant at which time changes it.
    fn prolonged(&self, until: Time) -> Self {
        let verdict = self.verdict.clone();
        let until = verdict.next_change.map_or(until, |change| until.min(change));
        Self { verdict, until, stamps: self.stamps.clone(), ..*self }
    }

    fn octets(&self) -> u64 {
        (size_of::<Self>() + size_of_val(&*self.stamps)) as u64 + ALLOCATIONS
    }
}

/// What an allocator keeps beside two allocations, and what counts the references.
const ALLOCATIONS: u64 = 48;

/// What is known, or that there is nothing, and when that was so.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    /// None for a serial number that was never issued here.
    pub(crate) known: Option<Known>,
    /// The certificate's generation before it was read.
    pub(crate) stamp: Stamp,
}

impl Remembered {
    /// The same for longer.
    pub(crate) fn prolonged(self, until: Time) -> Self {
        let known = self.known.map(|known| match known.says {
            Says::Verdict(outlook) => {
                Known { says: Says::Verdict(Arc::new(outlook.prolonged(until))), ..known }
            }
            Says::Record(_) => known,
        });
        Self { known, ..self }
    }

    fn outlook(&self) -> Option<&Outlook> {
        match &self.known {
            Some(Known { says: Says::Verdict(outlook), .. }) => Some(outlook),
            _ => None,
        }
    }
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<SerialNumber, Remembered> for Weight {
    fn weight(&self, _: &SerialNumber, remembered: &Remembered) -> u64 {
        ENTRY + remembered.outlook().map_or(0, Outlook::octets)
    }
}

/// The cache.
#[derive(Debug)]
pub(crate) struct Records {
    cache: Cache<SerialNumber, Remembered, Weight>,
}

impl Records {
    /// A cache of so many octets.
    pub(crate) fn new(octets: u64) -> Self {
        // As many as there are of the larger kind: tables grow by themselves, and never shrink.
        let items = usize::try_from(octets / LARGE_ENTRY).unwrap_or(usize::MAX).max(1);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(items)
            .weight_capacity(octets.max(ENTRY))
            .build()
            .expect("items and weight are given");
        let lifecycle = DefaultLifecycle::default();
        let cache = Cache::with_options(options, Weight, DefaultHashBuilder::default(), lifecycle);
        Self { cache }
    }

    /// What is known of a certificate, if it is so still.
    pub(crate) fn current(
        &self,
        serial: &SerialNumber,
        generations: &Generations,
        now: Time,
    ) -> Option<Remembered> {
        let remembered = self.cache.get(serial)?;
        let is_current = generations.is_current(remembered.stamp)
            && remembered.outlook().is_none_or(|outlook| outlook.is_current(generations, now));
        is_current.then_some(remembered)
    }

    /// What is known of a certificate whose objects a feed vouches for, when that may have become too old for a decision:
    /// what vouches, and since when it is known.
    pub(crate) fn vouched(
        &self,
        serial: &SerialNumber,
        generations: &Generations,
        now: Time,
    ) -> Option<(Remembered, Vouched, Time)> {
        let remembered = self.cache.get(serial)?;
        let outlook = remembered.outlook()?;
        let vouched = outlook.vouched?;
        let reached = outlook.reached;
        let is_unchanged =
            generations.is_current(remembered.stamp) && outlook.is_unchanged(generations, now);
        is_unchanged.then_some((remembered, vouched, reached))
    }

    /// Remembers what was read.
    pub(crate) fn keep(&self, serial: &SerialNumber, remembered: Remembered) {
        self.cache.insert(serial.clone(), remembered);
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.cache.len()
    }

    /// How many octets they take, with the room that tables keep to grow.
    pub(crate) fn octets(&self) -> usize {
        let outside = self.cache.weight().saturating_sub(self.cache.len() as u64 * ENTRY);
        self.cache.memory_used().total() + usize::try_from(outside).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use lanyard_lifecycle::id::{DirectoryId, ObjectId};
    use lanyard_lifecycle::object::{ObjectKey, ObjectKind};
    use lanyard_lifecycle::verdict::verdict;

    use super::*;

    fn recorded(_: &Generations) -> Says {
        Says::Record(Standing::NotRevoked)
    }

    fn judged(generations: &Generations) -> Says {
        let key = ObjectKey {
            directory: DirectoryId::from_bytes([1; 16]),
            kind: ObjectKind::EntraUser,
            object: ObjectId::from_u128(7),
        };
        let stamp = generations.stamp_object(&key);
        Says::Verdict(Arc::new(Outlook {
            verdict: verdict([]),
            reached: Time::from_unix(0),
            until: Time::from_unix(1),
            stamps: Box::new([stamp; 2]),
            vouched: None,
        }))
    }

    #[test]
    fn records_take_no_more_room_than_they_are_given() {
        fills(ENTRY, recorded);
    }

    #[test]
    fn verdicts_take_no_more_room_than_they_are_given() {
        fills(ENTRY + 200, judged);
    }

    fn fills(entry: u64, says: fn(&Generations) -> Says) {
        let generations = Generations::new();
        for entries in [1_000_u64, 60_000, 130_000] {
            let given = entries * entry;
            let records = Records::new(given);
            for number in 0..2 * entries {
                let mut octets = [0x4f; 20];
                octets[..8].copy_from_slice(&(number + (1 << 62)).to_be_bytes());
                let serial = SerialNumber::from_bytes(&octets).unwrap();
                let stamp = generations.stamp(&serial);
                let known = Some(Known {
                    ca: CaId(1),
                    not_after: Time::from_unix(0),
                    says: says(&generations),
                });
                records.keep(&serial, Remembered { known, stamp });
            }
            let (kept, taken) = (records.len() as u64, records.octets() as u64);
            assert!(kept > entries / 2, "{kept} of {entries}");
            assert!(taken <= given, "{taken} octets of {given} for {kept} records");
        }
    }
}
