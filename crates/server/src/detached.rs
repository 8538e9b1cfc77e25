//! A server that answers OCSP and nothing else, without the installation's store: what it is given, and how it keeps its
//! CRLs current.
//!
//! Its own folder holds a mirror of the directories and the last CRL of each place, and may be thrown away.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lanyard_authority::detached::{CrlRefused, DetachedResponder, Material, MaterialError};
use lanyard_authority::{Ports, Settings};
use lanyard_pki::pem;
use lanyard_signer::KeyStore;
use lanyard_store::{Options, Store, StoreUrl};
use reqwest::Url;
use secrecy::SecretString;

use crate::address::Addresses;
use crate::config::Config;
use crate::open::{InstallationError, Opened, World, make_private};
use crate::{directories, file, settings};

/// How often a CRL is fetched.
const EVERY: Duration = Duration::from_mins(5);

/// How soon again after a failure.
const AGAIN: Duration = Duration::from_secs(30);

/// How long fetching one may take.
const DEADLINE: Duration = Duration::from_mins(1);

/// The longest CRL, in octets.
const LONGEST: usize = 256 << 20;

/// What a responder without the store is given.
#[derive(Debug, Clone)]
pub struct Given {
    /// The file with its keys, as `lanyard ca responder` writes it.
    pub material: PathBuf,
    /// Where the installation's complete CRLs are: URLs or files.
    pub crls: Vec<String>,
}

/// Why the file with a responder's keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GivenError {
    /// It cannot be read.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// It is something else.
    #[error("{path}: {cause}")]
    Material {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        cause: MaterialError,
    },
    /// No connection can be made.
    #[error("no CRL can be fetched: {0}")]
    Client(#[from] reqwest::Error),
}

/// A responder, and where its CRLs come from.
#[derive(Debug)]
pub struct Detached {
    responder: DetachedResponder,
    crls: Vec<Place>,
    http: reqwest::Client,
}

/// Where a CRL comes from, and where its copy lies.
#[derive(Debug)]
struct Place {
    from: String,
    copy: PathBuf,
}

/// Why there is no newer CRL.
#[derive(Debug, thiserror::Error)]
enum NoCrl {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    File(#[from] io::Error),
    #[error("it is longer than {LONGEST} octets")]
    Long,
    #[error(transparent)]
    Pem(#[from] pem::PemError),
    #[error(transparent)]
    Refused(#[from] CrlRefused),
}

/// Opens the responder, and takes up the copies of the CRLs that it had last.
pub async fn open(
    config: &Config,
    given: &Given,
    addresses: Addresses,
    world: World,
) -> Result<(Opened, Detached), InstallationError> {
    make_private(&config.data)?;
    let folder = config.data.join("responder");
    make_private(&folder)?;
    let store = StoreUrl::Sqlite(folder.join("mirror.db"));
    let store = Store::open(&store, Options::WRITING).await?;
    let keys = KeyStore::open(&folder.join("keys"), None)?;
    let secret = |_| {
        let mut state = [0; 16];
        world.entropy.fill(&mut state);
        SecretString::from(hex::encode(state))
    };
    // It asks Intune for devices alone, and never for what is done under this name.
    let directories = directories::connect(config, &world, "responder", secret)?;
    let settings = Settings { directories: directories.settings, ..settings::detached(config)? };
    let ports = Ports {
        store: store.clone(),
        keys: keys.clone(),
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
        directories: directories.connectors,
        intune: directories.intune,
    };
    let material = read(&given.material)?;
    let responder = DetachedResponder::open(settings, ports, material).await?;
    let place = |(number, from): (usize, &String)| Place {
        from: from.clone(),
        copy: folder.join(format!("crl-{number}.der")),
    };
    let http = reqwest::Client::builder().timeout(DEADLINE).build().map_err(GivenError::from)?;
    let crls = given.crls.iter().enumerate().map(place).collect();
    let detached = Detached { responder: responder.clone(), crls, http };
    detached.take_copies();
    detached.fetch().await;
    let opened = Opened {
        authority: responder.authority().clone(),
        store,
        addresses,
        crl_token: SecretString::from(String::new()),
        key_files: keys,
        callers: Vec::new(),
        responder: Some(responder),
    };
    Ok((opened, detached))
}

fn read(path: &Path) -> Result<Material, GivenError> {
    let text = std::fs::read_to_string(path).map(zeroize::Zeroizing::new);
    let text = text.map_err(|cause| GivenError::File { path: path.to_owned(), cause })?;
    let material = Material::from_pem(&text);
    material.map_err(|cause| GivenError::Material { path: path.to_owned(), cause })
}

impl Detached {
    /// Keeps the mirror and the CRLs, for as long as the future is polled.
    pub async fn keep(self) {
        futures_util::future::join(self.responder.keep(), self.keep_crls()).await;
    }

    async fn keep_crls(&self) {
        loop {
            let every = if self.fetch().await { EVERY } else { AGAIN };
            tokio::time::sleep(every).await;
        }
    }

    /// Takes up what was fetched before the last stop.
    fn take_copies(&self) {
        for place in &self.crls {
            if let Ok(der) = std::fs::read(&place.copy)
                && let Err(error) = self.responder.take_crl(&der)
            {
                tracing::info!(file = %place.copy.display(), "A CRL's copy is of no use: {error}");
            }
        }
    }

    /// Fetches every CRL. False if any could not be.
    async fn fetch(&self) -> bool {
        let mut all = true;
        for place in &self.crls {
            match self.fetch_one(place).await {
                Ok(number) => {
                    tracing::debug!(from = place.from, number, "Fetched a CRL");
                }
                Err(error) => {
                    all = false;
                    metrics::counter!("lanyard_responder_crl_failures_total").increment(1);
                    tracing::error!(from = place.from, "A CRL could not be taken up: {error}");
                }
            }
        }
        all
    }

    async fn fetch_one(&self, place: &Place) -> Result<u64, NoCrl> {
        let octets = match Url::parse(&place.from) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => self.download(url).await?,
            _ => tokio::fs::read(&place.from).await?,
        };
        let der = pem::der_or_pem(&[pem::CRL], &octets)?;
        let listed = self.responder.take_crl(&der)?;
        let now = self.responder.authority().now();
        let left = i32::try_from(listed.next_update.seconds_since(now)).unwrap_or(i32::MAX);
        metrics::gauge!("lanyard_responder_crl_seconds_left").set(f64::from(left));
        file::write_public(&place.copy, &der)?;
        Ok(listed.number.0)
    }

    async fn download(&self, url: Url) -> Result<Vec<u8>, NoCrl> {
        let mut response = self.http.get(url).send().await?.error_for_status()?;
        let mut octets = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if octets.len() + chunk.len() > LONGEST {
                return Err(NoCrl::Long);
            }
            octets.extend_from_slice(&chunk);
        }
        Ok(octets)
    }
}
