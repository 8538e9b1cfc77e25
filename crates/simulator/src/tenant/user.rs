//! Users of Entra ID, and what Identity Protection thinks of some of them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::blueprint::Blueprint;
use super::clock::Time;
use super::people;
use super::seed::Space;
use super::table::Record;

/// A user, by the property names of Graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are Graph's, and documented there")]
pub struct User {
    pub id: Uuid,
    pub user_principal_name: String,
    pub display_name: String,
    #[serde(default)]
    pub given_name: Option<String>,
    #[serde(default)]
    pub surname: Option<String>,
    #[serde(default)]
    pub mail: Option<String>,
    #[serde(default = "enabled")]
    pub account_enabled: bool,
    #[serde(default = "member")]
    pub user_type: String,
    #[serde(default)]
    pub job_title: Option<String>,
    #[serde(default)]
    pub department: Option<String>,
    #[serde(default)]
    pub on_premises_sync_enabled: Option<bool>,
    #[serde(default)]
    pub on_premises_security_identifier: Option<String>,
    #[serde(default)]
    pub on_premises_sam_account_name: Option<String>,
    pub created_date_time: Time,
    #[serde(default)]
    pub sign_in_sessions_valid_from_date_time: Option<Time>,
}

fn enabled() -> bool {
    true
}

fn member() -> String {
    "Member".to_owned()
}

impl User {
    /// The security identifier that Entra derives from the object's GUID.
    pub fn security_identifier(&self) -> String {
        let (a, b, c, rest) = self.id.as_fields();
        let [d0, d1, d2, d3, e0, e1, e2, e3] = *rest;
        let (second, third) =
            ((u32::from(c) << 16) | u32::from(b), u32::from_le_bytes([d0, d1, d2, d3]));
        format!("S-1-12-1-{a}-{second}-{third}-{}", u32::from_le_bytes([e0, e1, e2, e3]))
    }
}

impl Record for User {
    type Id = Uuid;
    type Alternate = String;

    fn id(&self) -> Uuid {
        self.id
    }

    fn alternate(&self) -> Option<String> {
        Some(self.user_principal_name.to_lowercase())
    }

    fn generated(blueprint: &Blueprint) -> u64 {
        blueprint.users
    }

    fn generate(blueprint: &Blueprint, n: u64) -> Self {
        let (given, family) = people::name(n);
        let upn = format!("{}@{}", people::alias(n), blueprint.domain);
        let synced = blueprint.seed.percent(n, "user.synced") < 40;
        let departments = ["Engineering", "Sales", "Finance", "Operations", "Research"];
        let department = departments[usize::try_from(n % 5).unwrap_or_default()];
        Self {
            id: blueprint.seed.guid(Space::User, n),
            display_name: format!("{given} {family}"),
            given_name: Some(given.to_owned()),
            surname: Some(family.to_owned()),
            mail: Some(upn.clone()),
            user_principal_name: upn,
            account_enabled: true,
            user_type: member(),
            job_title: None,
            department: Some(department.to_owned()),
            on_premises_sync_enabled: synced.then_some(true),
            on_premises_security_identifier: synced
                .then(|| format!("S-1-5-21-666199682-1411342147-2938717855-{}", 1_000 + n)),
            on_premises_sam_account_name: synced.then(|| format!("u{n:06}")),
            created_date_time: blueprint.past(n, "user.created", 1_000),
            sign_in_sessions_valid_from_date_time: None,
        }
    }

    fn ordinal(blueprint: &Blueprint, id: Uuid) -> Option<u64> {
        blueprint.seed.ordinal(Space::User, id)
    }

    fn ordinal_of_alternate(blueprint: &Blueprint, key: &String) -> Option<u64> {
        people::ordinal(blueprint, key)
    }
}

/// How risky a user is thought to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Graph's, and documented there")]
pub enum RiskLevel {
    Low,
    Medium,
    High,
    Hidden,
    None,
}

