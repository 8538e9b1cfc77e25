//! What the store says of certificates, remembered while it is so: an answer with a nonce is signed without a read.
//!
//! Bounded in octets. A record is forgotten the moment its certificate's standing changes.

use lanyard_lifecycle::revocation::Standing;
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{CaId, StatusRecord, Store, StoreError};
use quick_cache::sync::Cache;

use super::generations::{Generations, Stamp};

/// What one record costs with its key and its share of the table, in octets.
const ENTRY: u64 = 132;

/// What a verdict needs to know of a certificate that was issued here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// The CA that issued it.
    pub(crate) ca: CaId,
    /// End of validity.
    pub(crate) not_after: Time,
    /// What is recorded against it.
    pub(crate) standing: Standing,
}

impl Known {
    fn of(record: &StatusRecord) -> Self {
        Self { ca: record.ca, not_after: record.not_after, standing: record.standing }
    }
}

/// A record, or that there is none, and when that was so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remembered {
    /// None for a serial number that was never issued here.
    pub(crate) known: Option<Known>,
    /// The certificate's generation before it was read.
    pub(crate) stamp: Stamp,
}

/// The cache.
#[derive(Debug)]
pub(crate) struct Records {
    cache: Cache<SerialNumber, Remembered>,
}

impl Records {
    /// A cache of so many octets.
    pub(crate) fn new(octets: u64) -> Self {
        let items = usize::try_from(octets / ENTRY).unwrap_or(usize::MAX).max(1);
        Self { cache: Cache::new(items) }
    }

    /// What is known of a certificate now: remembered, else read.
    pub(crate) async fn record(
        &self,
        serial: &SerialNumber,
        generations: &Generations,
        store: &Store,
    ) -> Result<Remembered, StoreError> {
        let stamp = generations.stamp(serial);
        if let Some(remembered) = self.cache.get(serial)
            && remembered.stamp == stamp
        {
            return Ok(remembered);
        }
        if !serial.conforms() {
            // Longer than any that is issued here: not worth a read, nor a place.
            return Ok(Remembered { known: None, stamp });
        }
        let record = store.certificate_status(serial.clone()).await?;
        let remembered = Remembered { known: record.as_ref().map(Known::of), stamp };
        self.cache.insert(serial.clone(), remembered);
        Ok(remembered)
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.cache.len()
    }

    /// How many octets they take, with the room that tables keep to grow.
    pub(crate) fn octets(&self) -> usize {
        self.cache.memory_used().total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_take_no_more_room_than_they_are_given() {
        let generations = Generations::new();
        for entries in [1_000_u64, 60_000, 130_000] {
            let given = entries * ENTRY;
            let records = Records::new(given);
            for number in 0..2 * entries {
                let mut octets = [0x4f; 20];
                octets[..8].copy_from_slice(&(number + (1 << 62)).to_be_bytes());
                let serial = SerialNumber::from_bytes(&octets).unwrap();
                let stamp = generations.stamp(&serial);
                let known = Some(Known {
                    ca: CaId(1),
                    not_after: Time::from_unix(0),
                    standing: Standing::NotRevoked,
                });
                records.cache.insert(serial, Remembered { known, stamp });
            }
            let (kept, taken) = (records.len() as u64, records.octets() as u64);
            assert!(kept > entries / 2, "{kept} of {entries}");
            assert!(taken <= given, "{taken} octets of {given} for {kept} records");
        }
    }
}
