//! The JSON of CertificateAuthorityRequests, both directions.

use serde::{Deserialize, Serialize};

use super::request::{RequestContext, RevocationRequest};
use super::result::{ErrorCodeSpelling, Outcome, RevocationResult};

/// Messages are for a list that administrators read; more than this is cut.
const MESSAGE_CHARS: usize = 255;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DownloadBody {
    pub(super) download_parameters: DownloadParameters,
}

/// `issuerName` stays null: the service matches it with something else than the issuer, and cuts the
/// list before it filters, so that requests stay hidden behind those of other authorities.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DownloadParameters {
    pub(super) max_requests: u16,
    pub(super) issuer_name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Downloaded {
    pub(super) value: Vec<Queued>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Queued {
    request_context: RequestContext,
    #[serde(default)]
    serial_number: Option<String>,
    #[serde(default)]
    issuer_name: Option<String>,
    #[serde(default)]
    ca_configuration: Option<String>,
}

impl From<Queued> for RevocationRequest {
    fn from(request: Queued) -> Self {
        Self {
            context: request.request_context,
            serial_number: request.serial_number.unwrap_or_default(),
            issuer_name: request.issuer_name,
            ca_configuration: request.ca_configuration,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct UploadBody {
    pub(super) results: Vec<ResultBody>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultBody {
    request_context: RequestContext,
    succeeded: bool,
    error_code: &'static str,
    error_message: Option<String>,
}

impl ResultBody {
    pub(super) fn new(result: &RevocationResult, spelling: ErrorCodeSpelling) -> Self {
        let request_context = result.context.clone();
        match &result.outcome {
            Outcome::Revoked => Self {
                request_context,
                succeeded: true,
                error_code: spelling.none(),
                error_message: None,
            },
            Outcome::Failed { code, message } => Self {
                request_context,
                succeeded: false,
                error_code: code.spelt(spelling),
                error_message: Some(message.chars().take(MESSAGE_CHARS).collect()),
            },
        }
    }
}

/// The answer to an upload: `true`, or `"true"`.
#[derive(Debug, Deserialize)]
pub(super) struct Uploaded {
    value: Truth,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Truth {
    Boolean(bool),
    Text(String),
}

impl Uploaded {
    /// Whether the results were taken.
    pub(super) fn taken(&self) -> bool {
        match &self.value {
            Truth::Boolean(value) => *value,
            Truth::Text(value) => value.eq_ignore_ascii_case("true"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::result::FailureCode;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_download_asks_without_a_filter() {
        let body = DownloadBody {
            download_parameters: DownloadParameters { max_requests: 500, issuer_name: None },
        };
        assert_eq!(
            serde_json::to_value(body).unwrap(),
            json!({"downloadParameters": {"maxRequests": 500, "issuerName": null}}),
        );
    }

    #[test]
    fn requests_are_read_with_whatever_they_leave_out() {
        let read: Downloaded = serde_json::from_value(json!({
            "@odata.context": "…#Collection(microsoft.management.services.api.caRevocationRequest)",
            "value": [
                {"requestContext": "a", "serialNumber": "5A", "issuerName": null, "caConfiguration": null},
                {"requestContext": "b", "serialNumber": "5B", "caConfiguration": "lanyard"},
                {"requestContext": "c", "serialNumber": null},
            ],
        }))
        .unwrap();
        let requests: Vec<RevocationRequest> = read.value.into_iter().map(Into::into).collect();
        assert_eq!(requests[0].serial(), "5A".parse().ok());
        assert_eq!(requests[1].ca_configuration.as_deref(), Some("lanyard"));
        assert_eq!(requests[2].serial(), None);
    }

    #[test]
    fn results_are_spelt_either_way() {
        let revoked =
            RevocationResult { context: RequestContext::new("a"), outcome: Outcome::Revoked };
        let code = FailureCode::CertificateNotFound;
        let failed = RevocationResult {
            context: RequestContext::new("b"),
            outcome: Outcome::Failed { code, message: "not ours".into() },
        };
        for (spelling, none, not_found) in [
            (ErrorCodeSpelling::Name, "None", "CertificateNotFoundError"),
            (ErrorCodeSpelling::Number, "0", "4004"),
        ] {
            let results =
                [&revoked, &failed].map(|result| ResultBody::new(result, spelling)).into();
            assert_eq!(
                serde_json::to_value(UploadBody { results }).unwrap(),
                json!({"results": [
                    {"requestContext": "a", "succeeded": true, "errorCode": none, "errorMessage": null},
                    {"requestContext": "b", "succeeded": false, "errorCode": not_found,
                     "errorMessage": "not ours"},
                ]}),
            );
        }
    }

    #[test]
    fn an_upload_is_taken_when_the_service_says_so_in_either_type() {
        for (text, taken) in [
            (r#"{"value":true}"#, true),
            (r#"{"value":"true"}"#, true),
            (r#"{"value":"True"}"#, true),
            (r#"{"value":false}"#, false),
            (r#"{"value":"false"}"#, false),
            (r#"{"value":""}"#, false),
        ] {
            assert_eq!(serde_json::from_str::<Uploaded>(text).unwrap().taken(), taken, "{text}");
        }
        for text in ["{}", r#"{"value":null}"#, r#"{"value":1}"#] {
            assert!(serde_json::from_str::<Uploaded>(text).is_err(), "{text}");
        }
    }
}
