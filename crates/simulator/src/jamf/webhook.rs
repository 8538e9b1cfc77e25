//! Webhooks: one event each, sent to an address with whatever authentication it was set up with.
//!
//! They are hints. In particular no event says that a computer was deleted, other than the one for operations of the
//! API itself.

use super::tree::Node;
use crate::tenant::Time;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use url::Url;

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Jamf Pro's, and documented there")]
pub enum Event {
    ComputerAdded,
    ComputerInventoryCompleted,
    ComputerPushCapabilityChanged,
    MobileDeviceEnrolled,
    MobileDeviceUnEnrolled,
    SmartGroupComputerMembershipChange,
    SmartGroupMobileDeviceMembershipChange,
    RestAPIOperation,
    #[serde(rename = "SCEPChallenge")]
    ScepChallenge,
}

impl Event {
    const fn name(self) -> &'static str {
        match self {
            Self::ComputerAdded => "ComputerAdded",
            Self::ComputerInventoryCompleted => "ComputerInventoryCompleted",
            Self::ComputerPushCapabilityChanged => "ComputerPushCapabilityChanged",
            Self::MobileDeviceEnrolled => "MobileDeviceEnrolled",
            Self::MobileDeviceUnEnrolled => "MobileDeviceUnEnrolled",
            Self::SmartGroupComputerMembershipChange => "SmartGroupComputerMembershipChange",
            Self::SmartGroupMobileDeviceMembershipChange => {
                "SmartGroupMobileDeviceMembershipChange"
            }
            Self::RestAPIOperation => "RestAPIOperation",
            Self::ScepChallenge => "SCEPChallenge",
        }
    }
}

/// In what form an event is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Content {
    /// `application/json`
    #[default]
    Json,
    /// `text/xml`
    Xml,
}

/// How the sender shows who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Authentication {
    /// Not at all.
    #[default]
    None,
    /// With a name and a password.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: String,
    },
    /// With a header of its own.
    Header {
        /// The header's name.
        name: String,
        /// What it says.
        value: String,
    },
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// Where to.
    pub url: Url,
    /// When.
    pub event: Event,
    /// In what form.
    #[serde(default)]
    pub content: Content,
    /// From whom.
    #[serde(default)]
    pub authentication: Authentication,
}

/// An event on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where to.
    pub url: Url,
    /// Content type and authentication.
    pub headers: Vec<(String, String)>,
    /// The event.
    pub body: String,
}

/// The webhooks of an instance, and what they are to send.
#[derive(Debug, Default)]
pub struct Webhooks {
    hooks: BTreeMap<u32, Webhook>,
    outbox: Vec<Delivery>,
}

impl Webhooks {
    /// Sets one up.
    pub fn add(&mut self, hook: Webhook) -> u32 {
        let id = self.hooks.keys().last().map_or(1, |last| last + 1);
        self.hooks.insert(id, hook);
        id
    }

    /// Takes one away; says whether there was one.
    pub fn remove(&mut self, id: u32) -> bool {
        self.hooks.remove(&id).is_some()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Webhook)> {
        self.hooks.iter().map(|(id, hook)| (*id, hook))
    }

    /// Something happened: every webhook for it sends.
    pub fn happened(&mut self, event: Event, details: &Node, now: Time) {
        for (id, hook) in self.hooks.iter().filter(|(_, hook)| hook.event == event) {
            let webhook = Node::fields([
                ("id", Node::value(*id)),
                ("name", Node::value(hook.name.as_str())),
                ("webhookEvent", Node::value(event.name())),
                ("eventTimestamp", Node::value(now.unix_milliseconds())),
            ]);
            let message = Node::fields([("webhook", webhook), ("event", details.clone())]);
            let (content, body) = match hook.content {
                Content::Json => ("application/json", message.json().to_string()),
                Content::Xml => ("text/xml", Node::fields([("JSSEvent", message)]).xml()),
            };
            let mut headers = vec![("content-type".to_owned(), content.to_owned())];
            match &hook.authentication {
                Authentication::None => {}
                Authentication::Basic { username, password } => {
                    let pair = STANDARD.encode(format!("{username}:{password}"));
                    headers.push(("authorization".to_owned(), format!("Basic {pair}")));
                }
                Authentication::Header { name, value } => {
                    headers.push((name.clone(), value.clone()));
                }
            }
            self.outbox.push(Delivery { url: hook.url.clone(), headers, body });
        }
    }

    /// Whether something is to be sent.
    pub fn is_waiting(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// What is to be sent.
    pub fn take(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.outbox)
    }
}
