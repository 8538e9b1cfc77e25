//! Which of a CA's CRLs lists a certificate, and the addresses of CRLs.
//!
//! A certificate's partition follows from its serial number and the number of partitions at issuance. It is recorded with
//! the certificate, because the number of partitions is a setting and may change, and the certificate's distribution
//! point may not. How a CRL is made is not here.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use lanyard_pki::SerialNumber;
use lanyard_store::CrlPartition;

/// What the address of a delta CRL ends in.
const DELTA: &str = "delta";

/// The partition of a certificate issued now; the complete CRL when there are no partitions.
///
/// Serial numbers of this installation are ciphertext, so that their last octets are as good as a hash.
pub(crate) fn partition_of(serial: &SerialNumber, partitions: Option<NonZeroU16>) -> CrlPartition {
    let Some(partitions) = partitions else { return CrlPartition::COMPLETE };
    let octets = serial.as_bytes();
    let last = octets.iter().skip(octets.len().saturating_sub(8));
    let number = last.fold(0_u64, |number, octet| number << 8 | u64::from(*octet));
    let index = number % u64::from(partitions.get());
    // Below a number of 16 bits, so that the fallback is never taken.
    CrlPartition(u16::try_from(index).unwrap_or_default().saturating_add(1))
}

/// Which CRL of a CA: what its address ends in.
///
/// Written and read as `` (complete), `3` (a partition), `delta`, `3/delta`; before it the CA's key identifier where it
/// is not the current CA: `0a…/3/delta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrlAddress {
    /// The CA's key identifier; none is the current CA.
    pub ca: Option<[u8; 20]>,
    /// Which certificates it lists.
    pub partition: CrlPartition,
    /// All entries, or those that changed.
    pub form: CrlForm,
}

/// All entries, or those that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CrlForm {
    /// Stands alone.
    Full,
    /// The changes since a full one (RFC 5280 section 5.2.4).
    Delta,
}

/// There is no CRL at such an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no CRL has such an address")]
pub struct NoSuchCrl;

impl FromStr for CrlAddress {
    type Err = NoSuchCrl;

    fn from_str(text: &str) -> Result<Self, NoSuchCrl> {
        let mut address = Self { ca: None, partition: CrlPartition::COMPLETE, form: CrlForm::Full };
        let mut parts = text.split('/').filter(|part| !part.is_empty()).peekable();
        if let Some(part) = parts.next_if(|part| part.len() == 40) {
            let mut ca = [0; 20];
            hex::decode_to_slice(part, &mut ca).map_err(|_| NoSuchCrl)?;
            address.ca = Some(ca);
        }
        if let Some(part) = parts.next_if(|part| part.starts_with(|c: char| c.is_ascii_digit())) {
            let number = part.parse::<NonZeroU16>().map_err(|_| NoSuchCrl)?;
            address.partition = CrlPartition(number.get());
        }
        if parts.next_if_eq(&DELTA).is_some() {
            address.form = CrlForm::Delta;
        }
        parts.next().map_or(Ok(address), |_| Err(NoSuchCrl))
    }
}

impl fmt::Display for CrlAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ca = self.ca.map(hex::encode);
        let partition = Some(self.partition)
            .filter(|partition| *partition != CrlPartition::COMPLETE)
            .map(|CrlPartition(number)| number.to_string());
        let delta = (self.form == CrlForm::Delta).then(|| DELTA.to_owned());
        let parts: Vec<String> = [ca, partition, delta].into_iter().flatten().collect();
        f.write_str(&parts.join("/"))
    }
}

/// The addresses of a CRL below the addresses that its CA publishes at.
pub(crate) fn urls(published: &[String], partition: CrlPartition, form: CrlForm) -> Vec<String> {
    let tail = CrlAddress { ca: None, partition, form }.to_string();
    let below = |base: &String| match tail.as_str() {
        "" => base.clone(),
        tail => format!("{}/{tail}", base.trim_end_matches('/')),
    };
    published.iter().map(below).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn serial(octets: &[u8]) -> SerialNumber {
        SerialNumber::from_bytes(octets).unwrap()
    }

    #[test]
    fn without_partitions_every_certificate_is_on_the_complete_crl() {
        assert_eq!(partition_of(&serial(&[7; 20]), None), CrlPartition::COMPLETE);
    }

    #[test]
    fn each_crl_has_an_address_of_its_own() {
        let base = ["http://ca.example/crl/".to_owned()];
        let at = |partition, form| urls(&base, CrlPartition(partition), form).remove(0);
        assert_eq!(at(0, CrlForm::Full), "http://ca.example/crl/");
        assert_eq!(at(0, CrlForm::Delta), "http://ca.example/crl/delta");
        assert_eq!(at(3, CrlForm::Full), "http://ca.example/crl/3");
        assert_eq!(at(3, CrlForm::Delta), "http://ca.example/crl/3/delta");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["x", "0", "70000", "3/4", "delta/3", "delta/delta", "3x", &"g".repeat(40)] {
            assert_eq!(text.parse::<CrlAddress>(), Err(NoSuchCrl), "{text}");
        }
    }

    #[test]
    fn doubled_slashes_do_not_matter() {
        let address =
            CrlAddress { ca: Some([10; 20]), partition: CrlPartition(3), form: CrlForm::Delta };
        assert_eq!(format!("/{}//3/delta/", "0A".repeat(20)).parse(), Ok(address));
    }

    proptest! {
        #[test]
        fn every_certificate_has_one_partition_that_exists(
            octets in proptest::collection::vec(any::<u8>(), 1..=20), partitions in 1_u16..,
        ) {
            let partitions = NonZeroU16::new(partitions).unwrap();
            let CrlPartition(number) = partition_of(&serial(&octets), Some(partitions));
            prop_assert!((1..=partitions.get()).contains(&number));
        }

        #[test]
        fn addresses_come_back(
            ca in proptest::option::of(any::<[u8; 20]>()), partition in any::<u16>(), delta in any::<bool>(),
        ) {
            let form = if delta { CrlForm::Delta } else { CrlForm::Full };
            let address = CrlAddress { ca, partition: CrlPartition(partition), form };
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }
    }
}
