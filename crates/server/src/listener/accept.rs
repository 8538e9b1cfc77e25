//! The accept loop: a place among the connections first, then the peer.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Patience;
use super::connection::{Peer, Service, Version, serve};
use super::peers::Peers;
use crate::observe;

/// How long to wait when the system has no file descriptor for another connection.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// What an accept loop needs.
pub(super) struct Acceptor {
    pub(super) patience: Patience,
    pub(super) connections: Arc<Semaphore>,
    pub(super) peers: Arc<Peers>,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

impl Acceptor {
    pub(super) async fn tcp(self, listener: TcpListener, service: impl Service) {
        while let Some(((stream, peer), permit)) = self.next(|| listener.accept()).await {
            let (service, patience, stop) =
                (service.clone(), self.patience.clone(), self.stop.clone());
            self.spawn(peer, permit, async move {
                no_delay(&stream);
                serve(stream, Version::Http1, Peer::Address(peer), &patience, service, stop).await;
            });
        }
    }

    pub(super) async fn tls(
        self,
        listener: TcpListener,
        tls: Arc<rustls::ServerConfig>,
        service: impl Service,
    ) {
        let acceptor = TlsAcceptor::from(tls);
        while let Some(((stream, peer), permit)) = self.next(|| listener.accept()).await {
            let (service, patience, stop) =
                (service.clone(), self.patience.clone(), self.stop.clone());
            let acceptor = acceptor.clone();
            self.spawn(peer, permit, async move {
                no_delay(&stream);
                let stream =
                    match tokio::time::timeout(patience.handshake, acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => stream,
                        Ok(Err(error)) => {
                            observe::connection_failed("handshake");
                            tracing::debug!(peer.address = %peer, %error, "A TLS handshake failed");
                            return;
                        }
                        Err(_) => return observe::connection_failed("slow handshake"),
                    };
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let version = if http2 { Version::Http2 } else { Version::Http1 };
                serve(stream, version, Peer::Address(peer), &patience, service, stop).await;
            });
        }
    }

    pub(super) async fn unix(self, listener: UnixListener, service: impl Service) {
        let accept = || async {
            let (stream, _) = listener.accept().await?;
            let user = stream.peer_cred()?.uid();
            Ok((stream, Peer::User(user)))
        };
        while let Some(((stream, peer), permit)) = self.next(accept).await {
            let (service, patience, stop) =
                (service.clone(), self.patience.clone(), self.stop.clone());
            self.tasks.spawn(async move {
                let stream: UnixStream = stream;
                serve(stream, Version::Http1, peer, &patience, service, stop).await;
                drop(permit);
            });
        }
    }

    /// The next connection, once there is a place for it; none when the server stops.
    async fn next<T, F>(&self, accept: impl Fn() -> F) -> Option<(T, OwnedSemaphorePermit)>
    where
        F: Future<Output = io::Result<T>>,
    {
        let permit = tokio::select! {
            () = self.stop.cancelled() => return None,
            permit = Arc::clone(&self.connections).acquire_owned() => permit.ok()?,
        };
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return None,
                accepted = accept() => accepted,
            };
            match accepted {
                Ok(connection) => return Some((connection, permit)),
                Err(error) if concerns_one_peer(&error) => {}
                Err(error) => {
                    observe::connection_failed("exhausted");
                    tracing::warn!(%error, "A connection could not be accepted");
                    tokio::time::sleep(EXHAUSTED).await;
                }
            }
        }
    }

    /// Runs a connection, unless its address has as many as it may.
    fn spawn(
        &self,
        peer: SocketAddr,
        permit: OwnedSemaphorePermit,
        connection: impl Future<Output = ()> + Send + 'static,
    ) {
        let Ok(place) = self.peers.admit(peer.ip()) else {
            return observe::connection_failed("too many from one address");
        };
        self.tasks.spawn(async move {
            let _open = observe::connection_opened();
            connection.await;
            drop((place, permit));
        });
    }
}

fn concerns_one_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

/// Answers leave at once. A peer that is gone already shows itself at the first read.
fn no_delay(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::trace!(%error, "TCP_NODELAY could not be set");
    }
}
