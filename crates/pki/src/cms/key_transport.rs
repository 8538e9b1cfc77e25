//! How a content key is encrypted to an RSA key: PKCS#1 v1.5, or OAEP (RFC 3370, 4.2.1; RFC 3560).

use std::fmt;

use zeroize::Zeroizing;

use super::CmsError;
use crate::{
    Digest,
    algorithm::{read_digest_identifier, write_digest_identifier},
    oid,
    padding::{Oaep, PaddingError, pad_oaep, pad_pkcs1, unpad_oaep_ct, unpad_pkcs1_ct},
    tlv::{Reader, Tag, Writer},
};

/// The padding under which a content key is encrypted to an RSA key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyTransport {
    /// RSAES-PKCS1-v1_5
    #[default]
    Pkcs1,
    /// RSAES-OAEP
    Oaep {
        /// Hashes the label.
        digest: Digest,
        /// The hash of the mask generation function.
        mask: Digest,
        /// The label; empty as a rule.
        label: Vec<u8>,
    },
}

impl KeyTransport {
    /// OAEP with one hash and no label.
    #[must_use]
    pub const fn oaep(digest: Digest) -> Self {
        Self::Oaep { digest, mask: digest, label: Vec::new() }
    }

    /// Reads an `AlgorithmIdentifier`; for OAEP its parameters too (RFC 4055, 4.1).
    pub fn from_identifier(der: &[u8]) -> Result<Self, CmsError> {
        let mut fields = Reader::entered(der, Tag::SEQUENCE)?;
        match fields.oid()? {
            oid::RSA_ENCRYPTION => {
                fields.optional(Tag::NULL)?;
                fields.finish()?;
                Ok(Self::Pkcs1)
            }
            oid::RSAES_OAEP => {
                let parameters = fields.optional(Tag::SEQUENCE)?;
                fields.finish()?;
                oaep_parameters(parameters.map_or(Reader::new(&[]), |value| value.reader()))
            }
            oid => Err(CmsError::Algorithm { kind: "key transport", oid }),
        }
    }

    /// The DER of its `AlgorithmIdentifier`; what equals its default is left out.
    #[must_use]
    pub fn identifier(&self) -> Vec<u8> {
        Writer::sequence_of(|w| match self {
            Self::Pkcs1 => {
                w.oid(oid::RSA_ENCRYPTION);
                w.null();
            }
            Self::Oaep { digest, mask, label } => {
                w.oid(oid::RSAES_OAEP);
                w.sequence(|w| {
                    if *digest != Digest::Sha1 {
                        w.context(0, |w| write_digest_identifier(w, *digest));
                    }
                    if *mask != Digest::Sha1 {
                        w.context(1, |w| {
                            w.sequence(|w| {
                                w.oid(oid::MGF1);
                                write_digest_identifier(w, *mask);
                            });
                        });
                    }
                    if !label.is_empty() {
                        w.context(2, |w| {
                            w.sequence(|w| {
                                w.oid(oid::P_SPECIFIED);
                                w.octet_string(label);
                            });
                        });
                    }
                });
            }
        })
    }

    /// A content key padded to the `length` of the modulus in octets.
    ///
    /// `random` are 64 octets of randomness, whatever the padding.
    pub fn pad(&self, key: &[u8], length: usize, random: &[u8]) -> Result<Vec<u8>, PaddingError> {
        match self {
            Self::Pkcs1 => pad_pkcs1(key, length, random),
            Self::Oaep { digest, mask, label } => {
                pad_oaep(key, length, Oaep { digest: *digest, mask: *mask, label }, random)
            }
        }
    }

    /// The content key in a block as the private operation returned it; `fallback`, which has the
    /// right length, when the padding is wrong. In constant time.
    pub fn unpad_ct(
        &self,
        block: &[u8],
        fallback: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, PaddingError> {
        match self {
            Self::Pkcs1 => unpad_pkcs1_ct(block, fallback),
            Self::Oaep { digest, mask, label } => {
                unpad_oaep_ct(block, Oaep { digest: *digest, mask: *mask, label }, fallback)
            }
        }
    }
}

fn oaep_parameters(mut fields: Reader<'_>) -> Result<KeyTransport, CmsError> {
    const BEYOND: CmsError = CmsError::Parameters("RSAES-OAEP");
    let digest = match fields.context(0)? {
        None => Digest::Sha1,
        Some(hash) => read_digest_identifier(hash.rest()).ok_or(BEYOND)?,
    };
    let mask = match fields.context(1)? {
        None => Digest::Sha1,
        Some(mut function) => {
            let mut function = function.sequence()?;
            if function.oid()? != oid::MGF1 {
                return Err(BEYOND);
            }
            read_digest_identifier(function.rest()).ok_or(BEYOND)?
        }
    };
    let label = match fields.context(2)? {
        None => Vec::new(),
        Some(mut source) => {
            let mut source = source.sequence()?;
            if source.oid()? != oid::P_SPECIFIED {
                return Err(BEYOND);
            }
            source.octet_string()?.to_vec()
        }
    };
    fields.finish()?;
    Ok(KeyTransport::Oaep { digest, mask, label })
}

impl fmt::Display for KeyTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pkcs1 => f.write_str("RSA PKCS#1 v1.5"),
            Self::Oaep { digest, mask, .. } if digest == mask => write!(f, "RSA OAEP {digest}"),
            Self::Oaep { digest, mask, .. } => write!(f, "RSA OAEP {digest}, MGF1 {mask}"),
        }
    }
}
