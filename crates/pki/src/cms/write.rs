//! `SignedData` to send: the part before the signature, and the frame around it afterwards; and the
//! degenerate form that only carries certificates and CRLs. Always DER.

use std::fmt;

use super::{CertificateId, write_content_info};
use crate::{
    Digest, Oid, SignatureAlgorithm,
    algorithm::write_digest_identifier,
    oid,
    tlv::{Tag, Writer},
};

/// What goes into a signed message.
#[derive(Clone, Debug)]
pub struct SigningInput<'a> {
    /// What the content is; as a rule [`oid::DATA`].
    pub content_type: Oid,
    /// The content. None at all is digested like an empty one.
    pub content: Option<&'a [u8]>,
    /// Certificates to send along, in this order.
    pub certificates: &'a [&'a [u8]],
    /// The signer's certificate.
    pub signer: CertificateId,
    /// How it will be signed.
    pub algorithm: SignatureAlgorithm,
    /// What is signed beside content type and digest, which are added here.
    pub attributes: Vec<Attribute>,
}

/// An attribute with one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// What it is.
    pub oid: Oid,
    /// Its value, as DER.
    pub value: Vec<u8>,
}

impl Attribute {
    /// An attribute whose value is an OCTET STRING.
    #[must_use]
    pub fn octets(oid: Oid, octets: &[u8]) -> Self {
        Self::of(oid, |w| w.octet_string(octets))
    }

    /// An attribute whose value is a PrintableString.
    #[must_use]
    pub fn printable(oid: Oid, text: &str) -> Self {
        Self::of(oid, |w| w.value(Tag::PRINTABLE_STRING, text.as_bytes()))
    }

    /// An attribute whose value is a UTF8String.
    #[must_use]
    pub fn utf8(oid: Oid, text: &str) -> Self {
        Self::of(oid, |w| w.utf8_string(text))
    }

    fn of(oid: Oid, value: impl FnOnce(&mut Writer)) -> Self {
        let mut w = Writer::new();
        value(&mut w);
        Self { oid, value: w.finish() }
    }

    fn to_der(&self) -> Vec<u8> {
        Writer::sequence_of(|w| {
            w.oid(self.oid);
            w.set(|w| w.raw(&self.value));
        })
    }
}

/// A signed message without its signature.
#[derive(Clone)]
pub struct UnsignedMessage {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
    digest: Digest,
    before: Vec<u8>,
    signer: CertificateId,
}

impl UnsignedMessage {
    /// Puts everything together but the signature.
    #[must_use]
    pub fn new(input: SigningInput<'_>) -> Self {
        // Ed25519 digests by itself; for the attributes RFC 8419, 3.1 wants SHA-512.
        let digest = input.algorithm.digest().unwrap_or(Digest::Sha512);
        let own = [
            Attribute::of(oid::CONTENT_TYPE, |w| w.oid(input.content_type)),
            Attribute::octets(oid::MESSAGE_DIGEST, &digest.of(input.content.unwrap_or_default())),
        ];
        let attributes = own.iter().chain(&input.attributes).map(Attribute::to_der).collect();
        let mut tbs = Writer::new();
        tbs.set_of(Tag::SET, attributes);
        let mut before = Writer::new();
        before.small_integer(if input.content_type == oid::DATA { 1 } else { 3 });
        before.set(|w| write_digest_identifier(w, digest));
        before.sequence(|w| {
            w.oid(input.content_type);
            if let Some(content) = input.content {
                w.context(0, |w| w.octet_string(content));
            }
        });
        write_certificates(&mut before, 0, input.certificates);
        Self {
            tbs: tbs.finish(),
            algorithm: input.algorithm,
            digest,
            before: before.finish(),
            signer: input.signer,
        }
    }

    /// The octets to sign: the DER of the attributes as a SET OF.
    #[must_use]
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// The algorithm to sign with.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The finished message.
    #[must_use]
    pub fn assemble(self, signature: &[u8]) -> Vec<u8> {
        write_content_info(oid::SIGNED_DATA, |w| {
            w.raw(&self.before);
            w.set(|w| {
                w.sequence(|w| {
                    w.small_integer(self.signer.signer_version());
                    self.signer.write(w);
                    write_digest_identifier(w, self.digest);
                    w.raw(&implicit(&self.tbs));
                    self.write_algorithm(w);
                    w.octet_string(signature);
                });
            });
        })
    }

    /// RSA signatures go under the key's own identifier (RFC 3370, 3.2): there are clients that know
    /// no other, and none is known that refuses it.
    fn write_algorithm(&self, w: &mut Writer) {
        match self.algorithm {
            SignatureAlgorithm::RsaPkcs1(_) => w.sequence(|w| {
                w.oid(oid::RSA_ENCRYPTION);
                w.null();
            }),
            other => w.raw(&other.identifier()),
        }
    }
}

impl fmt::Debug for UnsignedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnsignedMessage({}, {} octets before it)", self.algorithm, self.before.len())
    }
}

/// The degenerate `SignedData` without content and signers (RFC 8894, 3.4): certificates and CRLs in
/// the order given, which is the leaf first; clients take the first one for theirs.
#[must_use]
pub fn certificates_only(certificates: &[&[u8]], crls: &[&[u8]]) -> Vec<u8> {
    write_content_info(oid::SIGNED_DATA, |w| {
        w.small_integer(1);
        w.set(|_| {});
        w.sequence(|w| w.oid(oid::DATA));
        write_certificates(w, 0, certificates);
        write_certificates(w, 1, crls);
        w.set(|_| {});
    })
}

/// An implicitly tagged SET, unless it is empty.
fn write_certificates(w: &mut Writer, number: u8, members: &[&[u8]]) {
    if members.is_empty() {
        return;
    }
    w.context(number, |w| {
        for member in members {
            w.raw(member);
        }
    });
}

/// The same contents under `[0]`.
fn implicit(set: &[u8]) -> Vec<u8> {
    let mut octets = set.to_vec();
    if let Some(tag) = octets.first_mut() {
        *tag = Tag::context_constructed(0).0;
    }
    octets
}
