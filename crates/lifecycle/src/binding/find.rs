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

/// How many ids of devices a request may have as common names: its own, those of the same device in
/// another directory, and what managements of devices add of their own.
const IDS: usize = 4;

/// What a request is about, by the rule of the endpoint that it was sent to.
///
/// Letter case, braces and percent-encoding of ids do not matter, and neither does the order of
/// common names: what is no id is passed over. Names that contradict each other are refused.
///
/// At an endpoint for Intune, common names that are GUIDs name a device; without one a user principal
/// name names a user, also beside an `IntuneDeviceId://` URI, which users' certificates may carry for
/// network access control. At an endpoint for Entra ID, a user principal name names a user, also
/// beside a GUID, for some managements of devices add one of their own to every subject. A user
/// principal name counts among the alternative names, or else in the subject.
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
    let by_name = named_devices(claims)?;
    if by_name.is_empty()
        && let Some(user) = alternative_upn(claims)?
    {
        return Ok(user);
    }
    let by_uri = match intune_device_id(claims) {
        // Some modes of Android leave the variable empty: the common name may tell.
        Err(Unbound::BadDeviceUri) if !by_name.is_empty() => None,
        other => other?,
    };
    let candidates = candidates(directories, by_uri, &by_name);
    if !candidates.is_empty() {
        return Ok(Sought::Device(candidates));
    }
    if by_uri.is_some() {
        return Err(Unbound::IntuneNotAsked);
    }
    subject_user(claims, &USER_PLACES)?.ok_or(Unbound::NoDeviceOrUser)
}

fn candidates(
    directories: DeviceDirectory,
    by_uri: Option<Uuid>,
    by_name: &[Uuid],
) -> Vec<Candidate> {
    let in_intune = match by_uri {
        Some(id) => vec![intune_device(id, NamedBy::IntuneUri)],
        None => by_name.iter().map(|id| intune_device(*id, NamedBy::CommonName)).collect(),
    };
    let in_intune = in_intune.into_iter().filter(|_| directories.asks_intune());
    let in_entra = by_name.iter().filter(|_| directories.asks_entra()).map(|id| entra_device(*id));
    in_intune.chain(in_entra).collect()
}

fn intune_device(id: Uuid, named_by: NamedBy) -> Candidate {
    Candidate {
        kind: Kind::IntuneDevice,
        object_kind: ObjectKind::IntuneDevice,
        object: ObjectId::from(id),
        named_by,
    }
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
    if let Some(user) = alternative_upn(claims)? {
        return Ok(user);
    }
    let [common_name, others @ ..] = &USER_PLACES;
    if let Some(user) = subject_user(claims, std::slice::from_ref(common_name))? {
        return Ok(user);
    }
    let devices = named_devices(claims)?;
    if !devices.is_empty() {
        return Ok(Sought::Device(devices.into_iter().map(entra_device).collect()));
    }
    subject_user(claims, others)?.ok_or(Unbound::NoDeviceOrUser)
}

/// The different GUIDs among the common names.
fn named_devices(claims: &Claims) -> Result<Vec<Uuid>, Unbound> {
    let mut ids: Vec<Uuid> = Vec::new();
    let mut is_unregistered = false;
    for id in claims.subject.values(oid::COMMON_NAME).filter_map(|name| guid::read(&name)) {
        // What a device that is not registered has for an id.
        if id.is_nil() {
            is_unregistered = true;
        } else if !ids.contains(&id) {
            ids.push(id);
        }
    }
    match ids.len() {
        0 if is_unregistered => Err(Unbound::NoDeviceId),
        0..=IDS => Ok(ids),
        _ => Err(Unbound::SeveralDevices),
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
fn alternative_upn(claims: &Claims) -> Result<Option<Sought>, Unbound> {
    let names = claims.alternative_names.iter().filter_map(GeneralName::as_upn);
    let names = names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    Ok(one(names, same_name, Unbound::SeveralUsers)?.map(user))
}

/// Where a subject may have a user principal name, in the order in which they count.
const USER_PLACES: [Oid; 3] = [oid::COMMON_NAME, oid::USER_ID, oid::EMAIL_ADDRESS];

/// The user that a subject names in one of these places.
fn subject_user(claims: &Claims, places: &[Oid]) -> Result<Option<Sought>, Unbound> {
    for place in places {
        let names = claims.subject.values(*place).map(|name| name.trim().to_owned());
        let names = names.filter(|name| is_user_principal_name(name));
        if let Some(name) = one(names, same_name, Unbound::SeveralUsers)? {
            return Ok(Some(user(name)));
        }
    }
    Ok(None)
}

fn user(user_principal_name: String) -> Sought {
    Sought::User { user_principal_name }
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
