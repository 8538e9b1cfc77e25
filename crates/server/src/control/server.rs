//! The server's side of the control socket.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Either;
use hyper::body::Incoming;
use lanyard_authority::{Actor, Authority};
use tokio::net::UnixListener;
use tower::Service as _;

use super::description::{DESCRIBE, ServerDescription};
use super::operation::{FailureKind, Operation, OperationError, OperationFailure};
use super::operator::of_user;
use crate::app::App;
use crate::limits::body;
use crate::listener::{Answer, Peer, Service};

/// The header in which a command says who runs it: a remark in the audit trail, beside the user that the kernel names.
pub const OPERATOR_HEADER: &str = "lanyard-operator";

/// The largest operation: certificates to import are in it.
const LIMIT: usize = 1 << 20;

/// How long the arguments of an operation may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// A bound control socket; removed when dropped.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
}

impl ControlSocket {
    /// Binds the socket for its owner alone. One that a killed server left is replaced: the store's lock has shown that
    /// no other server runs.
    pub fn bind(path: &Path) -> io::Result<(Self, UnixListener)> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Others must not reach the socket before its permissions are set: it is born in a private folder.
        let folder = tempfile::Builder::new()
            .prefix(".control-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(path.parent().unwrap_or(Path::new(".")))?;
        let born = folder.path().join("s");
        let listener = UnixListener::bind(&born)?;
        fs::set_permissions(&born, fs::Permissions::from_mode(0o600))?;
        fs::rename(&born, path)?;
        Ok((Self { path: path.to_owned() }, listener))
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "The control socket was gone already");
        }
    }
}

/// The doors behind the control socket.
#[derive(Debug, Clone)]
pub struct ControlDoors(Router);

impl ControlDoors {
    /// Offers every operation, and what the server says about itself.
    pub fn new(app: &Arc<App>) -> Self {
        let itself = Router::new()
            .route(&format!("/{DESCRIBE}"), post(describe))
            .with_state(Arc::clone(app));
        let operations = match app.responder {
            None => super::operations::offer_all(Router::new()),
            // Its store is no installation's: nothing is issued, revoked or made there.
            Some(_) => super::operations::offer_directories(Router::new()).fallback(elsewhere),
        };
        Self(operations.with_state(app.authority.clone()).merge(itself))
    }
}

impl Service for ControlDoors {
    async fn answer(&self, mut request: Request<Incoming>, peer: Peer) -> Answer {
        request.extensions_mut().insert(peer);
        let answer: Result<_, std::convert::Infallible> =
            self.0.clone().call(request.map(Body::new)).await;
        match answer {
            Ok(answer) => answer.map(Either::Right),
            Err(never) => match never {},
        }
    }
}

async fn describe(State(app): State<Arc<App>>) -> Json<ServerDescription> {
    Json(ServerDescription::of(&app))
}

async fn elsewhere() -> Response {
    let text =
        "this is a responder without the installation's store: ask the installation's own server";
    let failure = OperationFailure { kind: FailureKind::Refused, text: text.to_owned() };
    (status(failure.kind), Json(failure)).into_response()
}

/// Offers one operation.
pub(super) fn offer<O: Operation>(router: Router<Authority>) -> Router<Authority> {
    router.route(&format!("/{}", O::NAME), post(carry_out::<O>))
}

async fn carry_out<O: Operation>(
    State(authority): State<Authority>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    request: Body,
) -> Response {
    let actor = Actor::Operator(operator(peer, &headers).await);
    match attempt::<O>(&authority, &actor, request).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => {
            let failure = OperationFailure::from(error);
            (status(failure.kind), Json(failure)).into_response()
        }
    }
}

/// Who asks: the user of the process at the other end, and what he calls himself.
async fn operator(peer: Peer, headers: &HeaderMap) -> String {
    let claim = headers.get(OPERATOR_HEADER).and_then(|name| name.to_str().ok());
    match peer {
        Peer::User(uid) => {
            let claim = claim.map(str::to_owned);
            let named = tokio::task::spawn_blocking(move || of_user(uid, claim.as_deref()));
            named.await.unwrap_or_else(|_| format!("uid {uid}"))
        }
        Peer::Address(address) => address.to_string(),
    }
}

async fn attempt<O: Operation>(
    authority: &Authority,
    actor: &Actor,
    request: Body,
) -> Result<O::Answer, OperationError> {
    let arguments: Bytes = body::read(request, LIMIT, PATIENCE)
        .await
        .map_err(|error| OperationError::Invalid(error.to_string()))?;
    let operation: O = serde_json::from_slice(&arguments).map_err(|error| {
        OperationError::Invalid(format!("the operation cannot be read: {error}"))
    })?;
    tracing::info!(operation = O::NAME, %actor, "An operation by command");
    operation.run(authority, actor).await
}

fn status(kind: FailureKind) -> StatusCode {
    match kind {
        FailureKind::Invalid => StatusCode::BAD_REQUEST,
        FailureKind::Refused => StatusCode::CONFLICT,
        FailureKind::NotFound => StatusCode::NOT_FOUND,
        FailureKind::Passing => StatusCode::SERVICE_UNAVAILABLE,
        FailureKind::Fault => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
