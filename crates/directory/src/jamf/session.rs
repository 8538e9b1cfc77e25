//! A session with an instance: its addresses, the cookie that leads to the same node, the token.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::header::{COOKIE, HeaderMap, SET_COOKIE};
use url::Url;

use super::settings::{Credential, Settings};
use super::sign_in::SignIn;
use crate::http::{Answer, Call, Service};
use crate::ignorance::Ignorance;
use crate::token::Tokens;

/// A look-up that takes longer than this is not worth waiting for.
const LOOK_UP: Duration = Duration::from_secs(20);

/// Cookies of load balancers that keep a client at one node. A node learns of the others' tokens
/// and changes with a delay.
const STICKY: [&str; 2] = ["jpro-ingress", "APBALANCEID"];

/// A session with an instance.
#[derive(Debug)]
pub(super) struct Session {
    place: Arc<Place>,
    tokens: Tokens,
}

/// What is asked for: a reading of one object may not take as long as one of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Of one object.
    One,
    /// Of a list.
    Many,
}

impl Session {
    pub(super) fn new(service: Arc<Service>, settings: &Settings) -> Self {
        let place =
            Arc::new(Place { service, url: settings.url.clone(), cookie: Mutex::default() });
        let credential: Credential = settings.credential.clone();
        let tokens = Tokens::new(Arc::new(SignIn::new(Arc::clone(&place), credential)));
        Self { place, tokens }
    }

    pub(super) const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(super) fn service(&self) -> &Service {
        &self.place.service
    }

    /// Reads what is at a path. Answers are of status 2xx, 404 or another that says that the
    /// question was wrong.
    pub(super) async fn get(
        &self,
        operation: &'static str,
        reading: Reading,
        path: &[&str],
        query: &[(&str, &str)],
        privilege: &'static str,
    ) -> Result<Answer, Ignorance> {
        // First, because the answer to a sign-in says by which node the token is known.
        self.tokens.token().await?;
        let mut url = self.place.at(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let call = Call::get(operation, &url).bearer(&self.tokens).permission(privilege);
        self.place
            .ask(match reading {
                Reading::One => call.within(LOOK_UP),
                Reading::Many => call,
            })
            .await
    }
}

/// Where an instance is, without a token.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) service: Arc<Service>,
    url: Url,
    cookie: Mutex<Option<String>>,
}

impl Place {
    /// The address of a path below the instance's own.
    pub(super) fn at(&self, path: &[&str]) -> Url {
        let mut url = self.url.clone();
        // Only addresses that have no path at all, such as `mailto:`, cannot be extended; then the
        // call is refused for its address.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// Asks, with the cookie, and keeps the one that comes back.
    pub(super) async fn ask(&self, call: Call<'_>) -> Result<Answer, Ignorance> {
        let cookie = self.cookie.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let call = match cookie {
            Some(cookie) => call.header(COOKIE, cookie),
            None => call,
        };
        let answer = self.service.call(call).await?;
        if let Some(cookie) = sticky(&answer.headers) {
            *self.cookie.lock().unwrap_or_else(PoisonError::into_inner) = Some(cookie);
        }
        Ok(answer)
    }
}

/// The cookies that keep a client at its node, as they are sent back.
fn sticky(headers: &HeaderMap) -> Option<String> {
    let pairs: Vec<&str> = headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok()?.split(';').next())
        .map(str::trim)
        .filter(|pair| {
            pair.split_once('=')
                .is_some_and(|(name, value)| STICKY.contains(&name.trim()) && !value.is_empty())
        })
        .collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_cookies_of_load_balancers_are_kept() {
        let headers: HeaderMap = [
            "JSESSIONID=abc; Path=/; Secure; HttpOnly",
            "jpro-ingress=0a1b; Path=/; HttpOnly",
            "APBALANCEID=aws.node-2; path=/",
            "jpro-ingress=",
        ]
        .into_iter()
        .map(|value| (SET_COOKIE, value.parse().unwrap()))
        .collect();
        assert_eq!(sticky(&headers).as_deref(), Some("jpro-ingress=0a1b; APBALANCEID=aws.node-2"),);
        assert_eq!(sticky(&HeaderMap::new()), None);
    }
}
