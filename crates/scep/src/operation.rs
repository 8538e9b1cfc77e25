//! The HTTP side of SCEP without HTTP (RFC 8894, 4): which operation a query asks for, and what types
//! the answers have. The query is the raw text after the question mark, not yet decoded by anyone.

use lanyard_pki::url_base64::{self, Deviation, UrlBase64Error};
use std::fmt::{self, Write as _};
use thiserror::Error;

use crate::{Tolerance, Tolerances};

/// Content types of requests and answers.
pub mod content_type {
    /// A pkiMessage, both ways
    pub const PKI_MESSAGE: &str = "application/x-pki-message";
    /// GetCACert: one certificate
    pub const CA_CERT: &str = "application/x-x509-ca-cert";
    /// GetCACert: several certificates
    pub const CA_RA_CERT: &str = "application/x-x509-ca-ra-cert";
    /// GetNextCACert
    pub const NEXT_CA_CERT: &str = "application/x-x509-next-ca-cert";
    /// GetCACaps
    pub const TEXT: &str = "text/plain";
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// What can you do?
    GetCaCaps,
    /// Your certificate, please
    GetCaCert,
    /// Your next certificate, please
    GetNextCaCert,
    /// Here is a message
    PkiOperation,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::GetCaCaps, Self::GetCaCert, Self::GetNextCaCert, Self::PkiOperation];

    /// Its name in the query.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GetCaCaps => "GetCACaps",
            Self::GetCaCert => "GetCACert",
            Self::GetNextCaCert => "GetNextCACert",
            Self::PkiOperation => "PKIOperation",
        }
    }

    /// The query that asks for it without a message.
    #[must_use]
    pub fn query(self) -> String {
        format!("operation={}", self.name())
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A query as received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// What is asked for.
    pub operation: Operation,
    /// The value of `message` as it stands in the query: for the first three operations the name of
    /// an authority, which is not needed here; for PKIOperation by GET the message.
    pub message: Option<&'a str>,
}

/// Why a query is no SCEP request.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// No `operation`.
    #[error("the query names no SCEP operation")]
    NoOperation,
    /// An operation that does not exist.
    #[error("the SCEP operation {0:?} is unknown")]
    UnknownOperation(String),
    /// PKIOperation by GET without a message.
    #[error("PKIOperation by GET needs a message")]
    NoMessage,
    /// The message is not base64.
    #[error(transparent)]
    Encoding(#[from] UrlBase64Error),
    /// The message is longer than the limit.
    #[error("the message in the query is longer than {0} octets")]
    TooLong(usize),
}

impl<'a> Query<'a> {
    /// Reads the raw query.
    pub fn parse(raw: &'a str) -> Result<Self, QueryError> {
        let value = |name: &str| {
            raw.split('&')
                .filter_map(|pair| pair.split_once('='))
                .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
        };
        let operation = value("operation").ok_or(QueryError::NoOperation)?;
        let operation = Operation::ALL
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(operation))
            .ok_or_else(|| QueryError::UnknownOperation(operation.chars().take(40).collect()))?;
        Ok(Self { operation, message: value("message") })
    }

    /// What was overlooked in a query that carries no message to decode.
    #[must_use]
    pub fn tolerances(&self) -> Tolerances {
        match (self.operation, self.message) {
            (Operation::PkiOperation, _) | (_, Some(_)) => Tolerances::none(),
            (_, None) => Tolerances::none().with(Tolerance::NoMessageParameter),
        }
    }

    /// The message of a PKIOperation by GET, at most `limit` octets.
    pub fn pki_message(&self, limit: usize) -> Result<(Vec<u8>, Tolerances), QueryError> {
        let text = self.message.filter(|text| !text.is_empty()).ok_or(QueryError::NoMessage)?;
        // Three characters at most stand for one of base64, and four of base64 for three octets.
        if text.len() / 4 > limit {
            return Err(QueryError::TooLong(limit));
        }
        let (octets, deviations) = url_base64::decode(text)?;
        if octets.len() > limit {
            return Err(QueryError::TooLong(limit));
        }
        let overlooked = deviations.into_iter().map(|deviation| match deviation {
            Deviation::RawPlus | Deviation::RawSlash => Tolerance::RawBase64InQuery,
            Deviation::SpaceForPlus => Tolerance::SpaceForPlus,
            Deviation::UrlAlphabet => Tolerance::UrlAlphabet,
            Deviation::LineBreaks => Tolerance::LineBreaksInBase64,
            Deviation::NoPadding => Tolerance::NoBase64Padding,
        });
        Ok((octets, overlooked.chain([Tolerance::PkiOperationByGet]).collect()))
    }
}

/// The query of a PKIOperation by GET: base64, percent-encoded (RFC 8894, 4.1).
#[must_use]
pub fn pki_operation_query(message: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let mut query = format!("{}&message=", Operation::PkiOperation.query());
    for symbol in STANDARD.encode(message).chars() {
        if symbol.is_ascii_alphanumeric() {
            query.push(symbol);
        } else {
            // Writing to a String does not fail.
            let _ = write!(query, "%{:02X}", u32::from(symbol));
        }
    }
    query
}

/// `path` without the `pkiclient.exe` that Windows puts at its end, and without the slash before it.
#[must_use]
pub fn endpoint_path(path: &str) -> (&str, Tolerances) {
    const PROGRAM: &str = "pkiclient.exe";
    let at = path.len().saturating_sub(PROGRAM.len());
    match path.split_at_checked(at) {
        Some((before, last)) if last.eq_ignore_ascii_case(PROGRAM) && before.ends_with('/') => {
            let before = before.trim_end_matches('/');
            (before, Tolerances::none().with(Tolerance::PkiClientExe))
        }
        _ => (path, Tolerances::none()),
    }
}
