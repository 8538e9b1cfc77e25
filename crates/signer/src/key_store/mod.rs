//! Named private keys as files in one folder.
//!
//! Each key is a PEM file in the form PKCS #8 (RFC 5958), readable by its owner alone and encrypted
//! when there is a passphrase. Files come into being whole or not at all. Keys in hardware are not
//! here.

mod envelope;
mod error;
mod file;
mod name;

use std::path::{Path, PathBuf};

use lanyard_pki::KeyAlgorithm;
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::Encode;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use crate::installation_secret::{self, InstallationSecret};
use crate::passphrase::Passphrase;
use crate::software::SoftwareKey;
pub use envelope::Protection;
pub use error::KeyStoreError;
pub use name::{KeyName, KeyNameError};

const EXTENSION: &str = "key";

/// A folder of private keys.
///
/// Everything here reads and writes files and derives keys from the passphrase (about a fifth of a
/// second), so that it is not for an asynchronous thread.
#[derive(Debug, Clone)]
pub struct KeyStore {
    folder: PathBuf,
    passphrase: Option<Passphrase>,
}

impl KeyStore {
    /// The keys in `folder`, which is made if it is missing. With a passphrase new keys are
    /// encrypted and encrypted ones can be read; keys that are not encrypted are read all the same,
    /// see [`KeyStore::protect`].
    pub fn open(folder: &Path, passphrase: Option<Passphrase>) -> Result<Self, KeyStoreError> {
        file::make_folder(folder)?;
        Ok(Self { folder: folder.to_owned(), passphrase })
    }

    /// Makes a key and stores it, durably, before it returns. [`KeyStoreError::Exists`] leaves the
    /// old one alone.
    pub fn create(
        &self,
        name: &KeyName,
        algorithm: KeyAlgorithm,
    ) -> Result<SoftwareKey, KeyStoreError> {
        if self.contains(name) {
            return Err(KeyStoreError::Exists(self.path(name)));
        }
        let pkcs8 = SoftwareKey::generate_pkcs8(algorithm)?;
        self.store_new(name, &pkcs8)?;
        self.parse(name, &pkcs8)
    }

    /// The key of this name.
    pub fn load(&self, name: &KeyName) -> Result<SoftwareKey, KeyStoreError> {
        self.parse(name, &self.open_envelope(name)?)
    }

    /// The key of this name, made first if there is none. Of several that make it at
    /// once, all get the first one's.
    pub fn load_or_create(
        &self,
        name: &KeyName,
        algorithm: KeyAlgorithm,
    ) -> Result<SoftwareKey, KeyStoreError> {
        if self.contains(name) {
            return self.load(name);
        }
        match self.create(name, algorithm) {
            Err(KeyStoreError::Exists(_)) => self.load(name),
            made => made,
        }
    }

    /// Takes over a key from elsewhere: PEM in the form PKCS #8, encrypted with `passphrase` or
    /// not.
    pub fn import(
        &self,
        name: &KeyName,
        pem: &str,
        passphrase: Option<&Passphrase>,
    ) -> Result<SoftwareKey, KeyStoreError> {
        let path = self.path(name);
        let pkcs8 = envelope::open(pem, passphrase).map_err(|fault| fault.at(&path))?;
        let key = self.parse(name, &pkcs8)?;
        self.store_new(name, &pkcs8)?;
        Ok(key)
    }

    /// Keeps a key that was made elsewhere (PKCS #8, DER) in place of the one of this name.
    pub fn put(&self, name: &KeyName, pkcs8: &[u8]) -> Result<(), KeyStoreError> {
        self.parse(name, pkcs8)?;
        self.replace(name, pkcs8)
    }

