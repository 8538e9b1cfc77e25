//! The enumerations of Microsoft Graph that verdicts read, open at the end.
//!
//! A service may say a word that was not known when this was written. Such a word is kept as it
//! came, and it is for the verdict to say what an unknown word means.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
            /// A word that is not known here, as it came.
            Other(Box<str>),
        }

        impl $name {
            /// Every word that is known.
            pub const KNOWN: &[Self] = &[$(Self::$variant),+];

            /// The service's spelling.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            /// Letter case is not looked at: releases of the service have differed in it.
            fn from(word: &str) -> Self {
                $(if word.eq_ignore_ascii_case($word) { return Self::$variant; })+
                Self::Other(word.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                std::borrow::Cow::<'de, str>::deserialize(deserializer)
                    .map(|word| Self::from(word.as_ref()))
            }
        }
    };
}

vocabulary! {
    /// `managementState` of a managed device.
    ManagementState {
        /// Under management.
        Managed = "managed",
        /// A retire was asked for and is not carried out yet.
        RetirePending = "retirePending",
        /// A retire could not be carried out.
        RetireFailed = "retireFailed",
        /// A wipe was asked for and is not carried out yet.
        WipePending = "wipePending",
        /// A wipe could not be carried out.
        WipeFailed = "wipeFailed",
        /// The device reports itself unhealthy.
        Unhealthy = "unhealthy",
        /// A deletion was asked for and is not carried out yet.
        DeletePending = "deletePending",
        /// The order to retire has reached the device.
        RetireIssued = "retireIssued",
        /// The order to wipe has reached the device.
        WipeIssued = "wipeIssued",
        /// A wipe was called off.
        WipeCanceled = "wipeCanceled",
        /// A retire was called off.
        RetireCanceled = "retireCanceled",
        /// Known, but not under management.
        Discovered = "discovered",
    }
}

vocabulary! {
    /// `complianceState` of a managed device.
    ComplianceState {
        /// Not judged yet.
        Unknown = "unknown",
        /// Complies.
        Compliant = "compliant",
        /// Does not comply.
        Noncompliant = "noncompliant",
        /// Two policies contradict each other.
        Conflict = "conflict",
        /// Judging failed.
        Error = "error",
        /// Does not comply, and is given time to.
        InGracePeriod = "inGracePeriod",
        /// Judged by Configuration Manager.
        ConfigManager = "configManager",
    }
}

vocabulary! {
    /// `managedDeviceOwnerType` of a managed device.
    OwnerType {
        /// Not known to the service.
        Unknown = "unknown",
        /// The organization's.
        Company = "company",
        /// Its user's own.
        Personal = "personal",
    }
}

vocabulary! {
    /// `riskLevel` of a risky user.
    RiskLevel {
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
        /// Not shown for want of a licence.
        Hidden = "hidden",
        /// None.
        None = "none",
    }
}

vocabulary! {
    /// `riskState` of a risky user.
    RiskState {
        /// None.
        None = "none",
        /// An administrator has confirmed that there is no risk.
        ConfirmedSafe = "confirmedSafe",
        /// The risk was remedied.
        Remediated = "remediated",
        /// The risk was dismissed.
        Dismissed = "dismissed",
        /// At risk.
        AtRisk = "atRisk",
        /// An administrator has confirmed that the account is compromised.
        ConfirmedCompromised = "confirmedCompromised",
    }
}
