//! What the configuration says about certificates that follow an object, for the authority.

use lanyard_authority::tether::TetherSettings;
use lanyard_lifecycle::brake::BrakeRules;
use lanyard_lifecycle::object::RiskLevel;
use lanyard_lifecycle::tether::{Compliance, Newcomers, OnWipe, Outage, Rules};

use crate::config::{
    BootstrapSetting, CheckSetting, Config, OutageSetting, RiskSetting, WipeSetting,
};

/// The rules, and when the brake takes hold.
pub(super) fn tether(config: &Config) -> TetherSettings {
    let section = &config.tether;
    TetherSettings {
        rules: Rules {
            revoke_on_wipe: match section.revoke_on_wipe {
                WipeSetting::Permanent => OnWipe::Permanent,
                WipeSetting::Hold => OnWipe::Hold,
                WipeSetting::Off => OnWipe::Off,
            },
            compliance: match section.compliance_check {
                CheckSetting::Never => None,
                CheckSetting::Always => Some(Compliance {
                    grace: section.compliance_grace.into(),
                    newcomers: match config.endpoints.intune.bootstrap {
                        BootstrapSetting::Refused => Newcomers::Refused,
                        BootstrapSetting::Issued => Newcomers::Bootstrap,
                    },
                }),
            },
            untolerated_user_risks: match section.user_risk_check {
                CheckSetting::Never => Vec::new(),
                CheckSetting::Always => {
                    section.untolerated_user_risks.iter().copied().map(RiskLevel::from).collect()
                }
            },
            absence_confirm: section.absence_confirm.into(),
            absence_grace: section.absence_grace.into(),
            outage: match section.outage {
                OutageSetting::LastKnown => Outage::LastKnown,
                OutageSetting::TryLater => Outage::TryLater,
            },
        },
        brake: BrakeRules {
            share: u32::from(section.brake_share) * 10,
            least: u64::from(section.brake_minimum),
            window: section.brake_window.into(),
        },
    }
}

impl From<RiskSetting> for RiskLevel {
    fn from(risk: RiskSetting) -> Self {
        match risk {
            RiskSetting::Low => Self::Low,
            RiskSetting::Medium => Self::Medium,
            RiskSetting::High => Self::High,
        }
    }
}
