//! Making one CRL: numbered, streamed from the store, signed, verified, recorded, and only then published.
//!
//! Entries are encoded on a thread of their own while they are read, so that nothing else waits for a long list. When a
//! CRL is made is decided in [`super::schedule`].

use std::sync::Arc;

use lanyard_lifecycle::revocation::{RevocationReason, Standing};
use lanyard_pki::crl::{self, CrlBuilder, CrlError, Entry};
use lanyard_pki::extension::{IssuingDistributionPoint, Scope};
use lanyard_pki::{CrlReason, GeneralName, SerialNumber, Time, Unsigned};
use lanyard_store::{
    CrlKind, CrlNumber, CrlPartition, NewCrl, RevokedEntries, StatusSequence, StoreError,
};
use tokio::runtime::Handle;

use super::address::{self, CrlForm};
use super::published::PublishedCrl;
use super::schedule::{self, Made};
use crate::ca::Ca;
use crate::error::Doing as _;
use crate::{Authority, Fault};

/// CRLs of a kind that the store keeps: the present one and the one before.
const KEEP: u32 = 2;

/// Changes that are read from the store at once.
const PAGE: u32 = 4096;

const SIGN: &str = "sign a CRL";
const BUILD: &str = "build a CRL";

/// Whether a CRL says where its delta is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freshest {
    /// If it has so many entries.
    From(u32),
    Omitted,
}

/// What is known of a CRL before its entries are.
struct Heading {
    ca: Arc<Ca>,
    partition: CrlPartition,
    kind: CrlKind,
    number: CrlNumber,
    this_update: Time,
    next_update: Time,
    freshest: Freshest,
}

/// A CRL without its signature.
struct Draft {
    unsigned: Unsigned<crl::Crl>,
    entries: u64,
    sequence: StatusSequence,
}

impl Authority {
    /// Makes the full CRL of a place, beside or after the one `before`.
    pub(super) async fn make_full_crl(
        &self,
        ca: &Arc<Ca>,
        partition: CrlPartition,
        before: Option<&Made>,
    ) -> Result<PublishedCrl, Fault> {
        let settings = &self.settings().status.crl;
        let number = self.store().reserve_crl_number(ca.id, partition).await;
        let this_update = self.now();
        let heading = Heading {
            ca: ca.clone(),
            partition,
            kind: CrlKind::Full,
            number: number.doing("number a CRL")?,
            this_update,
            next_update: schedule::next_update(
                this_update,
                settings.validity,
                ca.certificate.not_after(),
            ),
            // A delta leads here from the one before at the least.
            freshest: match (settings.delta_from, before) {
                (Some(from), Some(_)) => Freshest::From(from.get()),
                _ => Freshest::Omitted,
            },
        };
        let ends_from = schedule::lists_from(this_update, before, settings);
        let entries = self.store().revoked(ca.id, partition, ends_from).await;
        let entries = entries.doing("read what a CRL lists")?;
        let runtime = Handle::current();
        let drafted = tokio::task::spawn_blocking(move || {
            let sequence = entries.sequence();
            let mut listed = Listed::new(entries, runtime, this_update);
            let unsigned = heading.build(&mut listed);
            (heading, unsigned, listed, sequence)
        });
        let (heading, unsigned, listed, sequence) = drafted.await.map_err(|e| fault(BUILD, e))?;
        let entries = listed.end().doing("read what a CRL lists")?;
        let unsigned = unsigned.map_err(|error| fault(BUILD, error))?;
        self.publishable(heading, Draft { unsigned, entries, sequence }).await
    }

    /// Makes the delta CRL that leads from `base` to `full`, an older one, under the same number and saying the same (RFC 5280
    /// section 5.2.4); none when the store has moved on meanwhile, so that the two would differ: the next pass makes both.
    pub(super) async fn make_delta_crl(
        &self,
        ca: &Arc<Ca>,
        partition: CrlPartition,
        base: &Made,
        full: &Made,
    ) -> Result<Option<PublishedCrl>, Fault> {
        let Some(entries) = self.changes(ca, partition, base, full).await? else {
            return Ok(None);
        };
        let validity = 2 * self.settings().status.crl.interval;
        let heading = Heading {
            ca: ca.clone(),
            partition,
            kind: CrlKind::Delta { base: base.number },
            number: full.number,
            this_update: full.this_update,
            next_update: schedule::next_update(full.this_update, validity, full.next_update),
            freshest: Freshest::Omitted,
        };
        let count = entries.len() as u64;
        let drafted = tokio::task::spawn_blocking(move || {
            let unsigned = heading.build(entries);
            (heading, unsigned)
        });
        let (heading, unsigned) = drafted.await.map_err(|error| fault(BUILD, error))?;
        let unsigned = unsigned.map_err(|error| fault(BUILD, error))?;
        let draft = Draft { unsigned, entries: count, sequence: full.sequence };
        self.publishable(heading, draft).await.map(Some)
    }

    /// The entries of the certificates whose standing changed between two full CRLs; none if any changed later.
    async fn changes(
        &self,
        ca: &Ca,
        partition: CrlPartition,
        base: &Made,
        full: &Made,
    ) -> Result<Option<Vec<Entry>>, Fault> {
        let mut entries = Vec::new();
        let mut after = base.sequence;
        loop {
            let page = self.store().status_changes(after, PAGE).await;
            let page = page.doing("read what a delta CRL lists")?;
            for change in &page {
                if change.sequence > full.sequence {
                    return Ok(None);
                }
                after = change.sequence;
                let complete = partition == CrlPartition::COMPLETE;
                if change.ca == ca.id && (complete || change.crl_partition == partition) {
                    let (serial, since) = (change.serial.clone(), change.invalidity_date);
                    entries.push(listed(serial, change.standing, since, full.this_update));
                }
            }
            if page.len() < PAGE as usize {
                return Ok(Some(entries));
            }
        }
    }

