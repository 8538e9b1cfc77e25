//! The HTTPS listener's certificate: replaced while connections go on, read again when its files change.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;

/// Why a certificate cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read as PEM.
    #[error("{file}: {cause}")]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: rustls::pki_types::pem::Error,
    },
    /// The certificate file holds no certificate.
    #[error("{0}: holds no certificate")]
    NoCertificate(PathBuf),
    /// Key or certificate are of no use to TLS.
    #[error("the listener's key and certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The certificate that the listener shows, replaceable at any time.
pub struct ListenerCertificate(ArcSwap<CertifiedKey>);

impl fmt::Debug for ListenerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerCertificate").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for ListenerCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl ListenerCertificate {
    /// A listener that shows this certificate.
    pub fn new(certificate: CertifiedKey) -> Arc<Self> {
        Arc::new(Self(ArcSwap::from_pointee(certificate)))
    }

    /// Shows another certificate from the next handshake on.
    pub fn replace(&self, certificate: CertifiedKey) {
        self.0.store(Arc::new(certificate));
    }

    /// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    pub fn server_config(self: &Arc<Self>) -> Arc<ServerConfig> {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

/// A key and its chain, leaf first, checked to belong together.
pub fn certified_key(
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'static>,
) -> Result<CertifiedKey, TlsError> {
    let certified = CertifiedKey::new(chain, any_supported_type(key)?);
    certified.keys_match()?;
    Ok(certified)
}

/// Size and time of a certificate's and a key's file.
type Stamp = [Option<(u64, SystemTime)>; 2];

/// The files of an operator's own certificate.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The certificate and its chain, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

impl CertificateFiles {
    /// Reads both files.
    pub fn read(&self) -> Result<CertifiedKey, TlsError> {
        let in_file = |file: &Path| {
            let file = file.to_owned();
            move |cause| TlsError::File { file, cause }
        };
        let chain: Vec<_> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .map_err(in_file(&self.certificate))?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate(self.certificate.clone()));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(in_file(&self.key))?;
        certified_key(chain, &key)
    }

    /// Reads the files again whenever they change. A fault is logged once; the certificate in use stays.
    pub async fn watch(
        self,
        shown: Arc<ListenerCertificate>,
        every: Duration,
        stop: CancellationToken,
    ) {
        let files = Arc::new(self);
        let mut seen = None;
        loop {
            let (stamp, read) = match tokio::task::spawn_blocking({
                let files = Arc::clone(&files);
                move || files.changed(seen)
            })
            .await
            {
                Ok(looked) => looked,
                Err(error) => {
                    return tracing::error!(%error, "The listener's files are watched no more");
                }
            };
            seen = Some(stamp);
            match read {
                None => {}
                Some(Ok(certificate)) => {
                    shown.replace(certificate);
                    tracing::info!(file = %files.certificate.display(), "The listener's certificate was reloaded");
                }
                Some(Err(error)) => {
                    tracing::error!(%error, "The listener's certificate changed and cannot be used; the last one stays");
                }
            }
            if stop.run_until_cancelled(tokio::time::sleep(every)).await.is_none() {
                return;
            }
        }
    }

    /// The files' present stamp, and what is in them if that is another than the one seen.
    fn changed(&self, seen: Option<Stamp>) -> (Stamp, Option<Result<CertifiedKey, TlsError>>) {
        let stamp = self.stamp();
        let read = seen.filter(|seen| *seen != stamp).map(|_| self.read());
        (stamp, read)
    }

    /// Size and time of both files: what changes when either is replaced.
    fn stamp(&self) -> Stamp {
        [&self.certificate, &self.key].map(|file| {
            let metadata = std::fs::metadata(file).ok()?;
            Some((metadata.len(), metadata.modified().ok()?))
        })
    }
}
