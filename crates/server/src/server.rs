//! A running server: listeners, doors, control socket and background jobs, started and stopped together.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use lanyard_store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::address::Addresses;
use crate::app::App;
use crate::config::Config;
use crate::control::server::{ControlDoors, ControlSocket};
use crate::detached::{self, Detached, Given};
use crate::doors::Doors;
use crate::listener::tls::{CertificateFiles, ListenerCertificate, TlsError};
use crate::listener::{Bound, Listeners};
use crate::observe;
use crate::open::{self, InstallationError, World};
use crate::own_certificate::{self, OwnCertificateError};
use crate::subscriptions;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The installation does not open.
    #[error(transparent)]
    Installation(#[from] InstallationError),
    /// An address cannot be listened at.
    #[error("listen: {address}: {cause}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// The control socket cannot be made.
    #[error("{path}: {cause}")]
    Control {
        /// Where it would be.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The HTTPS listener has no certificate.
    #[error(transparent)]
    OwnCertificate(#[from] OwnCertificateError),
    /// The configured certificate cannot be used.
    #[error("tls: {0}")]
    Tls(#[from] TlsError),
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    http: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
    listeners: Listeners,
    control: ControlSocket,
    store: Store,
    jobs: TaskTracker,
    stop: CancellationToken,
}

impl Server {
    /// Opens the installation and listens. When this returns, requests are answered.
    pub async fn start(config: Config, world: World) -> Result<Self, StartError> {
        Box::pin(Self::start_as(config, world, None)).await
    }

    /// Opens a responder without the installation's store and listens: for OCSP, and for whoever looks after it.
    pub async fn start_responder(
        config: Config,
        given: Given,
        world: World,
    ) -> Result<Self, StartError> {
        Box::pin(Self::start_as(config, world, Some(given))).await
    }

    async fn start_as(
        mut config: Config,
        world: World,
        given: Option<Given>,
    ) -> Result<Self, StartError> {
        observe::recorder();
        if given.is_some() && config.tls.certificate_file.is_none() {
            // No authority is here that could certify the listener.
            config.listen.https.clear();
        }
        let http = bind(&config.listen.http)?;
        let https = bind(&config.listen.https)?;
        config.listen.http = http.iter().map(Bound::address).collect();
        config.listen.https = https.iter().map(Bound::address).collect();
        let addresses = Addresses::new(&config);
        let (opened, detached) = match given {
            None => (open::open(&config, addresses, world.clone()).await?, None),
            Some(given) => {
                let opened = detached::open(&config, &given, addresses, world.clone()).await?;
                (opened.0, Some(opened.1))
            }
        };
        let control_path = config.control_socket();
        let control = ControlSocket::bind(&control_path);
        let (control, control_listener) =
            control.map_err(|cause| StartError::Control { path: control_path, cause })?;
        let store = opened.store.clone();
        let app = Arc::new(App::new(config, opened, world));

        let server = Self {
            http: app.config.listen.http.clone(),
            https: app.config.listen.https.clone(),
            listeners: Listeners::new(&app.config.listen),
            control,
            store,
            jobs: TaskTracker::new(),
            stop: CancellationToken::new(),
            app,
        };
        server.listeners.unix(control_listener, ControlDoors::new(&server.app));
        let doors = Doors::new(Arc::clone(&server.app));
        if !https.is_empty() {
            let tls = server.certificate().await?.server_config();
            for bound in https {
                server.listeners.https(bound, Arc::clone(&tls), doors.clone());
            }
        }
        for bound in http {
            server.listeners.http(bound, doors.clone());
        }
        match detached {
            None => server.run_jobs(),
            Some(detached) => server.run_responder(detached),
        }
        Ok(server)
    }

    /// What its routes share.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Where plain HTTP is answered.
    pub fn http(&self) -> &[SocketAddr] {
        &self.http
    }

    /// Where HTTPS is answered.
    pub fn https(&self) -> &[SocketAddr] {
        &self.https
    }

    /// Lets requests in progress end, then stops. When this returns, another may open the installation.
    pub async fn stop(self) {
        self.stop.cancel();
        self.listeners.stop().await;
        self.jobs.close();
        self.jobs.wait().await;
        drop(self.control);
        self.store.close().await;
    }

    /// The certificate of the HTTPS listeners, kept up to date by a job.
    async fn certificate(&self) -> Result<Arc<ListenerCertificate>, StartError> {
        let tls = &self.app.config.tls;
        if let (Some(certificate), Some(key)) = (&tls.certificate_file, &tls.key_file) {
            let files = CertificateFiles { certificate: certificate.clone(), key: key.clone() };
            let shown = ListenerCertificate::new(files.read()?);
            let every = tls.reload_interval.into();
            self.jobs.spawn(files.watch(Arc::clone(&shown), every, self.stop.clone()));
            return Ok(shown);
        }
        let shown = ListenerCertificate::new(own_certificate::certificate(&self.app).await?);
        let keep =
            own_certificate::keep(Arc::clone(&self.app), Arc::clone(&shown), self.stop.clone());
        self.jobs.spawn(keep);
        Ok(shown)
    }

    fn run_responder(&self, detached: Detached) {
        let stop = self.stop.clone();
        self.jobs.spawn(async move { stop.run_until_cancelled(Box::pin(detached.keep())).await });
        self.jobs.spawn(observe::upkeep(self.stop.clone()));
    }

    fn run_jobs(&self) {
        let (authority, stop) = (self.app.authority.clone(), self.stop.clone());
        self.jobs
            .spawn(async move { stop.run_until_cancelled(Box::pin(authority.drive_jobs())).await });
        let keep = subscriptions::keep(Arc::clone(&self.app), self.store.clone());
        let stop = self.stop.clone();
        self.jobs.spawn(async move { stop.run_until_cancelled(Box::pin(keep)).await });
        self.jobs.spawn(observe::upkeep(self.stop.clone()));
    }
}

fn bind(addresses: &[SocketAddr]) -> Result<Vec<Bound>, StartError> {
    let bind = |address: &SocketAddr| {
        Bound::bind(*address).map_err(|cause| StartError::Listen { address: *address, cause })
    };
    addresses.iter().map(bind).collect()
}
