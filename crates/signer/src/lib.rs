//! Private keys and what they do: sign, and decrypt content keys.
//!
//! [`Signer`] and [`Decrypter`] are the ports that the rest of Lanyard knows; a key in software,
//! kept in a file, is the adapter here ([`SoftwareKey`], [`KeyStore`]). What is signed and why is
//! decided elsewhere; bytes come in, signatures and content keys go out.

pub mod conformance;
mod decrypter;
mod error;
mod installation_secret;
mod key_store;
mod passphrase;
mod pool;
mod random;
mod signer;
mod software;

use std::future::Future;
use std::pin::Pin;

pub use decrypter::{ContentKey, Decrypter};
pub use error::{DecryptError, SignError};
pub use installation_secret::InstallationSecret;
pub use key_store::{KeyName, KeyNameError, KeyStore, KeyStoreError, Protection};
pub use lanyard_pki::cms::KeyTransport;
pub use passphrase::{Passphrase, PassphraseError, PassphraseSource};
pub use pool::Pool;
pub use signer::Signer;
pub use software::{KeyFormError, SoftwareKey};

/// A future that an adapter behind a trait object returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
