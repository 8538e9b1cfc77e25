//! Refusals: why somebody does not get what he asked for, in words that are safe to show him.
//!
//! A refusal is an expected decision, not a fault. It never carries a secret, nor more of the
//! request than the asker knows anyway. Each door renders it in its protocol's own terms by a total
//! `match`.

mod key;
mod name;
mod unbound;

use std::fmt;

use lanyard_pki::Time;

use crate::kind::Kind;
use crate::object::ObjectKind;
use crate::revocation::RevocationReason;

pub use key::{UnsupportedKey, WeakKey};
pub use name::{NameFault, NamePart};
pub use unbound::Unbound;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is configured at that address, or it is switched off.
    #[error("there is no such enrollment endpoint here")]
    NotConfigured,

    /// The endpoint asks for a challenge password and the request has none.
    #[error("the request carries no challenge password, and this endpoint asks for one")]
    ChallengeMissing,
    /// The challenge password is not the endpoint's.
    #[error("the challenge password is wrong")]
    WrongChallenge,
    /// The challenge password is longer than the endpoint allows.
    #[error("the challenge password is longer than {limit} octets")]
    ChallengeTooLong {
        /// Octets that the endpoint allows.
        limit: usize,
    },
    /// The door needs a kind of credential that the request does not have.
    #[error("the request is not authenticated")]
    Unauthenticated,

    /// The request is not signed with the private key that it asks a certificate for.
    #[error("the request is not signed with the key that it asks a certificate for")]
    BadProofOfPossession,
    /// The key is of a kind that is issued for, but too weak.
    #[error("the key is too weak: {0}")]
    WeakKey(WeakKey),
    /// The key is of a kind that is not issued for.
    #[error("this key is not supported: {0}")]
    UnsupportedKey(UnsupportedKey),
    /// A signature or digest algorithm that is refused unless a setting allows it.
    #[error("the algorithm {algorithm} is not allowed here")]
    AlgorithmNotAllowed {
        /// Its usual name.
        algorithm: &'static str,
    },

    /// A name has a form that may not be in a certificate.
    #[error("the requested {part} cannot be in a certificate: {fault}")]
    BadName {
        /// Which name.
        part: NamePart,
        /// What is wrong with it.
        fault: NameFault,
    },
    /// The endpoint does not issue for names of this form.
    #[error("this endpoint issues no certificates with a {part}")]
    NameNotAllowed {
        /// Which name.
        part: NamePart,
    },
    /// Neither a subject nor an alternative name.
    #[error("the request names nobody: it has neither a subject nor a subject alternative name")]
    NoName,
    /// No usage is left that the endpoint may grant.
    #[error("none of the requested key usages is granted here")]
    NoUsage,

    /// The management of devices that has made the challenge does not stand behind the request; why,
    /// in its words.
    #[error("{0}")]
    NotValidated(String),
    /// The management of devices cannot be asked now.
    #[error("whether Intune stands behind the request cannot be said now; try again later")]
    ValidationSilent,
    /// The certificate is kept back until the management of devices has taken notice of it.
    #[error("Intune has not taken notice of the certificate yet; try again later")]
    NoticeWaiting,
    /// The management of devices wants no certificate to be there: it is not handed out.
    #[error("Intune does not want the certificate any more, so that it is not handed out")]
    NoticeRefused,

    /// The request names no object that a certificate of this endpoint could be tethered to, or one
    /// that may have none.
    #[error("{0}")]
    Unbound(Unbound),
    /// The object's directory cannot be asked now, and what is known of it is too old.
    #[error("whether the {} may have a certificate cannot be said now; try again later", .kind.text())]
    DirectorySilent {
        /// What was to be looked up.
        kind: ObjectKind,
    },

    /// The endpoint renews nothing.
    #[error("this endpoint does not renew certificates")]
    RenewalNotAllowed,
    /// The endpoint does not renew certificates of this kind.
    #[error("this endpoint does not renew certificates of the kind {kind}")]
    RenewalKindNotAllowed {
        /// The old certificate's kind.
        kind: Kind,
    },
    /// The old certificate belongs to another organization or department than the endpoint.
    #[error("the certificate to renew belongs to another organization or department")]
    RenewalOfOtherScope,
    /// The old certificate was issued at another endpoint, and this one renews its own.
    #[error("the certificate to renew was issued at another endpoint, and this one renews its own")]
    RenewalOfOtherEndpoint,
    /// The signing certificate was not issued here.
    #[error("the certificate that signed the renewal was not issued by this authority")]
    ForeignCertificate,
    /// The old certificate is not good any more.
    #[error("the certificate to renew is not good any more: {0}")]
    NotGoodAnymore(NotGood),
    /// The renewal asks for another name than the old certificate has.
    #[error("a renewal keeps the name: the requested {part} differs from the old certificate's")]
    NameChanged {
        /// Which name differs.
        part: NamePart,
    },
    /// The renewal asks for a certificate with the old key, and the endpoint wants a new one.
    #[error("a renewal needs a new key here, and the request has the old one")]
    KeyReused,

    /// The authority's certificate has ended, or has not begun.
    #[error("the authority's own certificate is not valid now, so that it issues nothing")]
    AuthorityNotValid,
    /// The asked validity has no instant in common with what may be granted.
    #[error("the requested validity lies outside of what may be granted")]
    ValidityImpossible,

    /// The transaction id was used with another key or request.
    #[error("the transaction id was used for another request")]
    TransactionReused,
    /// The transaction's certificate was issued, and is not good any more.
    #[error("the certificate of this transaction is not good any more: {0}")]
    IssuedNotGood(NotGood),
    /// No such transaction.
    #[error("there is no such transaction")]
    UnknownTransaction,
    /// An administrator has declined the request.
    #[error("the request was declined")]
    Declined,
    /// The request was signed too long ago, or for a time to come.
    #[error("the request's signing time is too far from now")]
    BadTime,
    /// No such certificate here.
    #[error("there is no such certificate here")]
    UnknownCertificate,
    /// The message is not what its protocol says; detail for logs.
    #[error("the message cannot be understood: {0}")]
    Malformed(&'static str),
    /// The request is larger than the limit.
    #[error("the request is larger than {limit} octets")]
    TooLarge {
        /// Octets allowed.
        limit: usize,
    },
    /// Too many wrong attempts; try again later.
    #[error("too many attempts; try again in {seconds} seconds")]
    TooManyAttempts {
        /// When to try again, in seconds.
        seconds: u32,
    },

    /// The certificate is revoked for good.
    #[error("the certificate is revoked for good; its time and reason stay as recorded")]
    RevokedForGood,
    /// Only a hold can be released.
    #[error("the certificate is not on hold, so that there is nothing to release")]
    NotOnHold,
}

