//! The port for the decryption of content keys that were encrypted to an RSA key.
//!
//! Decryption of the content itself is not here.

use std::fmt;

use lanyard_pki::PublicKey;
use lanyard_pki::cms::KeyTransport;
use zeroize::Zeroizing;

use crate::BoxFuture;
use crate::error::DecryptError;

/// The octets of a content encryption key, wiped when dropped.
pub type ContentKey = Zeroizing<Vec<u8>>;

/// A private key that decrypts content keys, wherever it lives.
///
/// Every implementation passes [`crate::conformance::decrypter`].
pub trait Decrypter: fmt::Debug + Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Whether it decrypts what was encrypted this way.
    fn supports(&self, transport: &KeyTransport) -> bool;

    /// The content key inside `encrypted`, which is as long as `fallback`; or `fallback`.
    ///
    /// `fallback` are fresh random octets. They come back whenever `encrypted` does not hold a
    /// content key of that length in sound padding, after the same work and with the same outcome,
    /// so that an attacker who replays an envelope learns nothing from how we answer (RFC 3218
    /// section 2.3.2).
    ///
    /// Errors never depend on what is inside `encrypted`: they are about the key, the transport,
    /// the length asked for, and the device that holds the key.
    fn decrypt_content_key<'a>(
        &'a self,
        transport: &'a KeyTransport,
        encrypted: &'a [u8],
        fallback: ContentKey,
    ) -> BoxFuture<'a, Result<ContentKey, DecryptError>>;
}
