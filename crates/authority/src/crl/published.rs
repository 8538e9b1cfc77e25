//! CRLs as they are served: octets in memory, beside what HTTP caches may know of them.

use std::sync::OnceLock;

use bytes::Bytes;
use lanyard_pki::{Time, pem};
use lanyard_store::{Crl, CrlKind, CrlNumber, CrlPartition};

use super::address::CrlForm;
use super::schedule::Made;
use crate::answer::Caching;

/// Seconds that an HTTP cache may keep a CRL at most: a change makes a new one long before the old one ends.
const MAX_AGE: u64 = 600;

/// A CRL that can be fetched.
#[derive(Debug)]
pub struct PublishedCrl {
    /// The CRL.
    pub der: Bytes,
    /// The part of the CA's certificates that it covers.
    pub partition: CrlPartition,
    /// All entries, or those that changed.
    pub form: CrlForm,
    /// The number of the full CRL that a delta begins at.
    pub base: Option<CrlNumber>,
    /// What HTTP caches may know of it.
    pub caching: Caching,
    made: Made,
    pem: OnceLock<Bytes>,
}

impl PublishedCrl {
    pub(super) fn new(crl: Crl) -> Self {
        let (form, base) = match crl.kind {
            CrlKind::Full => (CrlForm::Full, None),
            CrlKind::Delta { base } => (CrlForm::Delta, Some(base)),
        };
        let (der, caching) = Caching::of(crl.der, crl.this_update, crl.next_update);
        Self {
            caching,
            partition: crl.partition,
            form,
            base,
            made: Made {
                number: crl.number,
                this_update: crl.this_update,
                next_update: crl.next_update,
                sequence: crl.sequence,
                entries: crl.entries,
            },
            der,
            pem: OnceLock::new(),
        }
    }

    /// Its number (RFC 5280 section 5.2.3).
    pub fn number(&self) -> CrlNumber {
        self.made.number
    }

    /// How many certificates it lists.
    pub fn entries(&self) -> u64 {
        self.made.entries
    }

    /// When it was made.
    pub fn this_update(&self) -> Time {
        self.made.this_update
    }

    /// Until when it may be relied on.
    pub fn next_update(&self) -> Time {
        self.made.next_update
    }

    /// `max-age` for a CRL that leaves at `now`, in seconds: short, as it may be replaced at any time.
    pub fn max_age(&self, now: Time) -> u64 {
        self.caching.max_age(now).min(MAX_AGE)
    }

    /// The same as PEM, written when it is first asked for.
    pub fn pem(&self) -> Bytes {
        self.pem.get_or_init(|| pem::encode("X509 CRL", &self.der).into()).clone()
    }

    pub(super) fn made(&self) -> &Made {
        &self.made
    }
}
