//! The rules that opinions follow from: a stable name for stores and programs, a text for people.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $text:literal;)+) => {
        /// The rule that an opinion follows from.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($(#[$doc])* $variant,)+ }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable name: stores keep it, and programs are told it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The rule in words.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

rules! {
    /// The record of the certificate holds nothing against it.
    NothingRecorded = "nothingRecorded", "nothing is recorded against it";
    /// A person or program has put it on hold, and this is recorded.
    RecordedHold = "recordedHold", "it was put on hold";
    /// A person or program has revoked it, and this is recorded.
    RecordedRevocation = "recordedRevocation", "it was revoked";
    /// There is no record of it in a store that is complete.
    NoRecord = "noRecord", "it was never issued here";
    /// No source had anything to say.
    NobodyAsked = "nobodyAsked", "no source knows it";

    /// The object is there, and its directory says nothing that counts against it.
    ObjectGood = "objectGood", "its directory says nothing against it";
    /// The object was never seen, and the certificate is too young for that to count.
    NotYetAbsent = "notYetAbsent", "its directory does not show its object yet, and it is new";
    /// The device does not comply, and is given time to.
    ComplianceGrace = "complianceGrace", "its device is not compliant, and is given time to be";
    /// Nothing that is new enough is known of the object.
    DirectorySilent = "directorySilent", "its directory cannot be asked, and what is known is too old";
    /// The directory did not say whether the account is enabled: a permission may be missing.
    EnabledNotTold = "enabledNotTold", "its directory does not say whether the account is enabled";
    /// Nobody follows objects of its kind, or its directory is not known.
    NotFollowed = "notFollowed", "nothing here follows the object that it is tethered to";
    /// Too many were to be revoked at a time: a person decides.
    HeldBack = "heldBack", "it is to be revoked, with too many others at a time: a person decides";

    /// The device is gone from Intune.
    IntuneDeviceDeleted = "intuneDeviceDeleted", "its device was deleted from Intune";
    /// The device is to be wiped, or was.
    IntuneDeviceWiped = "intuneDeviceWiped", "its device is being wiped";
    /// The device is to be retired, or was.
    IntuneDeviceRetired = "intuneDeviceRetired", "its device is being retired";
    /// The device is to be deleted from Intune.
    IntuneDeviceDeletePending = "intuneDeviceDeletePending", "its device is being deleted from Intune";
    /// The device reports itself unhealthy to Intune.
    IntuneDeviceUnhealthy = "intuneDeviceUnhealthy", "its device is unhealthy, says Intune";
    /// The device is not compliant, says Intune.
    IntuneDeviceNotCompliant = "intuneDeviceNotCompliant", "its device is not compliant, says Intune";
    /// Intune lists the certificate as revoked.
    IntuneListedRevoked = "intuneListedRevoked", "Intune lists it as revoked";
    /// Intune has asked for the certificate's revocation.
    IntuneRevocationRequested = "intuneRevocationRequested", "Intune has asked for its revocation";
    /// Intune does not want the certificate, as it said when it was told of it, or could not be told
    /// of it for long.
    IntuneNoticeRefused = "intuneNoticeRefused", "Intune has not taken notice of it";
    /// The device is gone from Entra ID.
    EntraDeviceDeleted = "entraDeviceDeleted", "its device was deleted from Entra ID";
    /// The device is disabled in Entra ID.
    EntraDeviceDisabled = "entraDeviceDisabled", "its device is disabled in Entra ID";
    /// The device is not compliant, says Entra ID.
    EntraDeviceNotCompliant = "entraDeviceNotCompliant", "its device is not compliant, says Entra ID";
    /// The user is gone from Entra ID.
    EntraUserDeleted = "entraUserDeleted", "its user was deleted from Entra ID";
    /// The user's account is disabled.
    EntraUserDisabled = "entraUserDisabled", "its user is disabled in Entra ID";
    /// The user's risk is not tolerated.
    EntraUserAtRisk = "entraUserAtRisk", "its user is at a risk that is not tolerated";
    /// The computer is gone from Jamf Pro.
    JamfComputerDeleted = "jamfComputerDeleted", "its computer was deleted from Jamf Pro";
    /// The mobile device is gone from Jamf Pro.
    JamfDeviceDeleted = "jamfDeviceDeleted", "its mobile device was deleted from Jamf Pro";
    /// The user is gone from Jamf Pro.
    JamfUserDeleted = "jamfUserDeleted", "its user was deleted from Jamf Pro";
}

impl Rule {
    /// How little a rule tells a person of a certificate that is good: what is usual comes last.
    pub(super) const fn usualness(self) -> u8 {
        match self {
            Self::NothingRecorded => 2,
            Self::ObjectGood => 1,
            _ => 0,
        }
    }

    /// The inverse of `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_name(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("there is no rule \"{name}\"")))
    }
}

#[cfg(test)]
mod tests;
