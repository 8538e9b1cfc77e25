//! What an administrator is told.

use super::*;
use crate::check::Outcome;

#[tokio::test]
async fn the_check_names_every_privilege_and_what_a_missing_one_disables() {
    let (_, jamf) = instance(|path| match path {
        "/api/v1/jamf-pro-version" => Reply::json(200, &json!({"version": "11.17.1"}))
            .header("date", "Fri, 15 Jan 2027 09:00:00 GMT"),
        path if path.starts_with("/api/v3/computers-inventory") => page(3, &[]),
        path if path.starts_with("/api/v2/mobile-devices") => {
            Reply::json(403, &json!({"httpStatus": 403, "errors": []}))
        }
        path => classic(path),
    });
    let checks = jamf.check().await;
    let found: Vec<_> = checks.iter().map(|check| (check.what.as_str(), check.outcome)).collect();
    assert_eq!(
        found,
        [
            ("Sign-in", Outcome::Ok),
            ("Version", Outcome::Ok),
            ("Clock", Outcome::Warning),
            ("Privilege Read Computers", Outcome::Ok),
            ("Privilege Read Mobile Devices", Outcome::Problem),
            ("Privilege Read Users", Outcome::Ok),
        ]
    );
    let missing = &checks[4];
    assert!(missing.disables.as_deref().unwrap().contains("OU=devices"), "{missing}");
    assert!(missing.remedy.as_deref().unwrap().contains("Read Mobile Devices"), "{missing}");
}

#[tokio::test]
async fn the_check_ends_where_nobody_can_sign_in() {
    let wire =
        Canned::new(|_: &Request<Bytes>| Reply::json(401, &json!({"error": "invalid_client"})));
    let jamf = JamfPro::new(wire.service(JamfPro::NAME, limits()), &settings());
    let checks = jamf.check().await;
    assert_eq!(checks.len(), 1);
    assert_eq!(checks[0].outcome, Outcome::Problem);
    let text = checks[0].to_string();
    assert!(text.contains("secret") && !text.contains("s3cret"), "{text}");
}
