//! What goes wrong with key files.

use std::io;
use std::path::PathBuf;

use crate::software::KeyFormError;

/// Why a key cannot be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// There is no such key.
    #[error("there is no key file {}", .0.display())]
    Missing(PathBuf),
    /// There is a key of that name already.
    #[error("there is a key file {} already; it is left as it is", .0.display())]
    Exists(PathBuf),
    /// The file system refuses.
    #[error("{} cannot be {act}: {fault}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What was tried: "read", "written".
        act: &'static str,
        /// What the system says.
        fault: io::Error,
    },
    /// Others than the owner may read or write.
    #[error(
        "{} is open to others than its owner (mode {mode:03o}); run: chmod {wanted:o} {}",
        path.display(), path.display()
    )]
    TooOpen {
        /// Which file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What they should be.
        wanted: u32,
    },
    /// The file is encrypted, and there is no passphrase.
    #[error("{} is encrypted, and no passphrase is configured", .0.display())]
    PassphraseMissing(PathBuf),
    /// The passphrase does not open the file.
    #[error("the passphrase does not open {}", .0.display())]
    WrongPassphrase(PathBuf),
    /// The file is encrypted in a way that is not supported.
    #[error("{} is encrypted in a way that is not supported: {fault}", path.display())]
    Encryption {
        /// Which file.
        path: PathBuf,
        /// What is not supported.
        fault: String,
    },
    /// The file is PEM of something else.
    #[error(
        "{} holds \"{label}\", not a PKCS #8 private key; `openssl pkcs8 -topk8` converts it",
        path.display()
    )]
    OtherPem {
        /// Which file.
        path: PathBuf,
        /// The PEM label.
        label: String,
    },
    /// The file cannot be understood.
    #[error("{} is damaged: it is not a PKCS #8 private key in PEM", .0.display())]
    Damaged(PathBuf),
    /// The file holds a key where a secret is expected.
    #[error("{} holds a key and not an installation's secret", .0.display())]
    NotASecret(PathBuf),
    /// The key in the file cannot be used.
    #[error("{}: {fault}", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        fault: KeyFormError,
    },
    /// The key cannot be made.
    #[error(transparent)]
    Generation(#[from] KeyFormError),
    /// The system yields no random numbers.
    #[error("the system yields no random numbers")]
    NoRandomness,
}
