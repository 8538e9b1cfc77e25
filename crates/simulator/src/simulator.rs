//! Starting and stopping the simulator, and what all its services share.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::fault::Faults;
use crate::introduction::Introduction;
use crate::tenant::{Pace, TenantSpec, World};
use crate::{graph, http_server, intune, jamf, router};

/// What to simulate, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen: a loopback address; port 0 finds a free one.
    pub listen: SocketAddr,
    /// What generated objects and all chance follow from.
    pub seed: u64,
    /// The tenants; the first is the one that is meant where none is named.
    pub tenants: Vec<TenantSpec>,
    /// Whether time runs by itself.
    pub pace: Pace,
}

/// Two tenants, of 20 and of 10 devices, on a free port, in the time of the machine.
impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            tenants: vec![TenantSpec::named("Contoso", 20), TenantSpec::named("Fabrikam", 10)],
            pace: Pace::Running,
        }
    }
}

/// The simulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Other machines would reach it.
    #[error("the simulator listens on loopback only, and {0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// There is nothing to simulate.
    #[error("the simulator needs at least one tenant")]
    NoTenant,
    /// Two tenants cannot be told apart.
    #[error("two tenants have the id or the domain {0:?}")]
    SameTenant(String),
    /// A tenant is larger than it may be.
    #[error(
        "a simulated tenant has at most {} devices, users, computers and mobile devices each",
        crate::tenant::MOST_DEVICES
    )]
    TooLarge,
    /// The address is taken, or not this machine's.
    #[error("cannot listen at {address}: {cause}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// No client for webhooks and change notifications could be made.
    #[error("cannot make an HTTP client for notifications: {0}")]
    Client(#[from] reqwest::Error),
}

/// What all services share.
#[derive(Debug)]
pub struct Simulation {
    /// The tenants, the clock and chance.
    pub world: World,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// For change notifications and webhooks.
    pub http: reqwest::Client,
}

/// A handle to what all services share; it is the state of every router.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Simulation>);

impl Shared {
    /// Shares a simulation.
    pub fn new(simulation: Simulation) -> Self {
        Self(Arc::new(simulation))
    }
}

impl Deref for Shared {
    type Target = Simulation;

    fn deref(&self) -> &Simulation {
        &self.0
    }
}

/// The simulator, before it runs.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Starts to answer.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        check(&options)?;
        // The first one to ask decides for the process; any provider will do.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let refused = |cause| StartError::Listen { address: options.listen, cause };
        let listener = TcpListener::bind(options.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let base_url = format!("http://{address}");
        let shared = Shared::new(Simulation {
            world: World::new(&options, base_url.clone()),
            faults: Faults::default(),
            http: reqwest::Client::builder().no_proxy().build()?,
        });

        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let app = router::router(shared.clone());
        tasks.spawn(http_server::serve(listener, app, stop.clone(), tasks.clone()));
        tasks.spawn(stop.clone().run_until_cancelled_owned(graph::run(shared.clone())));
        tasks.spawn(stop.clone().run_until_cancelled_owned(intune::run(shared.clone())));
        tasks.spawn(stop.clone().run_until_cancelled_owned(jamf::run(shared.clone())));
        Ok(Running { address, base_url, shared, stop, tasks })
    }
}

fn check(options: &Options) -> Result<(), StartError> {
    if !options.listen.ip().is_loopback() {
        return Err(StartError::NotLoopback(options.listen));
    }
    let tenants = &options.tenants;
    if tenants.is_empty() {
        return Err(StartError::NoTenant);
    }
    for (n, tenant) in tenants.iter().enumerate() {
        for other in tenants.iter().take(n) {
            if tenant.domain.eq_ignore_ascii_case(&other.domain) {
                return Err(StartError::SameTenant(tenant.domain.clone()));
            }
            if tenant.id.is_some() && tenant.id == other.id {
                return Err(StartError::SameTenant(tenant.id.unwrap_or_default().to_string()));
            }
        }
        let sizes =
            [tenant.devices, tenant.users, tenant.jamf_computers, tenant.jamf_mobile_devices];
        if sizes.into_iter().any(|size| size > crate::tenant::MOST_DEVICES) {
            return Err(StartError::TooLarge);
        }
    }
    Ok(())
}

/// A simulator that answers until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    base_url: String,
    shared: Shared,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it answers, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The tenants, for tests in the same process.
    pub fn world(&self) -> &World {
        &self.shared.world
    }

    /// How to get to every tenant and into it.
    pub fn introductions(&self) -> Vec<Introduction> {
        let world = self.world();
        world.tenants().filter_map(|tenant| Introduction::of(world, tenant).ok()).collect()
    }

    /// What all services share.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Ends every connection and waits for everything to be over.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
