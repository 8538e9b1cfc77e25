//! Building a request, for our own client and for the request of a subordinate authority.

use super::{CertificationRequest, ChallengePassword, RequestAttribute, RequestedValidity};
use crate::{
    Name, Oid, PublicKey, SignatureAlgorithm, Unsigned,
    extension::Extensions,
    name::is_printable,
    oid,
    tlv::{Tag, Writer},
};

/// What a request is to say.
#[derive(Debug, Clone)]
pub struct RequestBuilder {
    /// The subject asked for.
    pub subject: Name,
    /// The key to certify, which must sign.
    pub public_key: PublicKey,
    /// The challenge password; a PrintableString where its characters allow, else a UTF8String.
    pub challenge: Option<ChallengePassword>,
    /// The extensions asked for.
    pub extensions: Extensions,
    /// How long the certificate is asked to be valid.
    pub validity: Option<RequestedValidity>,
    /// Further attributes.
    pub attributes: Vec<RequestAttribute>,
}

impl RequestBuilder {
    /// A request without attributes.
    pub const fn new(subject: Name, public_key: PublicKey) -> Self {
        let extensions = Extensions::none();
        Self {
            subject,
            public_key,
            challenge: None,
            extensions,
            validity: None,
            attributes: Vec::new(),
        }
    }

    /// The request, to be signed by its own key with `algorithm`.
    #[must_use]
    pub fn build(&self, algorithm: SignatureAlgorithm) -> Unsigned<CertificationRequest> {
        let info = Writer::sequence_of(|w| {
            w.small_integer(0);
            w.raw(self.subject.as_der());
            w.raw(self.public_key.spki_der());
            w.set_of(Tag::context_constructed(0), self.encoded_attributes());
        });
        Unsigned::new(info, algorithm)
    }

    fn encoded_attributes(&self) -> Vec<Vec<u8>> {
        let mut attributes = Vec::new();
        if let Some(challenge) = &self.challenge {
            let octets = challenge.expose();
            let printable = octets.iter().copied().all(is_printable);
            let tag = if printable { Tag::PRINTABLE_STRING } else { Tag::UTF8_STRING };
            let mut value = Writer::new();
            value.value(tag, octets);
            attributes.push(attribute(oid::CHALLENGE_PASSWORD, vec![value.finish()]));
        }
        if !self.extensions.is_empty() {
            let mut value = Writer::new();
            self.extensions.write(&mut value);
            attributes.push(attribute(oid::EXTENSION_REQUEST, vec![value.finish()]));
        }
        if let Some(RequestedValidity { count, unit }) = self.validity {
            let period = pair("ValidityPeriod", unit.name());
            let units = pair("ValidityPeriodUnits", &count.to_string());
            attributes.push(attribute(oid::MS_ENROLLMENT_NAME_VALUE_PAIR, vec![period, units]));
        }
        for RequestAttribute { oid, values } in &self.attributes {
            attributes.push(attribute(*oid, values.clone()));
        }
        attributes
    }
}

fn attribute(oid: Oid, values: Vec<Vec<u8>>) -> Vec<u8> {
    Writer::sequence_of(|w| {
        w.oid(oid);
        w.set_of(Tag::SET, values);
    })
}

/// An ENROLLMENT_NAME_VALUE_PAIR (MS-WCCE, 2.2.2.7.10).
fn pair(name: &str, value: &str) -> Vec<u8> {
    Writer::sequence_of(|w| {
        for text in [name, value] {
            let octets: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            w.value(Tag::BMP_STRING, &octets);
        }
    })
}
