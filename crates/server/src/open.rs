//! Opens the authority of an installation: data folder, keys, store, then the authority itself.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lanyard_authority::clock::SystemClock;
use lanyard_authority::detached::DetachedResponder;
use lanyard_authority::entropy::SystemEntropy;
use lanyard_authority::{Authority, Clock, Entropy, OpenError, Ports};
use lanyard_signer::{
    InstallationSecret, KeyName, KeyStore, KeyStoreError, Passphrase, PassphraseError,
};
use lanyard_store::{Options, Store, StoreError, StoreUrl};
use secrecy::{ExposeSecret as _, SecretString};

use crate::address::Addresses;
use crate::config::Config;
use crate::detached::GivenError;
use crate::directories::{self, Caller, DirectoryError};
use crate::settings::{self, NoName};

/// The name under which the key store holds the installation's secret.
const INSTALLATION: &str = "installation";

/// Octets of a token that follows from the installation's secret.
const TOKEN: usize = 16;

/// Why an installation does not open.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    /// The data folder cannot be used.
    #[error("the data folder {}: {cause}", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The passphrase cannot be used.
    #[error("keys.passphrase: {0}")]
    Passphrase(#[from] PassphraseError),
    /// The key store does not open.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration names no CA.
    #[error(transparent)]
    Name(#[from] NoName),
    /// A directory cannot be asked.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The authority does not open.
    #[error(transparent)]
    Authority(#[from] OpenError),
    /// What a responder without the store is given cannot be used.
    #[error(transparent)]
    Responder(#[from] GivenError),
    /// A thread of ours ended early.
    #[error("interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// What an installation stands on beside its data folder: real, or a test's.
#[derive(Debug, Clone)]
pub struct World {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
}

impl World {
    /// The operating system's clock and generator.
    pub fn real() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) }
    }
}

/// An open installation.
#[derive(Debug)]
pub struct Opened {
    /// Its authority.
    pub authority: Authority,
    /// Its store, to be closed in the end.
    pub store: Store,
    /// Where clients reach it.
    pub addresses: Addresses,
    /// The token in the CRL's address.
    pub crl_token: SecretString,
    /// Its key files.
    pub key_files: KeyStore,
    /// Who may send webhooks.
    pub callers: Vec<Caller>,
    /// Who answers, where this is a responder without the store.
    pub responder: Option<DetachedResponder>,
}

/// Opens an installation, and makes what a first start makes.
pub async fn open(
    config: &Config,
    addresses: Addresses,
    world: World,
) -> Result<Opened, InstallationError> {
    make_private(&config.data)?;
    let store = Store::open(&store_url(config), Options::WRITING).await?;
    let folder = keys_folder(config);
    let passphrase = passphrase(config)?;
    let wanted = config.crl.token.clone();
    let (keys, crl_token) = tokio::task::spawn_blocking(move || {
        let keys = KeyStore::open(&folder, passphrase)?;
        for name in keys.protect()? {
            tracing::info!(key.name = %name, "Encrypted a key file: a passphrase is set now");
        }
        let token = match wanted {
            Some(token) => token,
            None => token(&keys)?,
        };
        Ok::<_, KeyStoreError>((keys, token))
    })
    .await??;
    let mut published = addresses.published(config);
    for url in &mut published.crl {
        *url = url.replace("{token}", crl_token.expose_secret());
    }
    let mut settings = settings::settings(config, published)?;
    settings.endpoints = settings::endpoints(config)?;
    let installation = installation_secret(&keys)?;
    // It must never change, and be no other authority's of the tenant.
    let named = installation.derive("name at Intune");
    let named = format!("lanyard-{}", hex::encode(&named[..TOKEN / 2]));
    let directories = directories::connect(config, &world, &named, |directory| {
        let state = installation.derive(&format!("notifications of {directory}"));
        SecretString::from(hex::encode(state.as_slice()))
    })?;
    settings.directories = directories.settings;
    let ports = Ports {
        store: store.clone(),
        keys: keys.clone(),
        clock: world.clock,
        entropy: world.entropy,
        directories: directories.connectors,
        intune: directories.intune,
    };
    let authority = lanyard_authority::open(settings, ports).await?;
    Ok(Opened {
        authority,
        store,
        addresses,
        crl_token,
        key_files: keys,
        callers: directories.callers,
        responder: None,
    })
}

/// Where the key files are.
pub fn keys_folder(config: &Config) -> PathBuf {
    config.data.join("keys")
}

/// Where the store is.
pub fn store_url(config: &Config) -> StoreUrl {
    let Some(url) = &config.storage.url else {
        return StoreUrl::Sqlite(config.data.join("lanyard.db"));
    };
    let Some(password) = &config.storage.password else { return StoreUrl::Postgres(url.clone()) };
    let with_password = url::Url::parse(url).ok().and_then(|mut url| {
        url.set_password(Some(password.expose_secret())).ok()?;
        Some(url.to_string())
    });
    StoreUrl::Postgres(with_password.unwrap_or_else(|| url.clone()))
}

/// The passphrase of the key files, where one is set.
pub fn passphrase(config: &Config) -> Result<Option<Passphrase>, PassphraseError> {
    config.keys.passphrase.as_ref().map(|text| Passphrase::new(text.expose_secret())).transpose()
}

/// The CRL's token of an installation that has none set: it follows from the installation's secret, so that every node
/// and every start has the same one.
fn token(keys: &KeyStore) -> Result<SecretString, KeyStoreError> {
    let derived = installation_secret(keys)?.derive("CRL address");
    Ok(SecretString::from(hex::encode(&derived[..TOKEN])))
}

/// The installation's secret, which single purposes are derived from.
fn installation_secret(keys: &KeyStore) -> Result<InstallationSecret, KeyStoreError> {
    let name = KeyName::new(INSTALLATION).map_err(|_| KeyStoreError::NoRandomness)?;
    keys.secret(&name)
}

/// Makes a folder that only its owner may enter.
pub(crate) fn make_private(path: &Path) -> Result<(), InstallationError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|cause| InstallationError::Data { path: path.to_owned(), cause })
}
