//! Finishing what was prepared and not completed: at start what a crash left, later what a failing signer left.

use lanyard_lifecycle::id::EndpointId;
use lanyard_pki::Time;
use lanyard_store::Unfinished;

use crate::audit::{Act, Actor};
use crate::certify::{About, Issued, Prepared};
use crate::error::Doing as _;
use crate::{Authority, Fault};

/// How many are looked at at a time.
const BATCH: u32 = 256;

/// The endpoint that the authority's own certificates are recorded with.
pub(crate) const INTERNAL: EndpointId = EndpointId::from_bytes([0; 16]);

impl Authority {
    /// Signs and completes every certificate that was prepared at `latest` or before; returns how many could not be. One
    /// that fails is logged and stays for the next time, so that a lost key does not keep others from their certificates.
    pub(crate) async fn finish_prepared_before(&self, latest: Time) -> Result<u64, Fault> {
        loop {
            let unfinished = self.store().unfinished(BATCH).await;
            let unfinished = unfinished.doing("list unfinished certificates")?;
            let all = unfinished.len() < BATCH as usize;
            let (mut finished, mut failed) = (0_u64, 0_u64);
            for one in unfinished.into_iter().filter(|one| one.prepared_at <= latest) {
                let serial = one.serial.clone();
                match self.finish_or_abandon(one).await {
                    Ok(()) => finished += 1,
                    Err(fault) => {
                        failed += 1;
                        tracing::error!(
                            fault = %fault.id(), cause = %fault.report(), cert.serial = %serial,
                            "A prepared certificate could not be finished"
                        );
                    }
                }
            }
            // Without progress the same ones would come again.
            if all || finished == 0 {
                return Ok(failed);
            }
        }
    }

    /// Finishes one, or gives it up: a retired CA whose key was destroyed signs nothing any more.
    async fn finish_or_abandon(&self, one: Unfinished) -> Result<(), Fault> {
        if self.cas().by_id(one.ca).is_some() {
            return self.finish_unfinished(one).await.map(|_| ());
        }
        let now = self.now();
        let reason = "the key of its CA is gone";
        let audit = Act::AbandonCertificate.by(&Actor::System, now).scope(one.scope);
        let audit = audit.target(&one.serial).detail(&serde_json::json!({ "reason": reason }));
        let abandoned = self
            .store()
            .abandon_certificate(one.serial.clone(), reason.to_owned(), now, Some(audit.done()))
            .await;
        abandoned.doing("give a certificate up")?;
        tracing::warn!(cert.serial = %one.serial, "Gave a prepared certificate up: {reason}");
        Ok(())
    }

    /// Signs and completes one.
    pub(crate) async fn finish_unfinished(&self, one: Unfinished) -> Result<Issued, Fault> {
        let cas = self.cas();
        let ca = cas.by_id(one.ca).ok_or_else(|| {
            Fault::lasting("finish a certificate", format!("CA {} is not loaded", one.ca))
        })?;
        let record = self.store().certificate(one.serial.clone()).await;
        let profile = record.doing("read a prepared certificate")?;
        let about = About {
            scope: one.scope,
            actor: Actor::System,
            at: self.endpoint_name(one.endpoint),
            profile: profile.map(|record| record.summary.profile).unwrap_or_default(),
        };
        let prepared = Prepared { ca: ca.clone(), serial: one.serial, tbs: one.tbs, about };
        self.finish(prepared).await
    }

    fn endpoint_name(&self, id: EndpointId) -> String {
        match self.settings().endpoint(id) {
            Some(endpoint) => endpoint.name.clone(),
            None if id == INTERNAL => "internal".to_owned(),
            None => id.to_string(),
        }
    }
}
