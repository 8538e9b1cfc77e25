//! Errors of the sign-in service, by the numbers that administrators look up.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use uuid::Uuid;

use super::keys::KeyFailure;
use crate::tenant::{NoTenant, World};

/// A request for a token or a sign-in is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    #[error(
        "Tenant '{0}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
    )]
    Tenant(String),
    #[error("The request body must contain the following parameter: '{0}'.")]
    Parameter(&'static str),
    #[error("The app supplied an unsupported grant type '{0}'.")]
    GrantType(String),
    #[error(
        "The provided value for the input parameter 'scope' is not valid. The scope {0} is not valid."
    )]
    Scope(String),
    #[error(
        "Provided value for the input parameter scope is not valid because it contains more than one resource."
    )]
    SeveralResources,
    #[error("The resource principal named {0} was not found in the tenant.")]
    Resource(String),
    #[error("Application with identifier '{0}' was not found in the directory.")]
    App(String),
    #[error(
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    )]
    NoCredential,
    #[error(
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
    )]
    PublicClient,
    #[error(
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID."
    )]
    Secret,
    #[error("The provided client secret keys for app are expired.")]
    SecretExpired,
    #[error(
        "Client assertion failed signature validation, or its certificate is not registered with the application: {0}"
    )]
    Assertion(&'static str),
    #[error("Client assertion is not within its valid time range.")]
    AssertionTime,
    #[error("Client assertion application identifier doesn't match 'client_id' parameter.")]
    AssertionClient,
    #[error("Client assertion contains an invalid audience: {0}")]
    AssertionAudience(String),
    #[error(
        "Application '{0}' is not assigned to a role for the application that it asks a token for."
    )]
    AppNotAssigned(Uuid),
    #[error("The signed in user is not assigned to a role for the application.")]
    UserNotAssigned,
    #[error("The user account is disabled.")]
    UserDisabled,
    #[error("The user account does not exist in the directory.")]
    NoUser,
    #[error(
        "The user or administrator has not consented to use the application: it defines no permission '{0}'."
    )]
    Consent(String),
    #[error(
        "The redirect URI '{0}' specified in the request does not match the redirect URIs configured for the application."
    )]
    RedirectUri(String),
    #[error(
        "The provided authorization code or refresh token is malformed, expired, or was redeemed already."
    )]
    Code,
    #[error(
        "The Code_Verifier does not match the code_challenge supplied in the authorization request."
    )]
    Verifier,
    #[error("Authorization is pending. Continue polling.")]
    Pending,
    #[error("The user has denied the sign-in.")]
    Declined,
    #[error("The device code has expired.")]
    DeviceCodeExpired,
    #[error("The device code is not known.")]
    DeviceCode,
    #[error("The response type or mode '{0}' is not supported.")]
    ResponseType(String),
    #[error("A signing key could not be used.")]
    Key,
}

impl From<KeyFailure> for TokenError {
    fn from(_: KeyFailure) -> Self {
        Self::Key
    }
}

impl From<NoTenant> for TokenError {
    fn from(_: NoTenant) -> Self {
        Self::Tenant(String::new())
    }
}

impl TokenError {
    /// The word of OAuth 2.0, and Entra's number.
    pub(super) fn codes(&self) -> (&'static str, u32) {
        match self {
            Self::Tenant(_) => ("invalid_request", 90_002),
            Self::Parameter(_) => ("invalid_request", 900_144),
            Self::GrantType(_) => ("unsupported_grant_type", 70_003),
            Self::Scope(_) => ("invalid_scope", 70_011),
            Self::SeveralResources => ("invalid_request", 28_000),
            Self::Resource(_) => ("invalid_resource", 500_011),
            Self::App(_) => ("unauthorized_client", 700_016),
            Self::NoCredential => ("invalid_client", 7_000_218),
            Self::PublicClient => ("invalid_client", 700_025),
            Self::Secret => ("invalid_client", 7_000_215),
            Self::SecretExpired => ("invalid_client", 7_000_222),
            Self::Assertion(_) => ("invalid_client", 700_027),
            Self::AssertionTime => ("invalid_client", 700_024),
            Self::AssertionClient => ("invalid_client", 700_021),
            Self::AssertionAudience(_) => ("invalid_client", 700_023),
            Self::AppNotAssigned(_) => ("invalid_grant", 501_051),
            Self::UserNotAssigned => ("invalid_grant", 50_105),
            Self::UserDisabled => ("invalid_grant", 50_057),
            Self::NoUser => ("invalid_grant", 50_034),
            Self::Consent(_) => ("invalid_grant", 65_001),
            Self::RedirectUri(_) => ("invalid_client", 50_011),
            Self::Code => ("invalid_grant", 70_008),
            Self::Verifier => ("invalid_grant", 501_481),
            Self::Pending => ("authorization_pending", 70_016),
            Self::Declined => ("authorization_declined", 70_018),
            Self::DeviceCodeExpired => ("expired_token", 70_020),
            Self::DeviceCode => ("bad_verification_code", 70_019),
            Self::ResponseType(_) => ("unsupported_response_type", 700_054),
            Self::Key => ("server_error", 90_033),
        }
    }

    fn status(&self) -> StatusCode {
        match self.codes().0 {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            "server_error" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// As the token endpoint answers.
    pub(super) fn respond(&self, world: &World) -> Response {
        let (error, number) = self.codes();
        let (trace, correlation) = (world.fresh_guid(), world.fresh_guid());
        let when = world.now().to_string().replace('T', " ");
        let body = json!({
            "error": error,
            "error_description": format!(
                "AADSTS{number}: {self} Trace ID: {trace} Correlation ID: {correlation} \
                 Timestamp: {when}"
            ),
            "error_codes": [number],
            "timestamp": when,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        });
        let mut response = (self.status(), Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        response
    }
}
