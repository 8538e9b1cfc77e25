//! Which object a request is about: from its names to what has to be looked up in a directory.
//!
//! A name is a claim. Whether the object exists and may have a certificate is decided when its
//! directory has been asked: see [`crate::tether::may_enroll`].

use lanyard_pki::{GeneralName, Oid, oid};
use uuid::Uuid;

use super::device::{Candidate, DeviceDirectory, NamedBy};
use super::guid;
use crate::id::ObjectId;
use crate::kind::Kind;
use crate::object::ObjectKind;
use crate::policy::Claims;
use crate::refusal::{Refusal, Unbound};

/// What certificates of an endpoint are tethered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingRule {
    /// To nothing; all are of this kind.
    Untethered(Kind),
    /// To a device or a user that Intune vouches for.
    Intune(DeviceDirectory),
    /// To a device or a user in Entra ID.
    Entra,
    /// To a computer, a mobile device or a user of one in Jamf Pro.
    Jamf,
}

/// What a request is about, and what has to be looked up for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// Nothing: a certificate of this kind follows no object.
    Untethered(Kind),
    /// A device. The candidates are asked for in their order: see [`super::choose`].
    Device(Vec<Candidate>),
    /// A user in Entra ID, of this name.
    User {
        /// The user principal name, as the request spells it.
        user_principal_name: String,
    },
    /// A computer or mobile device in Jamf Pro.
    JamfDevice {
        /// [`Kind::JamfComputer`] or [`Kind::JamfDevice`].
        kind: Kind,
        /// Its number.
        device: u64,
    },
    /// A user of a computer or mobile device in Jamf Pro; both must exist.
    JamfUser {
        /// [`Kind::JamfUserOnComputer`] or [`Kind::JamfUserOnDevice`].
        kind: Kind,
        /// The device's number.
        device: u64,
        /// The user's address.
        email: String,
    },
}

/// What a request is about, by the rule of the endpoint that it was sent to.
///
/// Letter case, braces and percent-encoding of ids do not matter, and neither does the order of
/// common names: what is no id is passed over. Two different ids of a kind are refused.
///
/// At endpoints for Entra ID and Intune, a common name that is a GUID names a device, and so does an
/// `IntuneDeviceId://` URI where there is neither a GUID nor a user principal name; a user's
/// certificate may carry that URI as well, for network access control. A user is named by a user
/// principal name among the alternative names, or else in the subject.
pub fn sought(rule: BindingRule, claims: &Claims) -> Result<Sought, Refusal> {
    match rule {
        BindingRule::Untethered(kind) => Ok(Sought::Untethered(kind)),
        BindingRule::Intune(directories) => in_intune(directories, claims),
        BindingRule::Entra => in_entra(claims),
        BindingRule::Jamf => in_jamf(claims),
    }
    .map_err(Refusal::Unbound)
}

fn in_intune(directories: DeviceDirectory, claims: &Claims) -> Result<Sought, Unbound> {
    let by_name = named_device(claims)?;
    let upn = alternative_upn(claims)?;
    if by_name.is_none()
        && let Some(user_principal_name) = upn
    {
        return Ok(Sought::User { user_principal_name });
    }
    let by_uri = match intune_device_id(claims) {
        // Some modes of Android leave the variable empty: the common name may tell.
        Err(Unbound::BadDeviceUri) if by_name.is_some() => None,
        other => other?,
    };
    let candidates = candidates(directories, by_uri, by_name);
    if !candidates.is_empty() {
        return Ok(Sought::Device(candidates));
    }
    if by_uri.is_some() {
        return Err(Unbound::IntuneNotAsked);
    }
    subject_user(claims)?.ok_or(Unbound::NoDeviceOrUser)
}

fn candidates(
    directories: DeviceDirectory,
    by_uri: Option<Uuid>,
    by_name: Option<Uuid>,
) -> Vec<Candidate> {
    let intune = |(id, named_by): (Uuid, NamedBy)| Candidate {
        kind: Kind::IntuneDevice,
        object_kind: ObjectKind::IntuneDevice,
        object: ObjectId::from(id),
        named_by,
    };
    let in_intune = by_uri.map(|id| (id, NamedBy::IntuneUri));
    let in_intune = in_intune.or(by_name.map(|id| (id, NamedBy::CommonName))).map(intune);
    let in_intune = in_intune.filter(|_| directories.asks_intune());
    let in_entra = by_name.filter(|_| directories.asks_entra()).map(entra_device);
    in_intune.into_iter().chain(in_entra).collect()
}

fn entra_device(id: Uuid) -> Candidate {
    Candidate {
        kind: Kind::EntraDevice,
        object_kind: ObjectKind::EntraDevice,
        object: ObjectId::from(id),
        named_by: NamedBy::CommonName,
    }
}

