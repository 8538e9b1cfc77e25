//! Alternative names (RFC 5280, 4.2.1.6), user principal names among them.

use crate::{
    Name, Oid, oid,
    tlv::{DerError, Reader, Tag, Tlv, Writer, check_canonical},
};
use std::{fmt, net::IpAddr};

/// A name in one of the forms of GeneralName.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GeneralName {
    /// `otherName`: a form of its own; see [`GeneralName::upn`]
    OtherName {
        /// The form.
        oid: Oid,
        /// The DER of the value inside `[0]`.
        value: Vec<u8>,
    },
    /// `rfc822Name`: an e-mail address
    Email(String),
    /// `dNSName`
    Dns(String),
    /// `directoryName`
    DirectoryName(Name),
    /// `uniformResourceIdentifier`
    Uri(String),
    /// `iPAddress`, version 4 or 6
    Ip(IpAddr),
    /// `registeredID`
    RegisteredId(Oid),
    /// Anything else: X.400 addresses, EDI party names, ranges of addresses, and what a client wrote
    /// wrongly or not as DER. Kept as received; never written by us.
    Unread(Vec<u8>),
}

impl GeneralName {
    /// A user principal name as Windows has it: an otherName with a UTF8String.
    pub fn upn(name: &str) -> Self {
        let mut value = Writer::new();
        value.utf8_string(name);
        Self::OtherName { oid: oid::MS_UPN, value: value.finish() }
    }

    /// The user principal name, if that is what this is.
    pub fn as_upn(&self) -> Option<String> {
        match self {
            Self::OtherName { oid: oid::MS_UPN, value } => {
                let value = Reader::new(value).any().ok()?;
                crate::name::decode_string(value.tag, value.contents)
            }
            _ => None,
        }
    }

    /// Reads one name. Succeeds on any well-formed value of a context tag: see [`GeneralName::Unread`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        let value = reader.any()?;
        match value.tag.0 {
            0xa0..=0xa8 | 0x80..=0x88 => {
                Ok(known(&value).unwrap_or_else(|| Self::Unread(value.bytes.to_vec())))
            }
            _ => Err(DerError::Value("a name of a kind that GeneralName does not have")),
        }
    }

    /// Reads GeneralNames: a SEQUENCE of names.
    pub fn read_all(der: &[u8]) -> Result<Vec<Self>, DerError> {
        let mut reader = Reader::entered(der, Tag::SEQUENCE)?;
        let mut names = Vec::new();
        while !reader.is_empty() {
            names.push(Self::read(&mut reader)?);
        }
        Ok(names)
    }

    /// Appends the name.
    pub fn write(&self, w: &mut Writer) {
        match self {
            Self::OtherName { oid, value } => {
                w.context(0, |w| {
                    w.oid(*oid);
                    w.context(0, |w| w.raw(value));
                });
            }
            Self::Email(text) => w.value(Tag::context(1), text.as_bytes()),
            Self::Dns(text) => w.value(Tag::context(2), text.as_bytes()),
            Self::DirectoryName(name) => w.context(4, |w| w.raw(name.as_der())),
            Self::Uri(text) => w.value(Tag::context(6), text.as_bytes()),
            Self::Ip(IpAddr::V4(address)) => w.value(Tag::context(7), &address.octets()),
            Self::Ip(IpAddr::V6(address)) => w.value(Tag::context(7), &address.octets()),
            Self::RegisteredId(oid) => w.value(Tag::context(8), oid.as_bytes()),
            Self::Unread(der) => w.raw(der),
        }
    }

    /// The text of the forms that are an IA5String.
    pub fn ia5_text(&self) -> Option<&str> {
        match self {
            Self::Email(text) | Self::Dns(text) | Self::Uri(text) => Some(text),
            _ => None,
        }
    }
}

/// A name whose contents are what its tag says.
fn known(value: &Tlv<'_>) -> Option<GeneralName> {
    let ia5 = || {
        let text = std::str::from_utf8(value.contents).ok()?;
        (text.is_ascii() && !text.is_empty()).then(|| text.to_owned())
    };
    match value.tag.0 {
        0xa0 => {
            let mut inside = value.reader();
            let oid = inside.oid().ok()?;
            let mut explicit = inside.context(0).ok()??;
            inside.finish().ok()?;
            let inner = explicit.any().ok()?.bytes;
            explicit.finish().ok()?;
            check_canonical(inner).ok()?;
            Some(GeneralName::OtherName { oid, value: inner.to_vec() })
        }
        0x81 => ia5().map(GeneralName::Email),
        0x82 => ia5().map(GeneralName::Dns),
        0xa4 => {
            check_canonical(value.contents).ok()?;
            Name::from_der(value.contents).ok().map(GeneralName::DirectoryName)
        }
        0x86 => ia5().map(GeneralName::Uri),
        0x87 => {
            let four = <[u8; 4]>::try_from(value.contents).map(IpAddr::from);
            let six = || <[u8; 16]>::try_from(value.contents).map(IpAddr::from);
            four.or_else(|_| six()).ok().map(GeneralName::Ip)
        }
        0x88 => Oid::from_bytes(value.contents).map(GeneralName::RegisteredId),
        _ => None,
    }
}

