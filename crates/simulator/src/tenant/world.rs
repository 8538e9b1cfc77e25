//! All tenants, the clock, and chance: what the services share.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use tokio::sync::watch;
use uuid::Uuid;

use super::clock::{Clock, Time};
use super::{Tenant, TenantSpec};
use crate::Options;
use crate::tenant::Seed;

/// How long a deleted user can be restored.
const RESTORABLE: Duration = Duration::from_hours(30 * 24);

/// A request named a tenant that there is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such tenant")]
pub struct NoTenant;

/// All tenants, the clock, and chance.
///
/// A tenant is read and changed under its own lock, which is never held across an await.
#[derive(Debug)]
pub struct World {
    base_url: String,
    clock: Clock,
    tenants: Vec<(Uuid, RwLock<Tenant>)>,
    chance: Mutex<ChaCha12Rng>,
    changes: watch::Sender<u64>,
}

impl World {
    /// A world that answers at `base_url`, which ends without a slash.
    pub fn new(options: &Options, base_url: impl Into<String>) -> Self {
        let clock = Clock::new(options.pace);
        let now = clock.now();
        let tenant = |(n, spec): (usize, &TenantSpec)| {
            let tenant = Tenant::new(spec, Seed::new(options.seed).part(n as u64), now);
            (tenant.id, RwLock::new(tenant))
        };
        Self {
            base_url: base_url.into(),
            clock,
            tenants: options.tenants.iter().enumerate().map(tenant).collect(),
            chance: Mutex::new(ChaCha12Rng::seed_from_u64(options.seed)),
            changes: watch::Sender::new(0),
        }
    }

    /// Where the simulator answers, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The simulator's time.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// The ids of all tenants; the first is the one that is meant where none is named.
    pub fn tenants(&self) -> impl Iterator<Item = Uuid> {
        self.tenants.iter().map(|(id, _)| *id)
    }

    /// The tenant that this id or domain names.
    pub fn tenant_called(&self, name: &str) -> Result<Uuid, NoTenant> {
        self.tenant_where(|tenant| tenant.is_called(name))
    }

    /// The first tenant of which this is true.
    pub fn tenant_where(&self, is: impl Fn(&Tenant) -> bool) -> Result<Uuid, NoTenant> {
        let found = self.tenants.iter().find(|(_, tenant)| is(&read(tenant)));
        found.map(|(id, _)| *id).ok_or(NoTenant)
    }

    /// Looks at a tenant.
    pub fn read<R>(&self, tenant: Uuid, look: impl FnOnce(&Tenant) -> R) -> Result<R, NoTenant> {
        Ok(look(&read(self.tenant(tenant)?)))
    }

    /// Changes a tenant, and tells those who wait for changes.
    pub fn change<R>(
        &self,
        tenant: Uuid,
        how: impl FnOnce(&mut Tenant, Time) -> R,
    ) -> Result<R, NoTenant> {
        let outcome = self.change_quietly(tenant, how)?;
        self.changes.send_modify(|count| *count += 1);
        Ok(outcome)
    }

    /// Changes what nobody waits for: what was used of a limit, what was handed out.
    pub fn change_quietly<R>(
        &self,
        tenant: Uuid,
        how: impl FnOnce(&mut Tenant, Time) -> R,
    ) -> Result<R, NoTenant> {
        let now = self.now();
        Ok(how(&mut write(self.tenant(tenant)?), now))
    }

    /// Moves the clock on, and tells those who wait for changes.
    pub fn advance(&self, span: Duration) -> Time {
        let now = self.clock.advance(span);
        self.changes.send_modify(|count| *count += 1);
        now
    }

    /// Takes users away for good who were deleted too long ago to be restored.
    pub fn expire_deleted(&self) {
        let now = self.now();
        let before = now.minus(RESTORABLE);
        for (id, _) in &self.tenants {
            if self.read(*id, |tenant| tenant.users.has_expired(before)) == Ok(true) {
                // The tenant is there: it was just read.
                let _ = self.change(*id, |tenant, now| tenant.users.expire(before, now));
            }
        }
    }

    /// Wakes up after every change of a tenant and every move of the clock.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// A GUID that nobody has yet.
    pub fn fresh_guid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.chance().fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Random bytes, the same in every run of one seed.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.chance().fill_bytes(&mut bytes);
        bytes
    }

    /// A number below `end`, which is not 0.
    pub fn below(&self, end: u64) -> u64 {
        self.chance().next_u64() % end.max(1)
    }

    fn tenant(&self, id: Uuid) -> Result<&RwLock<Tenant>, NoTenant> {
        self.tenants.iter().find(|(own, _)| *own == id).map(|(_, tenant)| tenant).ok_or(NoTenant)
    }

    fn chance(&self) -> MutexGuard<'_, ChaCha12Rng> {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(tenant: &RwLock<Tenant>) -> RwLockReadGuard<'_, Tenant> {
    tenant.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(tenant: &RwLock<Tenant>) -> RwLockWriteGuard<'_, Tenant> {
    tenant.write().unwrap_or_else(PoisonError::into_inner)
}
