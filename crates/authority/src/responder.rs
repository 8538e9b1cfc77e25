//! Who signs OCSP answers for a CA: a responder that the CA delegates to, or the CA itself.
//!
//! A delegated responder's key is made in memory, is never written anywhere, and ends with the process. Its certificate
//! says that nobody need ask about it (id-pkix-ocsp-nocheck), so it is short-lived, and renewed half way. What the
//! answers say is not known here.

mod certify;
mod term;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use lanyard_pki::ocsp::ResponderFrame;
use lanyard_pki::{KeyAlgorithm, Time};
use lanyard_signer::{Signer, SoftwareKey};
use tokio::sync::Mutex;

use crate::answer::Issuer;
use crate::ca::Ca;
use crate::status::settings::{ResponderKey, ResponderSigner};
use crate::{Authority, Fault};
pub(crate) use term::Term;

/// A key that signs answers for one CA, and everything that is the same in all of them.
pub(crate) struct Responder {
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) frame: ResponderFrame,
    /// No answer is good past it.
    pub(crate) not_after: Time,
    term: Term,
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("term", &self.term).finish_non_exhaustive()
    }
}

impl Responder {
    /// With a key and a certificate that were made elsewhere.
    pub(crate) fn of(
        signer: Arc<dyn Signer>,
        frame: ResponderFrame,
        (not_before, not_after): (Time, Time),
    ) -> Self {
        let term = Term { not_before, not_after, renew_at: not_after };
        Self { signer, frame, not_after, term }
    }
}

/// What key a CA's responder has.
pub(crate) fn key_for(ca: &Ca, signer: ResponderSigner) -> KeyAlgorithm {
    match (signer, ca.signer.public_key().algorithm()) {
        (ResponderSigner::Delegated(ResponderKey::Is(algorithm)), _) => algorithm,
        (_, KeyAlgorithm::Rsa { .. }) => KeyAlgorithm::Rsa { bits: 2048 },
        (_, _) => KeyAlgorithm::P256,
    }
}

/// A CA's place for a responder.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    present: ArcSwapOption<Responder>,
    making: Mutex<()>,
}

impl Seat {
    /// Gives the place to a responder.
    pub(crate) fn take(&self, responder: Responder) {
        self.present.store(Some(Arc::new(responder)));
    }

    /// From when to when whoever has the place may sign.
    pub(crate) fn validity(&self) -> Option<(Time, Time)> {
        let present = self.present.load_full()?;
        Some((present.term.not_before, present.not_after))
    }
}

/// Why nobody signs.
#[derive(Debug)]
pub(crate) enum NoResponder {
    /// The CA's own certificate is not valid now, so that nothing it delegates is.
    CaNotValid,
    /// The responder could not be made.
    Fault(Fault),
}

impl From<Fault> for NoResponder {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Authority {
    /// The CA's responder: the present one, else a new one, made once for everyone who waits.
    pub(crate) async fn responder(&self, issuer: &Issuer) -> Result<Arc<Responder>, NoResponder> {
        let holds = |responder: &Arc<Responder>| responder.term.holds(self.now());
        if let Some(present) = issuer.seat.present.load_full().filter(holds) {
            return Ok(present);
        }
        let _making = issuer.seat.making.lock().await;
        if let Some(present) = issuer.seat.present.load_full().filter(holds) {
            return Ok(present);
        }
        self.seat_another(issuer).await
    }

    /// Gives every CA that is valid now a responder, and another to those whose present one is past its half, so that no
    /// client has to wait for a key. Returns when it is due next.
    ///
    /// If one cannot be made the others are, and the present one serves on.
    pub(crate) async fn renew_responders(&self) -> Result<Option<Time>, Fault> {
        let mut next: Option<Time> = None;
        let mut failed = None;
        for issuer in self.issuers().iter() {
            match self.seat_in_time(issuer).await {
                Ok(present) => {
                    let due = present.term.renew_at;
                    next = Some(next.map_or(due, |next| next.min(due)));
                }
                Err(NoResponder::CaNotValid) => {}
                Err(NoResponder::Fault(fault)) => failed = Some(fault),
            }
        }
        failed.map_or(Ok(next), Err)
    }

    async fn seat_in_time(&self, issuer: &Issuer) -> Result<Arc<Responder>, NoResponder> {
        let _making = issuer.seat.making.lock().await;
        let now = self.now();
        let fresh =
            |responder: &Arc<Responder>| responder.term.holds(now) && !responder.term.is_due(now);
        match issuer.seat.present.load_full().filter(fresh) {
            Some(present) => Ok(present),
            None => self.seat_another(issuer).await,
        }
    }

    async fn seat_another(&self, issuer: &Issuer) -> Result<Arc<Responder>, NoResponder> {
        let responder = Arc::new(self.make_responder(&issuer.ca).await?);
        issuer.seat.present.store(Some(responder.clone()));
        Ok(responder)
    }

    async fn make_responder(&self, ca: &Arc<Ca>) -> Result<Responder, NoResponder> {
        if self.inner.detached.is_some() {
            let error = "the certificate it was given has ended: give it another";
            return Err(Fault::lasting("sign an OCSP answer", error).into());
        }
        let settings = &self.settings().status.responder;
        let ca_validity = (ca.certificate.not_before(), ca.certificate.not_after());
        let skew = self.settings().clock_skew();
        let term = Term::beginning(self.now(), settings.validity, skew, ca_validity);
        let term = term.ok_or(NoResponder::CaNotValid)?;
        match settings.signer {
            ResponderSigner::Ca => Ok(Responder {
                signer: ca.signer.clone(),
                frame: ResponderFrame::new(&ca.key_identifier, ca.signature_algorithm, &[]),
                not_after: ca_validity.1,
                term,
            }),
            signer @ ResponderSigner::Delegated(_) => {
                self.delegate(ca, key_for(ca, signer), term).await
            }
        }
    }

    async fn delegate(
        &self,
        ca: &Arc<Ca>,
        algorithm: KeyAlgorithm,
        term: Term,
    ) -> Result<Responder, NoResponder> {
        let made = tokio::task::spawn_blocking(move || SoftwareKey::generate(algorithm)).await;
        let key = match made {
            Ok(Ok(key)) => key.on(self.memory().responder_pool.clone()),
            Ok(Err(error)) => return Err(fault(error)),
            Err(error) => return Err(fault(error)),
        };
        let certificate = self.certify_responder(ca, key.public_key(), term).await?;
        let key_hash = key.public_key().key_identifier();
        let algorithm = key.preferred_algorithm().ok_or_else(|| {
            Fault::lasting("make an OCSP responder's key", "its key can sign nothing")
        })?;
        Ok(Responder {
            frame: ResponderFrame::new(&key_hash, algorithm, &[&certificate]),
            signer: Arc::new(key),
            not_after: term.not_after,
            term,
        })
    }
}

fn fault(error: impl std::error::Error + Send + Sync + 'static) -> NoResponder {
    NoResponder::Fault(Fault::lasting("make an OCSP responder's key", error))
}
