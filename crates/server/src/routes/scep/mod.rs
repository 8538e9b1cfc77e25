//! SCEP (RFC 8894): every operation by GET and POST, at every endpoint, with and without `pkiclient.exe` at the end.
//!
//! Where the endpoints are is `door`'s. Here are HTTP and the limits; a PKIOperation's way through the protocol is in `exchange`, what a refusal looks like in
//! `refusal`.

mod announce;
pub mod door;
mod exchange;
mod refusal;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use lanyard_authority::settings::Endpoint;
use lanyard_lifecycle::EndpointId;
use lanyard_scep::Tolerances;
use lanyard_scep::operation::{Operation, Query, content_type};
use metrics::counter;
use tracing::Instrument as _;

use crate::app::App;
use crate::extract::Client;
use crate::limits::{Turn, body};
use crate::observe;
use crate::problem::Problem;

const MESSAGES: &str = "lanyard_scep_messages_total";
const TOLERANCES: &str = "lanyard_scep_tolerances_total";

pub(super) fn routes() -> Router<Arc<App>> {
    let mut router = Router::new();
    for (path, _) in door::DOORS {
        let door = || get(answer).post(answer);
        router = router
            .route(path, door())
            .route(&format!("{path}/"), door())
            .route(&format!("{path}/{{program}}"), door());
    }
    router
}

async fn answer(
    State(app): State<Arc<App>>,
    client: Client,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (at, mut tolerances) = door::at(parts.uri.path());
    let endpoint = endpoint(&app, at)?;
    let query = Query::parse(parts.uri.query().unwrap_or_default()).map_err(not_understood)?;
    tolerances = tolerances.and(query.tolerances());
    match query.operation {
        Operation::PkiOperation => {
            let message = message(&app, &parts.method, &query, body, &mut tolerances).await?;
            let reply = in_turn(&app, endpoint.id, client, message, tolerances).await?;
            Ok(rendered(content_type::PKI_MESSAGE, reply))
        }
        Operation::GetCaCaps => {
            Ok(rendered(content_type::TEXT, announce::capabilities(&app, endpoint)))
        }
        Operation::GetCaCert => {
            note(tolerances);
            let announced = announce::certificates(&app, endpoint)?;
            Ok(rendered(announced.content_type, announced.body))
        }
        Operation::GetNextCaCert => {
            // Each one is signed.
            let _turn = turn(&app).await?;
            let next = announce::next_certificates(&app, endpoint).await?;
            Ok(rendered(content_type::NEXT_CA_CERT, next))
        }
    }
}

fn endpoint(app: &App, at: Option<EndpointId>) -> Result<&Endpoint, Problem> {
    at.and_then(|at| app.authority.settings().endpoint(at)).ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND).detail("There is no enrollment endpoint here.")
    })
}

/// The message of a PKIOperation, from the body or from the query.
async fn message(
    app: &App,
    method: &Method,
    query: &Query<'_>,
    body: Body,
    tolerances: &mut Tolerances,
) -> Result<Bytes, Problem> {
    let limit = app.config.limits.scep_body.octets();
    if method == Method::POST {
        let read = body::read(body, limit, app.config.listen.body_timeout.into()).await;
        return read.map_err(|error| {
            observe::refused("scep", error.reason());
            Problem::from(error)
        });
    }
    let (octets, overlooked) = query.pki_message(limit).map_err(not_understood)?;
    *tolerances = tolerances.and(overlooked);
    Ok(octets.into())
}

/// Works on a message when it is its turn, for clients that have not sent too many wrong challenges.
async fn in_turn(
    app: &Arc<App>,
    at: EndpointId,
    client: Client,
    message: Bytes,
    tolerances: Tolerances,
) -> Result<Vec<u8>, Problem> {
    if let Some(address) = client.0 {
        app.challenges
            .check(address)
            .inspect_err(|_| observe::refused("scep", "too many wrong challenges"))?;
    }
    let turn = turn(app).await?;
    // Three operations with private keys follow: the whole of it moves to where they are carried out.
    let all = Arc::clone(app);
    let exchange = async move {
        let _turn = turn;
        exchange::answer(&all, endpoint(&all, Some(at))?, client, &message).await
    };
    // Boxed where it is made: it is large, and would be copied on its way.
    let answered = app.keys.drive(Box::pin(exchange).in_current_span()).await;
    let answered = answered.unwrap_or_else(|aborted| Err(exchange::fault("answer", aborted)));
    let answered = answered.inspect_err(|problem| {
        counter!(MESSAGES, "type" => "none", "outcome" => outcome(problem.status())).increment(1);
    })?;
    note(tolerances.and(answered.tolerances));
    counter!(MESSAGES, "type" => answered.message_type, "outcome" => answered.outcome).increment(1);
    Ok(answered.reply)
}

async fn turn(app: &App) -> Result<Turn, Problem> {
    let turn = app.turnstile.enter().await;
    Ok(turn.inspect_err(|_| observe::refused("scep", "queue full"))?)
}

fn outcome(status: StatusCode) -> &'static str {
    if status.is_server_error() { "fault" } else { "not understood" }
}

/// Counts what was overlooked, so that an operator sees which of it his clients need.
fn note(tolerances: Tolerances) {
    for tolerance in tolerances.iter() {
        counter!(TOLERANCES, "tolerance" => tolerance.name()).increment(1);
    }
}

fn not_understood(error: impl std::fmt::Display) -> Problem {
    observe::refused("scep", "not understood");
    Problem::new(StatusCode::BAD_REQUEST).detail(error.to_string())
}

fn rendered(media_type: &'static str, body: Vec<u8>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}
