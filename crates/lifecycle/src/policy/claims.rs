//! What a request claims, read once.
//!
//! Nothing is believed here; a claim is what [`super::decide`] decides about.

use lanyard_pki::csr::{CertificationRequest, RequestError, RequestedValidity};
use lanyard_pki::extension::{
    BasicConstraints, ExtendedKeyUsage, Extension, ExtensionValue, KeyUsages, SubjectAltName,
};
use lanyard_pki::key::KeyError;
use lanyard_pki::{GeneralName, Name, Oid, PublicKey, SignatureAlgorithm, oid};

use crate::refusal::{Refusal, UnsupportedKey, WeakKey};

/// A key, and what its holder would like to have certified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The key.
    pub public_key: PublicKey,
    /// How the request is signed with it.
    pub signed_with: SignatureAlgorithm,
    /// The subject; may be empty.
    pub subject: Name,
    /// The subject alternative names.
    pub alternative_names: Vec<GeneralName>,
    /// Key usages, if any are asked for.
    pub key_usages: Option<KeyUsages>,
    /// Extended key usages, if any are asked for.
    pub extended_key_usages: Option<Vec<Oid>>,
    /// For how long, if that is asked for.
    pub validity: Option<RequestedValidity>,
    /// All other extensions asked for.
    pub other_extensions: Vec<Extension>,
}

impl Claims {
    /// The claims of a request that proves possession of its key; that proof is checked here.
    ///
    /// Extensions that nothing is known about are kept for the record and otherwise ignored:
    /// clients ask for all sorts of things.
    pub fn from_request(request: &CertificationRequest) -> Result<Self, Refusal> {
        request.verify().map_err(|_| Refusal::BadProofOfPossession)?;
        let asked = request
            .requested_extensions()
            .map_err(|_| Refusal::Malformed("the requested extensions cannot be read"))?;
        let names = asked.decode::<SubjectAltName>().map_err(|_| {
            Refusal::Malformed("the requested subject alternative names cannot be read")
        })?;
        let key_usages = asked
            .decode::<KeyUsages>()
            .map_err(|_| Refusal::Malformed("the requested key usage cannot be read"))?;
        let extended = asked
            .decode::<ExtendedKeyUsage>()
            .map_err(|_| Refusal::Malformed("the requested extended key usage cannot be read"))?;
        let read = [SubjectAltName::OID, KeyUsages::OID, ExtendedKeyUsage::OID];
        let others = asked.iter().filter(|extension| !read.contains(&extension.oid));
        Ok(Self {
            public_key: request.public_key().clone(),
            signed_with: request.signature_algorithm(),
            subject: request.subject().clone(),
            alternative_names: names.unwrap_or_default().0,
            key_usages,
            extended_key_usages: extended.map(|usage| usage.0),
            validity: request.requested_validity(),
            other_extensions: others.cloned().collect(),
        })
    }
}

/// Whether a basicConstraints extension asks for an authority's certificate; one that cannot be
/// read does, too.
pub(super) fn asks_for_authority(extension: &Extension) -> bool {
    debug_assert_eq!(extension.oid, oid::BASIC_CONSTRAINTS);
    !matches!(BasicConstraints::read(&extension.value), Ok(BasicConstraints::EndEntity))
}

/// A modulus that no endpoint takes: too short, too long, or even.
fn modulus(bits: u32) -> Refusal {
    let (least, most) = super::KeyRules::default().rsa_bits;
    if bits < least {
        Refusal::WeakKey(WeakKey::RsaTooShort { bits, least })
    } else if bits > most {
        Refusal::UnsupportedKey(UnsupportedKey::RsaTooLong { bits, most })
    } else {
        Refusal::WeakKey(WeakKey::RsaSmallFactor { factor: 2 })
    }
}

/// The refusal for a request that could not even be read.
impl From<&RequestError> for Refusal {
    fn from(fault: &RequestError) -> Self {
        match fault {
            RequestError::Malformed(_) => {
                Self::Malformed("the certification request cannot be read")
            }
            RequestError::Algorithm(_) => {
                Self::Malformed("the signature algorithm of the certification request is not known")
            }
            RequestError::Key(KeyError::Malformed(_)) => {
                Self::Malformed("the public key in the certification request cannot be read")
            }
            RequestError::Key(KeyError::Algorithm(_) | KeyError::Curve(_)) => {
                Self::UnsupportedKey(UnsupportedKey::Unknown)
            }
            RequestError::Key(KeyError::Modulus(bits)) => modulus(*bits),
            RequestError::Key(KeyError::Exponent) => Self::WeakKey(WeakKey::RsaExponent),
            RequestError::Key(KeyError::Point) => {
                Self::Malformed("the public key is not an uncompressed point of its curve")
            }
        }
    }
}

#[cfg(test)]
mod tests;
