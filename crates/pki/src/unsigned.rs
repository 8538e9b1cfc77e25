//! What waits for its signature: the bytes to sign, and the frame around them afterwards.
//!
//! The signature itself is made by a signer that may live in other hardware.

use crate::{SignatureAlgorithm, tlv::Writer};
use std::{fmt, marker::PhantomData};

/// How a signed structure is put together from its parts.
pub trait Frame {
    /// The finished DER. The default is the `SIGNED` macro of X.509: to-be-signed bytes, algorithm,
    /// signature, and `trailer` after them.
    fn frame(
        tbs: &[u8],
        algorithm: SignatureAlgorithm,
        signature: &[u8],
        trailer: &[u8],
    ) -> Vec<u8> {
        let mut writer = Writer::with_capacity(tbs.len() + signature.len() + trailer.len() + 128);
        writer.sequence(|w| {
            w.raw(tbs);
            w.raw(&algorithm.identifier());
            w.bit_string(signature);
            w.raw(trailer);
        });
        writer.finish()
    }
}

/// A structure without its signature. `T` says what it becomes.
pub struct Unsigned<T> {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
    trailer: Vec<u8>,
    becomes: PhantomData<fn() -> T>,
}

impl<T: Frame> Unsigned<T> {
    /// From the bytes to sign, which name `algorithm` inside where the structure asks for it.
    pub const fn new(tbs: Vec<u8>, algorithm: SignatureAlgorithm) -> Self {
        Self { tbs, algorithm, trailer: Vec::new(), becomes: PhantomData }
    }

    /// Adds what follows the signature (the certificates of an OCSP response).
    #[must_use]
    pub fn with_trailer(mut self, trailer: Vec<u8>) -> Self {
        self.trailer = trailer;
        self
    }

    /// The bytes to sign.
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// The algorithm to sign with.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The finished DER. ECDSA signatures are DER (`r`, `s`), as X.509 has them.
    #[must_use]
    pub fn assemble(self, signature: &[u8]) -> Vec<u8> {
        T::frame(&self.tbs, self.algorithm, signature, &self.trailer)
    }
}

impl<T> Clone for Unsigned<T> {
    fn clone(&self) -> Self {
        let (tbs, trailer) = (self.tbs.clone(), self.trailer.clone());
        Self { tbs, algorithm: self.algorithm, trailer, becomes: PhantomData }
    }
}

impl<T> fmt::Debug for Unsigned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unsigned({} octets, {})", self.tbs.len(), self.algorithm)
    }
}
