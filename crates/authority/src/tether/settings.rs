//! What an installation decides about certificates that follow an object.

use lanyard_lifecycle::brake::BrakeRules;
use lanyard_lifecycle::tether::Rules;

/// What an installation decides about certificates that follow an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TetherSettings {
    /// What a directory's word means for the certificates of its objects.
    pub rules: Rules,
    /// How many certificates rules may revoke at a time before a person has to confirm it.
    pub brake: BrakeRules,
}
