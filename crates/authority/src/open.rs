//! Opening: the secret, the CAs, what a crash left behind; and on the first start, the first CA.
//!
//! Each step of the first start can be the last one before a crash: the next start takes up what is there. The key
//! is made under a name that the next start looks at, and the CA exists from the moment of its one record.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use lanyard_lifecycle::serial_codec::{Epoch, SerialCodec, SerialKey};
use lanyard_store::CaState;

use crate::audit::Actor;
use crate::ca::{CaError, Cas};
use crate::error::Doing as _;
use crate::mirror::{Mirror, MirrorError};
use crate::settings::CertifiedBy;
use crate::status::Memory;
use crate::{Authority, Fault, Inner, Ports, Settings, keys, scep};

/// The lease of the node that makes the first CA.
const FIRST_CA: &str = "first CA";

/// How long making it may take, in seconds: that of a node that died at it runs out after this.
const FIRST_CA_TAKES: i64 = 120;

/// How often a node that waits for it looks whether it is made.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Why the authority does not open. What to do about it is in the text.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Something that it stands on fails.
    #[error("the authority does not open: {}", .0.report())]
    Fault(#[from] Fault),
    /// The first CA can't be made.
    #[error("the first CA can't be made: {0}")]
    First(CaError),
    /// The directories are not configured as they are connected.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
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

/// An authority before anything of it was looked up or made.
#[cfg(test)]
pub(crate) async fn unopened(settings: Settings, ports: Ports) -> Result<Authority, OpenError> {
    Ok(Authority { inner: Arc::new(inner(settings, ports).await?) })
}

async fn inner(settings: Settings, ports: Ports) -> Result<Inner, OpenError> {
    let mirror = Mirror::new(&settings.directories, &ports, owner(&ports))?;
    let secret = keys::secret(&ports.keys).await?;
    let serial_key = SerialKey::new(*secret.derive(crate::detached::SERIAL_KEY_PURPOSE));
    Ok(Inner {
        serials: SerialCodec::new(&serial_key, Epoch::FIRST),
        cas: ArcSwap::from_pointee(Cas::default()),
        scep: ArcSwap::default(),
        ra_keys: scep::ra::Keys::default(),
        wake: tokio::sync::Notify::new(),
        intune: crate::intune::State::new(&ports.intune),
        memory: Memory::new(&settings.status),
        mirror,
        tethers: crate::tether::Tethers::new(),
        detached: None,
        refusals: crate::refusals::Refusals::new(),
        requests: crate::seal::Seal::new(&secret.derive("pending requests")),
        settings,
        ports,
        #[cfg(test)]
        steps: Arc::new(crate::steps::Undisturbed),
    })
}

/// What this process calls itself where several could do the same work. The only one there can be goes on with what it
/// began before it was killed.
fn owner(ports: &Ports) -> String {
    if !ports.store.is_shared() {
        return "the only process".to_owned();
    }
    hex::encode(crate::entropy::random::<16>(&*ports.entropy))
}

/// What opening does once there is a handle to do it with.
async fn start(inner: Inner) -> Result<Authority, OpenError> {
    let authority = Authority { inner: Arc::new(inner) };
    let records = authority.store().cas().await.doing("list the CAs")?;
    if records.is_empty() {
        let first = if authority.store().is_shared() {
            first_of_many(&authority).await
        } else {
            first_start(&authority).await
        };
        first.map_err(|error| match error {
            CaError::Fault(fault) => OpenError::Fault(fault),
            refused => OpenError::First(refused),
        })?;
    }
    authority.reload_cas().await?;
    authority.activate_when_due().await?;
    authority.reload_scep_identity().await?;
    authority.record_directories().await?;
    Ok(authority)
}

/// The first start of several nodes at once: one of them makes the CA, the others find it made.
pub(crate) async fn first_of_many(authority: &Authority) -> Result<(), CaError> {
    let (store, owner) = (authority.store(), hex::encode(authority.random::<8>()));
    let mut told = false;
    loop {
        let now = authority.now();
        let fence = store.take_lease(FIRST_CA, &owner, now, now.plus(FIRST_CA_TAKES)).await;
        let fence = fence.doing("agree on who makes the first CA")?;
        // Looked at with the lease in hand: whoever held it before may have made the CA.
        let made = !store.cas().await.doing("list the CAs")?.is_empty();
        let outcome = match &fence {
            Some(_) if !made => Some(first_start(authority).await),
            _ => made.then_some(Ok(())),
        };
        if let Some(fence) = fence {
            store.release_lease(FIRST_CA, fence).await.doing("let go of the first CA")?;
        }
        if let Some(outcome) = outcome {
            return outcome;
        }
        if !std::mem::replace(&mut told, true) {
            tracing::info!("Another node makes the first CA; waiting for it");
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
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
