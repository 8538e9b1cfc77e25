//! What people are told about the CAs, those without a certificate included.

use lanyard_lifecycle::id::Scope;
use lanyard_pki::Time;
use lanyard_store::{CaId, CaState};

use crate::error::Doing as _;
use crate::{Authority, Fault};

/// A CA, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its number.
    pub id: CaId,
    /// Who owns it.
    pub scope: Scope,
    /// What people call it.
    pub name: String,
    /// Where it is in its life.
    pub state: CaState,
    /// SHA-1 of its public key.
    pub key_identifier: [u8; 20],
    /// The file of its key, without its ending.
    pub key_reference: String,
    /// Start and end of its validity, once it has a certificate.
    pub validity: Option<(Time, Time)>,
    /// The certificate and those above it, DER; empty while it has none.
    pub path: Vec<Vec<u8>>,
    /// The request that another CA was or will be sent, DER.
    pub request: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Time,
    /// When it began to issue.
    pub activated_at: Option<Time>,
    /// When it will begin to issue, where that is set.
    pub activates_at: Option<Time>,
    /// When it stopped issuing.
    pub retired_at: Option<Time>,
}

impl Authority {
    /// All CAs, oldest first.
    pub async fn show_cas(&self) -> Result<Vec<Shown>, Fault> {
        let scheduled = self.scheduled_activation().await?;
        let records = self.store().cas().await.doing("list the CAs")?;
        let shown = records.into_iter().map(|ca| {
            let (validity, path) = match ca.record.material {
                None => (None, Vec::new()),
                Some(material) => {
                    let path = std::iter::once(material.certificate).chain(material.chain);
                    (Some((material.not_before, material.not_after)), path.collect())
                }
            };
            Shown {
                id: ca.id,
                scope: ca.record.scope,
                name: ca.record.name,
                state: ca.record.state,
                key_identifier: ca.record.key_identifier,
                key_reference: ca.record.key_reference,
                validity,
                path,
                request: ca.record.request,
                created_at: ca.record.created_at,
                activated_at: ca.activated_at,
                activates_at: scheduled.filter(|(id, _)| *id == ca.id).map(|(_, at)| at),
                retired_at: ca.retired_at,
            }
        });
        Ok(shown.collect())
    }
}
