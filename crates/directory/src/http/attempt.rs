//! One attempt of a call: token, turn, request, and a judgement of what came back.

use std::time::Duration;

use ::http::header::{AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use ::http::{Request, Response, StatusCode};
use bytes::Bytes;
use lanyard_pki::Time;
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Answer, Call, Service, TransportError, measures, pause};
use crate::ignorance::{Ignorance, Why};
use crate::token::Token;

/// An attempt without an answer.
pub(super) struct Missed {
    pub(super) ignorance: Ignorance,
    pub(super) reach: Reach,
    pub(super) retry_after: Option<Duration>,
    pub(super) refused_token: Option<Token>,
}

impl Missed {
    fn new(ignorance: Ignorance, reach: Reach) -> Box<Self> {
        Box::new(Self { ignorance, reach, retry_after: None, refused_token: None })
    }
}

/// How far a request came that was not answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It was not sent, and would not be in a moment either.
    NotTried,
    /// It was not carried out.
    Unprocessed,
    /// It may have been carried out.
    Unclear,
    /// Asking again would end alike.
    Final,
}

const AGENT: &str = concat!("Lanyard/", env!("CARGO_PKG_VERSION"));
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

impl Service {
    pub(super) async fn attempt(
        &self,
        call: &Call<'_>,
        deadline: Instant,
    ) -> Result<Answer, Box<Missed>> {
        let not_tried =
            |why| Missed::new(Ignorance::new(self.name, call.operation, why, ""), Reach::NotTried);
        let token = match call.tokens {
            Some(tokens) => Some(
                tokens
                    .token()
                    .await
                    .map_err(|ignorance| Missed::new(ignorance, Reach::NotTried))?,
            ),
            None => None,
        };
        // Nobody waits for the service's sake in a turn that others could use.
        if let Some(until) = self.quiet(deadline).map_err(not_tried)? {
            sleep_until(until).await;
        }
        // The semaphore is never closed; were it, there would be no turn to wait for.
        let _turn = self.turns.acquire().await.map_err(|_| not_tried(Why::Unreachable))?;
        let begin = self.admit(deadline).map_err(not_tried)?;
        sleep_until(begin).await;
        let permit = self
            .breaker
            .permit(Instant::now())
            .map_err(|retry_after| not_tried(Why::BreakerOpen { retry_after }))?;
        let request = self.request(call, token.as_ref());
        let asked = self.ambient.now();
        let patience = call.attempt.unwrap_or(self.limits.attempt_timeout);
        let end = deadline.min(Instant::now() + patience);
        let sent = self.transport.send(request, self.limits.largest_answer);
        let received = timeout_at(end, sent).await;
        let judged = self.judge(call, asked, token, received.map_err(|_| ()));
        let in_trouble = matches!(
            &judged,
            Err(missed) if matches!(
                missed.ignorance.why,
                Why::TimedOut | Why::Unreachable | Why::Failing { .. }
            )
        );
        permit.report(in_trouble, Instant::now());
        measures::breaker(self.name, &self.directory, self.breaker.is_open(Instant::now()));
        judged
    }

    /// Until when the service wants to be left alone, if it does.
    fn quiet(&self, deadline: Instant) -> Result<Option<Instant>, Why> {
        let (now, until) = (Instant::now(), self.gate().quiet_until);
        if until >= deadline {
            let retry_after = Some(until.saturating_duration_since(now));
            return Err(Why::Throttled { retry_after });
        }
        Ok((until > now).then_some(until))
    }

    /// When the next request may begin; the turn is taken.
    fn admit(&self, deadline: Instant) -> Result<Instant, Why> {
        self.quiet(deadline)?;
        let now = Instant::now();
        let mut gate = self.gate();
        let begin = now.max(gate.next).max(gate.quiet_until);
        if begin >= deadline {
            return Err(Why::TimedOut);
        }
        gate.next = begin + self.limits.interval;
        Ok(begin)
    }

    fn request(&self, call: &Call<'_>, token: Option<&Token>) -> Request<Bytes> {
        let mut request = Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = call.uri.clone();
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let id = self.ambient.uuid().to_string();
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert(CLIENT_REQUEST_ID, id);
        }
        headers.extend(call.headers.clone());
        let bearer = token.map(|token| {
            HeaderValue::try_from(format!("Bearer {}", token.secret().expose_secret()))
        });
        if let Some(Ok(mut bearer)) = bearer {
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        request
    }

    /// What came back: an answer that the asker may judge, or what is missing and whether asking
    /// again is worth it.
    fn judge(
        &self,
        call: &Call<'_>,
        asked: Time,
        token: Option<Token>,
        received: Result<Result<Response<Bytes>, TransportError>, ()>,
    ) -> Result<Answer, Box<Missed>> {
        let missed = |why, detail: &str, reach| {
            Missed::new(Ignorance::new(self.name, call.operation, why, detail), reach)
        };
        let response = match received {
            Err(()) => return Err(missed(Why::TimedOut, "", Reach::Unclear)),
            Ok(Err(TransportError::Unreachable(detail))) => {
                return Err(missed(Why::Unreachable, &detail, Reach::Unprocessed));
            }
            Ok(Err(TransportError::Broken(detail))) => {
                return Err(missed(Why::Unreachable, &detail, Reach::Unclear));
            }
            Ok(Err(TransportError::TooLong)) => {
                let detail = format!("longer than {} octets", self.limits.largest_answer);
                return Err(missed(Why::Unreadable, &detail, Reach::Final));
            }
            Ok(Ok(response)) => response,
        };
        let answer = Answer::new(self.name, call.operation, asked, response);
        let status = answer.status;
        let with_token = token.is_some();
        let (why, reach) = match status.as_u16() {
            429 => (Why::Throttled { retry_after: None }, Reach::Unprocessed),
            503 => (Why::Failing { status: 503 }, Reach::Unprocessed),
            408 | 425 | 500.. => (Why::Failing { status: status.as_u16() }, Reach::Unclear),
            401 if with_token => (Why::Unauthorized, Reach::Final),
            403 if with_token => (Why::Forbidden { permission: call.permission }, Reach::Final),
            ..=199 => (Why::Unreadable, Reach::Final),
            300..=399 => (Why::Redirected, Reach::Final),
            _ => return Ok(answer),
        };
        let detail = answer.explanation();
        let mut missed = missed(why, &detail, reach);
        if matches!(why, Why::Throttled { .. } | Why::Failing { .. }) {
            missed.retry_after = pause::asked_for(&answer.headers, asked);
            if let Some(after) = missed.retry_after {
                let mut gate = self.gate();
                gate.quiet_until = gate.quiet_until.max(Instant::now() + after);
            }
            if let Why::Throttled { retry_after } = &mut missed.ignorance.why {
                *retry_after = missed.retry_after;
            }
        }
        if status == StatusCode::UNAUTHORIZED {
            missed.refused_token = token;
        }
        Err(missed)
    }
}
