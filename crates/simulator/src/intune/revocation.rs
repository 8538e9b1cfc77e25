//! The queue of certificates that Intune wants its certification authority to revoke.
//!
//! It has the quirks of the real one: what was handed out comes back after a cool-down unless it is
//! answered, and the filter is applied after the list was cut to length.

use super::{
    Issued,
    wire::{DownloadParameters, RevocationRequest, RevocationResult},
};
use crate::tenant::Time;
use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use std::time::Duration;
use uuid::Uuid;

/// For how long a request that was handed out is not handed out again.
pub const COOL_DOWN: Duration = Duration::from_hours(1);

/// How many can be asked for at once.
pub const MOST: std::ops::RangeInclusive<u32> = 1..=500;

/// Why Intune wants a certificate revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// The user took the device out of management.
    Unenrolled,
    /// An administrator had the device wiped.
    Wiped,
    /// An administrator had the device retired.
    Retired,
    /// The profile was changed, and the device gets another certificate.
    ProfileChanged,
    /// The profile was deleted or is no longer assigned to the device.
    ProfileRemoved,
    /// The device or its user left the group that the profile is assigned to.
    GroupLeft,
}

/// Where a request to revoke stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// Waits to be handed out.
    Waiting,
    /// Was handed out; waits for an answer, or else for the end of the cool-down.
    HandedOut,
    /// The certificate is revoked.
    Revoked,
    /// It could not be revoked, and never will be.
    Failed,
}

/// A request to revoke a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// By what it is answered: opaque.
    pub request_context: String,
    /// The serial number as the certification authority wrote it in its notification.
    pub serial_number: String,
    /// What the certification authority said about its configuration.
    pub ca_configuration: Option<String>,
    /// The device that the certificate is of.
    pub device_id: Option<Uuid>,
    /// Why.
    pub cause: Option<Cause>,
    /// Since when.
    pub queued: Time,
    /// How far it got.
    pub standing: Standing,
    /// How often it was handed out.
    pub handed_out: u32,
    /// What the last answer said, where it was a failure.
    pub error: Option<&'static str>,
    #[serde(skip)]
    visible_from: Time,
}

/// What can be wrong with an answer, besides the request that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Succeeded,
    Final(&'static str),
    Retryable(&'static str),
}

/// The queue of one tenant.
#[derive(Debug, Default)]
pub struct Queue {
    items: Vec<Item>,
}

/// Results that contradict themselves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadResult {
    /// An error code that there is not.
    #[error("{0:?} is no error code")]
    Code(String),
    /// Success with an error, or failure without one.
    #[error(
        "a result that succeeded has error code None and no message, one that failed has a code"
    )]
    Contradiction,
}

impl Queue {
    /// Asks for the revocation of a certificate that was notified.
    pub fn push(&mut self, certificate: &Issued, cause: Cause, now: Time) {
        let (serial, configuration) =
            (certificate.serial_number.clone(), certificate.ca_configuration.clone());
        self.append(serial, configuration, Some((certificate.device_id, cause)), now);
    }

    /// Asks for the revocation of any certificate.
    pub fn ask(&mut self, serial: String, configuration: Option<String>, now: Time) -> &Item {
        self.append(serial, configuration, None, now)
    }

    fn append(
        &mut self,
        serial_number: String,
        ca_configuration: Option<String>,
        reason: Option<(Uuid, Cause)>,
        now: Time,
    ) -> &Item {
        let number = self.items.len();
        let unique = format!("{number} {serial_number} {now}");
        self.items.push(Item {
            request_context: hex::encode_upper(digest(&SHA256, unique.as_bytes())),
            serial_number,
            ca_configuration,
            device_id: reason.map(|(device, _)| device),
            cause: reason.map(|(_, cause)| cause),
            queued: now,
            standing: Standing::Waiting,
            handed_out: 0,
            error: None,
            visible_from: now,
        });
        &self.items[number]
    }

