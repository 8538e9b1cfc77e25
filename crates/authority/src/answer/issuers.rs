//! The CAs that are answered for: current, next and retired ones, found by the hashes that clients name them by.
//!
//! Hashed once when the CAs change, not for every request.

use std::sync::Arc;

use lanyard_pki::SerialNumber;
use lanyard_pki::ocsp::{CertId, IssuerHashes};

use crate::ca::{Ca, Cas};
use crate::responder::Seat;

/// A CA, the hashes that name it, and its responder.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) ca: Arc<Ca>,
    pub(crate) seat: Arc<Seat>,
    hashes: IssuerHashes,
}

/// All CAs that are answered for.
#[derive(Debug)]
pub(crate) struct Issuers {
    /// The snapshot that this was made from.
    of: Arc<Cas>,
    issuers: Vec<Issuer>,
}

impl Issuers {
    /// For these CAs; those that were there `before` keep their responders.
    pub(crate) fn new(cas: Arc<Cas>, before: Option<&Self>) -> Self {
        let seat = |ca: &Arc<Ca>| {
            let kept = before
                .and_then(|before| before.issuers.iter().find(|issuer| issuer.ca.id == ca.id));
            kept.map_or_else(Arc::default, |issuer| issuer.seat.clone())
        };
        let issuer = |ca: &Arc<Ca>| Issuer {
            ca: ca.clone(),
            seat: seat(ca),
            hashes: IssuerHashes::of(
                ca.certificate.subject().as_der(),
                ca.signer.public_key().key_bits(),
            ),
        };
        Self { issuers: cas.iter().map(issuer).collect(), of: cas }
    }

    /// Whether these are the CAs of that snapshot.
    pub(crate) fn are_of(&self, cas: &Arc<Cas>) -> bool {
        Arc::ptr_eq(&self.of, cas)
    }

    /// The CA that `id` names as the issuer. Of several with one name and key (a CA certified anew), the one with the
    /// latest certificate: what it signs is good for all of them.
    pub(crate) fn named_by(&self, id: &CertId<'_>) -> Option<&Issuer> {
        self.issuers.iter().rev().find(|issuer| issuer.hashes.named_by(id))
    }

    /// Whether these two are one issuer to a client, by name and key.
    pub(crate) fn are_one(&self, one: &Issuer, other: lanyard_store::CaId) -> bool {
        one.ca.id == other
            || self
                .issuers
                .iter()
                .find(|issuer| issuer.ca.id == other)
                .is_some_and(|issuer| issuer.hashes == one.hashes)
    }

    /// The CA with this serial number whose own certificate `issuer` signed: the issuer itself, when it is a root.
    pub(crate) fn ca_below(&self, issuer: &Issuer, serial: &SerialNumber) -> Option<&Arc<Ca>> {
        let signed_by = issuer.ca.signer.public_key();
        self.issuers.iter().map(|below| &below.ca).find(|below| {
            below.certificate.serial() == serial
                && below.certificate.verify_signed_by(signed_by).is_ok()
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Issuer> {
        self.issuers.iter()
    }
}