    /// Signs, verifies and records a CRL. What it returns may be published.
    async fn publishable(&self, heading: Heading, draft: Draft) -> Result<PublishedCrl, Fault> {
        let Draft { unsigned, entries, sequence } = draft;
        let ca = &heading.ca;
        let algorithm = unsigned.algorithm();
        let signature = ca.signer.sign(algorithm, unsigned.tbs()).await.doing(SIGN)?;
        let key = ca.signer.public_key().clone();
        let assembled = tokio::task::spawn_blocking(move || {
            // A faulty computation must not leave: one wrong RSA signature can reveal the key.
            key.verify(algorithm, unsigned.tbs(), &signature)?;
            Ok::<_, lanyard_pki::key::BadSignature>(unsigned.assemble(&signature))
        });
        let der = assembled.await.map_err(|error| fault(SIGN, error))?;
        let crl = NewCrl {
            ca: ca.id,
            scope: ca.scope,
            partition: heading.partition,
            kind: heading.kind,
            number: heading.number,
            this_update: heading.this_update,
            next_update: heading.next_update,
            sequence,
            entries,
            der: der.map_err(|error| fault(SIGN, error))?,
        };
        self.store().record_crl(crl.clone(), KEEP, None).await.doing("record a CRL")?;
        tracing::info!(
            ca = %ca.name, crl.number = crl.number.0, crl.partition = crl.partition.0,
            crl.entries = entries, crl.octets = crl.der.len(), crl.next_update = %crl.next_update,
            "Made a CRL"
        );
        Ok(PublishedCrl::new(crl))
    }
}

impl Heading {
    fn build(
        &self,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<Unsigned<crl::Crl>, CrlError> {
        let published = &self.ca.publication.crl;
        let distribution_point = (self.partition != CrlPartition::COMPLETE).then(|| {
            let names = address::urls(published, self.partition, CrlForm::Full);
            IssuingDistributionPoint {
                full_name: names.into_iter().map(GeneralName::Uri).collect(),
                scope: Scope::All,
                some_reasons: false,
                indirect: false,
            }
        });
        let (freshest_urls, freshest_from) = match self.freshest {
            Freshest::From(entries) => {
                let urls = address::urls(published, self.partition, CrlForm::Delta);
                (urls, usize::try_from(entries).unwrap_or(usize::MAX))
            }
            Freshest::Omitted => (Vec::new(), 0),
        };
        let base = match self.kind {
            CrlKind::Full => None,
            CrlKind::Delta { base } => Some(number(base)),
        };
        let builder = CrlBuilder {
            issuer: self.ca.issuer(),
            number: number(self.number),
            this_update: self.this_update,
            next_update: self.next_update,
            base,
            distribution_point,
            freshest_urls,
            freshest_from,
            expired_since: None,
            signature_algorithm: self.ca.signature_algorithm,
        };
        builder.build(entries)
    }
}

/// The store counts from 1 in numbers with a sign.
fn number(number: CrlNumber) -> crl::CrlNumber {
    crl::CrlNumber(number.0.unsigned_abs())
}

fn fault(doing: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    Fault::lasting(doing, error)
}

/// What the store has of a CRL's entries, read a chunk at a time by the thread that encodes them.
struct Listed {
    entries: RevokedEntries,
    runtime: Handle,
    chunk: std::vec::IntoIter<lanyard_store::RevokedEntry>,
    now: Time,
    count: u64,
    failed: Option<StoreError>,
}

impl Listed {
    fn new(entries: RevokedEntries, runtime: Handle, now: Time) -> Self {
        Self { entries, runtime, chunk: Vec::new().into_iter(), now, count: 0, failed: None }
    }

    /// How many there were, if all could be read.
    fn end(self) -> Result<u64, StoreError> {
        self.failed.map_or(Ok(self.count), Err)
    }
}

impl Iterator for &mut Listed {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            if let Some(entry) = self.chunk.next() {
                self.count += 1;
                return Some(listed(entry.serial, entry.standing, entry.invalidity_date, self.now));
            }
            match self.runtime.block_on(self.entries.next_chunk()) {
                Ok(Some(chunk)) => self.chunk = chunk.into_iter(),
                Ok(None) => return None,
                Err(error) => {
                    self.failed = Some(error);
                    return None;
                }
            }
        }
    }
}

/// An entry as it stands; what is good again is to be removed, `now`.
fn listed(
    serial: SerialNumber,
    standing: Standing,
    invalid_since: Option<Time>,
    now: Time,
) -> Entry {
    let (revoked_at, reason) = match standing {
        Standing::OnHold { since } => (since, Some(CrlReason::CERTIFICATE_HOLD)),
        Standing::Revoked { since, reason } => (since, stated(reason)),
        Standing::NotRevoked => (now, Some(CrlReason::REMOVE_FROM_CRL)),
    };
    Entry { serial, revoked_at, reason, invalid_since }
}

fn stated(reason: RevocationReason) -> Option<CrlReason> {
    CrlReason::from_number(reason.code())
}
