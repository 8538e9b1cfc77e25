//! PEM around PKCS #8, encrypted or not.
//!
//! Encryption is PBES2 (RFC 8018) with scrypt (RFC 7914, N = 2^14, r = 8, p = 5) and AES-256-CBC:
//! among the parameters that OWASP recommends, and the strongest that `openssl pkey` opens without
//! further options, so that an operator is not locked into this program. Read are all forms of
//! PBES2 that the library knows.

use std::path::Path;

use pkcs8::der::SecretDocument;
use pkcs8::der::pem::{LineEnding, PemLabel};
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use super::error::KeyStoreError;
use crate::passphrase::Passphrase;
use crate::random;

const SCRYPT_LOG_N: u8 = 14;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 5;

/// How a key file is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// By its permissions alone.
    Permissions,
    /// By encryption with the passphrase, too.
    Passphrase,
}

/// What is wrong with a file, whose path the caller knows.
#[derive(Debug)]
pub(super) enum Fault {
    PassphraseMissing,
    WrongPassphrase,
    Encryption(String),
    OtherPem(String),
    Damaged,
    NoRandomness,
}

impl Fault {
    pub(super) fn at(self, path: &Path) -> KeyStoreError {
        let path = path.to_owned();
        match self {
            Self::PassphraseMissing => KeyStoreError::PassphraseMissing(path),
            Self::WrongPassphrase => KeyStoreError::WrongPassphrase(path),
            Self::Encryption(fault) => KeyStoreError::Encryption { path, fault },
            Self::OtherPem(label) => KeyStoreError::OtherPem { path, label },
            Self::Damaged => KeyStoreError::Damaged(path),
            Self::NoRandomness => KeyStoreError::NoRandomness,
        }
    }
}

pub(super) fn protection(pem: &str) -> Result<Protection, Fault> {
    let (label, _) = SecretDocument::from_pem(pem).map_err(|_| Fault::Damaged)?;
    if label == PrivateKeyInfoRef::PEM_LABEL {
        Ok(Protection::Permissions)
    } else if label == EncryptedPrivateKeyInfoRef::PEM_LABEL {
        Ok(Protection::Passphrase)
    } else {
        Err(Fault::OtherPem(label.to_owned()))
    }
}

/// The PKCS #8 of a file.
pub(super) fn open(
    pem: &str,
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let (_, document) = SecretDocument::from_pem(pem).map_err(|_| Fault::Damaged)?;
    if protection(pem)? == Protection::Permissions {
        return Ok(document.to_bytes());
    }
    let passphrase = passphrase.ok_or(Fault::PassphraseMissing)?;
    let encrypted: EncryptedPrivateKeyInfoRef<'_> =
        document.decode_msg().map_err(|_| Fault::Damaged)?;
    let plain = encrypted.decrypt(passphrase.octets()).map_err(fault_of_decryption)?;
    // The padding of CBC is right once in 256 times for a wrong passphrase; the form of the key
    // never is.
    if PrivateKeyInfoRef::try_from(plain.as_bytes()).is_err() {
        return Err(Fault::WrongPassphrase);
    }
    Ok(plain.to_bytes())
}

fn fault_of_decryption(fault: pkcs8::Error) -> Fault {
    use pkcs8::pkcs5::Error;
    match fault {
        pkcs8::Error::EncryptedPrivateKey(Error::DecryptFailed) | pkcs8::Error::Asn1(_) => {
            Fault::WrongPassphrase
        }
        other => Fault::Encryption(other.to_string()),
    }
}

/// The file for a PKCS #8.
pub(super) fn seal(
    pkcs8: &[u8],
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<String>, Fault> {
    let (label, document) = match passphrase {
        None => {
            let document = SecretDocument::try_from(pkcs8).map_err(|_| Fault::Damaged)?;
            (PrivateKeyInfoRef::PEM_LABEL, document)
        }
        Some(passphrase) => {
            let info = PrivateKeyInfoRef::try_from(pkcs8).map_err(|_| Fault::Damaged)?;
            let encrypted = info.encrypt_with_params(parameters()?, passphrase.octets());
            let document = encrypted.map_err(|fault| Fault::Encryption(fault.to_string()))?;
            (EncryptedPrivateKeyInfoRef::PEM_LABEL, document)
        }
    };
    document.to_pem(label, LineEnding::LF).map_err(|_| Fault::Damaged)
}

fn parameters() -> Result<pbes2::Parameters, Fault> {
    let salt = random::octets::<16>().map_err(|_| Fault::NoRandomness)?;
    let iv = random::octets::<16>().map_err(|_| Fault::NoRandomness)?;
    let unsupported = |fault: &dyn std::fmt::Display| Fault::Encryption(fault.to_string());
    let cost = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P)
        .map_err(|fault| unsupported(&fault))?;
    pbes2::Parameters::generate_scrypt_aes256cbc(cost, salt.as_slice(), *iv)
        .map_err(|fault| unsupported(&fault))
}
