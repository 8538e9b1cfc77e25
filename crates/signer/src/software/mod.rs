//! Keys in software: made here or read from PKCS #8, used through aws-lc.
//!
//! Files and passphrases are not known here.

mod form;
mod generate;
mod rsa_raw;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use lanyard_pki::cms::KeyTransport;
use lanyard_pki::{Digest, KeyAlgorithm, PublicKey, SignatureAlgorithm};
use zeroize::Zeroizing;

use crate::BoxFuture;
use crate::decrypter::{ContentKey, Decrypter};
use crate::error::{DecryptError, SignError};
use crate::pool::{Aborted, Pool};
use crate::signer::Signer;
pub use form::KeyFormError;
use rsa_raw::RsaPrivate;

/// Messages above this size are digested on the pool, too: a megabyte takes about a millisecond.
const LARGE_MESSAGE: usize = 256 * 1024;

/// A private key in this process's memory.
///
/// RSA operations run on a [`Pool`], so that they take no turns from a runtime's threads; elliptic
/// curves are quick enough (15 to 90 microseconds) to be computed at once. The key is wiped when
/// the last clone is dropped.
#[derive(Clone)]
pub struct SoftwareKey {
    public: PublicKey,
    private: Arc<Private>,
    pool: Arc<Pool>,
}

enum Private {
    Rsa(RsaPrivate),
    Ecdsa(Digest, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SoftwareKey {
    /// A new key, on the shared pool. RSA: 2048, 3072, 4096 or 8192 bits.
    ///
    /// Takes from a tenth of a second to a minute for RSA: not for an asynchronous thread.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyFormError> {
        Self::from_pkcs8(&generate::pkcs8(algorithm)?)
    }

    /// A new key's PrivateKeyInfo (RFC 5958), for whoever keeps it somewhere else than in a [`crate::KeyStore`].
    pub fn generate_pkcs8(algorithm: KeyAlgorithm) -> Result<Zeroizing<Vec<u8>>, KeyFormError> {
        generate::pkcs8(algorithm)
    }

    /// Reads a PrivateKeyInfo (RFC 5958), not encrypted.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyFormError> {
        let (public, private) = form::read(der)?;
        Ok(Self { public, private: Arc::new(private), pool: Pool::shared() })
    }

    /// The same key, computing RSA on another pool.
    #[must_use]
    pub fn on(mut self, pool: Arc<Pool>) -> Self {
        self.pool = pool;
        self
    }

    async fn sign_now(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, SignError> {
        if !self.algorithms().contains(&algorithm) {
            return Err(SignError::Unsupported(algorithm));
        }
        let private = self.private.clone();
        let signature = if message.len() > LARGE_MESSAGE {
            let message = message.to_vec();
            self.pool.run(move || private.sign(algorithm, &Input::Message(&message))).await?
        } else if let (Private::Rsa(_), Some(digest)) = (&*self.private, algorithm.digest()) {
            let hash = digest.of(message);
            self.pool.run(move || private.sign(algorithm, &Input::Hash(&hash))).await?
        } else {
            private.sign(algorithm, &Input::Message(message))
        };
        signature.ok_or_else(|| SignError::Failed(format!("{} refused", self.public.algorithm())))
    }

    async fn decrypt_now(
        &self,
        transport: &KeyTransport,
        encrypted: &[u8],
        fallback: ContentKey,
    ) -> Result<ContentKey, DecryptError> {
        let transport = transport.clone();
        if !self.supports(&transport) {
            return Err(DecryptError::Unsupported(transport));
        }
        let (private, encrypted) = (self.private.clone(), encrypted.to_vec());
        self.pool.run(move || private.decrypt(&transport, &encrypted, &fallback)).await?
    }
}

impl Signer for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn algorithms(&self) -> &[SignatureAlgorithm] {
        match &*self.private {
            Private::Rsa(_) => RSA_ALGORITHMS,
            Private::Ecdsa(Digest::Sha384, _) => &[SignatureAlgorithm::Ecdsa(Digest::Sha384)],
            Private::Ecdsa(Digest::Sha512, _) => &[SignatureAlgorithm::Ecdsa(Digest::Sha512)],
            Private::Ecdsa(..) => &[SignatureAlgorithm::Ecdsa(Digest::Sha256)],
            Private::Ed25519(_) => &[SignatureAlgorithm::Ed25519],
        }
    }

