//! The next CA: made or requested, announced while the current one still issues, then activated at a time or at once.
//!
//! A retired CA keeps its key: it answers for what it issued, and opens messages that were meant for it.

use lanyard_lifecycle::id::OrganizationId;
use lanyard_pki::Time;
use lanyard_store::{CaId, CaState, StoredSetting};
use serde::{Deserialize, Serialize};

use super::CaError;
use crate::audit::{Act, Actor};
use crate::error::Doing as _;
use crate::settings::{CertifiedBy, NewCa};
use crate::{Authority, Fault};

/// What was prepared.
#[derive(Debug, Clone)]
pub enum Prepared {
    /// The next CA, complete and announced.
    Next(CaId),
    /// A CA that needs its certificate from another CA.
    Requested(super::Requested),
}

/// An activation that waits for its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Schedule {
    ca: i64,
    at: i64,
}

const SCHEDULE: &str = "ca.activation";

impl Authority {
    /// Prepares the CA that will follow the current one. A self-signed one is announced at once (GetNextCACert); one that
    /// another CA certifies is announced once its certificate is imported.
    pub async fn prepare_next_ca(&self, new: &NewCa, actor: &Actor) -> Result<Prepared, CaError> {
        match new.certified_by {
            CertifiedBy::Another => self.request_ca(new, actor).await.map(Prepared::Requested),
            CertifiedBy::Itself => {
                let id = self.create_ca(new, CaState::Next, actor).await?;
                self.cas_changed().await?;
                Ok(Prepared::Next(id))
            }
        }
    }

    /// Makes a CA the current one, at `at` or now. Until then the present one issues.
    pub async fn activate_ca(
        &self,
        id: CaId,
        at: Option<Time>,
        actor: &Actor,
    ) -> Result<(), CaError> {
        let now = self.now();
        self.check_activation(id, at.unwrap_or(now)).await?;
        match at {
            None => self.make_current(id, actor).await,
            Some(at) if at <= now => Err(CaError::InThePast(at)),
            Some(at) => {
                let schedule = Schedule { ca: id.0, at: at.unix() };
                let act = Act::ScheduleCa.by(actor, now).target(&id);
                let audit = act.detail(&serde_json::json!({ "at": at.to_string() })).done();
                self.schedule(Some(schedule), actor, Some(audit)).await?;
                self.wake();
                Ok(())
            }
        }
    }

    /// The activation that waits for its time, if one does.
    pub async fn scheduled_activation(&self) -> Result<Option<(CaId, Time)>, Fault> {
        let stored = self.store().setting(OrganizationId::DEFAULT, SCHEDULE).await;
        let Some(stored) = stored.doing("read the CA's activation")? else { return Ok(None) };
        let schedule: Option<Schedule> = serde_json::from_str(&stored.value)
            .map_err(|error| Fault::lasting("read the CA's activation", error))?;
        Ok(schedule.map(|schedule| (CaId(schedule.ca), Time::from_unix(schedule.at))))
    }

    /// Carries out an activation whose time has come; returns when one is due.
    pub(crate) async fn activate_when_due(&self) -> Result<Option<Time>, Fault> {
        let Some((ca, at)) = self.scheduled_activation().await? else { return Ok(None) };
        if self.now() < at {
            return Ok(Some(at));
        }
        match self.make_current(ca, &Actor::System).await {
            Ok(()) => Ok(None),
            Err(CaError::Fault(fault)) => Err(fault),
            Err(refused) => Err(Fault::lasting("activate the next CA", refused)),
        }
    }

    /// Makes a complete CA the current one now.
    pub(super) async fn make_current(&self, id: CaId, actor: &Actor) -> Result<(), CaError> {
        let now = self.now();
        let audit = Act::ActivateCa.by(actor, now).target(&id).done();
        let activated = self.store().activate_ca(id, now, Some(audit)).await;
        if !activated.doing("activate a CA")? {
            return Err(CaError::NotCertified(id));
        }
        if self.scheduled_activation().await?.is_some() {
            self.schedule(None, actor, None).await?;
        }
        self.cas_changed().await?;
        Ok(())
    }

    async fn check_activation(&self, id: CaId, at: Time) -> Result<(), CaError> {
        let records = self.store().cas().await.doing("list the CAs")?;
        let ca = records.iter().find(|ca| ca.id == id).ok_or(CaError::Unknown(id))?;
        match ca.record.state {
            CaState::Requested => return Err(CaError::NotCertified(id)),
            CaState::Current => return Err(CaError::AlreadyCurrent(id)),
            CaState::Retired => return Err(CaError::Retired(id)),
            CaState::Next => {}
        }
        match &ca.record.material {
            None => Err(CaError::NotCertified(id)),
            Some(material) if at < material.not_before || material.not_after < at => {
                let (from, to) = (material.not_before, material.not_after);
                Err(CaError::NotValidThen { ca: id, at, from, to })
            }
            Some(_) => Ok(()),
        }
    }

    async fn schedule(
        &self,
        schedule: Option<Schedule>,
        actor: &Actor,
        audit: Option<lanyard_store::AuditEntry>,
    ) -> Result<(), Fault> {
        let value = serde_json::to_string(&schedule)
            .map_err(|error| Fault::lasting("write the CA's activation", error))?;
        let setting =
            StoredSetting { value, updated_at: self.now(), updated_by: actor.to_string() };
        let set = self.store().set_setting(OrganizationId::DEFAULT, SCHEDULE, setting, audit).await;
        set.doing("record the CA's activation")
    }
}
