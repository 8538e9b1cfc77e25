//! The installation's CRL, as a responder without the store reads it: complete, signed by its CA, and never older than the
//! one before.

use std::collections::HashMap;
use std::sync::Arc;

use lanyard_lifecycle::revocation::{RevocationReason, Standing};
use lanyard_pki::crl::{Crl, CrlNumber, Entry};
use lanyard_pki::{CrlReason, SerialNumber, Time};
use lanyard_store::CaId;

use super::{DetachedResponder, Knowledge};

/// What a CRL says.
#[derive(Debug)]
pub struct Listed {
    /// The CA.
    pub(super) ca: CaId,
    /// The CA's key identifier.
    pub ca_key_identifier: [u8; 20],
    /// Its number.
    pub number: CrlNumber,
    /// When it was made.
    pub this_update: Time,
    /// Until when it may be relied on.
    pub next_update: Time,
    standings: HashMap<SerialNumber, Standing>,
}

/// Why a CRL is not taken up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrlRefused {
    /// It cannot be read.
    #[error("the CRL cannot be read: {0}")]
    Unreadable(String),
    /// None of the CAs that are answered for has signed it.
    #[error("the CRL is of no CA that is answered for here")]
    Foreign,
    /// It lists a part of what is revoked.
    #[error("the CRL is not a complete one: a delta, or of one partition")]
    Partial,
    /// It is over, or not yet to be relied on.
    #[error("the CRL is not current: it was made {this_update}, and ends {next_update}")]
    NotCurrent {
        /// When it was made.
        this_update: Time,
        /// Until when it may be relied on.
        next_update: Time,
    },
    /// There is a newer one here.
    #[error("the CRL has number {0}, and a later one is here")]
    Older(CrlNumber),
}

impl Listed {
    /// How many certificates it lists.
    pub fn entries(&self) -> usize {
        self.standings.len()
    }

    /// How a certificate stands by it.
    pub(super) fn standing(&self, serial: &SerialNumber) -> Standing {
        self.standings.get(serial).copied().unwrap_or(Standing::NotRevoked)
    }

    /// Whether it may be relied on.
    pub fn is_current_at(&self, now: Time) -> bool {
        self.this_update <= now && now < self.next_update
    }
}

impl Knowledge {
    /// The CRL of a CA that may be relied on.
    pub(super) fn current(&self, ca: CaId, now: Time) -> Option<Arc<Listed>> {
        let crls = self.crls.load();
        crls.iter().find(|listed| listed.ca == ca && listed.is_current_at(now)).cloned()
    }
}

impl DetachedResponder {
    /// Takes up a CRL, DER. What was remembered is forgotten.
    pub fn take_crl(&self, der: &[u8]) -> Result<Arc<Listed>, CrlRefused> {
        let authority = &self.authority;
        let Some(knowledge) = &authority.inner.detached else { return Err(CrlRefused::Foreign) };
        let unreadable = |error: lanyard_pki::DerError| CrlRefused::Unreadable(error.to_string());
        let crl = Crl::from_der(der).map_err(unreadable)?;
        let cas = authority.cas();
        let signed = cas.iter().find(|ca| {
            ca.certificate.subject().matches(crl.issuer())
                && crl.verify_signed_by(ca.signer.public_key()).is_ok()
        });
        let signed = signed.ok_or(CrlRefused::Foreign)?;
        let (ca, ca_key_identifier) = (signed.id, signed.key_identifier);
        let is_partial = crl.base().map_err(unreadable)?.is_some()
            || crl.distribution_point().map_err(unreadable)?.is_some();
        if is_partial {
            return Err(CrlRefused::Partial);
        }
        let this_update = crl.this_update();
        let next_update = crl.next_update().unwrap_or(this_update);
        if !crl.is_current_at(authority.now()) {
            return Err(CrlRefused::NotCurrent { this_update, next_update });
        }
        let number = crl.number().map_err(unreadable)?.unwrap_or(CrlNumber(0));
        let before = knowledge.crls.load_full();
        if before.iter().any(|known| known.ca == ca && known.number > number) {
            return Err(CrlRefused::Older(number));
        }
        let mut standings = HashMap::new();
        for entry in crl.entries() {
            let entry = entry.map_err(unreadable)?;
            standings.insert(entry.serial.clone(), standing(&entry));
        }
        let listed =
            Arc::new(Listed { ca, ca_key_identifier, number, this_update, next_update, standings });
        let others = before.iter().filter(|known| known.ca != ca).cloned();
        knowledge.crls.store(Arc::new(others.chain([Arc::clone(&listed)]).collect()));
        authority.memory().generations.advance_all();
        Ok(listed)
    }
}

fn standing(entry: &Entry) -> Standing {
    let since = entry.revoked_at;
    match entry.reason {
        Some(CrlReason::CERTIFICATE_HOLD) => Standing::OnHold { since },
        Some(CrlReason::REMOVE_FROM_CRL) => Standing::NotRevoked,
        reason => {
            let reason = reason.and_then(|reason| RevocationReason::from_code(reason.number()));
            let reason = reason.unwrap_or(RevocationReason::Unspecified);
            Standing::Revoked { since, reason }
        }
    }
}
