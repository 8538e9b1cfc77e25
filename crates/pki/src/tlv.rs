//! DER as tag, length and contents: a reader that never copies and a writer that appends.
//!
//! Strict DER only: definite, minimal lengths and single-octet tags, which is all that X.509, CMS and
//! OCSP use. What arrives as BER goes through [`crate::ber`] first. Nothing here knows any structure.

mod canonical;
mod reader;
mod writer;

pub use canonical::check_canonical;
pub use reader::{Reader, Tlv};
pub use writer::Writer;

use std::fmt;

/// An identifier octet of DER, class and form included (X.690, 8.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub u8);

impl Tag {
    /// BOOLEAN
    pub const BOOLEAN: Self = Self(0x01);
    /// INTEGER
    pub const INTEGER: Self = Self(0x02);
    /// BIT STRING
    pub const BIT_STRING: Self = Self(0x03);
    /// OCTET STRING
    pub const OCTET_STRING: Self = Self(0x04);
    /// NULL
    pub const NULL: Self = Self(0x05);
    /// OBJECT IDENTIFIER
    pub const OID: Self = Self(0x06);
    /// ENUMERATED
    pub const ENUMERATED: Self = Self(0x0a);
    /// UTF8String
    pub const UTF8_STRING: Self = Self(0x0c);
    /// NumericString
    pub const NUMERIC_STRING: Self = Self(0x12);
    /// PrintableString
    pub const PRINTABLE_STRING: Self = Self(0x13);
    /// TeletexString, also named T61String
    pub const TELETEX_STRING: Self = Self(0x14);
    /// IA5String
    pub const IA5_STRING: Self = Self(0x16);
    /// UTCTime
    pub const UTC_TIME: Self = Self(0x17);
    /// GeneralizedTime
    pub const GENERALIZED_TIME: Self = Self(0x18);
    /// VisibleString
    pub const VISIBLE_STRING: Self = Self(0x1a);
    /// UniversalString (UCS-4)
    pub const UNIVERSAL_STRING: Self = Self(0x1c);
    /// BMPString (UCS-2)
    pub const BMP_STRING: Self = Self(0x1e);
    /// SEQUENCE and SEQUENCE OF
    pub const SEQUENCE: Self = Self(0x30);
    /// SET and SET OF
    pub const SET: Self = Self(0x31);

    /// `[number]`, primitive: an implicitly tagged string or number. Numbers above 30 do not occur.
    pub const fn context(number: u8) -> Self {
        Self(0x80 | (number & 0x1f))
    }

    /// `[number]`, constructed: explicitly tagged, or an implicitly tagged SEQUENCE or SET.
    pub const fn context_constructed(number: u8) -> Self {
        Self(0xa0 | (number & 0x1f))
    }

    /// Whether the contents are themselves DER values.
    pub const fn is_constructed(self) -> bool {
        self.0 & 0x20 != 0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::BOOLEAN => "BOOLEAN",
            Self::INTEGER => "INTEGER",
            Self::BIT_STRING => "BIT STRING",
            Self::OCTET_STRING => "OCTET STRING",
            Self::NULL => "NULL",
            Self::OID => "OBJECT IDENTIFIER",
            Self::ENUMERATED => "ENUMERATED",
            Self::UTF8_STRING => "UTF8String",
            Self::NUMERIC_STRING => "NumericString",
            Self::PRINTABLE_STRING => "PrintableString",
            Self::TELETEX_STRING => "TeletexString",
            Self::IA5_STRING => "IA5String",
            Self::UTC_TIME => "UTCTime",
            Self::GENERALIZED_TIME => "GeneralizedTime",
            Self::VISIBLE_STRING => "VisibleString",
            Self::UNIVERSAL_STRING => "UniversalString",
            Self::BMP_STRING => "BMPString",
            Self::SEQUENCE => "SEQUENCE",
            Self::SET => "SET",
            Self(octet) if octet & 0xc0 == 0x80 => return write!(f, "[{}]", octet & 0x1f),
            Self(octet) => return write!(f, "tag 0x{octet:02x}"),
        };
        f.write_str(name)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is wrong with bytes that should be DER.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DerError {
    /// A length points past the end.
    #[error("the data ends in the middle of a value")]
    Truncated,
    /// There is more after the last value.
    #[error("{0} octets follow the end of the value")]
    Trailing(usize),
    /// A BER indefinite length.
    #[error("indefinite lengths are not DER")]
    IndefiniteLength,
    /// A length that could be written shorter, or one above 4 GiB.
    #[error("a length is not in its shortest form")]
    Length,
    /// A tag number above 30.
    #[error("a tag number above 30")]
    HighTag,
    /// Another type than the structure has here.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What the structure has here.
        expected: Tag,
        /// What the bytes have here.
        found: Tag,
    },
    /// The right type with contents it cannot have.
    #[error("{0}")]
    Value(&'static str),
}
