//! Certificates that follow an object: their record is kept as the directories say, and every answer with it.
//!
//! What a directory's word means is `lanyard_lifecycle::tether`'s. Here it is fetched from the mirror (`sights`), judged
//! with the record (`judge`), and what follows is written down (`plan`, `settle`): by whoever answers first, and by the
//! one process that goes through everything that changes (`worker`). A change of an object drops what every cache holds of
//! its certificates in the same moment ([`crate::status`]).

mod brake;
pub(crate) mod judge;
mod latency;
mod plan;
mod settings;
mod settle;
pub(crate) mod sights;
mod wanted;
mod why;
mod worker;

use std::sync::{Mutex, PoisonError};

use lanyard_lifecycle::object::ObjectKey;
use lanyard_pki::Time;
use lanyard_store::HeldLease;
use tokio::sync::Notify;

use crate::Authority;
pub use brake::{BrakeReport, ByIntune, IntuneRevocation};
use latency::Latency;
pub use settings::TetherSettings;
use wanted::Wanted;
pub use why::{OcspNow, Why};

/// The tethers' part of an authority.
#[derive(Debug)]
pub(crate) struct Tethers {
    /// Held by whoever writes down what rules say: what is judged stays as it was until it is written.
    settling: tokio::sync::Mutex<()>,
    wanted: Wanted,
    wake: Notify,
    latency: Latency,
    /// The lease, and when it is to be prolonged.
    lease: Mutex<Option<(HeldLease, Time)>>,
    /// How many certificates were in force, and when they were counted.
    in_force: Mutex<Option<(u64, Time)>>,
}

impl Tethers {
    pub(crate) fn new() -> Self {
        Self {
            settling: tokio::sync::Mutex::new(()),
            wanted: Wanted::default(),
            wake: Notify::new(),
            latency: Latency::new(),
            lease: Mutex::new(None),
            in_force: Mutex::new(None),
        }
    }

    /// Objects have changed: their certificates are to be judged.
    pub(crate) fn objects_changed(&self, keys: &[ObjectKey]) {
        for key in keys {
            self.latency.changed(key);
        }
        self.wake.notify_one();
    }

    /// Something is due.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// The lease, while it need not be prolonged.
    fn lease(&self, now: Time) -> Option<HeldLease> {
        let held = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|(_, until)| now < *until).map(|(lease, _)| lease.clone())
    }

    fn keep_lease(&self, lease: HeldLease, until: Time) {
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = Some((lease, until));
    }

    fn forget_lease(&self) {
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Authority {
    pub(crate) fn tethers(&self) -> &Tethers {
        &self.inner.tethers
    }
}
