//! Refusals: why somebody does not get what he asked for, in words that are safe to show him.
//!
//! A refusal is an expected decision, not a fault. It never carries a secret, nor more of the
//! request than the asker knows anyway. Each door renders it in its protocol's own terms by a total
//! `match`.

use std::fmt;

use lanyard_pki::Time;

use crate::kind::Kind;
use crate::object::ObjectKind;
use crate::revocation::RevocationReason;
use crate::verdict::Rule;

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

/// Why a request is not tethered to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unbound {
    /// No common name is a GUID, and there is no user principal name.
    #[error(
        "the request names no device and no user: a device is named by its id as the common name, \
         a user by a user principal name"
    )]
    NoDeviceOrUser,
    /// The id is the one that all devices have before they are registered.
    #[error("the request names a device by an id of zeros only, which is no device's")]
    NoDeviceId,
    /// An `IntuneDeviceId://` URI without a GUID.
    #[error("the request has an IntuneDeviceId:// URI without a device's id")]
    BadDeviceUri,
    /// Two different ids of devices.
    #[error("the request names several devices, and a certificate is for one")]
    SeveralDevices,
    /// Two different names of users.
    #[error("the request names several users, and a certificate is for one")]
    SeveralUsers,
    /// The device is named by its id in Intune alone, and the endpoint does not look there.
    #[error("the request names a device by its id in Intune, where this endpoint does not look")]
    IntuneNotAsked,
    /// No directory that was asked has the device.
    #[error("no directory has a device with the id that the request names")]
    UnknownDevice,
    /// No organizational unit says what sort of object of Jamf Pro it is.
    #[error(
        "the request's subject has no organizational unit that is one of computers, devices, \
         users-on-computers and users-on-devices"
    )]
    NoJamfUnit,
    /// Organizational units that contradict each other.
    #[error("the request's organizational units contradict each other")]
    SeveralJamfUnits,
    /// No common name is a number.
    #[error("the request's subject has no common name that is a number of Jamf Pro")]
    NoJamfId,
    /// No e-mail address says which user it is.
    #[error("the request names no user: it has no e-mail address among its alternative names")]
    NoEmail,
    /// The directory has no such object.
    #[error("there is no such {}", .0.text())]
    NoSuchObject(ObjectKind),
    /// The object is there and may have no certificate.
    #[error("the request is for an object that may have no certificate now: {}", .0.text())]
    NotGood(Rule),
    /// No certificate of that kind can be had so.
    #[error("certificates of the kind {0} cannot be had here")]
    NotFollowed(Kind),
}

/// In which way a key is too weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeakKey {
    /// An RSA modulus that is too short.
    RsaTooShort {
        /// Bits of the modulus.
        bits: u32,
        /// Bits it should have at least.
        least: u32,
    },
    /// An RSA public exponent that no sound key has.
    RsaExponent,
    /// An RSA modulus with the fingerprint of keys whose factors are guessable (ROCA,
    /// CVE-2017-15361).
    Roca,
    /// An RSA modulus with a small factor.
    RsaSmallFactor {
        /// The factor.
        factor: u16,
    },
}

/// In which way a key is not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsupportedKey {
    /// An RSA modulus that is too long.
    RsaTooLong {
        /// Bits of the modulus.
        bits: u32,
        /// Bits it may have at most.
        most: u32,
    },
    /// A kind of key that this endpoint's rules leave out.
    NotAllowedHere {
        /// The kind's usual name.
        algorithm: &'static str,
    },
    /// A kind of key that is issued for nowhere.
    Unknown,
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

/// A name in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePart {
    /// The subject.
    Subject,
    /// All alternative names together.
    AlternativeNames,
    /// A DNS name.
    DnsName,
    /// An e-mail address.
    EmailAddress,
    /// A URI.
    Uri,
    /// An IP address.
    IpAddress,
    /// A user principal name.
    UserPrincipalName,
    /// A directory name as an alternative name.
    DirectoryName,
    /// A registered object identifier.
    RegisteredId,
    /// An otherName of another type.
    OtherName,
}

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// It is empty.
    Empty,
    /// It is too long.
    TooLong {
        /// The limit, in characters.
        limit: usize,
    },
    /// There are too many.
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// It has a control character.
    ControlCharacter,
    /// It does not have the form of its type.
    Malformed,
}

