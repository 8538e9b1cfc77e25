//! Every request comes in here: OCSP is answered at once, everything else goes to its route.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use http::uri::PathAndQuery;
use http::{Request, Uri};
use http_body_util::Either;
use hyper::body::Incoming;
use tower::Service as _;
use tracing::Instrument as _;

use crate::app::App;
use crate::config::unit::AddressRange;
use crate::extract::client_of;
use crate::listener::{Answer, Peer, Service};
use crate::routes;

/// The doors of a server.
#[derive(Clone)]
pub struct Doors {
    app: Arc<App>,
    router: axum::Router,
    trusted_proxies: Arc<[AddressRange]>,
}

impl Doors {
    /// The public doors.
    pub fn new(app: Arc<App>) -> Self {
        let trusted_proxies = app.config.listen.trusted_proxies.clone().into();
        let router = routes::router(Arc::clone(&app));
        Self { app, router, trusted_proxies }
    }
}

impl Service for Doors {
    async fn answer(&self, mut request: Request<Incoming>, peer: Peer) -> Answer {
        let client = client_of(peer.address(), request.headers(), &self.trusted_proxies);
        if routes::ocsp::path(request.uri().path()).is_some() {
            return routes::ocsp::answer(&self.app, request, client).await.map(Either::Left);
        }
        let began = Instant::now();
        let span = tracing::info_span!(
            "request",
            http.method = %request.method(),
            http.path = logged(request.uri().path()),
            client.address = client.0.map(tracing::field::display),
        );
        straighten(request.uri_mut());
        request.extensions_mut().insert(client);
        request.extensions_mut().insert(began);
        let mut router = self.router.clone();
        let answer: Result<_, Infallible> =
            router.call(request.map(Body::new)).instrument(span).await;
        match answer {
            Ok(answer) => answer.map(Either::Right),
            Err(never) => match never {},
        }
    }
}

/// A path as it may be logged: what follows `/crl` is a token.
fn logged(path: &str) -> &str {
    if path.trim_start_matches('/').starts_with("crl") { "/crl" } else { path }
}

/// Takes doubled slashes for one, and the endpoints in any letter case: clients join a base address and a path as they like.
fn straighten(uri: &mut Uri) {
    let single = collapsed(uri.path());
    let path = routes::scep::door::in_small_letters(&single);
    if path == uri.path() {
        return;
    }
    let with_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.into_owned(),
    };
    if let Ok(path_and_query) = PathAndQuery::try_from(with_query) {
        let mut parts = std::mem::take(uri).into_parts();
        parts.path_and_query = Some(path_and_query);
        *uri = Uri::from_parts(parts).unwrap_or_default();
    }
}

fn collapsed(path: &str) -> Cow<'_, str> {
    if !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut single = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !single.ends_with('/') {
            single.push(c);
        }
    }
    Cow::Owned(single)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_logged() {
        assert_eq!(logged("/crl/0123456789abcdef"), "/crl");
        assert_eq!(logged("//crl//pem/0123456789abcdef"), "/crl");
        assert_eq!(logged("/static"), "/static");
    }

    #[test]
    fn doubled_slashes_are_one_letter_case_is_overlooked_and_the_query_stays_as_it_was_sent() {
        let mut uri: Uri =
            "http://host//static//pkiclient.exe?operation=PKIOperation&message=a//b+c"
                .parse()
                .unwrap();
        straighten(&mut uri);
        assert_eq!(uri.path(), "/static/pkiclient.exe");
        assert_eq!(uri.query(), Some("operation=PKIOperation&message=a//b+c"));
        let mut uri: Uri =
            "http://host//CertSrv/mscep//MSCEP.dll/pkiclient.exe?operation=GetCACert&message=A//B"
                .parse()
                .unwrap();
        straighten(&mut uri);
        assert_eq!(uri.path(), "/certsrv/mscep/mscep.dll/pkiclient.exe");
        assert_eq!(uri.query(), Some("operation=GetCACert&message=A//B"));
        let mut uri: Uri = "//".parse().unwrap_or_default();
        straighten(&mut uri);
        assert_eq!(uri.path(), "/");
    }
}