    fn sign<'a>(
        &'a self,
        algorithm: SignatureAlgorithm,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        Box::pin(self.sign_now(algorithm, message))
    }
}

impl Decrypter for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn supports(&self, _transport: &KeyTransport) -> bool {
        matches!(&*self.private, Private::Rsa(_))
    }

    fn decrypt_content_key<'a>(
        &'a self,
        transport: &'a KeyTransport,
        encrypted: &'a [u8],
        fallback: ContentKey,
    ) -> BoxFuture<'a, Result<ContentKey, DecryptError>> {
        Box::pin(self.decrypt_now(transport, encrypted, fallback))
    }
}

/// The old digests are for answers to clients that know no other; whether they may be used is
/// decided elsewhere.
const RSA_ALGORITHMS: &[SignatureAlgorithm] = &[
    SignatureAlgorithm::RsaPkcs1(Digest::Sha256),
    SignatureAlgorithm::RsaPkcs1(Digest::Sha384),
    SignatureAlgorithm::RsaPkcs1(Digest::Sha512),
    SignatureAlgorithm::RsaPss(Digest::Sha256),
    SignatureAlgorithm::RsaPss(Digest::Sha384),
    SignatureAlgorithm::RsaPss(Digest::Sha512),
    SignatureAlgorithm::RsaPkcs1(Digest::Sha224),
    SignatureAlgorithm::RsaPkcs1(Digest::Sha1),
    SignatureAlgorithm::RsaPkcs1(Digest::Md5),
];

/// What is signed.
enum Input<'a> {
    Message(&'a [u8]),
    /// Digested already, with the algorithm's digest.
    Hash(&'a [u8]),
}

impl Private {
    fn sign(&self, algorithm: SignatureAlgorithm, input: &Input<'_>) -> Option<Vec<u8>> {
        match (self, algorithm, input) {
            (Self::Rsa(key), _, Input::Message(message)) => {
                let hash = algorithm.digest()?.of(message);
                sign_rsa(key, algorithm, &hash)
            }
            (Self::Rsa(key), _, Input::Hash(hash)) => sign_rsa(key, algorithm, hash),
            (Self::Ecdsa(..), SignatureAlgorithm::Ecdsa(_), Input::Message(message)) => {
                let Self::Ecdsa(_, key) = self else { return None };
                key.sign(&SystemRandom::new(), message).ok().map(|made| made.as_ref().to_vec())
            }
            (Self::Ed25519(key), SignatureAlgorithm::Ed25519, Input::Message(message)) => {
                key.try_sign(message).ok().map(|made| made.as_ref().to_vec())
            }
            _ => None,
        }
    }

    fn decrypt(
        &self,
        transport: &KeyTransport,
        encrypted: &[u8],
        fallback: &ContentKey,
    ) -> Result<ContentKey, DecryptError> {
        let Self::Rsa(key) = self else {
            return Err(DecryptError::Unsupported(transport.clone()));
        };
        // What is no number below the modulus is as good as a block with bad padding.
        let block = key.apply(encrypted).unwrap_or_else(|| vec![0; key.octets()].into());
        transport.unpad_ct(&block, fallback).map_err(|_| DecryptError::TooLong(fallback.len()))
    }
}

fn sign_rsa(key: &RsaPrivate, algorithm: SignatureAlgorithm, hash: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        SignatureAlgorithm::RsaPkcs1(digest) => key.sign_pkcs1(digest, hash),
        SignatureAlgorithm::RsaPss(digest) => key.sign_pss(digest, hash),
        SignatureAlgorithm::Ecdsa(_) | SignatureAlgorithm::Ed25519 => None,
    }
}

impl From<Aborted> for SignError {
    fn from(aborted: Aborted) -> Self {
        Self::Failed(aborted.to_string())
    }
}

impl From<Aborted> for DecryptError {
    fn from(aborted: Aborted) -> Self {
        Self::Failed(aborted.to_string())
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareKey({:?}, private part redacted)", self.public)
    }
}

#[cfg(test)]
mod tests;
