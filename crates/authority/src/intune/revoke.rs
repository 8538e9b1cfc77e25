//! Revoking what Intune wants revoked: by rule, for good, with what Intune has said.

use lanyard_lifecycle::fact::{Fact, FactSource};
use lanyard_lifecycle::id::DirectoryId;
use lanyard_pki::Time;

use crate::tether::{ByIntune, IntuneRevocation};
use crate::{Authority, Fault};

/// What Intune says of a certificate.
pub(super) fn fact(
    directory: DirectoryId,
    name: &'static str,
    value: String,
    learnt: Time,
) -> Fact {
    Fact {
        source: FactSource::Directory { name: "Intune".into(), directory },
        object: None,
        name: name.into(),
        value: value.into(),
        learnt,
    }
}

/// What became of certificates that Intune wants revoked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// Revoked now, or before.
    pub(super) revoked: usize,
    /// Held back until a person has decided.
    pub(super) held_back: usize,
}

impl Authority {
    /// Revokes certificates by rule.
    pub(super) async fn carry_out_for_intune(
        &self,
        wanted: Vec<IntuneRevocation>,
    ) -> Result<Done, Fault> {
        if wanted.is_empty() {
            return Ok(Done::default());
        }
        let outcomes = self.revoke_for_intune(wanted).await?;
        let count = |which: fn(&ByIntune) -> bool| outcomes.iter().filter(|one| which(one)).count();
        Ok(Done {
            revoked: count(|one| matches!(one, ByIntune::Revoked(_))),
            held_back: count(|one| matches!(one, ByIntune::HeldBack)),
        })
    }
}
