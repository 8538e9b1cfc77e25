//! Building a CRL. Lengths are written by hand and nothing is allocated for an entry, so that a hundred
//! thousand of them take milliseconds.

use super::{Crl, CrlNumber, Entry};
use crate::{
    CrlReason, SignatureAlgorithm, Time, Unsigned,
    extension::{
        AuthorityKeyIdentifier, Criticality, ExtensionValue, Extensions, FreshestCrl,
        IssuingDistributionPoint,
    },
    oid,
    profile::Issuer,
    tlv::{Tag, Writer},
};

/// What a CRL says beside its entries.
#[derive(Debug, Clone)]
pub struct CrlBuilder<'a> {
    /// Who issues it.
    pub issuer: Issuer<'a>,
    /// Its number.
    pub number: CrlNumber,
    /// When it is made.
    pub this_update: Time,
    /// When the next one is made at the latest.
    pub next_update: Time,
    /// The number of the complete CRL that this one only amends; none for a complete one.
    pub base: Option<CrlNumber>,
    /// What it covers, where that is not everything of its issuer.
    pub distribution_point: Option<IssuingDistributionPoint>,
    /// Where the delta CRL is found. Not for a delta CRL itself.
    pub freshest_urls: Vec<String>,
    /// How many entries a list has at least that says so: how many there are is known only once they are written.
    pub freshest_from: usize,
    /// Entries stay although their certificates have expired, if they did so after this instant
    /// (X.509, 9.5.2.8).
    pub expired_since: Option<Time>,
    /// How the issuer will sign.
    pub signature_algorithm: SignatureAlgorithm,
}

/// Why no CRL can be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// The next one is due before this one is made.
    #[error("the next update at {next_update} is not after this one at {this_update}")]
    Updates {
        /// When it is made.
        this_update: Time,
        /// When the next is due.
        next_update: Time,
    },
    /// *removeFromCRL* in a complete list.
    #[error("only a delta CRL says that a certificate is no longer listed")]
    RemovalFromComplete,
    /// A delta CRL that amends itself or a later one.
    #[error("delta CRL {number} amends CRL {base}, which is not older")]
    Base {
        /// Its own number.
        number: CrlNumber,
        /// The number of its base.
        base: CrlNumber,
    },
    /// A delta CRL that says where the delta CRL is.
    #[error("a delta CRL does not say where the delta CRL is found")]
    FreshestInDelta,
}

/// Octets of an entry with a serial number of 20 octets and a reason, for the first guess.
const USUAL_ENTRY: usize = 53;

impl CrlBuilder<'_> {
    /// The CRL with `entries` in the order given, to be signed by its issuer.
    pub fn build(
        &self,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<Unsigned<Crl>, CrlError> {
        self.check()?;
        let entries = entries.into_iter();
        let mut list = Vec::with_capacity(entries.size_hint().0 * USUAL_ENTRY);
        let mut count = 0;
        for entry in entries {
            count += 1;
            if self.base.is_none() && entry.reason == Some(CrlReason::REMOVE_FROM_CRL) {
                return Err(CrlError::RemovalFromComplete);
            }
            append(&mut list, &entry);
        }
        let mut head = Writer::new();
        head.small_integer(1);
        head.raw(&self.signature_algorithm.identifier());
        head.raw(self.issuer.subject.as_der());
        head.time(self.this_update);
        head.time(self.next_update);
        let mut tail = Writer::new();
        tail.context(0, |w| self.extensions(count).write(w));
        Ok(Unsigned::new(joined(head.as_bytes(), &list, tail.as_bytes()), self.signature_algorithm))
    }

    fn check(&self) -> Result<(), CrlError> {
        let (this_update, next_update) = (self.this_update, self.next_update);
        if next_update <= this_update {
            return Err(CrlError::Updates { this_update, next_update });
        }
        match self.base {
            Some(base) if base >= self.number => Err(CrlError::Base { number: self.number, base }),
            Some(_) if !self.freshest_urls.is_empty() => Err(CrlError::FreshestInDelta),
            _ => Ok(()),
        }
    }

    fn extensions(&self, entries: usize) -> Extensions {
        use Criticality::{Critical, NonCritical};
        let mut list = Extensions::none();
        let issuer = AuthorityKeyIdentifier::of_key(self.issuer.key_identifier);
        list.push(issuer.extension(NonCritical));
        let mut encoded = |oid, criticality, write: &dyn Fn(&mut Writer)| {
            let mut value = Writer::new();
            write(&mut value);
            list.push(crate::Extension { oid, criticality, value: value.finish() });
        };
        encoded(oid::CRL_NUMBER, NonCritical, &|w| w.small_integer(self.number.0));
        if let Some(base) = self.base {
            encoded(oid::DELTA_CRL_INDICATOR, Critical, &|w| w.small_integer(base.0));
        }
        if let Some(since) = self.expired_since {
            encoded(oid::EXPIRED_CERTS_ON_CRL, NonCritical, &|w| w.generalized_time(since));
        }
        if let Some(point) = &self.distribution_point {
            list.push(point.extension(Critical));
        }
        if !self.freshest_urls.is_empty() && entries >= self.freshest_from {
            list.push(FreshestCrl::of_urls(&self.freshest_urls).extension(NonCritical));
        }
        list
    }
}

