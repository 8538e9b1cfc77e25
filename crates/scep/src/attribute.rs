//! The signed attributes of a pkiMessage (RFC 8894, 3.2.1), each a type of its own.

use std::fmt;

use lanyard_pki::{
    Oid,
    cms::{Attribute, Attributes, CmsError},
    oid,
    tlv::Tag,
};
use thiserror::Error;

/// What a pkiMessage is for (RFC 8894, 3.2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// A reply
    CertRep,
    /// A request signed with an existing certificate
    RenewalReq,
    /// A request
    PkcsReq,
    /// Has the pending request been decided?
    CertPoll,
    /// A certificate, please
    GetCert,
    /// A CRL, please
    GetCrl,
}

impl MessageType {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::CertRep,
        Self::RenewalReq,
        Self::PkcsReq,
        Self::CertPoll,
        Self::GetCert,
        Self::GetCrl,
    ];

    /// The number as it is sent, in decimal digits.
    #[must_use]
    pub const fn digits(self) -> &'static str {
        match self {
            Self::CertRep => "3",
            Self::RenewalReq => "17",
            Self::PkcsReq => "19",
            Self::CertPoll => "20",
            Self::GetCert => "21",
            Self::GetCrl => "22",
        }
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CertRep => "CertRep",
            Self::RenewalReq => "RenewalReq",
            Self::PkcsReq => "PKCSReq",
            Self::CertPoll => "CertPoll",
            Self::GetCert => "GetCert",
            Self::GetCrl => "GetCRL",
        })
    }
}

/// What became of a request (RFC 8894, 3.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PkiStatus {
    /// Granted
    Success,
    /// Refused
    Failure,
    /// To be decided by a person
    Pending,
}

impl PkiStatus {
    const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Pending];

    /// The number as it is sent, in decimal digits.
    #[must_use]
    pub const fn digits(self) -> &'static str {
        match self {
            Self::Success => "0",
            Self::Failure => "2",
            Self::Pending => "3",
        }
    }
}

impl fmt::Display for PkiStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Pending => "PENDING",
        })
    }
}

/// Why an attribute is not what it should be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AttributeError {
    /// Missing, or there more than once.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// Of another type than RFC 8894 gives it.
    #[error("the attribute {0} is of the wrong type")]
    Type(Oid),
    /// A message type, status or failure that is not assigned.
    #[error("the attribute {oid} has the unknown value {value:?}")]
    Value {
        /// Which attribute.
        oid: Oid,
        /// What it says.
        value: String,
    },
    /// A transaction id that is empty, too long or not printable.
    #[error("a transaction id has 1 to {most} printable characters", most = TransactionId::MOST)]
    TransactionId,
    /// A nonce that is empty or too long.
    #[error("a nonce has 1 to {most} octets, here are {0}", most = SenderNonce::MOST)]
    Nonce(usize),
}

/// Names a transaction between a client and its server (RFC 8894, 3.2.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(String);

impl TransactionId {
    /// The most characters.
    pub const MOST: usize = 255;

    /// From printable ASCII.
    ///
    /// PrintableString knows few signs besides letters and digits; clients are not so strict, and
    /// nothing depends on it.
    pub fn new(text: &str) -> Result<Self, AttributeError> {
        let printable = text.bytes().all(|octet| (0x20..0x7f).contains(&octet));
        if printable && (1..=Self::MOST).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(AttributeError::TransactionId)
        }
    }

    pub(crate) fn from_hex(octets: &[u8]) -> Self {
        Self(hex::encode(octets))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! nonce {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(Vec<u8>);

        impl $name {
            /// The most octets that are taken.
            pub const MOST: usize = 64;

            /// From the octets as received, or freshly drawn ones: 16 (RFC 8894, 3.2.1.5).
            pub fn new(octets: &[u8]) -> Result<Self, AttributeError> {
                match octets.len() {
                    1..=Self::MOST => Ok(Self(octets.to_vec())),
                    other => Err(AttributeError::Nonce(other)),
                }
            }

            /// From 16 fresh random octets.
            #[must_use]
            pub fn from_random(octets: [u8; 16]) -> Self {
                Self(octets.to_vec())
            }

            /// The octets.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), hex::encode(&self.0))
            }
        }
    };
}

nonce! {
    /// The nonce of whoever sends the message
    SenderNonce
}
nonce! {
    /// In a reply: the nonce that the request carried
    RecipientNonce
}

impl SenderNonce {
    /// The same octets on their way back.
    #[must_use]
    pub fn returned(&self) -> RecipientNonce {
        RecipientNonce(self.0.clone())
    }
}

