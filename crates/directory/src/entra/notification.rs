//! Notifications that Graph delivers, as pure functions over their bytes: what the door needs.
//!
//! Whoever knows the door's address can post to it, so a notification counts only with the secret
//! of its subscription, and even then it is a hint to read the changes, never a fact.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::{ExposeSecret, SecretString};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

/// Longer deliveries are refused unread.
pub const MAX_BODY: usize = 256 << 10;

/// The answer to Graph's question whether the door is ours: the token of the query string, to be
/// sent back as `text/plain` with status 200 within 10 s. None when the request is no such question.
pub fn validation_token(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, token) = pairs.find(|(name, _)| name == "validationToken")?;
    // Sent back as it came, and never longer than Graph's are.
    (token.len() <= LONGEST_TOKEN).then(|| token.into_owned())
}

const LONGEST_TOKEN: usize = 2048;

/// What a verified notification tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The subscription that it comes from.
    pub subscription: String,
    /// What happened.
    pub what: Happened,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// An object was created, changed or deleted; the id is Graph's, where it is said.
    Changed(Option<Uuid>),
    /// Notifications were lost: read the changes.
    Missed,
    /// The subscription is over: subscribe again, and read the changes.
    SubscriptionRemoved,
    /// The subscription ends soon unless it is authorised anew.
    ReauthorizationRequired,
}

/// A delivery: what of it is verified, and how many notifications were not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Those that carry the secret of their subscription.
    pub notices: Vec<Notice>,
    /// How many did not, or were of no known form. They are to be counted, not acted on.
    pub rejected: usize,
}

/// The body is no delivery of notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a delivery of change notifications")]
pub struct NotADelivery;

/// Reads a delivery. `secret` gives the client state of a subscription of ours, none for others.
///
/// # Errors
/// When the body is no delivery at all. A single notification that is not understood or not
/// verified is counted and left out.
pub fn read<'s>(
    body: &[u8],
    secret: impl Fn(&str) -> Option<&'s SecretString>,
) -> Result<Delivery, NotADelivery> {
    let delivered: Delivered = serde_json::from_slice(body).map_err(|_| NotADelivery)?;
    let Entries { known, unknown } = delivered.value;
    let entries = known.len();
    let notices: Vec<Notice> =
        known.into_iter().filter_map(|notification| notification.verified(&secret)).collect();
    Ok(Delivery { rejected: unknown + entries - notices.len(), notices })
}

#[derive(Deserialize)]
struct Delivered {
    value: Entries,
}

/// Who sends a delivery is not known before it is read, so that what is kept of it is bounded.
#[derive(Default)]
struct Entries {
    /// Of the form of a notification, the first [`MOST`] of them.
    known: Vec<Notification>,
    /// How many others there were.
    unknown: usize,
}

/// More notifications in one delivery say no more than these: that there are changes.
const MOST: usize = 1000;

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of notifications")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
                let mut entries = Entries::default();
                while let Some(entry) = list.next_element::<Entry>()? {
                    match entry {
                        Entry::Notification(one) if entries.known.len() < MOST => {
                            entries.known.push(*one);
                        }
                        Entry::Notification(_) | Entry::Other(_) => entries.unknown += 1,
                    }
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_seq(List)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Notification(Box<Notification>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    subscription_id: String,
    client_state: Option<String>,
    change_type: Option<String>,
    lifecycle_event: Option<String>,
    resource_data: Option<ResourceData>,
}

#[derive(Deserialize)]
struct ResourceData {
    id: Option<String>,
}

impl Notification {
    fn verified<'s>(self, secret: impl Fn(&str) -> Option<&'s SecretString>) -> Option<Notice> {
        let state = self.client_state?;
        let expected = secret(&self.subscription_id)?.expose_secret();
        verify_slices_are_equal(expected.as_bytes(), state.as_bytes()).ok()?;
        let what = match (self.lifecycle_event.as_deref(), self.change_type) {
            (Some("missed"), _) => Happened::Missed,
            (Some("subscriptionRemoved"), _) => Happened::SubscriptionRemoved,
            (Some("reauthorizationRequired"), _) => Happened::ReauthorizationRequired,
            (None, Some(_)) => {
                let id = self.resource_data.and_then(|data| data.id);
                Happened::Changed(id.and_then(|id| Uuid::try_parse(&id).ok()))
            }
            _ => return None,
        };
        Some(Notice { subscription: self.subscription_id, what })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_value(value: &serde_json::Value) -> Delivery {
        let ours = SecretString::from("s3cret".to_owned());
        read(value.to_string().as_bytes(), |id| (id == "sub-1").then_some(&ours)).unwrap()
    }

    #[test]
    fn the_token_of_the_handshake_is_decoded() {
        let query = "validationToken=Validation%3A+Testing%20client%21&x=1";
        assert_eq!(validation_token(query).as_deref(), Some("Validation: Testing client!"));
        assert_eq!(validation_token("token=x"), None);
        assert_eq!(validation_token(&format!("validationToken={}", "x".repeat(4000))), None);
    }

    #[test]
    fn of_a_delivery_without_end_a_bounded_part_is_kept() {
        let one =
            json!({ "subscriptionId": "sub-1", "clientState": "s3cret", "changeType": "updated" });
        let mut entries = vec![one; MOST + 5];
        entries.extend(vec![json!(0); 7]);
        let delivery = read_value(&json!({ "value": entries }));
        assert_eq!(delivery.notices.len(), MOST);
        assert_eq!(delivery.rejected, 12);
    }

    #[test]
    fn a_notification_counts_only_with_the_secret_of_its_subscription() {
        let user = Uuid::from_u128(7);
        let note = |subscription: &str, state: Option<&str>| {
            json!({ "subscriptionId": subscription, "clientState": state, "changeType": "updated",
                "resource": format!("Users/{user}"), "resourceData": { "id": user } })
        };
        let delivery = read_value(&json!({ "value": [
            note("sub-1", Some("s3cret")),
            note("sub-1", Some("s3creT")),
            note("sub-1", Some("")),
            note("sub-1", None),
            note("sub-2", Some("s3cret")),
            "nonsense",
        ]}));
        let what = Happened::Changed(Some(user));
        assert_eq!(delivery.notices, [Notice { subscription: "sub-1".to_owned(), what }]);
        assert_eq!(delivery.rejected, 5);
    }

    #[test]
    fn events_of_the_subscription_itself_are_told_apart() {
        let event = |event: &str| json!({ "subscriptionId": "sub-1", "clientState": "s3cret", "lifecycleEvent": event });
        let events = ["missed", "subscriptionRemoved", "reauthorizationRequired", "unheardOf"];
        let delivery = read_value(&json!({ "value": events.map(event) }));
        let what: Vec<Happened> = delivery.notices.into_iter().map(|notice| notice.what).collect();
        assert_eq!(
            what,
            [Happened::Missed, Happened::SubscriptionRemoved, Happened::ReauthorizationRequired]
        );
        assert_eq!(delivery.rejected, 1);
    }

    #[test]
    fn what_is_no_delivery_is_refused() {
        for body in ["", "[]", "{}", "<html>", r#"{"value":{}}"#] {
            assert_eq!(read(body.as_bytes(), |_| None), Err(NotADelivery), "{body}");
        }
    }
}
