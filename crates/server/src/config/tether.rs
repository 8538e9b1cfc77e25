//! `[tether]`: what a certificate's object in a directory does to the certificate.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unit::Span;

/// What a directory's word about a device or user does to the certificates that are tethered to it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct TetherSection {
    /// What becomes of the certificates of a device that Intune wipes, retires or holds to be unhealthy.
    pub revoke_on_wipe: WipeSetting,
    /// Whether certificates of devices that are not compliant are on hold.
    pub compliance_check: CheckSetting,
    /// For how long after its enrollment in Intune a device need not be compliant yet.
    pub compliance_grace: Span,
    /// Whether certificates of users at risk are on hold. The tenant has to follow `user_risk`.
    pub user_risk_check: CheckSetting,
    /// Which risks count, where they are checked.
    pub untolerated_user_risks: Vec<RiskSetting>,
    /// How long an object has to be gone until its certificates are revoked for good. Until then they are revoked, and good again
    /// if it comes back.
    pub absence_confirm: Span,
    /// For how long a new certificate's object may be unknown: directories show new objects late.
    pub absence_grace: Span,
    /// What is answered while a directory cannot be asked.
    pub outage: OutageSetting,
    /// The share of the certificates that follow an object, in percent, that directories may have revoked within `brake_window`. What goes
    /// beyond waits for `lanyard brake confirm` or `discard`. 100 is no limit.
    #[garde(range(min = 1, max = 100))]
    pub brake_share: u8,
    /// The time in which that share counts.
    #[garde(custom(a_minute_or_more))]
    pub brake_window: Span,
    /// This many revocations in that time are always carried out, however large a share they are.
    pub brake_minimum: u32,
}

impl Default for TetherSection {
    fn default() -> Self {
        Self {
            revoke_on_wipe: WipeSetting::Permanent,
            compliance_check: CheckSetting::Never,
            compliance_grace: Span::hours(4),
            user_risk_check: CheckSetting::Never,
            untolerated_user_risks: vec![RiskSetting::High],
            absence_confirm: Span::minutes(10),
            absence_grace: Span::minutes(15),
            outage: OutageSetting::LastKnown,
            brake_share: 5,
            brake_window: Span::hours(1),
            brake_minimum: 25,
        }
    }
}

/// What becomes of the certificates of a device that is wiped or retired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum WipeSetting {
    /// They are revoked for good, at once.
    #[default]
    Permanent,
    /// They are on hold while the device is to be wiped or retired.
    Hold,
    /// Nothing, until the device is gone.
    Off,
}

/// Whether something is checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum CheckSetting {
    /// It is not.
    #[default]
    Never,
    /// It is, with every answer.
    Always,
}

/// How likely it is that somebody else has a user's account, as Entra ID says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RiskSetting {
    /// A little.
    Low,
    /// More.
    Medium,
    /// Much.
    High,
}

/// What is answered while a directory cannot be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OutageSetting {
    /// What was known last, for as long as the directory's `max_staleness` says; then that it should be tried later.
    #[default]
    LastKnown,
    /// That it should be tried later, as soon as what is known is older than the directory's `max_detection_delay`.
    TryLater,
}

pub(super) fn a_minute_or_more(span: &Span, _: &()) -> garde::Result {
    if *span < Span::minutes(1) {
        return Err(garde::Error::new("must be a minute (1min) or more"));
    }
    Ok(())
}