impl Refusal {
    /// Whether the same request may well be granted later without anybody doing anything about it:
    /// what would have to be known to decide cannot be learnt now.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::DirectorySilent { .. }
                | Self::ValidationSilent
                | Self::NoticeWaiting
                | Self::TooManyAttempts { .. }
                | Self::NotGoodAnymore(NotGood::Undecided)
                | Self::IssuedNotGood(NotGood::Undecided)
        )
    }
}

/// Why a certificate that was to be renewed is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotGood {
    /// It has expired.
    Expired {
        /// When.
        at: Time,
    },
    /// It is not valid yet.
    NotYetValid {
        /// When it will be.
        from: Time,
    },
    /// It is on hold.
    OnHold,
    /// It is revoked.
    Revoked {
        /// Why.
        reason: RevocationReason,
    },
    /// Nothing is known about it.
    Unknown,
    /// Whether it is good cannot be said now.
    Undecided,
}

impl fmt::Display for NotGood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { at } => write!(f, "it expired at {at}"),
            Self::NotYetValid { from } => write!(f, "it is not valid before {from}"),
            Self::OnHold => f.write_str("it is on hold"),
            Self::Revoked { reason } => write!(f, "it is revoked ({reason})"),
            Self::Unknown => f.write_str("it is not known here"),
            Self::Undecided => {
                f.write_str("whether it is good cannot be said now; try again later")
            }
        }
    }
}

#[cfg(test)]
mod tests;
