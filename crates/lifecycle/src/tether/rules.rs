//! What an installation decides about tethered certificates.

use std::time::Duration;

use crate::object::RiskLevel;

/// What an installation decides about tethered certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// What the wipe, retire or deletion of a device in Intune does before the device is gone.
    pub revoke_on_wipe: OnWipe,
    /// Whether devices have to be compliant; none, the default, is no.
    pub compliance: Option<Compliance>,
    /// The levels of risk at which a user's certificates are put on hold. Empty, the default, means
    /// that risk is not looked at.
    pub untolerated_user_risks: Vec<RiskLevel>,
    /// How long an absence has to last until it is recorded for good. The default is 10 minutes.
    pub absence_confirm: Duration,
    /// How long after issuance an object that was never seen is not yet absent. The default is a
    /// quarter of an hour.
    pub absence_grace: Duration,
    /// What is answered while a directory cannot be asked.
    pub outage: Outage,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            revoke_on_wipe: OnWipe::Permanent,
            compliance: None,
            untolerated_user_risks: Vec::new(),
            absence_confirm: Duration::from_mins(10),
            absence_grace: Duration::from_mins(15),
            outage: Outage::LastKnown,
        }
    }
}

impl Rules {
    /// Whether the risk of users is looked at.
    #[must_use]
    pub const fn checks_user_risk(&self) -> bool {
        !self.untolerated_user_risks.is_empty()
    }
}

/// What the wipe, retire or deletion of a device in Intune does before the device is gone
/// (`revoke_on_wipe`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnWipe {
    /// It revokes for good.
    #[default]
    Permanent,
    /// It puts on hold for as long as it lasts.
    Hold,
    /// It does nothing; that the device is gone in the end revokes.
    Off,
}

/// How compliance is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compliance {
    /// How long after its enrolment a device need not comply yet.
    pub grace: Duration,
    /// What a device gets that does not comply and is past that.
    pub newcomers: Newcomers,
}

/// What a device gets that asks for a certificate and does not comply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Newcomers {
    /// Nothing.
    #[default]
    Refused,
    /// A short-lived certificate ([`Kind::IntuneBootstrap`](crate::Kind::IntuneBootstrap)), with
    /// which it may become compliant. For devices in Intune.
    Bootstrap,
}

/// What is answered while a directory cannot be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outage {
    /// What is known last, until it is too old for any answer.
    #[default]
    LastKnown,
    /// Nothing: as soon as the last word is too old for a decision, it is tryLater.
    TryLater,
}
