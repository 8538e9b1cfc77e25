//! Taking another CA's answer to a request: its certificate for our key, and the chain above it.

use lanyard_pki::csr::CertificationRequest;
use lanyard_store::{CaId, CaMaterial, CaState};

use super::{CaError, chain};
use crate::audit::{Act, Actor};
use crate::error::Doing as _;
use crate::{Authority, Fault};

/// What the CA is after the import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// The current CA: there was none before.
    Current,
    /// The next CA, announced and waiting for its activation.
    Next,
}

impl Authority {
    /// Gives a requested CA its certificate. `certificates` are DER, in any order: ours, and all above it up to the root.
    pub async fn import_ca(
        &self,
        id: CaId,
        certificates: &[Vec<u8>],
        actor: &Actor,
    ) -> Result<Imported, CaError> {
        let records = self.store().cas().await.doing("list the CAs")?;
        let ca = records.iter().find(|ca| ca.id == id).ok_or(CaError::Unknown(id))?;
        let request = match &ca.record {
            record if record.state != CaState::Requested => return Err(CaError::NotRequested(id)),
            record => record.request.as_deref().ok_or(CaError::NotRequested(id))?,
        };
        let request = CertificationRequest::from_der(request)
            .map_err(|fault| Fault::lasting("read a CA's request", fault))?;
        let now = self.now();
        let given = chain::read(certificates)?;
        let checked = chain::check(id, request.public_key(), request.subject(), &given, now)?;

        let material = CaMaterial {
            certificate: checked.certificate.as_der().to_vec(),
            chain: checked.chain.iter().map(|above| above.as_der().to_vec()).collect(),
            not_before: checked.certificate.not_before(),
            not_after: checked.certificate.not_after(),
        };
        let audit = Act::ImportCa.by(actor, now).scope(ca.record.scope).target(&id).done();
        let installed = self.store().install_ca_material(id, material, Some(audit)).await;
        if !installed.doing("record a CA's certificate")? {
            return Err(CaError::Unknown(id));
        }
        let first = !records.iter().any(|ca| ca.record.state == CaState::Current);
        if first {
            self.make_current(id, actor).await?;
            return Ok(Imported::Current);
        }
        self.cas_changed().await?;
        Ok(Imported::Next)
    }
}
