//! A wire for tests: a function answers, and what was asked is kept.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::http::{HeaderName, HeaderValue, Request, Response};
use bytes::Bytes;
use lanyard_pki::Time;
use serde_json::Value;

use crate::ambient::Ambient;
use crate::connector::BoxFuture;
use crate::http::{Limits, Service, Transport, TransportError};
use crate::ignorance::Ignorance;
use crate::token::{Grant, TokenSource, Tokens};

/// What comes back for a request.
pub(crate) enum Reply {
    Answer(Response<Bytes>),
    /// The connection breaks in the middle of the answer.
    Reset,
    /// Nothing listens.
    Refused,
    /// Nothing comes.
    Silence,
    /// It comes after a while.
    Later(Duration, Box<Reply>),
}

/// A service on the other side.
pub(crate) struct Canned {
    answer: Box<Answering>,
    asked: Mutex<Vec<Request<Bytes>>>,
}

type Answering = dyn Fn(&Request<Bytes>) -> Reply + Send + Sync;

impl Canned {
    pub(crate) fn new(
        answer: impl Fn(&Request<Bytes>) -> Reply + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { answer: Box::new(answer), asked: Mutex::default() })
    }

    /// A service that is asked over this wire.
    pub(crate) fn service(self: &Arc<Self>, name: &'static str, limits: Limits) -> Arc<Service> {
        Arc::new(Service::new(name, limits, Arc::clone(self) as Arc<dyn Transport>, ambient()))
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Request<Bytes>> {
        self.asked.lock().unwrap().clone()
    }

    /// Methods and paths with queries of every request so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(line).collect()
    }
}

/// Method, path and query.
pub(crate) fn line(request: &Request<Bytes>) -> String {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    format!("{} {target}", request.method())
}

/// A fixed time of day and random bytes that are not.
pub(crate) fn ambient() -> Ambient {
    Ambient::new(|| Time::from_unix(1_800_000_000), |bytes| bytes.fill(7))
}

/// Tokens that never end.
pub(crate) fn tokens() -> Arc<Tokens> {
    #[derive(Debug)]
    struct Forever;
    impl TokenSource for Forever {
        fn acquire(&self) -> BoxFuture<'_, Result<Grant, Ignorance>> {
            let lifetime = Duration::from_hours(24);
            Box::pin(async move { Ok(Grant { token: "canned".into(), lifetime }) })
        }
    }
    Arc::new(Tokens::new(Arc::new(Forever)))
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    pub(crate) fn html(status: u16) -> Self {
        Self::text(status, "text/html", "<html><body>Sign in to the network</body></html>")
    }

    pub(crate) fn text(status: u16, content: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() = status.try_into().unwrap();
        response.headers_mut().insert("content-type", HeaderValue::from_static(content));
        Self::Answer(response)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        if let Self::Answer(response) = &mut self {
            let name = HeaderName::from_static(name);
            response.headers_mut().append(name, HeaderValue::from_static(value));
        }
        self
    }
}

impl Transport for Canned {
    fn send(
        &self,
        request: Request<Bytes>,
        most: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let mut reply = (self.answer)(&request);
            self.asked.lock().unwrap().push(request);
            while let Reply::Later(pause, later) = reply {
                tokio::time::sleep(pause).await;
                reply = *later;
            }
            match reply {
                Reply::Answer(response) if response.body().len() > most => {
                    Err(TransportError::TooLong)
                }
                Reply::Answer(response) => Ok(response),
                Reply::Reset => Err(TransportError::Broken("reset".into())),
                Reply::Refused => Err(TransportError::Unreachable("refused".into())),
                Reply::Silence | Reply::Later(..) => std::future::pending().await,
            }
        })
    }
}

impl fmt::Debug for Canned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canned({} requests)", self.lines().len())
    }
}
