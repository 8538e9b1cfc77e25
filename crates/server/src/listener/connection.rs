//! HTTP on one connection, until its end or the server's.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::Patience;
use super::stall::Impatient;
use crate::observe;

/// The largest request header: a SCEP message of 16 kB and more, percent-encoded in a GET line, has room in it.
const HEADER_LIMIT: usize = 96 << 10;

/// Requests that one HTTP/2 connection may have in progress.
const STREAMS: u32 = 64;

/// A body that is at hand, or one of the web framework's.
pub type Answer = Response<Either<Full<Bytes>, axum::body::Body>>;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Somebody on the network.
    Address(SocketAddr),
    /// A process of this machine, by the user id that the kernel gives.
    User(u32),
}

impl Peer {
    /// The address on the network.
    pub fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::User(_) => None,
        }
    }
}

/// Answers requests.
pub trait Service: Clone + Send + Sync + 'static {
    /// The answer to one request.
    fn answer(&self, request: Request<Incoming>, peer: Peer)
    -> impl Future<Output = Answer> + Send;
}

/// Which HTTP the peers agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

/// Serves `stream` until it ends. When `stop` comes, the request in progress is the last.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    version: Version,
    peer: Peer,
    patience: &Patience,
    service: impl Service,
    stop: CancellationToken,
) {
    let io = TokioIo::new(Impatient::new(stream, patience.write));
    let answer = service_fn(move |request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.answer(request, peer).await) }
    });
    let outcome = match version {
        Version::Http1 => {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(patience.header)
                .max_buf_size(HEADER_LIMIT)
                .half_close(true)
                .serve_connection(io, answer);
            let mut connection = pin!(connection);
            tokio::select! {
                outcome = connection.as_mut() => outcome,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        }
        Version::Http2 => {
            let connection = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(patience.header)
                .keep_alive_timeout(patience.header)
                .max_concurrent_streams(STREAMS)
                .max_header_list_size(u32::try_from(HEADER_LIMIT).unwrap_or(u32::MAX))
                .serve_connection(io, answer);
            let mut connection = pin!(connection);
            tokio::select! {
                outcome = connection.as_mut() => outcome,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        }
    };
    if let Err(error) = outcome {
        observe::connection_failed(reason(&error));
        tracing::debug!(?peer, %error, "A connection ended early");
    }
}

fn reason(error: &hyper::Error) -> &'static str {
    match () {
        () if error.is_timeout() => "slow",
        () if error.is_parse() => "malformed",
        () if error.is_incomplete_message() => "incomplete",
        () => "broken",
    }
}