impl fmt::Display for GeneralName {
    /// `DNS:a.example.com`, `UPN:ada@example.com`, …
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherName { oid, value } => match self.as_upn() {
                Some(upn) => write!(f, "UPN:{}", upn.escape_debug()),
                None => write!(f, "other:{}:{}", oid, hex::encode(value)),
            },
            Self::Email(text) => write!(f, "email:{}", text.escape_debug()),
            Self::Dns(text) => write!(f, "DNS:{}", text.escape_debug()),
            Self::DirectoryName(name) => write!(f, "directory:{name}"),
            Self::Uri(text) => write!(f, "URI:{}", text.escape_debug()),
            Self::Ip(address) => write!(f, "IP:{address}"),
            Self::RegisteredId(oid) => write!(f, "id:{oid}"),
            Self::Unread(der) => write!(f, "unread:{}", hex::encode(der)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der(names: &[GeneralName]) -> Vec<u8> {
        Writer::sequence_of(|w| names.iter().for_each(|name| name.write(w)))
    }

    #[test]
    fn every_form_reads_back() {
        let names = [
            GeneralName::upn("ada@example.com"),
            GeneralName::Email("ada@example.com".into()),
            GeneralName::Dns("laptop7.example.com".into()),
            GeneralName::DirectoryName("CN=Ada,O=Example".parse().unwrap()),
            GeneralName::Uri("IntuneDeviceId://0f8fad5b-d9cb-469f-a165-70867728950e".into()),
            GeneralName::Ip("192.0.2.7".parse().unwrap()),
            GeneralName::Ip("2001:db8::7".parse().unwrap()),
            GeneralName::RegisteredId(oid::CLIENT_AUTH),
        ];
        assert_eq!(GeneralName::read_all(&der(&names)).unwrap(), names);
        let shown: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "UPN:ada@example.com",
                "email:ada@example.com",
                "DNS:laptop7.example.com",
                "directory:CN=Ada,O=Example",
                "URI:IntuneDeviceId://0f8fad5b-d9cb-469f-a165-70867728950e",
                "IP:192.0.2.7",
                "IP:2001:db8::7",
                "id:1.3.6.1.5.5.7.3.2",
            ]
        );
    }

    /// The bytes that Windows writes for a user principal name.
    #[test]
    fn a_user_principal_name_has_the_form_of_windows() {
        let mut writer = Writer::new();
        GeneralName::upn("a@b").write(&mut writer);
        let hex = hex::encode(writer.finish());
        assert_eq!(hex, "a013060a2b060104018237140203a0050c03614062");
    }

    #[test]
    fn what_a_client_wrote_wrongly_is_kept_as_it_is() {
        for wrong in [
            "8205c3a4612e62",
            "8705c000020701",
            "8100",
            "a003020101",
            "a4023100",
            "a00b0603550403a00402020001",
            "a00a0603550403a003010101",
        ] {
            let bytes = hex::decode(wrong).unwrap();
            let mut reader = Reader::new(&bytes);
            let read = GeneralName::read(&mut reader).unwrap();
            assert_eq!(read, GeneralName::Unread(bytes.clone()), "{wrong}");
            assert_eq!(der(&[read])[2..], bytes[..]);
        }
        assert!(GeneralName::read_all(&[0x30, 2, 4, 0]).is_err());
    }

    #[test]
    fn a_name_cannot_break_the_line_that_shows_it() {
        let name = GeneralName::Dns("a\nserial: 1".into());
        assert_eq!(name.to_string(), "DNS:a\\nserial: 1");
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic_and_what_is_read_writes_back(
            bytes in proptest::collection::vec(any::<u8>(), 0..60), tag in 0x80u8..0xa9,
        ) {
            let mut tlv = Writer::new();
            tlv.value(Tag(tag), &bytes);
            let tlv = tlv.finish();
            if let Ok(name) = GeneralName::read(&mut Reader::new(&tlv)) {
                let mut writer = Writer::new();
                name.write(&mut writer);
                prop_assert_eq!(writer.finish(), tlv);
                let _ = name.to_string();
            }
        }
    }
}
