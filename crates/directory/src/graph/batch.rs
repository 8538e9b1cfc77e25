//! Many questions in one request: `$batch`.

use std::collections::HashMap;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use url::Url;

use super::{Graph, Version, settled};
use crate::connector::BoxFuture;
use crate::http::{Answer, Retry};
use crate::ignorance::{Ignorance, Why};

/// One question of many: the address of a resource of version 1.0, and what it needs.
#[derive(Debug, Clone)]
pub struct Question {
    /// The address.
    pub url: Url,
    /// The permission.
    pub permission: &'static str,
}

/// A request under way.
type Asking<'a> = BoxFuture<'a, Vec<Result<Answer, Ignorance>>>;

/// How many questions Graph takes in one request.
const MOST: usize = 20;
/// How many requests are under way at once.
const ABREAST: usize = 4;

impl Graph {
    /// Asks many questions, and gives as many answers in that order: each as if it had been asked
    /// alone. A question that was not answered for the service's sake is asked again a few times.
    pub async fn get_all(
        &self,
        operation: &'static str,
        questions: &[Question],
    ) -> Vec<Result<Answer, Ignorance>> {
        let asking: Vec<Asking<'_>> = questions
            .chunks(MOST)
            .map(|chunk| -> Asking<'_> { Box::pin(self.ask_together(operation, chunk)) })
            .collect();
        let answers: Vec<_> = stream::iter(asking).buffered(ABREAST).collect().await;
        answers.into_iter().flatten().collect()
    }

    async fn ask_together(
        &self,
        operation: &'static str,
        questions: &[Question],
    ) -> Vec<Result<Answer, Ignorance>> {
        let limits = self.service.limits();
        let deadline = Instant::now() + limits.deadline;
        let mut answers: Vec<Result<Answer, Ignorance>> = Vec::new();
        answers.resize_with(questions.len(), || {
            Err(Ignorance::new(self.service.name(), operation, Why::TimedOut, ""))
        });
        let mut open: Vec<usize> = (0..questions.len()).collect();
        for attempt in 1..=limits.attempts {
            let asked: Vec<(usize, &Question)> =
                open.iter().filter_map(|&at| Some((at, questions.get(at)?))).collect();
            match self.round(operation, &asked, deadline).await {
                Ok(round) => {
                    for (at, answer) in round {
                        if let Some(slot) = answers.get_mut(at) {
                            *slot = answer;
                        }
                    }
                }
                Err(ignorance) => {
                    // The request itself was retried already.
                    for (at, _) in asked {
                        if let Some(slot) = answers.get_mut(at) {
                            *slot = Err(ignorance.clone());
                        }
                    }
                    break;
                }
            }
            let passing = |at: &usize| matches!(answers.get(*at), Some(Err(ignorance)) if ignorance.is_passing());
            open.retain(passing);
            let asked_for =
                open.iter().filter_map(|&at| match answers.get(at)?.as_ref().err()?.why {
                    Why::Throttled { retry_after } => retry_after,
                    _ => None,
                });
            let pause = asked_for.max().unwrap_or_else(|| self.service.pause(attempt));
            let again = Instant::now() + pause;
            if open.is_empty() || attempt == limits.attempts || again >= deadline {
                break;
            }
            sleep_until(again).await;
        }
        answers
    }

    async fn round(
        &self,
        operation: &'static str,
        asked: &[(usize, &Question)],
        deadline: Instant,
    ) -> Result<Vec<(usize, Result<Answer, Ignorance>)>, Ignorance> {
        let requests: Vec<Value> = asked
            .iter()
            .map(|(at, question)| {
                let url = self.relative(&question.url);
                json!({ "id": at.to_string(), "method": "GET", "url": url })
            })
            .collect();
        let unwritable = |_| Ignorance::new(self.service.name(), operation, Why::NotAskable, "");
        let call = self
            .call(operation, Method::POST, &self.url(Version::V1, &["$batch"]))
            .retry(Retry::Always)
            .within(deadline.saturating_duration_since(Instant::now()))
            .json(&json!({ "requests": requests }))
            .map_err(unwritable)?;
        let answer = self.send(call).await?;
        let mut responses: HashMap<String, Option<Response>> = HashMap::new();
        for response in answer.json::<Responses>()?.responses {
            // Two answers to one question are none.
            responses
                .entry(response.id.clone())
                .and_modify(|first| *first = None)
                .or_insert(Some(response));
        }
        Ok(asked
            .iter()
            .map(|(at, question)| {
                let single = responses
                    .remove(&at.to_string())
                    .flatten()
                    .and_then(|response| response.alone(&answer))
                    .ok_or_else(|| answer.unreadable("a batch without the answer to a question"));
                (*at, single.and_then(|single| settled(single, question.permission)))
            })
            .collect())
    }
}

#[derive(Deserialize)]
struct Responses {
    responses: Vec<Response>,
}

#[derive(Deserialize)]
struct Response {
    id: String,
    status: u16,
    #[serde(default)]
    headers: HashMap<String, Value>,
    #[serde(default)]
    body: Value,
}

impl Response {
    /// As if it had come alone.
    fn alone(self, whole: &Answer) -> Option<Answer> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            let name = HeaderName::try_from(name).ok()?;
            // Numbers are written as such in places: `Retry-After`.
            let value = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                _ => continue,
            };
            headers.insert(name, HeaderValue::try_from(value).ok()?);
        }
        let body = match self.body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        Some(whole.part(StatusCode::from_u16(self.status).ok()?, headers, body))
    }
}

#[cfg(test)]
mod tests;