    /// The key of this name as PKCS #8, DER, for a library that has to have it: TLS.
    pub fn pkcs8(&self, name: &KeyName) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
        self.open_envelope(name)
    }

    /// The secret of this name, made first if there is none. Of several that make it at
    /// once, all get the first one's.
    pub fn secret(&self, name: &KeyName) -> Result<InstallationSecret, KeyStoreError> {
        if self.contains(name) {
            return self.load_secret(name);
        }
        let secret = InstallationSecret::generate().map_err(|_| KeyStoreError::NoRandomness)?;
        let info = PrivateKeyInfoRef::new(
            AlgorithmIdentifierRef { oid: installation_secret::ALGORITHM, parameters: None },
            OctetStringRef::new(secret.octets()).map_err(|_| KeyStoreError::NoRandomness)?,
        );
        let der = info.to_der().map_err(|_| KeyStoreError::Damaged(self.path(name)))?;
        match self.store_new(name, &Zeroizing::new(der)) {
            Err(KeyStoreError::Exists(_)) => self.load_secret(name),
            stored => stored.map(|()| secret),
        }
    }

    fn load_secret(&self, name: &KeyName) -> Result<InstallationSecret, KeyStoreError> {
        let der = self.open_envelope(name)?;
        let damaged = || KeyStoreError::Damaged(self.path(name));
        let info = PrivateKeyInfoRef::try_from(der.as_slice()).map_err(|_| damaged())?;
        if info.algorithm.oid != installation_secret::ALGORITHM {
            return Err(KeyStoreError::NotASecret(self.path(name)));
        }
        let octets = info.private_key.as_bytes().try_into().map_err(|_| damaged())?;
        Ok(InstallationSecret::new(octets))
    }

    /// Whether there is a key of this name.
    pub fn contains(&self, name: &KeyName) -> bool {
        self.path(name).exists()
    }

    /// The names of all keys, in order.
    pub fn names(&self) -> Result<Vec<KeyName>, KeyStoreError> {
        file::names(&self.folder, EXTENSION)
    }

    /// How the file of a key is protected.
    pub fn protection(&self, name: &KeyName) -> Result<Protection, KeyStoreError> {
        let path = self.path(name);
        envelope::protection(&file::read(&path)?).map_err(|fault| fault.at(&path))
    }

    /// Encrypts every key that is not yet, and returns their names. Does nothing without a
    /// passphrase.
    pub fn protect(&self) -> Result<Vec<KeyName>, KeyStoreError> {
        if self.passphrase.is_none() {
            return Ok(Vec::new());
        }
        let mut protected = Vec::new();
        for name in self.names()? {
            if self.protection(&name)? == Protection::Permissions {
                self.replace(&name, &self.open_envelope(&name)?)?;
                protected.push(name);
            }
        }
        Ok(protected)
    }

    /// The store with another passphrase, every key encrypted anew. Each key file is replaced as a
    /// whole. If this is interrupted, some keys open with the old passphrase and some with the new
    /// one, and it can be repeated.
    pub fn change_passphrase(&self, passphrase: Passphrase) -> Result<Self, KeyStoreError> {
        let changed = Self { folder: self.folder.clone(), passphrase: Some(passphrase) };
        for name in self.names()? {
            match self.open_envelope(&name) {
                Ok(der) => changed.replace(&name, &der)?,
                Err(KeyStoreError::WrongPassphrase(_)) => drop(changed.open_envelope(&name)?),
                Err(fault) => return Err(fault),
            }
        }
        Ok(changed)
    }

    /// Deletes a key for good.
    pub fn remove(&self, name: &KeyName) -> Result<(), KeyStoreError> {
        file::remove(&self.path(name))
    }

    /// The file of a key.
    pub fn path(&self, name: &KeyName) -> PathBuf {
        self.folder.join(format!("{name}.{EXTENSION}"))
    }

    fn replace(&self, name: &KeyName, pkcs8: &[u8]) -> Result<(), KeyStoreError> {
        let path = self.path(name);
        let pem =
            envelope::seal(pkcs8, self.passphrase.as_ref()).map_err(|fault| fault.at(&path))?;
        file::replace(&path, pem.as_bytes())
    }

    fn store_new(&self, name: &KeyName, pkcs8: &[u8]) -> Result<(), KeyStoreError> {
        let path = self.path(name);
        let pem =
            envelope::seal(pkcs8, self.passphrase.as_ref()).map_err(|fault| fault.at(&path))?;
        file::create(&path, pem.as_bytes())
    }

    fn open_envelope(&self, name: &KeyName) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
        let path = self.path(name);
        envelope::open(&file::read(&path)?, self.passphrase.as_ref())
            .map_err(|fault| fault.at(&path))
    }

    fn parse(&self, name: &KeyName, pkcs8: &[u8]) -> Result<SoftwareKey, KeyStoreError> {
        let refused = |fault| KeyStoreError::Key { path: self.path(name), fault };
        SoftwareKey::from_pkcs8(pkcs8).map_err(refused)
    }
}

#[cfg(test)]
mod tests;
