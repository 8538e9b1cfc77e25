//! The secret of an installation, from which keys for single purposes are derived.
//!
//! It is kept as a key file beside the authority's key: see [`crate::KeyStore::secret`].

use std::fmt;

use aws_lc_rs::hkdf;
use pkcs8::ObjectIdentifier;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::random::{self, NoRandomness};

/// id-alg-hkdf-with-sha256 (RFC 8619): what the secret is for, in the form of a PKCS #8 key.
pub(crate) const ALGORITHM: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.3.28");

/// 256 random bits, made once. Losing them loses what was derived from them and nothing else.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct InstallationSecret([u8; 32]);

impl InstallationSecret {
    /// The secret of these octets.
    #[must_use]
    pub const fn new(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    pub(crate) fn generate() -> Result<Self, NoRandomness> {
        Ok(Self(*random::octets::<32>()?))
    }

    pub(crate) const fn octets(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key for one purpose: HKDF-SHA-256 (RFC 5869) with the purpose as `info`.
    ///
    /// Keys of different purposes tell nothing of each other or of the secret. The purpose is a
    /// constant of the program such as `serial number, epoch 0`.
    ///
    /// # Panics
    /// Never: HKDF-SHA-256 yields up to 8160 octets.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        let info = [b"lanyard ".as_slice(), purpose.as_bytes()];
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&self.0);
        let filled =
            secret.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(key.as_mut_slice()));
        assert!(filled.is_ok(), "HKDF-SHA-256 yields up to 8160 octets");
        key
    }
}

impl fmt::Debug for InstallationSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstallationSecret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_have_keys_of_their_own_that_stay() {
        let secret = InstallationSecret::new([7; 32]);
        assert_eq!(secret.derive("serial number"), secret.derive("serial number"));
        assert_ne!(secret.derive("serial number"), secret.derive("challenge"));
        let other = InstallationSecret::new([8; 32]);
        assert_ne!(secret.derive("serial number"), other.derive("serial number"));
    }

    /// Computed with OpenSSL 3: `openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt
    /// hexkey:0707…07 -kdfopt info:"lanyard serial number" HKDF`.
    #[test]
    fn it_is_hkdf() {
        let key = InstallationSecret::new([7; 32]).derive("serial number");
        assert_eq!(
            hex::encode(key),
            "ddb519ac3ef9ab98f2b71ab2ee0e6dbca062de92c427d5153f5150138584ba05"
        );
    }

    #[test]
    fn it_does_not_show() {
        let shown = format!("{:?}", InstallationSecret::new([7; 32]));
        assert_eq!(shown, "InstallationSecret(redacted)");
    }
}