    /// Everything that was ever asked for, oldest first.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    /// Hands out what is due. The list is cut to the length asked for first and filtered then, by
    /// what the parameters call the issuer's name and what is in fact the authority's configuration.
    pub(super) fn download(
        &mut self,
        asked: &DownloadParameters,
        now: Time,
    ) -> Vec<RevocationRequest> {
        let open = |item: &&mut Item| {
            matches!(item.standing, Standing::Waiting | Standing::HandedOut)
                && item.visible_from <= now
        };
        let due = self.items.iter_mut().filter(open).take(asked.max_requests as usize);
        let filter = asked.issuer_name.as_ref();
        let wanted =
            due.filter(|item| filter.is_none() || item.ca_configuration.as_ref() == filter);
        let handed = wanted.map(|item| {
            item.standing = Standing::HandedOut;
            item.handed_out += 1;
            item.visible_from = now.plus(COOL_DOWN);
            RevocationRequest {
                request_context: item.request_context.clone(),
                serial_number: item.serial_number.clone(),
                issuer_name: None,
                ca_configuration: item.ca_configuration.clone(),
            }
        });
        handed.collect()
    }

    /// Takes answers. Says whether every one belonged to a request that was handed out; those that
    /// did count nevertheless.
    pub(super) fn upload(&mut self, results: &[RevocationResult]) -> Result<bool, BadResult> {
        let outcomes: Result<Vec<_>, _> = results.iter().map(outcome).collect();
        let mut known = true;
        for (result, outcome) in results.iter().zip(outcomes?) {
            let item = self.items.iter_mut().find(|item| {
                item.request_context == result.request_context && item.standing != Standing::Waiting
            });
            match item {
                Some(item) => item.answered(outcome),
                None => known = false,
            }
        }
        Ok(known)
    }
}

impl Item {
    fn answered(&mut self, outcome: Outcome) {
        if self.standing != Standing::HandedOut {
            return;
        }
        match outcome {
            Outcome::Succeeded => (self.standing, self.error) = (Standing::Revoked, None),
            Outcome::Final(error) => {
                (self.standing, self.error) = (Standing::Failed, Some(error));
            }
            Outcome::Retryable(error) => self.error = Some(error),
        }
    }
}

/// The error codes: their name, their number, and whether Intune asks again.
const ERRORS: [(&str, u32, Again); 12] = [
    ("NonRetryableServiceException", 4000, Again::No),
    ("DataSerializationError", 4001, Again::No),
    ("ParameterDataInvalidError", 4002, Again::No),
    ("CryptographyError", 4003, Again::No),
    ("CertificateNotFoundError", 4004, Again::No),
    ("ConflictError", 4005, Again::No),
    ("NotSupportedError", 4006, Again::No),
    ("PayloadTooLargeError", 4007, Again::No),
    ("RetryableServiceException", 4100, Again::Yes),
    ("ServiceUnavailableException", 4101, Again::Yes),
    ("ServiceTooBusyException", 4102, Again::Yes),
    ("AuthenticationException", 4103, Again::Yes),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Yes,
    No,
}

fn outcome(result: &RevocationResult) -> Result<Outcome, BadResult> {
    let text = result.error_code.as_str();
    if text == "None" || text == "0" {
        let silent = result.error_message.as_deref().unwrap_or_default().is_empty();
        let good = result.succeeded && silent;
        return if good { Ok(Outcome::Succeeded) } else { Err(BadResult::Contradiction) };
    }
    let listed =
        |(name, number, _): &&(&str, u32, Again)| *name == text || text.parse() == Ok(*number);
    match ERRORS.iter().find(listed) {
        None => Err(BadResult::Code(text.to_owned())),
        Some(_) if result.succeeded => Err(BadResult::Contradiction),
        Some((name, _, Again::Yes)) => Ok(Outcome::Retryable(name)),
        Some((name, _, Again::No)) => Ok(Outcome::Final(name)),
    }
}

#[cfg(test)]
mod tests;
