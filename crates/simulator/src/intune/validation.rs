//! ScepActions: is a request what Intune asked for, and what has become of it?

use super::{
    Challenge, Code, Issued, KeyStorage, Status,
    certificates::Reported,
    is_targeted,
    wire::{FailureNotification, SuccessNotification, ValidateRequest},
};
use crate::tenant::{Tenant, Time};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lanyard_pki::CertificationRequest;

/// Looks at a request before the certificate is issued.
pub(super) fn validate(
    tenant: &mut Tenant,
    asked: &ValidateRequest,
    now: Time,
) -> Result<(), Code> {
    let (request, challenge) = read(tenant, &asked.certificate_request)?;
    challenge.timeliness(now)?;
    check_ids(tenant, &challenge, &asked.transaction_id)?;
    challenge.expected.compare(&request)?;
    check_key(tenant, &challenge, &request)?;
    if let Some(requested) = tenant.intune.certificates.current(challenge.certificate_request_id) {
        requested.validated.insert(asked.transaction_id.clone());
    }
    Ok(())
}

/// Takes the news that a certificate was issued. The same news twice is no news.
pub(super) fn succeeded(
    tenant: &mut Tenant,
    told: &SuccessNotification,
    now: Time,
) -> Result<(), Code> {
    let (request, challenge) = read(tenant, &told.certificate_request)?;
    check_ids(tenant, &challenge, &told.transaction_id)?;
    challenge.expected.compare(&request)?;
    let id = challenge.certificate_request_id;
    let bad = Code::BadCertificateRequestIdInChallenge;
    let requested = tenant.intune.certificates.current(id).ok_or(bad)?;
    let answer = (told.transaction_id.clone(), told.certificate_thumbprint.to_uppercase());
    match &requested.answered {
        Some(before) if *before == answer => return Ok(()),
        Some(_) => return Err(bad),
        None => requested.answered = Some(answer),
    }
    tenant.intune.certificates.issue(Issued {
        certificate_request_id: id,
        device_id: challenge.device_id,
        user_id: challenge.user_id,
        profile_id: challenge.profile_id,
        transaction_id: told.transaction_id.clone(),
        thumbprint: told.certificate_thumbprint.clone(),
        serial_number: told.certificate_serial_number.clone(),
        subject: request.subject().to_string(),
        expires: told.certificate_expiration_date_utc,
        issuing_certificate_authority: told.issuing_certificate_authority.clone(),
        ca_configuration: told.ca_configuration.clone(),
        certificate_authority: told.certificate_authority.clone(),
        notified: now,
        status: Status::Active,
    });
    Ok(())
}

/// Takes the news that no certificate was issued.
pub(super) fn failed(
    tenant: &mut Tenant,
    told: &FailureNotification,
    now: Time,
) -> Result<(), Code> {
    let (_, challenge) = read(tenant, &told.certificate_request)?;
    let octets = told.h_result.to_be_bytes();
    let [.., a, b, c, d] = octets;
    tenant.intune.certificates.fail(Reported {
        transaction_id: told.transaction_id.clone(),
        device_id: challenge.device_id,
        h_result: u32::from_be_bytes([a, b, c, d]),
        description: told.error_description.clone(),
        notified: now,
    });
    Ok(())
}

/// The request and the challenge in it.
fn read(tenant: &Tenant, base64: &str) -> Result<(CertificationRequest, Challenge), Code> {
    let undecodable = Code::CertificateRequestDecodingFailed;
    let der = STANDARD.decode(base64).map_err(|_| undecodable)?;
    let request = CertificationRequest::from_der(&der).map_err(|_| undecodable)?;
    request.verify().map_err(|_| undecodable)?;
    let password = request.challenge_password().ok_or(Code::ChallengePasswordMissing)?;
    if password.expose().is_empty() {
        return Err(Code::ChallengePasswordMissing);
    }
    let challenge = tenant.intune.keys.open(password.expose())?;
    Ok((request, challenge))
}

/// Whether everything that the challenge names is still there and belongs together.
fn check_ids(tenant: &mut Tenant, challenge: &Challenge, transaction: &str) -> Result<(), Code> {
    if challenge.tenant_id != tenant.id {
        return Err(Code::BadTenantIdInChallenge);
    }
    let device = tenant.managed_devices.find(challenge.device_id);
    let device = device.ok_or(Code::BadDeviceIdInChallenge)?;
    if challenge.user_id.is_some_and(|user| tenant.users.find(user).is_none()) {
        return Err(Code::BadUserIdInChallenge);
    }
    let profile = tenant.intune.profiles.get(&challenge.profile_id);
    if !profile.is_some_and(|profile| {
        profile.version == challenge.profile_version && is_targeted(tenant, profile, &device)
    }) {
        return Err(Code::ScepProfileNoLongerTargetedToTheClient);
    }
    let bad = Code::BadCertificateRequestIdInChallenge;
    let requested = tenant.intune.certificates.current(challenge.certificate_request_id);
    match &requested.ok_or(bad)?.answered {
        Some((answered, _)) if answered != transaction => Err(bad),
        _ => Ok(()),
    }
}

/// Whether the key is one that the directory lists, where the profile keeps it in Windows Hello.
fn check_key(
    tenant: &Tenant,
    challenge: &Challenge,
    request: &CertificationRequest,
) -> Result<(), Code> {
    if challenge.expected.key_storage != KeyStorage::WindowsHelloForBusiness {
        return Ok(());
    }
    let listed = challenge.user_id.and_then(|user| tenant.intune.registered_keys.get(&user));
    let listed = listed.filter(|keys| !keys.is_empty()).ok_or(Code::AadKeyIdentifierListMissing)?;
    let key = hex::encode(digest(&SHA256, request.public_key().spki_der()));
    let is = |known: &String| known.eq_ignore_ascii_case(&key);
    if listed.iter().any(is) { Ok(()) } else { Err(Code::RegisteredKeyMismatch) }
}
