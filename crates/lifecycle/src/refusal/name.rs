//! In which way a name is refused.

use std::fmt;

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