/// The SEQUENCE of the to-be-signed fields. A list without entries is left out (RFC 5280, 5.1.2.6).
fn joined(head: &[u8], list: &[u8], tail: &[u8]) -> Vec<u8> {
    let mut list_header = Writer::new();
    if !list.is_empty() {
        list_header.header(Tag::SEQUENCE, list.len());
    }
    let length = head.len() + list_header.as_bytes().len() + list.len() + tail.len();
    let mut tbs = Writer::with_capacity(length + 8);
    tbs.header(Tag::SEQUENCE, length);
    tbs.raw(head);
    tbs.raw(list_header.as_bytes());
    tbs.raw(list);
    tbs.raw(tail);
    tbs.finish()
}

/// `reasonCode`, up to the reason.
const REASON: [u8; 11] = [0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01];
/// `invalidityDate`, up to the digits.
const INVALIDITY: [u8; 11] = [0x30, 0x18, 0x06, 0x03, 0x55, 0x1d, 0x18, 0x04, 0x11, 0x18, 0x0f];
/// Octets of a GeneralizedTime's contents.
const DIGITS: usize = 15;

/// Appends an entry. No length in it reaches 128: a serial number has at most 65 octets, and with both
/// extensions the entry has 124.
fn append(list: &mut Vec<u8>, entry: &Entry) {
    let serial = entry.serial.integer_contents();
    let date = entry.revoked_at.generalized_octets();
    let (date_tag, date) = match date.split_first_chunk::<2>() {
        Some((_, short)) if entry.revoked_at.is_utc_time() => (Tag::UTC_TIME, short),
        _ => (Tag::GENERALIZED_TIME, &date[..]),
    };
    let reason = entry.reason.filter(|reason| *reason != CrlReason::UNSPECIFIED);
    let extensions = reason.map_or(0, |_| REASON.len() + 1)
        + entry.invalid_since.map_or(0, |_| INVALIDITY.len() + DIGITS);
    let wrapped = if extensions == 0 { 0 } else { 2 + extensions };
    let length = 2 + serial.len() + 2 + date.len() + wrapped;

    push_header(list, Tag::SEQUENCE, length);
    push_header(list, Tag::INTEGER, serial.len());
    list.extend_from_slice(serial);
    push_header(list, date_tag, date.len());
    list.extend_from_slice(date);
    if extensions > 0 {
        push_header(list, Tag::SEQUENCE, extensions);
    }
    if let Some(reason) = reason {
        list.extend_from_slice(&REASON);
        list.push(reason.number());
    }
    if let Some(since) = entry.invalid_since {
        list.extend_from_slice(&INVALIDITY);
        list.extend_from_slice(&since.generalized_octets());
    }
}

/// Tag and length of a value of fewer than 128 octets.
fn push_header(list: &mut Vec<u8>, tag: Tag, length: usize) {
    debug_assert!(length < 0x80, "entries are short");
    #[expect(clippy::cast_possible_truncation, reason = "below 128")]
    list.extend_from_slice(&[tag.0, length as u8]);
}
