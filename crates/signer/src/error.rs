//! What goes wrong when a key is used.
//!
//! Faults of key files are in [`crate::KeyStoreError`].

use lanyard_pki::SignatureAlgorithm;
use lanyard_pki::cms::KeyTransport;

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The key does not sign with this algorithm.
    #[error("this key does not sign with {0}")]
    Unsupported(SignatureAlgorithm),
    /// The key cannot be reached now; trying again later may help.
    #[error("the key cannot be used now: {0}")]
    Unavailable(String),
    /// The operation failed and would fail again.
    #[error("signing failed: {0}")]
    Failed(String),
}

/// Why there is no content key. Never about the padding: see
/// [`crate::Decrypter::decrypt_content_key`].
#[derive(Debug, thiserror::Error)]
pub enum DecryptError {
    /// The key does not decrypt what was encrypted this way.
    #[error("this key does not decrypt {0}")]
    Unsupported(KeyTransport),
    /// A content key of this length does not fit into the key's modulus with its padding.
    #[error("a content key of {0} octets is too long for this key")]
    TooLong(usize),
    /// The key cannot be reached now; trying again later may help.
    #[error("the key cannot be used now: {0}")]
    Unavailable(String),
    /// The operation failed and would fail again.
    #[error("decryption failed: {0}")]
    Failed(String),
}
