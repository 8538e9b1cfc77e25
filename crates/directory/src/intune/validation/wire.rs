//! The JSON of ScepActions, both directions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};

use super::code::Code;

/// Intune takes at most so many characters of an error description. Its own libraries count them in
/// UTF-16, where some characters are two.
const DESCRIPTION_UNITS: usize = 255;

/// The body of `validateRequest`.
#[derive(Debug, Serialize)]
pub(super) struct ValidateBody<'a> {
    pub(super) request: Validate<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Validate<'a> {
    pub(super) transaction_id: &'a str,
    #[serde(serialize_with = "base64")]
    pub(super) certificate_request: &'a [u8],
    pub(super) caller_info: &'a str,
}

/// The body of `successNotification`.
#[derive(Debug, Serialize)]
pub(super) struct SuccessBody<'a> {
    pub(super) notification: Success<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Success<'a> {
    pub(super) transaction_id: &'a str,
    #[serde(serialize_with = "base64")]
    pub(super) certificate_request: &'a [u8],
    pub(super) certificate_thumbprint: &'a str,
    pub(super) certificate_serial_number: &'a str,
    pub(super) certificate_expiration_date_utc: String,
    pub(super) issuing_certificate_authority: &'a str,
    pub(super) caller_info: &'a str,
    pub(super) ca_configuration: Option<&'a str>,
    pub(super) certificate_authority: Option<&'a str>,
}

/// The body of `failureNotification`.
#[derive(Debug, Serialize)]
pub(super) struct FailureBody<'a> {
    pub(super) notification: Failure<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failure<'a> {
    pub(super) transaction_id: &'a str,
    #[serde(serialize_with = "base64")]
    pub(super) certificate_request: &'a [u8],
    pub(super) h_result: i32,
    pub(super) error_description: &'a str,
    pub(super) caller_info: &'a str,
}

/// The answer to each of them. A rejection comes with status 200.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActionResult {
    pub(super) code: Code,
    #[serde(default)]
    pub(super) error_description: Option<String>,
}

/// As much of the text as Intune takes, never half a character.
pub(super) fn description(text: &str) -> &str {
    let mut units = 0;
    let end = text.char_indices().find_map(|(at, character)| {
        units += character.len_utf16();
        (units > DESCRIPTION_UNITS).then_some(at)
    });
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

fn base64<S: Serializer>(octets: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_bodies_have_the_documented_shape() {
        let request = Validate {
            transaction_id: "4A8F",
            certificate_request: &[0x30, 0x00],
            caller_info: "Lanyard/0.1.0",
        };
        assert_eq!(
            serde_json::to_value(ValidateBody { request }).unwrap(),
            json!({"request": {
                "transactionId": "4A8F", "certificateRequest": "MAA=", "callerInfo": "Lanyard/0.1.0",
            }}),
        );
        let notification = Success {
            transaction_id: "4A8F",
            certificate_request: &[0x30, 0x00],
            certificate_thumbprint: "AB",
            certificate_serial_number: "5A",
            certificate_expiration_date_utc: "2027-01-01T00:00:00Z".into(),
            issuing_certificate_authority: "CN=Example",
            caller_info: "Lanyard/0.1.0",
            ca_configuration: Some("lanyard-1"),
            certificate_authority: None,
        };
        assert_eq!(
            serde_json::to_value(SuccessBody { notification }).unwrap(),
            json!({"notification": {
                "transactionId": "4A8F", "certificateRequest": "MAA=", "certificateThumbprint": "AB",
                "certificateSerialNumber": "5A",
                "certificateExpirationDateUtc": "2027-01-01T00:00:00Z",
                "issuingCertificateAuthority": "CN=Example", "callerInfo": "Lanyard/0.1.0",
                "caConfiguration": "lanyard-1", "certificateAuthority": null,
            }}),
        );
        let notification = Failure {
            transaction_id: "4A8F",
            certificate_request: &[0x30, 0x00],
            h_result: -2_147_418_113,
            error_description: "no",
            caller_info: "Lanyard/0.1.0",
        };
        assert_eq!(
            serde_json::to_value(FailureBody { notification }).unwrap(),
            json!({"notification": {
                "transactionId": "4A8F", "certificateRequest": "MAA=", "hResult": -2_147_418_113,
                "errorDescription": "no", "callerInfo": "Lanyard/0.1.0",
            }}),
        );
    }

    #[test]
    fn an_answer_without_description_is_read() {
        let read: ActionResult = serde_json::from_str(r#"{"code":"Success"}"#).unwrap();
        assert_eq!((read.code, read.error_description), (Code::Success, None));
        let read: ActionResult = serde_json::from_value(json!({
            "@odata.context": "…#scepActionResult",
            "code": "ChallengeExpired",
            "errorDescription": "too old",
        }))
        .unwrap();
        assert_eq!(read.code, Code::ChallengeExpired);
        assert_eq!(read.error_description.as_deref(), Some("too old"));
    }

    #[test]
    fn an_answer_without_code_is_no_answer() {
        for text in
            ["{}", r#"{"code":null}"#, r#"{"code":0}"#, r#"{"Code":"Success"}"#, "\"Success\""]
        {
            assert!(serde_json::from_str::<ActionResult>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_description_is_as_many_whole_characters_as_fit(text in "\\PC{0,600}") {
            let cut = description(&text);
            prop_assert!(text.starts_with(cut));
            prop_assert!(cut.encode_utf16().count() <= 255);
            let next = text[cut.len()..].chars().next();
            let longer = cut.encode_utf16().count() + next.map_or(255, char::len_utf16);
            prop_assert!(longer >= 255);
        }
    }
}
