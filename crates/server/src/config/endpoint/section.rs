//! What every endpoint's section has: the certificates that it issues and renews.

use super::{
    AvailabilitySetting, KeepSetting, KeyUsageSetting, KindSetting, RenewalSetting,
    RequestedSidSetting, RequestedUsagesSetting, UsageSetting,
};
use crate::config::unit::Span;

/// What an endpoint decides about its certificates, whichever endpoint it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuing {
    /// Whether it is there.
    pub availability: AvailabilitySetting,
    /// The longest validity of its certificates.
    pub maximum_validity: Span,
    /// Whether it renews.
    pub renewals: RenewalSetting,
    /// What it renews.
    pub renewal_kinds: Vec<KindSetting>,
    /// Key usages where the request does not decide.
    pub key_usages: Vec<KeyUsageSetting>,
    /// Extended key usages where the request does not decide.
    pub usages: Vec<UsageSetting>,
    /// Whether requests decide.
    pub requested_usages: RequestedUsagesSetting,
    /// What they may ask for.
    pub grantable_key_usages: Vec<KeyUsageSetting>,
    /// What they may ask for.
    pub grantable_usages: Vec<UsageSetting>,
    /// What becomes of a security identifier that is asked for.
    pub requested_sid: RequestedSidSetting,
    /// How much is recorded.
    pub keep: KeepSetting,
}

impl Issuing {
    /// What an endpoint decides that issues and renews certificates of these kinds to clients of a network.
    pub(super) fn of(kinds: &[KindSetting]) -> Self {
        let key_usages = vec![KeyUsageSetting::DigitalSignature, KeyUsageSetting::KeyEncipherment];
        Self {
            availability: AvailabilitySetting::Open,
            maximum_validity: Span::days(365),
            renewals: RenewalSetting::Allowed,
            renewal_kinds: kinds.to_vec(),
            grantable_key_usages: key_usages.clone(),
            key_usages,
            usages: vec![UsageSetting::ClientAuth],
            requested_usages: RequestedUsagesSetting::Ignored,
            grantable_usages: vec![
                UsageSetting::ClientAuth,
                UsageSetting::ServerAuth,
                UsageSetting::EmailProtection,
            ],
            requested_sid: RequestedSidSetting::LeftOut,
            keep: KeepSetting::Everything,
        }
    }
}

/// Makes an endpoint's section: the settings of its own, each with its default, then those that all have.
macro_rules! section {
    (
        $(#[$doc:meta])*
        $name:ident issues $kinds:ident, by default $issuing:expr;
        $( $(#[$own_doc:meta])* $own:ident: $type:ty = $default:expr, )*
    ) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema, garde::Validate,
        )]
        #[serde(default, deny_unknown_fields)]
        #[garde(allow_unvalidated)]
        pub struct $name {
            /// Whether the endpoint is there.
            pub availability: $crate::config::AvailabilitySetting,
            $( $(#[$own_doc])* pub $own: $type, )*
            /// The longest validity of a certificate from this endpoint.
            #[garde(custom($crate::config::authority::at_least_a_day))]
            pub maximum_validity: $crate::config::unit::Span,
            /// Whether a certificate from this endpoint may be renewed with its own key instead of a challenge.
            pub renewals: $crate::config::RenewalSetting,
            /// Which kinds of certificate may be renewed so.
            pub renewal_kinds: Vec<$crate::config::KindSetting>,
            /// What keys may do (key usages), where the request does not decide.
            pub key_usages: Vec<$crate::config::KeyUsageSetting>,
            /// What certificates are for (extended key usages), where the request does not decide.
            pub usages: Vec<$crate::config::UsageSetting>,
            /// Whether requests decide what their certificates are for.
            pub requested_usages: $crate::config::RequestedUsagesSetting,
            /// What requests may ask for keys to do, where they decide.
            pub grantable_key_usages: Vec<$crate::config::KeyUsageSetting>,
            /// What requests may ask for, where they decide.
            pub grantable_usages: Vec<$crate::config::UsageSetting>,
            /// What becomes of a security identifier (SID extension) that a request asks for.
            pub requested_sid: $crate::config::RequestedSidSetting,
            /// How much of a certificate from this endpoint is recorded.
            pub keep: $crate::config::KeepSetting,
        }

        impl Default for $name {
            fn default() -> Self {
                let issuing: $crate::config::Issuing = $issuing;
                Self {
                    availability: issuing.availability,
                    $( $own: $default, )*
                    maximum_validity: issuing.maximum_validity,
                    renewals: issuing.renewals,
                    renewal_kinds: issuing.renewal_kinds,
                    key_usages: issuing.key_usages,
                    usages: issuing.usages,
                    requested_usages: issuing.requested_usages,
                    grantable_key_usages: issuing.grantable_key_usages,
                    grantable_usages: issuing.grantable_usages,
                    requested_sid: issuing.requested_sid,
                    keep: issuing.keep,
                }
            }
        }

        impl $name {
            /// The kinds of certificate that this endpoint issues.
            pub const ISSUES: &[$crate::config::KindSetting] = $kinds;

            /// What it decides about its certificates.
            pub fn issuing(&self) -> $crate::config::Issuing {
                $crate::config::Issuing {
                    availability: self.availability,
                    maximum_validity: self.maximum_validity,
                    renewals: self.renewals,
                    renewal_kinds: self.renewal_kinds.clone(),
                    key_usages: self.key_usages.clone(),
                    usages: self.usages.clone(),
                    requested_usages: self.requested_usages,
                    grantable_key_usages: self.grantable_key_usages.clone(),
                    grantable_usages: self.grantable_usages.clone(),
                    requested_sid: self.requested_sid,
                    keep: self.keep,
                }
            }
        }
    };
}
pub(super) use section;