fn in_entra(claims: &Claims) -> Result<Sought, Unbound> {
    if let Some(id) = named_device(claims)? {
        return Ok(Sought::Device(vec![entra_device(id)]));
    }
    if let Some(user_principal_name) = alternative_upn(claims)? {
        return Ok(Sought::User { user_principal_name });
    }
    subject_user(claims)?.ok_or(Unbound::NoDeviceOrUser)
}

/// The one GUID among the common names.
fn named_device(claims: &Claims) -> Result<Option<Uuid>, Unbound> {
    let ids = claims.subject.values(oid::COMMON_NAME).filter_map(|name| guid::read(&name));
    let id = one(ids, |id, other| id == other, Unbound::SeveralDevices)?;
    match id {
        // What a device that is not registered has for an id.
        Some(id) if id.is_nil() => Err(Unbound::NoDeviceId),
        id => Ok(id),
    }
}

/// The one id in an `IntuneDeviceId://` URI among the alternative names.
fn intune_device_id(claims: &Claims) -> Result<Option<Uuid>, Unbound> {
    let uris = claims.alternative_names.iter().filter_map(|name| match name {
        GeneralName::Uri(uri) => guid::in_intune_uri(uri),
        _ => None,
    });
    let read = |text: &str| guid::percent_decoded(text).and_then(|text| guid::read(&text));
    let ids: Vec<Uuid> = uris
        .map(|text| read(text).filter(|id| !id.is_nil()).ok_or(Unbound::BadDeviceUri))
        .collect::<Result<_, _>>()?;
    one(ids.into_iter(), |id, other| id == other, Unbound::SeveralDevices)
}

/// The one user principal name among the alternative names.
fn alternative_upn(claims: &Claims) -> Result<Option<String>, Unbound> {
    let names = claims.alternative_names.iter().filter_map(GeneralName::as_upn);
    let names = names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    one(names, same_name, Unbound::SeveralUsers)
}

/// The user that a subject names: by a common name, or else a user id or an e-mail address, that has
/// the form of a user principal name.
fn subject_user(claims: &Claims) -> Result<Option<Sought>, Unbound> {
    const PLACES: [Oid; 3] = [oid::COMMON_NAME, oid::USER_ID, oid::EMAIL_ADDRESS];
    for place in PLACES {
        let names = claims.subject.values(place).map(|name| name.trim().to_owned());
        let names = names.filter(|name| is_user_principal_name(name));
        if let Some(user_principal_name) = one(names, same_name, Unbound::SeveralUsers)? {
            return Ok(Some(Sought::User { user_principal_name }));
        }
    }
    Ok(None)
}

fn is_user_principal_name(name: &str) -> bool {
    let parts = name.split_once('@');
    parts.is_some_and(|(user, domain)| {
        !user.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !name.contains(char::is_whitespace)
    })
}

fn in_jamf(claims: &Claims) -> Result<Sought, Unbound> {
    let units = claims.subject.values(oid::ORGANIZATIONAL_UNIT);
    let kinds = units.filter_map(|unit| jamf_kind(unit.trim()));
    let kind = one(kinds, |kind, other| kind == other, Unbound::SeveralJamfUnits)?;
    let kind = kind.ok_or(Unbound::NoJamfUnit)?;
    let numbers = claims.subject.values(oid::COMMON_NAME).filter_map(|name| number(name.trim()));
    let device = one(numbers, |number, other| number == other, Unbound::SeveralDevices)?;
    let device = device.ok_or(Unbound::NoJamfId)?;
    if let Kind::JamfComputer | Kind::JamfDevice = kind {
        return Ok(Sought::JamfDevice { kind, device });
    }
    let addresses = claims.alternative_names.iter().filter_map(|name| match name {
        GeneralName::Email(address) if !address.trim().is_empty() => {
            Some(address.trim().to_owned())
        }
        _ => None,
    });
    let email = one(addresses, same_name, Unbound::SeveralUsers)?.ok_or(Unbound::NoEmail)?;
    Ok(Sought::JamfUser { kind, device, email })
}

fn jamf_kind(unit: &str) -> Option<Kind> {
    const UNITS: [(&str, Kind); 4] = [
        ("computers", Kind::JamfComputer),
        ("devices", Kind::JamfDevice),
        ("users-on-computers", Kind::JamfUserOnComputer),
        ("users-on-devices", Kind::JamfUserOnDevice),
    ];
    let found = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    found.map(|(_, kind)| *kind)
}

/// A number of Jamf Pro, which counts from 1.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number > 0)
}

/// The one that all are; `several` if they differ.
fn one<T>(
    mut found: impl Iterator<Item = T>,
    same: impl Fn(&T, &T) -> bool,
    several: Unbound,
) -> Result<Option<T>, Unbound> {
    let Some(first) = found.next() else { return Ok(None) };
    if found.all(|other| same(&first, &other)) { Ok(Some(first)) } else { Err(several) }
}

fn same_name<T: AsRef<str>>(one: &T, other: &T) -> bool {
    one.as_ref().to_lowercase() == other.as_ref().to_lowercase()
}

#[cfg(test)]
mod tests;
