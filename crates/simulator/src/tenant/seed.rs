//! What a tenant's generated objects are made of: ids that lead back to their number, and draws.
//!
//! A generated object takes no memory: it is computed from the seed and its number whenever it is
//! asked for. Its GUID is a permutation of the number (a Feistel network over the 122 free bits of a
//! version 4 UUID), so the number is found again from the GUID without a table. None of this is
//! cryptography.

use uuid::Uuid;

const ROUNDS: u64 = 6;
const HALF: u64 = (1 << 61) - 1;
const NUMBER: u64 = (1 << 48) - 1;

/// What kind of thing a generated GUID names: numbers of different spaces never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Space {
    /// A tenant.
    Tenant = 1,
    /// A user, and the risky user of the same id.
    User,
    /// The Graph id of an Entra device.
    Device,
    /// The deviceId of an Entra device, which certificates carry.
    DeviceId,
    /// An Intune managed device.
    ManagedDevice,
    /// An application's client id.
    App,
    /// An application's service principal in a tenant.
    ServicePrincipal,
    /// An app role.
    AppRole,
    /// A group.
    Group,
    /// Something of Intune's: a profile, a policy.
    Intune,
    /// Something of Jamf Pro's: a udid, a management id.
    Jamf,
}

/// A number from which a tenant follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// The seed with this value.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// A seed of its own for the `n`-th part.
    #[must_use]
    pub const fn part(self, n: u64) -> Self {
        Self(mix(self.0 ^ mix(n.wrapping_add(0x5eed))))
    }

    /// The GUID of the `n`-th object of a space.
    pub fn guid(self, space: Space, n: u64) -> Uuid {
        let (mut left, mut right) = ((space as u64) << 48, n & NUMBER);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.round(round, right));
        }
        let bits = (u128::from(left) << 61) | u128::from(right);
        let (high, middle, low) = (bits >> 74, (bits >> 62) & 0xfff, bits & ((1 << 62) - 1));
        Uuid::from_u128((high << 80) | (4 << 76) | (middle << 64) | (2 << 62) | low)
    }

    /// The number of the object that [`Seed::guid`] gave this GUID to.
    pub fn ordinal(self, space: Space, guid: Uuid) -> Option<u64> {
        let value = guid.as_u128();
        let (high, middle, low) = (value >> 80, (value >> 64) & 0xfff, value & ((1 << 62) - 1));
        let bits = (high << 74) | (middle << 62) | low;
        let half = u128::from(HALF);
        let mut left = u64::try_from((bits >> 61) & half).ok()?;
        let mut right = u64::try_from(bits & half).ok()?;
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.round(round, left), left);
        }
        (left == (space as u64) << 48 && right <= NUMBER && self.guid(space, right) == guid)
            .then_some(right)
    }

    /// A draw for the `n`-th object; each `what` of an object has a draw of its own.
    pub fn draw(self, n: u64, what: &str) -> u64 {
        let salt = what.bytes().fold(self.0, |salt, byte| mix(salt ^ u64::from(byte)));
        mix(salt ^ mix(n))
    }

    /// A draw between 0 and 99.
    pub fn percent(self, n: u64, what: &str) -> u64 {
        self.draw(n, what) % 100
    }

    fn round(self, round: u64, half: u64) -> u64 {
        mix(half ^ mix(self.0 ^ (round << 56))) & HALF
    }
}

/// SplitMix64's finalizer.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_guid_leads_back_to_its_number_in_its_own_space_only(seed: u64, n in 0..=NUMBER) {
            let seed = Seed::new(seed);
            let guid = seed.guid(Space::Device, n);
            prop_assert_eq!(guid.get_version_num(), 4);
            prop_assert_eq!(guid.get_variant(), uuid::Variant::RFC4122);
            prop_assert_eq!(seed.ordinal(Space::Device, guid), Some(n));
            prop_assert_eq!(seed.ordinal(Space::DeviceId, guid), None);
        }

        #[test]
        fn a_foreign_guid_leads_nowhere(seed: u64, guid: u128) {
            prop_assert_eq!(Seed::new(seed).ordinal(Space::User, Uuid::from_u128(guid)), None);
        }
    }

    #[test]
    fn draws_of_one_object_are_independent() {
        let seed = Seed::new(7);
        let both = (0..10_000).filter(|n| seed.percent(*n, "a") < 50 && seed.percent(*n, "b") < 50);
        let share = both.count();
        assert!((2_200..2_800).contains(&share), "{share} of 10,000 instead of about 2,500");
    }
}