/// All attributes of a message.
#[derive(Clone, Debug)]
pub(crate) struct MessageAttributes {
    pub(crate) message_type: MessageType,
    pub(crate) transaction_id: TransactionId,
    pub(crate) sender_nonce: Option<SenderNonce>,
    pub(crate) recipient_nonce: Option<RecipientNonce>,
    pub(crate) status: Option<PkiStatus>,
    pub(crate) fail_info: Option<crate::FailInfo>,
    pub(crate) fail_info_text: Option<String>,
}

impl MessageAttributes {
    pub(crate) fn read(attributes: &Attributes<'_>) -> Result<Self, AttributeError> {
        let message_type = required(attributes, oid::SCEP_MESSAGE_TYPE)?;
        let transaction_id = required(attributes, oid::SCEP_TRANSACTION_ID)?;
        let text = str::from_utf8(transaction_id).map_err(|_| AttributeError::TransactionId)?;
        let status = printable(attributes, oid::SCEP_PKI_STATUS)?;
        let fail_info = printable(attributes, oid::SCEP_FAIL_INFO)?;
        Ok(Self {
            message_type: among(&MessageType::ALL, MessageType::digits, message_type)
                .ok_or_else(|| unknown(oid::SCEP_MESSAGE_TYPE, message_type))?,
            transaction_id: TransactionId::new(text)?,
            sender_nonce: octets(attributes, oid::SCEP_SENDER_NONCE)?
                .map(SenderNonce::new)
                .transpose()?,
            recipient_nonce: octets(attributes, oid::SCEP_RECIPIENT_NONCE)?
                .map(RecipientNonce::new)
                .transpose()?,
            status: assigned(oid::SCEP_PKI_STATUS, status, |digits| {
                among(&PkiStatus::ALL, PkiStatus::digits, digits)
            })?,
            fail_info: assigned(oid::SCEP_FAIL_INFO, fail_info, crate::FailInfo::from_digits)?,
            fail_info_text: attributes
                .optional(oid::SCEP_FAIL_INFO_TEXT)?
                .map(|value| String::from_utf8_lossy(value.contents).into_owned()),
        })
    }

    pub(crate) fn to_cms(&self) -> Vec<Attribute> {
        let printable = |oid, text: &str| Some(Attribute::printable(oid, text));
        let octets = |oid, octets: &[u8]| Attribute::octets(oid, octets);
        [
            printable(oid::SCEP_MESSAGE_TYPE, self.message_type.digits()),
            printable(oid::SCEP_TRANSACTION_ID, self.transaction_id.as_str()),
            self.status.and_then(|status| printable(oid::SCEP_PKI_STATUS, status.digits())),
            self.fail_info.and_then(|info| printable(oid::SCEP_FAIL_INFO, info.digits())),
            self.fail_info_text
                .as_deref()
                .map(|text| Attribute::utf8(oid::SCEP_FAIL_INFO_TEXT, text)),
            self.sender_nonce
                .as_ref()
                .map(|nonce| octets(oid::SCEP_SENDER_NONCE, nonce.as_bytes())),
            self.recipient_nonce
                .as_ref()
                .map(|nonce| octets(oid::SCEP_RECIPIENT_NONCE, nonce.as_bytes())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn required<'a>(attributes: &Attributes<'a>, oid: Oid) -> Result<&'a [u8], AttributeError> {
    printable(attributes, oid)?.ok_or(AttributeError::Cms(CmsError::AttributeMissing(oid)))
}

fn printable<'a>(
    attributes: &Attributes<'a>,
    oid: Oid,
) -> Result<Option<&'a [u8]>, AttributeError> {
    of_type(attributes, oid, Tag::PRINTABLE_STRING)
}

fn octets<'a>(attributes: &Attributes<'a>, oid: Oid) -> Result<Option<&'a [u8]>, AttributeError> {
    of_type(attributes, oid, Tag::OCTET_STRING)
}

fn of_type<'a>(
    attributes: &Attributes<'a>,
    oid: Oid,
    tag: Tag,
) -> Result<Option<&'a [u8]>, AttributeError> {
    match attributes.optional(oid)? {
        Some(value) if value.tag != tag => Err(AttributeError::Type(oid)),
        value => Ok(value.map(|value| value.contents)),
    }
}

fn among<T: Copy>(all: &[T], digits: fn(T) -> &'static str, value: &[u8]) -> Option<T> {
    all.iter().copied().find(|one| digits(*one).as_bytes() == value)
}

fn assigned<T>(
    oid: Oid,
    value: Option<&[u8]>,
    read: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<Option<T>, AttributeError> {
    let Some(value) = value else { return Ok(None) };
    read(value).map(Some).ok_or_else(|| unknown(oid, value))
}

fn unknown(oid: Oid, value: &[u8]) -> AttributeError {
    let value = String::from_utf8_lossy(value).chars().take(20).collect();
    AttributeError::Value { oid, value }
}
