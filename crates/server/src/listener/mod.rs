//! Accepts connections and speaks HTTP on them: plain or TLS, one accept loop an address.
//!
//! Slow, idle and too many peers are dealt with here; what a request means is the service's affair.

mod accept;
mod connection;
mod descriptors;
mod peers;
mod stall;
pub mod tls;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, UnixListener};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use connection::{Answer, Peer, Service};

use crate::config::ListenSection;
use peers::Peers;

/// How many connections the kernel may hold until they are accepted.
const BACKLOG: u32 = 1024;

/// How long peers are waited for, and how many may come.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For a request's header, and for the next request of a connection.
    pub header: Duration,
    /// For the next piece of a response to be accepted.
    pub write: Duration,
    /// For a TLS handshake.
    pub handshake: Duration,
}

/// The listeners of a server: connections run until [`Listeners::stop`].
#[derive(Debug)]
pub struct Listeners {
    patience: Patience,
    connections: Arc<Semaphore>,
    peers: Arc<Peers>,
    stop: CancellationToken,
    tasks: TaskTracker,
    stop_timeout: Duration,
}

/// An address that is bound and not yet listened to.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Binds `address`; port 0 finds a free one. Where the system has no IPv6, every address means every one of IPv4.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let (socket, address) = match address {
            SocketAddr::V4(_) => (TcpSocket::new_v4()?, address),
            SocketAddr::V6(v6) => match TcpSocket::new_v6() {
                Ok(socket) => (socket, address),
                Err(error) if has_no_ipv6(&error) && v6.ip().is_unspecified() => {
                    let every = SocketAddr::from((Ipv4Addr::UNSPECIFIED, v6.port()));
                    (TcpSocket::new_v4()?, every)
                }
                Err(error) => return Err(error),
            },
        };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The address, with the port that was found.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn has_no_ipv6(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

impl Listeners {
    /// Listeners with these limits, none yet listening.
    pub fn new(section: &ListenSection) -> Self {
        Self {
            patience: Patience {
                header: section.header_timeout.into(),
                write: section.write_timeout.into(),
                handshake: section.handshake_timeout.into(),
            },
            connections: Arc::new(Semaphore::new(
                descriptors::room_for(section.connections).min(Semaphore::MAX_PERMITS),
            )),
            peers: Arc::new(Peers::new(
                section.connections_per_address,
                section.trusted_proxies.clone(),
            )),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            stop_timeout: section.stop_timeout.into(),
        }
    }

    /// Answers plain HTTP.
    pub fn http(&self, bound: Bound, service: impl Service) {
        self.tasks.spawn(self.acceptor().tcp(bound.listener, service));
    }

    /// Answers HTTPS.
    pub fn https(&self, bound: Bound, tls: Arc<rustls::ServerConfig>, service: impl Service) {
        self.tasks.spawn(self.acceptor().tls(bound.listener, tls, service));
    }

    /// Answers HTTP on a socket of the file system.
    pub fn unix(&self, listener: UnixListener, service: impl Service) {
        self.tasks.spawn(self.acceptor().unix(listener, service));
    }

    /// Accepts no more, lets requests in progress end, and cuts off what takes longer than `stop_timeout`.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(self.stop_timeout, self.tasks.wait()).await.is_err() {
            tracing::warn!(
                connections = self.tasks.len(),
                "Connections were cut off: they did not end in time"
            );
        }
    }

    fn acceptor(&self) -> accept::Acceptor {
        accept::Acceptor {
            patience: self.patience.clone(),
            connections: Arc::clone(&self.connections),
            peers: Arc::clone(&self.peers),
            stop: self.stop.clone(),
            tasks: self.tasks.clone(),
        }
    }
}
