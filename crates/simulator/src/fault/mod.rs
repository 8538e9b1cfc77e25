//! What goes wrong on purpose: rules that pick requests and say what becomes of them.
//!
//! How the failure of each service looks is `answer`'s.

mod answer;
mod rule;

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

pub use rule::{Fault, Kind, Service};

use crate::Shared;
use crate::tenant::View;

/// The rules that are in force, in their order.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<Vec<Active>>,
}

#[derive(Debug)]
struct Active {
    fault: Fault,
    /// How many requests it picked, those that it let pass included.
    picked: u64,
}

impl Faults {
    /// Puts these rules in place of all others.
    pub fn replace(&self, faults: Vec<Fault>) {
        let fresh = faults.into_iter().map(|fault| Active { fault, picked: 0 });
        *self.rules() = fresh.collect();
    }

    /// Adds one after all others.
    pub fn add(&self, fault: Fault) {
        self.rules().push(Active { fault, picked: 0 });
    }

    /// Ends the one at this place in their order, and tells whether there was one.
    pub fn end(&self, place: usize) -> bool {
        let mut rules = self.rules();
        let is_there = place < rules.len();
        if is_there {
            rules.remove(place);
        }
        is_there
    }

    /// The rules in force, each with the number of requests that it picked.
    pub fn all(&self) -> Vec<(Fault, u64)> {
        self.rules().iter().map(|active| (active.fault.clone(), active.picked)).collect()
    }

    /// The first rules that apply to a request: one that answers it, and all that come before.
    fn picks(
        &self,
        service: Service,
        method: &str,
        path: &str,
        chance: impl Fn() -> u64,
    ) -> Vec<Fault> {
        let mut picks = Vec::new();
        for active in self.rules().iter_mut() {
            if !active.fault.is_about(service, method, path) {
                continue;
            }
            let turn = active.picked;
            active.picked += 1;
            if active.fault.strikes(turn, &chance) {
                let answers = active.fault.kind.answers();
                picks.push(active.fault.clone());
                if answers {
                    break;
                }
            }
        }
        picks
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Active>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of the directory that a request sees, as an extractor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen(pub View);

impl<S: Sync> FromRequestParts<S> for Seen {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or_default())
    }
}

/// What becomes of a request that came within another one.
pub(crate) enum Part {
    /// No rule strikes it.
    Untouched,
    /// It is answered by a replica that lags behind.
    Seen(View),
    /// It is answered by a failure.
    Answered(StatusCode, HeaderMap, Value),
}

/// Lets the rules in force strike a request of Graph that came within a batch. Rules about
/// connections do not apply to it.
pub(crate) async fn strike_part(shared: &Shared, method: &str, path: &str) -> Part {
    let mut part = Part::Untouched;
    let picks = shared.faults.picks(Service::Graph, method, path, || shared.world.below(1_000_000));
    for fault in picks {
        match fault.kind {
            Kind::Latency => latency(&fault).await,
            Kind::Stale | Kind::Flicker => part = Part::Seen(behind(shared, &fault)),
            Kind::Hang | Kind::Truncated | Kind::Reset | Kind::Outage | Kind::Html => {}
            _ => {
                let response = answer::instead(Service::Graph, path, &fault, &shared.world);
                let (parts, body) = response.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
                let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                return Part::Answered(parts.status, parts.headers, body);
            }
        }
    }
    part
}

async fn latency(fault: &Fault) {
    tokio::time::sleep(Duration::from_millis(fault.milliseconds.unwrap_or(1000))).await;
}

fn behind(shared: &Shared, fault: &Fault) -> View {
    let behind = Duration::from_secs(fault.seconds.unwrap_or(60));
    View::AsOf(shared.world.now().minus(behind))
}

/// Lets the rules in force strike.
pub(crate) async fn inject(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let Some((service, below)) = Service::of_path(&path) else { return next.run(request).await };
    let method = request.method().as_str().to_owned();
    let mut response = None;
    for fault in shared.faults.picks(service, &method, below, || shared.world.below(1_000_000)) {
        match fault.kind {
            Kind::Latency => latency(&fault).await,
            Kind::Hang => std::future::pending::<()>().await,
            Kind::Stale | Kind::Flicker => {
                let view = behind(&shared, &fault);
                request.extensions_mut().insert(Seen(view));
            }
            Kind::Truncated => return answer::truncated(next.run(request).await).await,
            _ => response = Some(answer::instead(service, below, &fault, &shared.world)),
        }
    }
    match response {
        Some(response) => response,
        None => next.run(request).await,
    }
}