impl fmt::Display for WeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaTooShort { bits, least } => {
                write!(f, "RSA with {bits} bits, where at least {least} are needed")
            }
            Self::RsaExponent => f.write_str("RSA with an unsound public exponent"),
            Self::Roca => f.write_str("RSA whose factors are guessable (CVE-2017-15361)"),
            Self::RsaSmallFactor { factor } => write!(f, "RSA with the factor {factor}"),
        }
    }
}

impl fmt::Display for UnsupportedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaTooLong { bits, most } => {
                write!(f, "RSA with {bits} bits, where at most {most} are taken")
            }
            Self::NotAllowedHere { algorithm } => {
                write!(f, "{algorithm} is left out by this endpoint's rules")
            }
            Self::Unknown => {
                f.write_str("only RSA, the curves P-256, P-384 and P-521, and Ed25519 are")
            }
        }
    }
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

impl fmt::Display for NamePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Subject => "subject",
            Self::AlternativeNames => "list of subject alternative names",
            Self::DnsName => "DNS name",
            Self::EmailAddress => "e-mail address",
            Self::Uri => "URI",
            Self::IpAddress => "IP address",
            Self::UserPrincipalName => "user principal name",
            Self::DirectoryName => "directory name",
            Self::RegisteredId => "registered id",
            Self::OtherName => "name of another type",
        })
    }
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong { limit } => write!(f, "it has more than {limit} characters"),
            Self::TooMany { limit } => write!(f, "there are more than {limit}"),
            Self::ControlCharacter => f.write_str("it has a control character"),
            Self::Malformed => f.write_str("it does not have the form of its type"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_sentences_for_people() {
        let at = Time::from_unix(1_800_000_000);
        let name = |part, fault| Refusal::BadName { part, fault };
        let not_good = Refusal::NotGoodAnymore;
        let refusals = [
            Refusal::NotConfigured,
            Refusal::ChallengeMissing,
            Refusal::WrongChallenge,
            Refusal::ChallengeTooLong { limit: 1024 },
            Refusal::BadProofOfPossession,
            Refusal::WeakKey(WeakKey::RsaTooShort { bits: 1024, least: 2048 }),
            Refusal::WeakKey(WeakKey::RsaExponent),
            Refusal::WeakKey(WeakKey::Roca),
            Refusal::WeakKey(WeakKey::RsaSmallFactor { factor: 3 }),
            Refusal::UnsupportedKey(UnsupportedKey::RsaTooLong { bits: 16384, most: 8192 }),
            Refusal::UnsupportedKey(UnsupportedKey::NotAllowedHere { algorithm: "Ed25519" }),
            Refusal::UnsupportedKey(UnsupportedKey::Unknown),
            Refusal::AlgorithmNotAllowed { algorithm: "MD5" },
            name(NamePart::Subject, NameFault::TooLong { limit: 64 }),
            name(NamePart::AlternativeNames, NameFault::TooMany { limit: 100 }),
            name(NamePart::UserPrincipalName, NameFault::ControlCharacter),
            name(NamePart::DnsName, NameFault::Malformed),
            name(NamePart::Uri, NameFault::Empty),
            Refusal::NameNotAllowed { part: NamePart::OtherName },
            Refusal::NoName,
            Refusal::NoUsage,
            Refusal::RenewalNotAllowed,
            Refusal::RenewalKindNotAllowed { kind: Kind::JamfComputer },
            Refusal::ForeignCertificate,
            not_good(NotGood::Expired { at }),
            not_good(NotGood::NotYetValid { from: at }),
            not_good(NotGood::OnHold),
            not_good(NotGood::Revoked { reason: RevocationReason::KeyCompromise }),
            not_good(NotGood::Unknown),
            not_good(NotGood::Undecided),
            Refusal::NameChanged { part: NamePart::Subject },
            Refusal::KeyReused,
            Refusal::AuthorityNotValid,
            Refusal::ValidityImpossible,
            Refusal::RenewalOfOtherScope,
            Refusal::RenewalOfOtherEndpoint,
            Refusal::TransactionReused,
            Refusal::IssuedNotGood(NotGood::OnHold),
            Refusal::TooManyAttempts { seconds: 30 },
            Refusal::RevokedForGood,
            Refusal::NotOnHold,
        ];
        let sentences: Vec<String> = refusals.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(sentences.join("\n"));
    }
}
