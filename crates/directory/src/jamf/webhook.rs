//! What a webhook of Jamf Pro says is worth looking at.
//!
//! Jamf does not sign its webhooks, and sends none when a computer is deleted. A webhook therefore
//! never changes a fact: it names an object, which is then looked up.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use lanyard_lifecycle::{ObjectId, object::ObjectKind};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::wire::JamfId;

/// Longer bodies are refused unread.
pub const MAX_BODY: usize = 1 << 20;

/// An object that is worth looking up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hint {
    /// A computer, a mobile device or a user.
    pub kind: ObjectKind,
    /// Which one; none when only some of the kind are known to have changed.
    pub object: Option<ObjectId>,
}

/// Why a webhook tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The authorization header is missing or another.
    #[error("the webhook is not authorized: its header differs from the configured secret")]
    NotAuthorized,
    /// Too long to be a webhook.
    #[error("the body of a webhook is at most {MAX_BODY} octets")]
    TooLong,
    /// Not JSON of the documented shape.
    #[error("the webhook's body is not JSON as Jamf Pro sends it; choose JSON as its content type")]
    Unreadable,
}

/// Which objects a delivery of Jamf Pro says have changed; empty for events that concern none.
///
/// `authorization` is the value of the header that was configured in Jamf Pro: for header
/// authentication its own, for basic authentication the whole `Basic …`.
pub fn hints(
    body: &[u8],
    authorization: Option<&[u8]>,
    expected: &SecretString,
) -> Result<Vec<Hint>, WebhookError> {
    if !is_authorized(authorization, expected) {
        return Err(WebhookError::NotAuthorized);
    }
    if body.len() > MAX_BODY {
        return Err(WebhookError::TooLong);
    }
    let delivery: Delivery = serde_json::from_slice(body).map_err(|_| WebhookError::Unreadable)?;
    Ok(delivery.hints())
}

/// Whether a delivery carries the configured header: to be asked before its body is read.
pub fn is_authorized(authorization: Option<&[u8]>, expected: &SecretString) -> bool {
    authorization.is_some_and(|sent| is_same(sent, expected))
}

/// Digests are compared, so that neither contents nor length show in the time it takes.
fn is_same(sent: &[u8], expected: &SecretString) -> bool {
    let expected = digest(&SHA256, expected.expose_secret().as_bytes());
    verify_slices_are_equal(digest(&SHA256, sent).as_ref(), expected.as_ref()).is_ok()
}

#[derive(Deserialize)]
struct Delivery {
    webhook: Webhook,
    #[serde(default)]
    event: Event,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    webhook_event: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "jssID")]
    jss_id: Option<JamfId>,
    computer: Option<Computer>,
    #[serde(rename = "objectID")]
    object_id: Option<JamfId>,
    #[serde(rename = "objectTypeName")]
    object_type_name: Option<String>,
    #[serde(rename = "restAPIOperationType", alias = "restAPIOperation")]
    rest_api_operation: Option<String>,
    #[serde(rename = "groupAddedDevicesIds")]
    added: Option<Vec<JamfId>>,
    #[serde(rename = "groupRemovedDevicesIds")]
    removed: Option<Vec<JamfId>>,
}

/// Some computer events carry the device one level down; of a group the same name is a flag.
#[derive(Deserialize)]
#[serde(untagged)]
enum Computer {
    Nested {
        #[serde(rename = "jssID")]
        jss_id: JamfId,
    },
    Other(IgnoredAny),
}

impl Computer {
    fn id(&self) -> Option<JamfId> {
        match self {
            Self::Nested { jss_id } => Some(*jss_id),
            Self::Other(_) => None,
        }
    }
}

impl Delivery {
    fn hints(&self) -> Vec<Hint> {
        let event = self.webhook.webhook_event.as_str();
        if event.eq_ignore_ascii_case("RestAPIOperation") {
            return self.event.operation().into_iter().collect();
        }
        let starts = |prefix: &str| {
            event.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let kind = if starts("Computer") || starts("SmartGroupComputer") {
            ObjectKind::JamfComputer
        } else if starts("MobileDevice") || starts("SmartGroupMobileDevice") {
            ObjectKind::JamfMobileDevice
        } else {
            return Vec::new();
        };
        if starts("SmartGroup") {
            let members = self.event.added.iter().chain(&self.event.removed).flatten();
            return members.map(|id| Hint { kind, object: Some(device(*id)) }).collect();
        }
        let nested = self.event.computer.as_ref().and_then(Computer::id);
        vec![Hint { kind, object: self.event.jss_id.or(nested).map(device) }]
    }
}

impl Event {
    /// A change made through Jamf's own API, the only one that shows deletions.
    fn operation(&self) -> Option<Hint> {
        let read_only = ["GET", "READ"];
        let operation = self.rest_api_operation.as_deref().unwrap_or_default();
        if read_only.iter().any(|name| operation.eq_ignore_ascii_case(name)) {
            return None;
        }
        let named = self.object_type_name.as_deref()?;
        let folded: String = named
            .chars()
            .filter(char::is_ascii_alphabetic)
            .collect::<String>()
            .to_ascii_lowercase();
        let (kind, object): (_, fn(JamfId) -> ObjectId) = match folded.as_str() {
            "computer" | "computers" => (ObjectKind::JamfComputer, device),
            "mobiledevice" | "mobiledevices" => (ObjectKind::JamfMobileDevice, device),
            "user" | "users" => (ObjectKind::JamfUser, user),
            _ => return None,
        };
        Some(Hint { kind, object: self.object_id.map(object) })
    }
}

fn device(id: JamfId) -> ObjectId {
    ObjectId::jamf_device(id.0)
}

fn user(id: JamfId) -> ObjectId {
    ObjectId::jamf_user(0, id.0)
}

#[cfg(test)]
mod tests;
