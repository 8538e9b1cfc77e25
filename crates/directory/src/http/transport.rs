//! The wire below [`super::Service`]: one request out, one bounded answer back.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use ::http::{Request, Response};
use bytes::{Bytes, BytesMut};
use reqwest::redirect::Policy;

use crate::connector::BoxFuture;

/// Sends a request and reads the answer whole. No retries, no deadline, no judgement.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends `request`; an answer longer than `most` octets is given up.
    fn send(
        &self,
        request: Request<Bytes>,
        most: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>>;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The request was not sent: no name, no connection, no trust.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The connection broke before the answer was complete; the request may have been carried out.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The answer was too long.
    #[error("the answer is too long")]
    TooLong,
}

/// Whether the environment's HTTP proxy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// As the environment says.
    Environment,
    /// Never: for services of the machine itself, such as its managed identity.
    Direct,
}

/// HTTP(S) over the network. Certificates are verified by what the operating system trusts.
#[derive(Debug, Clone)]
pub struct Https {
    client: reqwest::Client,
}

/// After this long a request was surely not sent, and may be sent again whatever it does.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl Https {
    /// A client of its own pool of connections.
    ///
    /// # Errors
    /// When the operating system's trusted certificates cannot be read.
    pub fn new(proxy: Proxy) -> Result<Self, TransportError> {
        // A provider that the process installed before stays: the one that is wanted.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT);
        let builder = match proxy {
            Proxy::Environment => builder,
            Proxy::Direct => builder.no_proxy(),
        };
        let client = builder.build().map_err(|error| TransportError::Unreachable(chain(error)))?;
        Ok(Self { client })
    }
}

impl Transport for Https {
    fn send(
        &self,
        request: Request<Bytes>,
        most: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request)
                .map_err(|error| TransportError::Unreachable(chain(error)))?;
            let mut answer = self.client.execute(request).await.map_err(|error| {
                if error.is_connect() || error.is_builder() {
                    TransportError::Unreachable(chain(error))
                } else {
                    TransportError::Broken(chain(error))
                }
            })?;
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            let mut body = BytesMut::new();
            let broken = |error| TransportError::Broken(chain(error));
            while let Some(part) = answer.chunk().await.map_err(broken)? {
                if body.len().saturating_add(part.len()) > most {
                    return Err(TransportError::TooLong);
                }
                body.extend_from_slice(&part);
            }
            *response.body_mut() = body.freeze();
            Ok(response)
        })
    }
}

/// The error with its causes, without the address: that may hold a name.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
