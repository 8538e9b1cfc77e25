//! Questions that have many answers: whose records, which ones, and from where to go on.

use lanyard_lifecycle::{
    id::{DepartmentId, EndpointId, ObjectId, OrganizationId, Scope},
    kind::{Kind, Source},
};
use lanyard_pki::Time;

use super::CaId;

/// Whose records a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// Everybody's.
    Everywhere,
    /// An organization's, all departments.
    Organization(OrganizationId),
    /// One department's.
    Department(OrganizationId, DepartmentId),
}

impl From<Scope> for Within {
    /// What someone with this scope may see.
    fn from(scope: Scope) -> Self {
        match scope.department {
            None => Self::Organization(scope.organization),
            Some(department) => Self::Department(scope.organization, department),
        }
    }
}

/// A place in a list that stays where it is while records come and go. Opaque: only a cursor that
/// a page of the same question returned has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub i64);

/// Some records and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end. A search that looked at as many records as one page may
    /// cost returns what it found so far, perhaps nothing, with a cursor.
    pub next: Option<Cursor>,
}

/// A page of certificates in the order of their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiringPage<T> {
    /// The certificates.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<(Time, Cursor)>,
}

/// A text to search certificates for; letter case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchText {
    /// The serial number, the common name, or the user principal name starts so. Indexed.
    StartsWith(String),
    /// Subject, alternative names, user principal name or requester contain it. Reads records
    /// from the newest on, a bounded number a page.
    Contains(String),
}

/// Which standings to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standings {
    /// All.
    #[default]
    Any,
    /// Neither on hold nor revoked.
    Good,
    /// On hold.
    OnHold,
    /// Revoked.
    Revoked,
    /// On hold or revoked. Indexed.
    NotGood,
}

/// Which issued certificates to list; what is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Whose.
    pub within: Within,
    /// With which text.
    pub text: Option<SearchText>,
    /// Of which kind.
    pub kind: Option<Kind>,
    /// From which channel.
    pub source: Option<Source>,
    /// From which endpoint.
    pub endpoint: Option<EndpointId>,
    /// Tethered to which object. Indexed.
    pub object: Option<ObjectId>,
    /// From which CA.
    pub ca: Option<CaId>,
    /// With which standing.
    pub standing: Standings,
    /// Prepared at this time or later.
    pub from: Option<Time>,
    /// Prepared before this time.
    pub until: Option<Time>,
    /// Ending at this time or later.
    pub ends_from: Option<Time>,
    /// Ending before this time.
    pub ends_until: Option<Time>,
}

impl Filter {
    /// Everything within a scope.
    pub fn all(within: Within) -> Self {
        Self {
            within,
            text: None,
            kind: None,
            source: None,
            endpoint: None,
            object: None,
            ca: None,
            standing: Standings::Any,
            from: None,
            until: None,
            ends_from: None,
            ends_until: None,
        }
    }
}

/// The serial numbers that start with these hexadecimal digits, as a range of bytes.
pub(crate) fn serial_range(prefix: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let digits: String = prefix.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    if digits.is_empty() || digits.len() > 128 {
        return None;
    }
    let low = hex::decode(format!("{digits:0<width$}", width = digits.len().next_multiple_of(2)));
    let high = hex::decode(format!("{digits:f<width$}", width = digits.len().next_multiple_of(2)));
    let (low, mut high) = (low.ok()?, high.ok()?);
    high.resize(high.len() + lanyard_pki::serial::MAX_OCTETS, 0xff);
    Some((low, high))
}
