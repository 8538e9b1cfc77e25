//! The port for signatures.
//!
//! Building what is signed, and the frame around the signature, is `lanyard_pki`'s business.

use std::fmt;

use lanyard_pki::{PublicKey, SignatureAlgorithm};

use crate::BoxFuture;
use crate::error::SignError;

/// A private key that signs, wherever it lives.
///
/// Every implementation passes [`crate::conformance::signer`].
pub trait Signer: fmt::Debug + Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// What it can sign with, the algorithm to prefer first. Never empty.
    fn algorithms(&self) -> &[SignatureAlgorithm];

    /// The signature of `message`, in the form that X.509 has for the algorithm (ECDSA: DER of `r` and `s`).
    ///
    /// It verifies: an adapter to a device or library that does not check its own computation does so before it
    /// returns, because one faulty RSA signature can reveal the key.
    ///
    /// [`SignError::Unsupported`] for an algorithm that is not in [`Signer::algorithms`].
    fn sign<'a>(
        &'a self,
        algorithm: SignatureAlgorithm,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignError>>;

    /// The first of [`Signer::algorithms`].
    fn preferred_algorithm(&self) -> Option<SignatureAlgorithm> {
        self.algorithms().first().copied()
    }
}
