//! The kinds of certificate, the channels they are issued through, and the words and numbers the
//! API has for both.
//!
//! The codes are stable: kinds are inside serial numbers, sources are in the API's contract. What a
//! kind is tethered to is in [`crate::binding`].

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $code,)+ }

        impl $name {
            /// Every one, by code.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable number.
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The inverse of `code`; none for a number that was never given out.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The name, as the API and the command line write it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)+ }
            }

            /// The inverse of `name`, in any letter case.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name().eq_ignore_ascii_case(name))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(crate) use coded;

coded! {
    /// What a certificate is for and, with it, what sort of object it is tethered to. Zero is no
    /// kind, so that an all-zero plaintext of a serial number means nothing.
    Kind {
        /// Tethered to nothing: revoked by hand only.
        Static = 1,
        /// A domain controller; tethered to nothing.
        DomainController = 2,
        /// A user in Entra ID.
        EntraUser = 3,
        /// A device in Entra ID.
        EntraDevice = 4,
        /// A device in Intune.
        IntuneDevice = 5,
        /// A device in Intune that is not yet compliant while compliance is checked: short-lived.
        IntuneBootstrap = 6,
        /// A computer in Jamf Pro.
        JamfComputer = 7,
        /// A mobile device in Jamf Pro.
        JamfDevice = 8,
        /// A user of a computer in Jamf Pro; tethered to both.
        JamfUserOnComputer = 9,
        /// A user of a mobile device in Jamf Pro; tethered to both.
        JamfUserOnDevice = 10,
        /// A device of Lanyard's own fleet.
        FleetDevice = 11,
        /// A user of Lanyard's own fleet.
        FleetUser = 12,
        /// A computer in Active Directory.
        AdComputer = 13,
        /// A user in Active Directory.
        AdUser = 14,
        /// A RADIUS server; tethered to nothing.
        RadiusServer = 15,
    }
}

/// Whether there is an object behind a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tether {
    /// A directory holds the object: its fate decides the certificate's.
    Directory,
    /// There is none: the object is a random number and only people revoke.
    None,
}

impl Kind {
    /// Whether certificates of this kind follow a directory object.
    #[must_use]
    pub const fn tether(self) -> Tether {
        match self {
            Self::Static | Self::DomainController | Self::RadiusServer => Tether::None,
            Self::EntraUser
            | Self::EntraDevice
            | Self::IntuneDevice
            | Self::IntuneBootstrap
            | Self::JamfComputer
            | Self::JamfDevice
            | Self::JamfUserOnComputer
            | Self::JamfUserOnDevice
            | Self::FleetDevice
            | Self::FleetUser
            | Self::AdComputer
            | Self::AdUser => Tether::Directory,
        }
    }

    /// The type that the API shows.
    #[must_use]
    pub const fn api_type(self) -> ApiType {
        match self {
            Self::Static | Self::RadiusServer => ApiType::Static,
            Self::DomainController => ApiType::DC,
            Self::EntraUser
            | Self::JamfUserOnComputer
            | Self::JamfUserOnDevice
            | Self::FleetUser
            | Self::AdUser => ApiType::User,
            Self::EntraDevice
            | Self::IntuneDevice
            | Self::IntuneBootstrap
            | Self::JamfComputer
            | Self::JamfDevice
            | Self::FleetDevice
            | Self::AdComputer => ApiType::Device,
        }
    }
}

/// The type of certificate in the API's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ApiType {
    /// Tethered to nothing.
    Static,
    /// A domain controller.
    DC,
    /// A person.
    User,
    /// A device.
    Device,
}

impl fmt::Display for ApiType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Static => "Static",
            Self::DC => "DC",
            Self::User => "User",
            Self::Device => "Device",
        })
    }
}

coded! {
    /// The channel that a certificate was issued through; the codes are the API's. There is no 2.
    Source {
        /// An administrator, by form, request file or command.
        CertificateMaster = 0,
        /// The endpoint whose challenges Intune validates, as recorded when the certificate was
        /// issued.
        Intune = 1,
        /// The endpoint with a static challenge.
        Static = 3,
        /// The endpoint with a static challenge and Entra objects.
        StaticAAD = 4,
        /// The endpoint for Jamf Pro.
        Jamf = 5,
        /// The endpoint for domain controllers.
        DomainController = 6,
        /// EST and the REST API.
        API = 7,
        /// The REST API for RADIUS servers.
        RadiusAPI = 8,
        /// Intune, as learnt from the endpoint list or the revocation queue and not at issuance.
        IntuneListed = 9,
        /// The enrollment policy and web services of Active Directory.
        ActiveDirectory = 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn codes_and_names_come_back() {
        for kind in Kind::ALL.iter().copied() {
            assert_eq!(Kind::from_code(kind.code()), Some(kind));
            assert_eq!(Kind::from_name(&kind.name().to_lowercase()), Some(kind));
        }
        for source in Source::ALL.iter().copied() {
            assert_eq!(Source::from_code(source.code()), Some(source));
            assert_eq!(Source::from_name(source.name()), Some(source));
        }
    }

    #[test]
    fn numbers_never_given_out_mean_nothing() {
        assert_eq!(Kind::from_code(0), None);
        assert_eq!((16..=u8::MAX).find_map(Kind::from_code), None);
        assert_eq!(Source::from_code(2), None);
        assert_eq!((11..=u8::MAX).find_map(Source::from_code), None);
    }

    #[test]
    fn the_tables_are_as_published() {
        let mut table = String::new();
        for kind in Kind::ALL {
            let (api, tether) = (kind.api_type().to_string(), kind.tether());
            writeln!(table, "{:>2} {:<18} {api:<6} {tether:?}", kind.code(), kind.name()).unwrap();
        }
        for source in Source::ALL {
            writeln!(table, "{:>2} {source}", source.code()).unwrap();
        }
        insta::assert_snapshot!(table);
    }
}
