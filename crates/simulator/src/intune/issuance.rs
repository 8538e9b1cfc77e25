//! Making a challenge for a device and a profile: what happens when a device gets its policy.

use super::{
    AltName, CertificateType, Challenge, Flaw, Profile, Settings, Status, Variables, is_targeted,
};
use crate::{
    device::Mode,
    tenant::{Device, ManagedDevice, ManagementState, Tenant, Time, User},
};
use serde::Serialize;
use std::collections::BTreeSet;
use uuid::Uuid;

/// What a device is given: the challenge, and what its certificate request is to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Made {
    /// The challenge password.
    pub challenge: String,
    /// The request that it is for.
    pub certificate_request_id: Uuid,
    /// From when on it is refused.
    pub expires: Time,
    /// The subject as RFC 4514 has it.
    pub subject: String,
    /// The alternative names.
    pub subject_alternative_names: Vec<AltName>,
    /// The names of the key usage's bits.
    pub key_usage: BTreeSet<String>,
    /// The length of the RSA key, in bits.
    pub key_size: u32,
    /// The extended key usages, as dotted identifiers.
    pub extended_key_usages: BTreeSet<String>,
}

/// Why a device gets no challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The device is not there.
    #[error("there is no such managed device")]
    NoDevice,
    /// The profile is not there.
    #[error("there is no such profile")]
    NoProfile,
    /// It is to be wiped or retired, or was.
    #[error("the device is being taken out of management")]
    Leaving,
    /// The profile is not assigned to it.
    #[error("the profile is not assigned to the device")]
    NotTargeted,
    /// The profile is for users, and the device has none.
    #[error("the profile is for users, and the device has none")]
    NoUser,
    /// Its user has lost the licence: Intune delivers no policy.
    #[error("the device's user has no licence for Intune")]
    NoLicence,
}

/// Makes a challenge.
pub(super) fn make(
    tenant: &mut Tenant,
    (device_id, profile_id): (Uuid, Uuid),
    request: Uuid,
    flaw: Option<Flaw>,
    now: Time,
) -> Result<Made, Refused> {
    let device = tenant.managed_devices.find(device_id).ok_or(Refused::NoDevice)?;
    let profile = tenant.intune.profiles.get(&profile_id).ok_or(Refused::NoProfile)?;
    check(tenant, &device, profile)?;
    let mode = tenant.intune.agenda.mode(&device);
    let entra = device.azure_ad_device_id.and_then(|id| tenant.devices.find_by(&id));
    let user = device.user_id.and_then(|id| tenant.users.find(id));
    let variables = variables(&device, mode, entra.as_deref(), user.as_deref(), &profile.settings);
    let challenge = Challenge {
        certificate_request_id: request,
        tenant_id: tenant.id,
        device_id,
        user_id: device.user_id,
        profile_id,
        profile_version: profile.version,
        issued: now,
        expected: profile.settings.expected(&variables, mode.purposes()),
    };
    let given = Made {
        challenge: tenant.intune.keys.seal(&challenge, flaw),
        certificate_request_id: request,
        expires: now.plus(super::challenge::LIFE),
        subject: profile.settings.device_subject(&variables),
        subject_alternative_names: challenge.expected.alt_names,
        key_usage: challenge.expected.key_usage,
        key_size: challenge.expected.key_size,
        extended_key_usages: challenge.expected.extended_key_usages,
    };
    tenant.intune.certificates.request(request, device_id, profile_id);
    Ok(given)
}

/// The profiles for which a device is to get a certificate: it has none that is valid.
pub fn due(tenant: &Tenant, device: &ManagedDevice, now: Time) -> Vec<Uuid> {
    let has = |profile: &Profile| {
        tenant.intune.certificates.issued().any(|issued| {
            issued.status == Status::Active
                && issued.expires > now
                && (issued.device_id, issued.profile_id) == (device.id, profile.id)
        })
    };
    let profiles = tenant.intune.profiles.values();
    let due = profiles.filter(|profile| check(tenant, device, profile).is_ok() && !has(profile));
    due.map(|profile| profile.id).collect()
}

/// Whether Intune delivers a profile to a device.
fn check(tenant: &Tenant, device: &ManagedDevice, profile: &Profile) -> Result<(), Refused> {
    let leaving = [
        ManagementState::RetirePending,
        ManagementState::RetireIssued,
        ManagementState::WipePending,
        ManagementState::WipeIssued,
        ManagementState::DeletePending,
    ];
    if leaving.contains(&device.management_state) {
        return Err(Refused::Leaving);
    }
    if !is_targeted(tenant, profile, device) {
        return Err(Refused::NotTargeted);
    }
    let user_profile = profile.settings.certificate_type == CertificateType::User;
    match device.user_id {
        None if user_profile => Err(Refused::NoUser),
        Some(user) if tenant.intune.unlicensed.contains(&user) => Err(Refused::NoLicence),
        _ => Ok(()),
    }
}

/// What Intune puts in the place of variables for a device and, in profiles for users, its user.
fn variables(
    device: &ManagedDevice,
    mode: Mode,
    entra: Option<&Device>,
    user: Option<&User>,
    settings: &Settings,
) -> Variables {
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    let upn = text(device.user_principal_name.as_ref());
    // A device that Entra ID does not know yet has its Intune id in both places.
    let registered = device.azure_ad_registered.unwrap_or(true);
    let entra_id = device.azure_ad_device_id.filter(|_| registered).unwrap_or(device.id);
    let intune_id = if mode.tells_device_id() { device.id.to_string() } else { String::new() };
    let user_profile = settings.certificate_type == CertificateType::User;
    let sid = if user_profile {
        user.and_then(|user| user.on_premises_security_identifier.clone())
    } else {
        entra.and_then(|entra| entra.on_premises_security_identifier.clone())
    };
    let sam = user.and_then(|user| user.on_premises_sam_account_name.clone());
    let domain = upn.split_once('@').map(|(_, domain)| domain).unwrap_or_default();
    Variables::default()
        .with("DeviceId", intune_id)
        .with("AAD_Device_ID", entra_id.to_string())
        .with("AzureADDeviceId", entra_id.to_string())
        .with("DeviceName", device.device_name.as_str())
        .with("FullyQualifiedDomainName", format!("{}.{domain}", device.device_name))
        .with("SerialNumber", text(device.serial_number.as_ref()))
        .with("UserName", upn.split('@').next().unwrap_or_default())
        .with("UserPrincipalName", upn.as_str())
        .with("EmailAddress", text(device.email_address.as_ref()))
        .with("OnPremisesSamAccountName", sam.unwrap_or_default())
        .with("OnPremisesSecurityIdentifier", sid.unwrap_or_default())
}