/// What has become of a risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Graph's, and documented there")]
pub enum RiskState {
    None,
    ConfirmedSafe,
    Remediated,
    Dismissed,
    AtRisk,
    ConfirmedCompromised,
}

/// What Identity Protection knows about a user; it has the user's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are Graph's, and documented there")]
pub struct RiskyUser {
    pub id: Uuid,
    #[serde(default)]
    pub is_deleted: bool,
    #[serde(default)]
    pub is_processing: bool,
    pub risk_level: RiskLevel,
    pub risk_state: RiskState,
    #[serde(default = "no_detail")]
    pub risk_detail: String,
    pub risk_last_updated_date_time: Time,
    pub user_display_name: String,
    pub user_principal_name: String,
}

fn no_detail() -> String {
    "none".to_owned()
}

/// One user in so many was ever thought risky.
const RISKY_EVERY: u64 = 50;

/// The first of them.
const RISKY_FIRST: u64 = 7;

impl Record for RiskyUser {
    type Id = Uuid;
    type Alternate = ();

    fn id(&self) -> Uuid {
        self.id
    }

    fn alternate(&self) -> Option<()> {
        None
    }

    fn generated(blueprint: &Blueprint) -> u64 {
        (blueprint.users + RISKY_EVERY - 1).saturating_sub(RISKY_FIRST) / RISKY_EVERY
    }

    fn generate(blueprint: &Blueprint, n: u64) -> Self {
        let user = User::generate(blueprint, n * RISKY_EVERY + RISKY_FIRST);
        let (risk_level, risk_state) = match blueprint.seed.percent(n, "risk") {
            0..10 => (RiskLevel::High, RiskState::AtRisk),
            10..30 => (RiskLevel::Medium, RiskState::AtRisk),
            30..60 => (RiskLevel::Low, RiskState::AtRisk),
            60..80 => (RiskLevel::None, RiskState::Remediated),
            _ => (RiskLevel::None, RiskState::Dismissed),
        };
        Self {
            id: user.id,
            is_deleted: false,
            is_processing: false,
            risk_level,
            risk_state,
            risk_detail: no_detail(),
            risk_last_updated_date_time: blueprint.past(n, "risk.updated", 90),
            user_display_name: user.display_name,
            user_principal_name: user.user_principal_name,
        }
    }

    fn ordinal(blueprint: &Blueprint, id: Uuid) -> Option<u64> {
        let user = blueprint.seed.ordinal(Space::User, id)?.checked_sub(RISKY_FIRST)?;
        user.is_multiple_of(RISKY_EVERY).then_some(user / RISKY_EVERY)
    }

    fn ordinal_of_alternate(_: &Blueprint, (): &()) -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_security_identifier_is_four_little_endian_numbers_of_the_guid() {
        let blueprint = Blueprint::small();
        let mut user = User::generate(&blueprint, 0);
        user.id = uuid::uuid!("6bbb6a62-5ff4-4b52-93d8-2f6f2e9b1c0d");
        let bytes = user.id.to_bytes_le();
        let parts: Vec<_> = bytes
            .chunks(4)
            .map(|part| u32::from_le_bytes(part.try_into().unwrap()).to_string())
            .collect();
        assert_eq!(user.security_identifier(), format!("S-1-12-1-{}", parts.join("-")));
    }

    #[test]
    fn one_user_in_fifty_has_been_risky() {
        let mut blueprint = Blueprint::small();
        for (users, risky) in [(0, 0), (7, 0), (8, 1), (57, 1), (58, 2), (500_000, 10_000)] {
            blueprint.users = users;
            assert_eq!(RiskyUser::generated(&blueprint), risky, "of {users}");
        }
        let second = RiskyUser::generate(&blueprint, 1);
        assert_eq!(second.id, User::generate(&blueprint, 57).id);
        assert_eq!(RiskyUser::ordinal(&blueprint, second.id), Some(1));
        assert_eq!(RiskyUser::ordinal(&blueprint, User::generate(&blueprint, 58).id), None);
    }
}
