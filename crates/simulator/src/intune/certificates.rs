//! Requests that Intune made challenges for, and the certificates that it was told of.

use crate::tenant::Time;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// What Intune believes about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// It is on the device.
    Active,
    /// The certification authority is to revoke it.
    RevocationRequested,
}

/// A certificate that Intune was told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Issued {
    /// The request that it answers.
    pub certificate_request_id: Uuid,
    /// The managed device.
    pub device_id: Uuid,
    /// Its user, where the challenge named one.
    pub user_id: Option<Uuid>,
    /// The profile.
    pub profile_id: Uuid,
    /// The SCEP transaction.
    pub transaction_id: String,
    /// SHA-1, in the hexadecimal that was notified.
    pub thumbprint: String,
    /// As it was notified.
    pub serial_number: String,
    /// The subject that was asked for.
    pub subject: String,
    /// Its end.
    pub expires: Time,
    /// The issuer's name as it was notified.
    pub issuing_certificate_authority: String,
    /// As it was notified.
    pub ca_configuration: Option<String>,
    /// As it was notified.
    pub certificate_authority: Option<String>,
    /// When.
    pub notified: Time,
    /// What Intune believes about it.
    pub status: Status,
}

/// A failure that Intune was told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reported {
    /// The SCEP transaction.
    pub transaction_id: String,
    /// The device that the challenge was made for.
    pub device_id: Uuid,
    /// The HRESULT, unsigned, as consoles show it.
    pub h_result: u32,
    /// The words.
    pub description: String,
    /// When.
    pub notified: Time,
}

/// A request that a challenge was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// The managed device.
    pub device_id: Uuid,
    /// The profile.
    pub profile_id: Uuid,
    /// The transaction and the thumbprint that answered it.
    pub answered: Option<(String, String)>,
    /// Transactions that were found good.
    pub validated: HashSet<String>,
}

/// Requests and certificates of a tenant.
#[derive(Debug, Default)]
pub struct Certificates {
    requests: HashMap<Uuid, Requested>,
    newest: BTreeMap<(Uuid, Uuid), Uuid>,
    issued: Vec<Issued>,
    failures: Vec<Reported>,
}

impl Certificates {
    /// Takes a new request, which replaces the open one of the same device and profile.
    pub fn request(&mut self, id: Uuid, device_id: Uuid, profile_id: Uuid) {
        let requested =
            Requested { device_id, profile_id, answered: None, validated: HashSet::new() };
        self.requests.insert(id, requested);
        self.newest.insert((device_id, profile_id), id);
    }

    /// The request with this id, unless a newer one has replaced it.
    pub fn current(&mut self, id: Uuid) -> Option<&mut Requested> {
        let requested = self.requests.get_mut(&id)?;
        let newest = self.newest.get(&(requested.device_id, requested.profile_id));
        (newest == Some(&id)).then_some(requested)
    }

    /// Every certificate that was notified, oldest first.
    pub fn issued(&self) -> impl Iterator<Item = &Issued> {
        self.issued.iter()
    }

    pub(super) fn issued_mut(&mut self) -> impl Iterator<Item = &mut Issued> {
        self.issued.iter_mut()
    }

    /// Takes a notified certificate.
    pub fn issue(&mut self, issued: Issued) {
        self.issued.push(issued);
    }

    /// Every failure that was notified, oldest first.
    pub fn failures(&self) -> impl Iterator<Item = &Reported> {
        self.failures.iter()
    }

    /// Takes a notified failure.
    pub fn fail(&mut self, reported: Reported) {
        self.failures.push(reported);
    }
}
