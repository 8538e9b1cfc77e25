//! The one way out to a directory's services: bounded, retried, counted, and never misread.
//!
//! A [`Service`] stands for one service of one directory. It keeps to the service's limits (calls
//! at once, requests a second, what `Retry-After` asks), gives every call a deadline, retries what
//! is worth it, leaves a service alone that keeps failing, and follows no redirection. What comes
//! back is an [`Answer`], which the connector reads, or an [`Ignorance`]. What an answer means is
//! not known here; neither are the services' addresses.

mod answer;
mod attempt;
mod breaker;
mod call;
mod limits;
mod measures;
mod pause;
mod transport;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::StatusCode;
use lanyard_lifecycle::DirectoryId;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{Instrument, debug, debug_span};

use crate::ambient::Ambient;
use crate::ignorance::{Ignorance, Why};
use crate::token::Rejection;
use attempt::Reach;
use breaker::Breaker;

pub use answer::Answer;
pub use call::{Call, Retry};
pub use limits::Limits;
pub use measures::describe as describe_measures;
pub use transport::{Https, Proxy, Transport, TransportError};

/// One service, and how it fares. Shared by all who ask it.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    /// Whose it is, for metrics.
    directory: Arc<str>,
    limits: Limits,
    transport: Arc<dyn Transport>,
    ambient: Ambient,
    turns: Semaphore,
    breaker: Breaker,
    gate: Mutex<Gate>,
}

/// When the next request may begin.
#[derive(Debug, Clone, Copy)]
struct Gate {
    next: Instant,
    /// What the service asked for by `Retry-After`.
    quiet_until: Instant,
}

impl Service {
    /// A service that people call `name` ("Microsoft Graph").
    pub fn new(
        name: &'static str,
        limits: Limits,
        transport: Arc<dyn Transport>,
        ambient: Ambient,
    ) -> Self {
        let now = Instant::now();
        Self {
            name,
            directory: Arc::default(),
            turns: Semaphore::new(limits.concurrency.max(1)),
            breaker: Breaker::new(limits.breaker_failures, limits.breaker_pause),
            gate: Mutex::new(Gate { next: now, quiet_until: now }),
            limits,
            transport,
            ambient,
        }
    }

    /// The same, as the service of one directory: several may have one of that name.
    #[must_use]
    pub fn of(mut self, directory: DirectoryId) -> Self {
        self.directory = directory.to_string().into();
        self
    }

    /// What people call it.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Time of day and randomness.
    pub const fn ambient(&self) -> &Ambient {
        &self.ambient
    }

    /// Asks. The answer is of any status that is the asker's to judge: 2xx, and 4xx other than 401
    /// and 403 with a token, 408, 425 and 429.
    ///
    /// # Errors
    /// Everything else, at the latest when the call's deadline ends.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, Ignorance> {
        let operation = call.operation;
        let begun = Instant::now();
        let deadline = begun + call.deadline.unwrap_or(self.limits.deadline);
        let span = debug_span!("directory.call", service = self.name, operation);
        let result = self.persist(&call, deadline).instrument(span).await;
        let outcome = match &result {
            Ok(answer) if answer.status.is_success() => "ok",
            Ok(answer) if answer.status == StatusCode::NOT_FOUND => "not_found",
            Ok(_) => "declined",
            Err(ignorance) => ignorance.why.label(),
        };
        measures::called(self.name, operation, outcome, begun.elapsed());
        result
    }

    /// Attempts, until one is answered, or no other is worth it, or the deadline ends.
    async fn persist(&self, call: &Call<'_>, deadline: Instant) -> Result<Answer, Ignorance> {
        let mut last: Option<Ignorance> = None;
        let mut reauthorized = false;
        let mut attempt = 1;
        loop {
            let tried = timeout_at(deadline, self.attempt(call, deadline)).await;
            let missed = match tried {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(missed)) => missed,
                // The deadline ended first: what went wrong before tells more than that it did.
                Err(_) => {
                    let late = Ignorance::new(self.name, call.operation, Why::TimedOut, "");
                    return Err(last.unwrap_or(late));
                }
            };
            if let Some((tokens, token)) = call.tokens.zip(missed.refused_token.as_ref())
                && tokens.reject(token) == Rejection::Dropped
                && !reauthorized
            {
                reauthorized = true;
                debug!("the token was refused; asking once more with a new one");
                continue;
            }
            debug!(attempt, why = %missed.ignorance, "not answered");
            let wait = missed.retry_after.unwrap_or_else(|| self.pause(attempt));
            let again = Instant::now() + wait;
            let worth_it = match missed.reach {
                Reach::NotTried | Reach::Final => false,
                Reach::Unprocessed => call.retry != Retry::Never,
                Reach::Unclear => call.retry == Retry::Always,
            };
            if !worth_it || attempt >= self.limits.attempts || again >= deadline {
                return Err(match (missed.reach, last) {
                    (Reach::NotTried, Some(before)) => before,
                    _ => missed.ignorance,
                });
            }
            measures::tried_again(self.name, missed.ignorance.why.label());
            last = Some(missed.ignorance);
            attempt += 1;
            sleep_until(again).await;
        }
    }

    /// How it is treated.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How long to wait after the given attempt, the first being 1.
    pub(crate) fn pause(&self, attempt: u32) -> Duration {
        let (first, longest) = (self.limits.first_pause, self.limits.longest_pause);
        pause::with_jitter(first, longest, attempt, u32::from_be_bytes(self.ambient.random()))
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        // Two instants are consistent whatever happened to the thread that wrote one of them.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
