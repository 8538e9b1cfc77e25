//! `[endpoints.…]`: the places to enroll.

use std::path::PathBuf;

use garde::Validate;
use lanyard_pki::{Oid, oid};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::authority::at_least_a_day;
use super::unit::Span;

/// The places to enroll. One that is not configured answers 404 and does nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct EndpointsSection {
    /// `/static`: enrollment by SCEP for anyone who knows the challenge. On when a challenge is set.
    #[garde(dive)]
    pub r#static: StaticEndpointSection,
}

/// `/static`: enrollment by SCEP for anyone who knows the challenge. On when a challenge is set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct StaticEndpointSection {
    /// A file with the challenge that every client sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge_file: Option<PathBuf>,
    /// The challenge itself.
    #[serde(skip)]
    pub challenge: Option<SecretString>,
    /// The longest validity of a certificate from this endpoint.
    #[garde(custom(at_least_a_day))]
    pub maximum_validity: Span,
    /// Who decides on a request.
    pub approval: Approval,
    /// Whether a certificate from this endpoint may be renewed with its own key instead of a challenge.
    pub renewals: RenewalSetting,
    /// What certificates are for (extended key usages), where the request does not decide.
    pub usages: Vec<UsageSetting>,
    /// Whether requests decide what their certificates are for.
    pub requested_usages: RequestedUsagesSetting,
    /// What requests may ask for, where they decide.
    pub grantable_usages: Vec<UsageSetting>,
}

impl Default for StaticEndpointSection {
    fn default() -> Self {
        Self {
            challenge_file: None,
            challenge: None,
            maximum_validity: Span::days(365),
            approval: Approval::default(),
            renewals: RenewalSetting::default(),
            usages: vec![UsageSetting::ClientAuth],
            requested_usages: RequestedUsagesSetting::default(),
            grantable_usages: vec![
                UsageSetting::ClientAuth,
                UsageSetting::ServerAuth,
                UsageSetting::EmailProtection,
            ],
        }
    }
}

/// Who decides on a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Approval {
    /// The rules alone: the certificate is issued at once.
    #[default]
    Automatic,
    /// A person: requests wait for `lanyard request approve` or `decline`.
    Manual,
}

/// Whether certificates may be renewed with their own key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RenewalSetting {
    /// The certificate's own key is enough while the certificate is good.
    #[default]
    Allowed,
    /// Every certificate needs the challenge.
    Refused,
}

/// Whether requests decide what their certificates are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RequestedUsagesSetting {
    /// Certificates get the endpoint's usages, whatever is asked for.
    #[default]
    Ignored,
    /// A request gets what it asks for, as far as it may be granted; what asks for nothing gets the endpoint's usages.
    /// Whoever knows the challenge can then have a certificate for a server under any name.
    Granted,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum UsageSetting {
    /// To authenticate as a TLS client.
    ClientAuth,
    /// To authenticate as a TLS server.
    ServerAuth,
    /// To sign and encrypt e-mail.
    EmailProtection,
    /// To sign programs.
    CodeSigning,
    /// To log on with a smart card.
    SmartcardLogon,
}

impl From<UsageSetting> for Oid {
    fn from(usage: UsageSetting) -> Self {
        match usage {
            UsageSetting::ClientAuth => oid::CLIENT_AUTH,
            UsageSetting::ServerAuth => oid::SERVER_AUTH,
            UsageSetting::EmailProtection => oid::EMAIL_PROTECTION,
            UsageSetting::CodeSigning => oid::CODE_SIGNING,
            UsageSetting::SmartcardLogon => oid::MS_SMARTCARD_LOGON,
        }
    }
}
