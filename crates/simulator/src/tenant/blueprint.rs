//! What a tenant is generated from: a seed, a domain and how much of everything there is.

use std::sync::Arc;
use std::time::Duration;

use super::clock::Time;
use super::seed::Seed;

/// What a tenant is generated from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blueprint {
    /// Where chance comes from.
    pub seed: Seed,
    /// The domain of its people's names, as in `contoso.example`.
    pub domain: Box<str>,
    /// How many people it has.
    pub users: u64,
    /// How many devices Entra ID and Intune have.
    pub devices: u64,
    /// How many computers Jamf Pro has.
    pub jamf_computers: u64,
    /// How many mobile devices Jamf Pro has.
    pub jamf_mobile_devices: u64,
    /// When it was generated: generated objects are older.
    pub made: Time,
}

/// How large a generated tenant may be.
pub const MOST_DEVICES: u64 = 1_000_000;

impl Blueprint {
    /// Whose device the `n`-th device is.
    pub const fn owner(&self, n: u64) -> Option<u64> {
        match self.users {
            0 => None,
            users => Some(n % users),
        }
    }

    /// A date within `days` before the tenant was generated.
    pub fn past(&self, n: u64, what: &str, days: u64) -> Time {
        let span = days.max(1) * 86_400;
        self.made.minus(Duration::from_secs(self.seed.draw(n, what) % span))
    }

    /// A blueprint to share.
    pub fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }
}

#[cfg(test)]
impl Blueprint {
    /// Ten devices and five people.
    pub(crate) fn small() -> Self {
        Self {
            seed: Seed::new(1),
            domain: "contoso.example".into(),
            users: 5,
            devices: 10,
            jamf_computers: 3,
            jamf_mobile_devices: 3,
            made: Time::from_unix_seconds(1_800_000_000),
        }
    }
}
