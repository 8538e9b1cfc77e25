//! When devices check in: those that have something to do, after a while by themselves.

use super::{Mode, check_in};
use crate::{
    Shared,
    tenant::{ManagedDevice, Tenant, Time, World},
};
use serde::Deserialize;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};
use uuid::Uuid;

/// How long a device takes to check in by itself.
pub const CHECK_IN_INTERVAL: Duration = Duration::from_hours(8);

/// Devices that have something to do, and what is peculiar about some.
#[derive(Debug, Default)]
pub struct Agenda {
    due: BTreeSet<(Time, Uuid)>,
    when: HashMap<Uuid, Time>,
    offline: HashSet<Uuid>,
    modes: HashMap<Uuid, Mode>,
}

/// Whether a device can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reach {
    /// It checks in.
    Online,
    /// It does not, until it can be reached again.
    Offline,
}

impl Agenda {
    /// The device has something to do, and checks in when its time has come.
    pub(super) fn expect(&mut self, id: Uuid, now: Time) {
        self.done(id);
        let at = now.plus(CHECK_IN_INTERVAL);
        self.when.insert(id, at);
        self.due.insert((at, id));
    }

    /// The device has nothing to do.
    pub(super) fn done(&mut self, id: Uuid) {
        if let Some(at) = self.when.remove(&id) {
            self.due.remove(&(at, id));
        }
    }

    /// The device is gone.
    pub(super) fn forget(&mut self, id: Uuid) {
        self.done(id);
        self.offline.remove(&id);
        self.modes.remove(&id);
    }

    /// Whether the device cannot be reached.
    pub fn is_offline(&self, id: Uuid) -> bool {
        self.offline.contains(&id)
    }

    /// Makes a device reachable or not. One that can be reached again, and is late, checks in at once.
    pub fn reach(&mut self, id: Uuid, reach: Reach, now: Time) {
        match reach {
            Reach::Offline => {
                self.offline.insert(id);
            }
            Reach::Online if self.offline.remove(&id) => {
                if let Some(late) = self.when.get_mut(&id).filter(|at| **at < now) {
                    self.due.remove(&(*late, id));
                    *late = now;
                    self.due.insert((now, id));
                }
            }
            Reach::Online => {}
        }
    }

    /// How a device is managed.
    pub fn mode(&self, device: &ManagedDevice) -> Mode {
        self.modes.get(&device.id).copied().unwrap_or_else(|| Mode::of(device))
    }

    /// Says how a device is managed.
    pub fn set_mode(&mut self, id: Uuid, mode: Mode) {
        self.modes.insert(id, mode);
    }

    /// The next check-in of a device that can be reached.
    fn next(&self) -> Option<(Time, Uuid)> {
        self.due.iter().find(|(_, id)| !self.is_offline(*id)).copied()
    }
}

/// Lets every device of every tenant check in whose time has come, each at its own time.
pub fn settle(world: &World) {
    let now = world.now();
    for tenant in world.tenants() {
        let due = |tenant: &Tenant| tenant.intune.agenda.next().is_some_and(|(at, _)| at <= now);
        if world.read(tenant, due) == Ok(true) {
            // The tenant is there: it was just read.
            let _ = world.change(tenant, settle_tenant);
        }
    }
}

fn settle_tenant(tenant: &mut Tenant, now: Time) {
    while let Some((at, id)) = tenant.intune.agenda.next().filter(|(at, _)| *at <= now) {
        tenant.intune.agenda.done(id);
        check_in(tenant, id, at);
    }
}

/// Lets devices check in as time goes by.
pub async fn run(shared: Shared) {
    let mut changes = shared.world.changes();
    loop {
        changes.mark_unchanged();
        settle(&shared.world);
        let next = |tenant: &Tenant| tenant.intune.agenda.next();
        let tenants = shared.world.tenants().filter_map(|id| shared.world.read(id, next).ok()?);
        let wait = tenants.map(|(at, _)| at.since(shared.world.now())).min();
        let wait = wait.unwrap_or(CHECK_IN_INTERVAL).max(Duration::from_secs(1));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            woken = changes.changed() => if woken.is_err() { return },
        }
    }
}
