//! Key files, off the asynchronous threads: they are read, decrypted and made by blocking work.

use lanyard_pki::KeyAlgorithm;
use lanyard_signer::{InstallationSecret, KeyName, KeyStore, KeyStoreError, SoftwareKey};

use crate::Fault;
use crate::error::Doing as _;

/// The key of this name, made first if there is none.
pub(crate) async fn load_or_create(
    keys: &KeyStore,
    name: &str,
    algorithm: KeyAlgorithm,
) -> Result<SoftwareKey, Fault> {
    let name = key_name(name)?;
    blocking(keys, "make a key", move |keys| keys.load_or_create(&name, algorithm)).await
}

/// The key of this name.
pub(crate) async fn load(keys: &KeyStore, name: &str) -> Result<SoftwareKey, Fault> {
    let name = key_name(name)?;
    blocking(keys, "read a key", move |keys| keys.load(&name)).await
}

/// Deletes a key for good; false if it was gone already.
pub(crate) async fn remove(keys: &KeyStore, name: &str) -> Result<bool, Fault> {
    let name = key_name(name)?;
    blocking(keys, "delete a key", move |keys| {
        if keys.contains(&name) { keys.remove(&name).map(|()| true) } else { Ok(false) }
    })
    .await
}

/// The installation's secret, made first if there is none.
pub(crate) async fn secret(keys: &KeyStore) -> Result<InstallationSecret, Fault> {
    let name = key_name("installation")?;
    blocking(keys, "read the installation's secret", move |keys| keys.secret(&name)).await
}

fn key_name(name: &str) -> Result<KeyName, Fault> {
    KeyName::new(name).map_err(|fault| Fault::lasting("name a key", fault))
}

async fn blocking<T: Send + 'static>(
    keys: &KeyStore,
    doing: &'static str,
    work: impl FnOnce(&KeyStore) -> Result<T, KeyStoreError> + Send + 'static,
) -> Result<T, Fault> {
    let keys = keys.clone();
    match tokio::task::spawn_blocking(move || work(&keys)).await {
        Ok(outcome) => outcome.doing(doing),
        Err(fault) => Err(Fault::lasting(doing, fault)),
    }
}
