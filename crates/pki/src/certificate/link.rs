//! One link of a path: whether this certificate was issued by that one (RFC 5280, 6.1.3 and 6.1.4).
//!
//! Building paths and judging revocation are not here.

use super::Certificate;
use crate::{
    Time,
    extension::{BasicConstraints, KeyUsages},
};

/// Why a certificate does not follow from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Another name.
    #[error("the issuer's name is not the subject of the other certificate")]
    Name,
    /// Another key of the same name.
    #[error("the authority key identifier is not that of the other certificate")]
    KeyIdentifier,
    /// Not an authority's certificate.
    #[error("the issuing certificate is not an authority's")]
    NotAuthority,
    /// An authority that may not sign certificates.
    #[error("the issuing certificate's key may not sign certificates")]
    KeyUsage,
    /// Too many authorities below it.
    #[error("the issuing certificate allows no authority at this depth")]
    PathLength,
    /// The issuer's own validity does not include the time.
    #[error("the issuing certificate is not valid at this time")]
    Expired,
    /// An extension of one of them cannot be read.
    #[error("an extension cannot be read")]
    Malformed,
    /// The signature is another's.
    #[error("the signature does not verify with the issuing certificate's key")]
    Signature,
}

impl Certificate {
    /// Checks that `issuer` issued `self`: names, key identifiers, that it is an authority whose key may
    /// sign certificates, its validity at `at`, and the signature. `authorities_below` is how many
    /// authorities' certificates, self-issued ones not counted, come after `issuer` on the path.
    pub fn check_issued_by(
        &self,
        issuer: &Self,
        authorities_below: u8,
        at: Time,
    ) -> Result<(), LinkError> {
        let malformed = |_| LinkError::Malformed;
        if !self.issuer().matches(issuer.subject()) {
            return Err(LinkError::Name);
        }
        let stated = self.authority_key_identifier().map_err(malformed)?;
        let expected = issuer.subject_key_identifier().map_err(malformed)?;
        if let (Some(stated), Some(expected)) =
            (stated.and_then(|stated| stated.key_identifier), expected)
            && stated != expected
        {
            return Err(LinkError::KeyIdentifier);
        }
        match issuer.basic_constraints().map_err(malformed)? {
            BasicConstraints::EndEntity => return Err(LinkError::NotAuthority),
            BasicConstraints::Authority { path_len: Some(most) } if most < authorities_below => {
                return Err(LinkError::PathLength);
            }
            BasicConstraints::Authority { .. } => {}
        }
        if let Some(usages) = issuer.key_usage().map_err(malformed)?
            && !usages.contains(KeyUsages::KEY_CERT_SIGN)
        {
            return Err(LinkError::KeyUsage);
        }
        if !issuer.is_valid_at(at) {
            return Err(LinkError::Expired);
        }
        let key = issuer.public_key().map_err(|_| LinkError::Signature)?;
        self.verify_signed_by(key).map_err(|_| LinkError::Signature)
    }
}
