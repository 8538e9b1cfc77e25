//! Opening: the secret, the CAs, what a crash left behind; and on the first start, the first CA.
//!
//! Each step of the first start can be the last one before a crash: the next start takes up what is there. The key
//! is made under a name that the next start looks at, and the CA exists from the moment of its one record.

use std::sync::Arc;

use arc_swap::ArcSwap;
use lanyard_lifecycle::serial_codec::{Epoch, SerialCodec, SerialKey};
use lanyard_pki::Time;
use lanyard_store::CaState;

use crate::audit::Actor;
use crate::ca::{CaError, Cas};
use crate::error::Doing as _;
use crate::settings::CertifiedBy;
use crate::status::Memory;
use crate::{Authority, Fault, Inner, Ports, Settings, keys, scep};

/// Why the authority does not open. What to do about it is in the text.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Something that it stands on fails.
    #[error("the authority does not open: {}", .0.report())]
    Fault(#[from] Fault),
    /// The first CA can't be made.
    #[error("the first CA can't be made: {0}")]
    First(CaError),
}

/// Opens the authority of an installation. On the first start its CA is made, or requested where another CA certifies
/// it; certificates that a crash left half issued are finished.
pub async fn open(settings: Settings, ports: Ports) -> Result<Authority, OpenError> {
    start(inner(settings, ports).await?).await
}

/// The same with a test that may stop it at each step.
#[cfg(test)]
pub(crate) async fn open_disturbed(
    settings: Settings,
    ports: Ports,
    steps: Arc<dyn crate::steps::Steps>,
) -> Result<Authority, OpenError> {
    start(Inner { steps, ..inner(settings, ports).await? }).await
}

async fn inner(settings: Settings, ports: Ports) -> Result<Inner, OpenError> {
    let secret = keys::secret(&ports.keys).await?;
    let serial_key = SerialKey::new(*secret.derive("serial number, epoch 0"));
    Ok(Inner {
        serials: SerialCodec::new(&serial_key, Epoch::FIRST),
        cas: ArcSwap::from_pointee(Cas::default()),
        scep: ArcSwap::default(),
        ra_keys: scep::ra::Keys::default(),
        wake: tokio::sync::Notify::new(),
        memory: Memory::new(&settings.status),
        refusals: crate::refusals::Refusals::new(),
        requests: crate::seal::Seal::new(&secret.derive("pending requests")),
        settings,
        ports,
        #[cfg(test)]
        steps: Arc::new(crate::steps::Undisturbed),
    })
}

/// What opening does once there is a handle to do it with.
async fn start(inner: Inner) -> Result<Authority, OpenError> {
    let authority = Authority { inner: Arc::new(inner) };
    let records = authority.store().cas().await.doing("list the CAs")?;
    if records.is_empty() {
        first_start(&authority).await.map_err(|error| match error {
            CaError::Fault(fault) => OpenError::Fault(fault),
            refused => OpenError::First(refused),
        })?;
    }
    authority.reload_cas().await?;
    authority.finish_prepared_before(Time::NO_WELL_DEFINED_END).await?;
    authority.activate_when_due().await?;
    authority.reload_scep_identity().await?;
    Ok(authority)
}

async fn first_start(authority: &Authority) -> Result<(), CaError> {
    let first = &authority.settings().first;
    match first.certified_by {
        CertifiedBy::Itself => {
            let ca = authority.create_ca(first, CaState::Current, &Actor::System).await?;
            tracing::info!(ca.id = ca.0, ca.name = %first.name, key = %first.key, "Made the CA");
        }
        CertifiedBy::Another => {
            let requested = authority.request_ca(first, &Actor::System).await?;
            tracing::info!(
                ca.id = requested.id.0,
                ca.name = %first.name,
                "Made the CA's key; its certificate has to be requested from another CA"
            );
        }
    }
    Ok(())
}
