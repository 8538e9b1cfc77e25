//! Why a certificate stands as it does: the verdict, everything that every source says, and what OCSP tells of it.

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::fact::Fact;
use lanyard_lifecycle::verdict::{Verdict, record};
use lanyard_pki::ocsp::{self, IssuerHashes, ResponseStatus};
use lanyard_pki::{Digest, SerialNumber, Time};
use lanyard_store::{CaId, HeldBack, Within};

use super::sights::Purpose;
use crate::revoke::reaches;
use crate::{Authority, Error};

/// Why a certificate stands as it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// Which certificate.
    pub serial: SerialNumber,
    /// What it comes to, by which rule and since when.
    pub verdict: Verdict,
    /// Everything that is known, good things included: what decided comes first.
    pub facts: Vec<Fact>,
    /// What rules would do if the brake did not hold it back.
    pub held_back: Option<HeldBack>,
    /// What a client is told that asks now.
    pub ocsp: OcspNow,
}

/// What a client is told that asks now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OcspNow {
    /// Whether there is an answer, or why not.
    pub status: ResponseStatus,
    /// Until when he may rely on it.
    pub next_update: Option<Time>,
}

impl Authority {
    /// Why a certificate stands as it does. Refused when it was not issued here or lies outside of the caller's scope.
    pub async fn why(&self, serial: &SerialNumber, within: Within) -> Result<Why, Error> {
        let unknown = || Error::from(Refusal::UnknownCertificate);
        let known = self.record_of(serial).await?.ok_or_else(unknown)?;
        if !reaches(within, known.scope) {
            return Err(unknown());
        }
        // Asked first: what it teaches is in the rest.
        let ocsp = Box::pin(self.ocsp_now(serial, known.ca)).await;
        let judged = Box::pin(self.judge(serial, None)).await?.judged.ok_or_else(unknown)?;
        let mut facts = judged.verdict.facts.clone();
        let recorded =
            record(Some(judged.record.by_hand), judged.record.by_rule.as_ref(), self.now());
        let held = judged.record.held_back.as_ref();
        let held = held.map(|held| held.ruled.facts.clone());
        let live = if judged.live.is_empty() {
            // Revoked for good: nobody was asked, and a person may want to know all the same.
            let weighed = Box::pin(self.weigh(&judged.record, Purpose::Explain)).await?;
            weighed.map(|weighed| weighed.live).unwrap_or_default()
        } else {
            judged.live
        };
        let others = recorded.into_iter().chain(live).flat_map(|opinion| opinion.facts);
        for fact in others.chain(held.unwrap_or_default()) {
            if !facts.contains(&fact) {
                facts.push(fact);
            }
        }
        let (verdict, held_back) = (judged.verdict, judged.record.held_back);
        Ok(Why { serial: serial.clone(), verdict, facts, held_back, ocsp })
    }

    async fn ocsp_now(&self, serial: &SerialNumber, ca: CaId) -> OcspNow {
        let cas = self.cas();
        let status = ResponseStatus::Unauthorized;
        let Some(ca) = cas.by_id(ca) else { return OcspNow { status, next_update: None } };
        let name = ca.certificate.subject().as_der();
        let hashes = IssuerHashes::of(name, ca.signer.public_key().key_bits());
        let Some(id) = hashes.cert_id(Digest::Sha1, serial) else {
            return OcspNow { status, next_update: None };
        };
        let answer = self.answer(&ocsp::request(&[&id], None)).await;
        let next_update = answer.caching().map(|caching| caching.next_update);
        OcspNow { status: answer.status(), next_update }
    }
}
