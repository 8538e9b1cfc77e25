//! Keys that sign tokens, and how they are published.
//!
//! All tenants are signed for by the same keys, as in the real service; a rotation is a tenant's
//! own, so that one can be rehearsed without the other.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lanyard_pki::tlv::{Reader, Tag, Writer};
use lanyard_pki::{
    Certificate, Digest, Name, PublicKey, SignatureAlgorithm, Time as PkiTime, Unsigned,
};
use serde_json::{Value, json};

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::RsaPkcs1(Digest::Sha256);

/// A key that signs tokens.
pub struct SigningKey {
    pair: RsaKeyPair,
    public: PublicKey,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    certificate: Vec<u8>,
    id: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.id)
    }
}

/// The library refused to make or use a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the simulator's signing key cannot be made or used")]
pub struct KeyFailure;

impl SigningKey {
    fn generate() -> Result<Self, KeyFailure> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyFailure)?;
        let (modulus, exponent) = components(pair.public_key().as_ref()).ok_or(KeyFailure)?;
        let public = PublicKey::from_rsa_components(&modulus, &exponent).map_err(|_| KeyFailure)?;
        let certificate = self_signed(&pair, &public)?;
        let id = URL_SAFE_NO_PAD.encode(thumbprint(&certificate));
        Ok(Self { pair, public, modulus, exponent, certificate, id })
    }

    /// The name that tokens call it by; it is the thumbprint of its certificate too.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// An RS256 signature.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        sign(&self.pair, message)
    }

    /// Whether an RS256 signature is this key's.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify(ALGORITHM, message, signature).is_ok()
    }

    /// As discovery publishes it.
    pub fn published(&self, issuer: Option<&str>) -> Value {
        let mut key = json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.id,
            "x5t": self.id,
            "n": URL_SAFE_NO_PAD.encode(&self.modulus),
            "e": URL_SAFE_NO_PAD.encode(&self.exponent),
            "x5c": [STANDARD.encode(&self.certificate)],
        });
        if let Some(issuer) = issuer {
            key["issuer"] = issuer.into();
        }
        key
    }
}

/// Modulus and exponent of an RSAPublicKey (RFC 8017, A.1.1).
fn components(key: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut key = Reader::entered(key, Tag::SEQUENCE).ok()?;
    let modulus = key.unsigned_integer().ok()?;
    Some((modulus.to_vec(), key.unsigned_integer().ok()?.to_vec()))
}

fn sign(pair: &RsaKeyPair, message: &[u8]) -> Result<Vec<u8>, KeyFailure> {
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(|_| KeyFailure)?;
    Ok(signature)
}

fn thumbprint(certificate: &[u8]) -> Vec<u8> {
    use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
    digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate).as_ref().to_vec()
}

/// A certificate as Entra's keys come in: nobody relies on its names or dates.
fn self_signed(pair: &RsaKeyPair, public: &PublicKey) -> Result<Vec<u8>, KeyFailure> {
    let name: Name = "CN=accounts.accesscontrol.windows.net".parse().map_err(|_| KeyFailure)?;
    let tbs = Writer::sequence_of(|w| {
        w.context(0, |w| w.small_integer(2));
        w.unsigned_integer(&public.key_identifier());
        w.raw(&ALGORITHM.identifier());
        w.raw(name.as_der());
        w.sequence(|w| {
            w.time(PkiTime::from_unix(1_577_836_800));
            w.time(PkiTime::from_unix(4_102_444_799));
        });
        w.raw(name.as_der());
        w.raw(public.spki_der());
    });
    let unsigned = Unsigned::<Certificate>::new(tbs, ALGORITHM);
    let signature = sign(pair, unsigned.tbs())?;
    Ok(unsigned.assemble(&signature))
}

static POOL: Mutex<Vec<Arc<SigningKey>>> = Mutex::new(Vec::new());

/// The `n`-th key; keys are made when they are first asked for.
fn key(n: usize) -> Result<Arc<SigningKey>, KeyFailure> {
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    while pool.len() <= n {
        pool.push(Arc::new(SigningKey::generate()?));
    }
    pool.get(n).cloned().ok_or(KeyFailure)
}

/// The keys of a tenant: one signs, and those before it are still published.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    current: usize,
    oldest: usize,
}

impl Keys {
    /// The key that signs.
    pub fn current(&self) -> Result<Arc<SigningKey>, KeyFailure> {
        key(self.current)
    }

    /// Every published key, the one that signs first.
    pub fn published(&self) -> Result<Vec<Arc<SigningKey>>, KeyFailure> {
        (self.oldest..=self.current).rev().map(key).collect()
    }

    /// A new key signs from now on; those before it stay published.
    pub fn rotate(&mut self) {
        self.current += 1;
    }

    /// Publishes only the key that signs: tokens of earlier keys are worth nothing.
    pub fn withdraw_old(&mut self) {
        self.oldest = self.current;
    }
}
