//! Limits: one request a second for risky users, resource units for the directory, requests for Intune.

use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use super::call::Call;
use super::error::GraphError;
use crate::tenant::{Tenant, Time};

/// Over how long the directory counts resource units.
const DIRECTORY_WINDOW: Duration = Duration::from_secs(10);

/// Over how long Intune counts requests.
const INTUNE_WINDOW: Duration = Duration::from_secs(20);

const INTUNE_PER_APP: u32 = 2_000;
const INTUNE_PER_TENANT: u32 = 4_000;

/// What was used of the limits.
#[derive(Debug, Default)]
pub struct Limits {
    risky: Option<Time>,
    directory: HashMap<Uuid, Window>,
    intune: HashMap<Uuid, Window>,
    intune_tenant: Window,
    /// Nothing is limited while this is set.
    pub lifted: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Window {
    start: Time,
    used: u32,
}

impl Window {
    /// Uses some, and says how much is used; or how long until there is some again.
    fn take(
        &mut self,
        units: u32,
        most: u32,
        length: Duration,
        now: Time,
    ) -> Result<u32, Duration> {
        if now >= self.start.plus(length) {
            *self = Self { start: now, used: 0 };
        }
        if self.used + units > most {
            return Err(self.start.plus(length).since(now));
        }
        self.used += units;
        Ok(self.used)
    }
}

/// What a request used of its limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Used {
    /// Resource units of this request.
    pub(super) units: u32,
    /// The share of the limit that is used now, when that is most of it.
    pub(super) share: Option<f64>,
}

/// Counts a request, or refuses it.
pub(super) fn count(
    tenant: &mut Tenant,
    call: &Call,
    now: Time,
) -> Result<Option<Used>, GraphError> {
    let users = tenant.users.count();
    let limits = &mut tenant.graph.limits;
    if limits.lifted {
        return Ok(None);
    }
    let app = call.caller.app;
    let throttled = |wait: Duration| GraphError::throttled(Some(wait));
    match call.segments.first().map(String::as_str) {
        Some("identityProtection") => {
            // The limit is that of the tenant, for all applications together, and no answer says
            // when to come again.
            let free = limits.risky.is_none_or(|last| now.since(last) >= Duration::from_secs(1));
            if !free {
                return Err(GraphError::throttled(None));
            }
            limits.risky = Some(now);
            Ok(None)
        }
        Some("deviceManagement") => {
            let own = limits.intune.entry(app).or_default();
            own.take(1, INTUNE_PER_APP, INTUNE_WINDOW, now).map_err(throttled)?;
            let all = &mut limits.intune_tenant;
            all.take(1, INTUNE_PER_TENANT, INTUNE_WINDOW, now).map_err(throttled)?;
            Ok(None)
        }
        _ => {
            let most = match users {
                0..50 => 3_500,
                50..=500 => 5_000,
                _ => 8_000,
            };
            let units = units(call);
            let window = limits.directory.entry(app).or_default();
            let used = window.take(units, most, DIRECTORY_WINDOW, now).map_err(throttled)?;
            let share = f64::from(used) / f64::from(most);
            Ok(Some(Used { units, share: (share >= 0.8).then_some(share) }))
        }
    }
}

/// What a request costs: to select costs one less, to expand one more.
fn units(call: &Call) -> u32 {
    let names: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let base: u32 = match names.as_slice() {
        ["users"] => 2,
        _ => 1,
    };
    let selected = u32::from(call.options.find("$select").is_some());
    let expanded = u32::from(call.options.find("$expand").is_some());
    (base.saturating_sub(selected) + expanded).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_says_how_long_until_it_is_over() {
        let (mut window, start) = (Window::default(), Time::from_unix_seconds(1_800_000_000));
        let length = Duration::from_secs(10);
        assert_eq!(window.take(3, 5, length, start), Ok(3));
        let later = start.plus(Duration::from_secs(4));
        assert_eq!(window.take(3, 5, length, later), Err(Duration::from_secs(6)));
        assert_eq!(window.take(2, 5, length, later), Ok(5));
        assert_eq!(window.take(3, 5, length, start.plus(length)), Ok(3));
    }
}
