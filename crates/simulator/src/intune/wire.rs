//! The JSON of Intune's services for certification authorities.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The body of validateRequest.
#[derive(Debug, Deserialize)]
pub(super) struct Validate {
    /// The one thing in it.
    pub(super) request: ValidateRequest,
}

/// A request to look at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ValidateRequest {
    /// The SCEP transaction.
    pub(super) transaction_id: String,
    /// Base64 of a PKCS #10.
    pub(super) certificate_request: String,
    /// Who asks.
    pub(super) caller_info: String,
}

/// The body of successNotification.
#[derive(Debug, Deserialize)]
pub(super) struct Success {
    /// The one thing in it.
    pub(super) notification: SuccessNotification,
}

/// A certificate was issued.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SuccessNotification {
    /// The SCEP transaction.
    pub(super) transaction_id: String,
    /// Base64 of a PKCS #10.
    pub(super) certificate_request: String,
    /// SHA-1 of the certificate, in hexadecimal.
    pub(super) certificate_thumbprint: String,
    /// In whatever form the authority writes it.
    pub(super) certificate_serial_number: String,
    /// RFC 3339.
    pub(super) certificate_expiration_date_utc: crate::tenant::Time,
    /// The issuer's name.
    pub(super) issuing_certificate_authority: String,
    /// Who says so.
    pub(super) caller_info: String,
    /// What the authority wants to find its requests to revoke by.
    pub(super) ca_configuration: Option<String>,
    /// The authority.
    pub(super) certificate_authority: Option<String>,
}

/// The body of failureNotification.
#[derive(Debug, Deserialize)]
pub(super) struct Failure {
    /// The one thing in it.
    pub(super) notification: FailureNotification,
}

/// A certificate was not issued.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FailureNotification {
    /// The SCEP transaction.
    pub(super) transaction_id: String,
    /// Base64 of a PKCS #10.
    pub(super) certificate_request: String,
    /// An HRESULT, as a signed or unsigned number of 32 bits.
    pub(super) h_result: i64,
    /// Why, in up to 255 characters.
    pub(super) error_description: String,
    /// Who says so.
    pub(super) caller_info: String,
}

/// The body of downloadRevocationRequests.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Download {
    /// The one thing in it.
    pub(super) download_parameters: DownloadParameters,
}

/// What to hand out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DownloadParameters {
    /// At most so many.
    pub(super) max_requests: u32,
    /// Said to be the issuer's name; compared with the authority's configuration.
    pub(super) issuer_name: Option<String>,
}

/// A certificate to revoke.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RevocationRequest {
    /// By what it is answered.
    pub(super) request_context: String,
    /// As it was notified.
    pub(super) serial_number: String,
    /// Always nothing.
    pub(super) issuer_name: Option<String>,
    /// As it was notified.
    pub(super) ca_configuration: Option<String>,
}

/// The body of uploadRevocationResults.
#[derive(Debug, Deserialize)]
pub(super) struct Upload {
    /// The answers.
    pub(super) results: Vec<RevocationResult>,
}

/// An answer to a request to revoke.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RevocationResult {
    /// Whose answer.
    pub(super) request_context: String,
    /// Whether the certificate is revoked.
    pub(super) succeeded: bool,
    /// The name of an error, or its number as text.
    pub(super) error_code: String,
    /// More about the error.
    pub(super) error_message: Option<String>,
}

const SCEP: &str =
    "microsoft.management.services.scepRequestValidationService.api.scepActionResult";
const REVOCATIONS: &str = "Collection(microsoft.management.services.api.caRevocationRequest)";

/// What ScepActions answers, whatever the code.
pub(super) fn action_result(code: &str, description: &str) -> Value {
    json!({
        "@odata.context": format!("https://manage.microsoft.com/$metadata#{SCEP}"),
        "code": code,
        "errorDescription": description,
    })
}

/// What downloadRevocationRequests answers.
pub(super) fn revocation_requests(requests: &[RevocationRequest]) -> Value {
    json!({
        "@odata.context": format!("https://manage.microsoft.com/$metadata#{REVOCATIONS}"),
        "value": requests,
    })
}

/// An error as Intune's gateway writes it: the message is JSON again, in a string, and has line
/// breaks of Windows.
pub(super) fn error(code: &str, message: &str, activity: &str) -> Value {
    let text = Value::from(message);
    let activity = Value::from(activity);
    let inner = [
        "{",
        "  \"_version\": 3,",
        &format!("  \"Message\": {text},"),
        "  \"CustomApiErrorPhrase\": \"\",",
        "  \"RetryAfter\": null,",
        "  \"ErrorSourceService\": \"\",",
        "  \"HttpHeaders\": \"{}\",",
        &format!("  \"ActivityId\": {activity}"),
        "}",
    ];
    json!({ "error": { "code": code, "message": inner.join("\r\n") } })
}
