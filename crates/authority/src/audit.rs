//! Who did what: the actor of every act, and the words that the audit trail has for it.
//!
//! The trail itself, a hash-chained table, is the store's.

use std::fmt;
use std::net::IpAddr;

use lanyard_lifecycle::id::Scope;
use lanyard_pki::Time;
use lanyard_store::{AuditEntry, AuditOutcome};

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The program by itself: rotation, recovery, rules.
    System,
    /// A person with access to the installation's data folder or control socket, by user name.
    Operator(String),
    /// A client at an enrollment endpoint, by the endpoint's name and the client's address where one is known.
    Client {
        /// The endpoint's name.
        endpoint: String,
        /// Where the request came from.
        address: Option<IpAddr>,
    },
    /// A signed-in person, by user principal name.
    Person(String),
    /// A program with a token of its own, by application id and name.
    Application {
        /// The application's id.
        id: String,
        /// Its name.
        name: String,
    },
}

impl Actor {
    /// Where a client's request came from.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Client { address, .. } => *address,
            Self::System | Self::Operator(_) | Self::Person(_) | Self::Application { .. } => None,
        }
    }

    /// The person or program that asked for a certificate, where a client is not anonymous.
    pub(crate) fn requester(&self) -> Option<String> {
        match self {
            Self::System | Self::Client { .. } => None,
            Self::Operator(name) | Self::Person(name) | Self::Application { name, .. } => {
                Some(name.clone())
            }
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Operator(name) => write!(f, "operator {name}"),
            Self::Client { endpoint, address: Some(address) } => {
                write!(f, "client {address} at {endpoint}")
            }
            Self::Client { endpoint, address: None } => write!(f, "client at {endpoint}"),
            Self::Person(name) => write!(f, "person {name}"),
            Self::Application { id, name } => write!(f, "application {name} ({id})"),
        }
    }
}

/// What was done, in the trail's dotted words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A certificate was issued.
    IssueCertificate,
    /// A request was put before a person.
    SubmitRequest,
    /// A person approved a request.
    ApproveRequest,
    /// A person declined a request.
    DeclineRequest,
    /// A CA came into being.
    CreateCa,
    /// A CA's key was made, and its certificate was requested elsewhere.
    RequestCa,
    /// A CA was given its certificate.
    ImportCa,
    /// A CA's activation was set for a time to come.
    ScheduleCa,
    /// A CA began to issue.
    ActivateCa,
    /// A registration authority's certificate took the place of the one before.
    RotateRa,
    /// A certificate was revoked.
    RevokeCertificate,
    /// A certificate was put on hold.
    HoldCertificate,
    /// A certificate's hold was lifted.
    ReleaseCertificate,
    /// More certificates were to be revoked by rule than the brake lets pass.
    HoldBack,
    /// A person let revocations be carried out that the brake held back.
    ConfirmHeldBack,
    /// A person discarded revocations that the brake held back.
    DiscardHeldBack,
    /// Intune was told what became of a request.
    TellIntune,
}

impl Act {
    /// The dotted words.
    pub fn words(self) -> &'static str {
        match self {
            Self::IssueCertificate => "certificate.issue",
            Self::SubmitRequest => "request.submit",
            Self::ApproveRequest => "request.approve",
            Self::DeclineRequest => "request.decline",
            Self::CreateCa => "ca.create",
            Self::RequestCa => "ca.request",
            Self::ImportCa => "ca.import",
            Self::ScheduleCa => "ca.schedule",
            Self::ActivateCa => "ca.activate",
            Self::RotateRa => "ra.rotate",
            Self::RevokeCertificate => "certificate.revoke",
            Self::HoldCertificate => "certificate.hold",
            Self::ReleaseCertificate => "certificate.release",
            Self::HoldBack => "brake.hold_back",
            Self::ConfirmHeldBack => "brake.confirm",
            Self::DiscardHeldBack => "brake.discard",
            Self::TellIntune => "intune.notice",
        }
    }

    /// An entry for this act, to be completed and ended with how the act ended.
    pub fn by(self, actor: &Actor, at: Time) -> Entry {
        Entry(AuditEntry {
            at,
            scope: Scope::DEFAULT,
            actor: actor.to_string(),
            address: actor.address().map(|address| address.to_string()),
            action: self.words().to_owned(),
            target: None,
            outcome: AuditOutcome::Done,
            detail: None,
        })
    }
}

/// An entry of the trail in the making.
#[derive(Debug, Clone)]
#[must_use]
pub struct Entry(AuditEntry);

impl Entry {
    /// Whose records the act touched.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.0.scope = scope;
        self
    }

    /// What it was done to.
    pub fn target(mut self, target: &impl ToString) -> Self {
        self.0.target = Some(target.to_string());
        self
    }

    /// More of it. Never keys, challenges, tokens or bodies.
    pub fn detail(mut self, detail: &serde_json::Value) -> Self {
        self.0.detail = Some(detail.to_string());
        self
    }

    /// It was done.
    pub fn done(self) -> AuditEntry {
        self.ended(AuditOutcome::Done)
    }

    /// It was refused by a rule.
    pub fn refused(self) -> AuditEntry {
        self.ended(AuditOutcome::Refused)
    }

    /// It was tried and failed.
    pub fn failed(self) -> AuditEntry {
        self.ended(AuditOutcome::Failed)
    }

    fn ended(mut self, outcome: AuditOutcome) -> AuditEntry {
        self.0.outcome = outcome;
        self.0
    }
}
