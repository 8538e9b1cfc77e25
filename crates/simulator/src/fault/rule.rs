//! One rule: which requests it picks, when it strikes, and what happens then.

use serde::{Deserialize, Serialize};

/// A service of the simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Service {
    /// Signing in and tokens.
    Entra,
    /// The endpoints of managed identities.
    Imds,
    /// Microsoft Graph.
    Graph,
    /// Intune's services.
    Intune,
    /// Jamf Pro.
    Jamf,
}

impl Service {
    /// The service that a path belongs to, and the path within it.
    pub fn of_path(path: &str) -> Option<(Self, &str)> {
        let services = [
            ("/login", Self::Entra),
            ("/imds", Self::Imds),
            ("/graph", Self::Graph),
            ("/manage", Self::Intune),
            ("/jamf", Self::Jamf),
        ];
        services.into_iter().find_map(|(prefix, service)| {
            let below = path.strip_prefix(prefix)?;
            below.starts_with('/').then_some((service, below))
        })
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// It is answered `milliseconds` later.
    Latency,
    /// It is never answered.
    Hang,
    /// 401, as for a token that is not accepted.
    Unauthorized,
    /// 403, as for a missing permission.
    Forbidden,
    /// 404, as for an object that is not there.
    NotFound,
    /// 429; with `retryAfter` seconds where given, else without the header.
    Throttled,
    /// 500 with JSON inside a string; another `status` where given.
    ServerError,
    /// 200, or `status`, with an HTML page where JSON is due.
    Html,
    /// Half of the answer, then the end of the connection.
    Truncated,
    /// The connection is reset without an answer.
    Reset,
    /// A replica answers that is `seconds` behind.
    Stale,
    /// Every other request is answered by a replica that is `seconds` behind: objects that are
    /// newer come and go.
    Flicker,
    /// The service is gone: every connection is reset.
    Outage,
}

impl Kind {
    /// Whether it is the answer, or only changes how the answer comes about.
    pub(super) const fn answers(self) -> bool {
        !matches!(self, Self::Latency | Self::Stale | Self::Flicker)
    }
}

/// A rule. What is left out does not matter: a rule that only has a kind picks every request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// What becomes of the requests that it strikes.
    pub kind: Kind,
    /// Requests to this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Requests by this method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Requests whose path below the service matches this; `*` stands for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// So many of the picked requests pass first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<u64>,
    /// After having struck so often it strikes no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Strikes with this probability, between 0 and 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// For [`Kind::Latency`]: 1000 where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
    /// For [`Kind::Throttled`]: seconds, also fractions; no header where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<f64>,
    /// For [`Kind::Stale`] and [`Kind::Flicker`]: 60 where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// For [`Kind::ServerError`] and [`Kind::Html`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

impl Fault {
    /// A rule that picks every request.
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            service: None,
            method: None,
            path: None,
            skip: None,
            times: None,
            probability: None,
            milliseconds: None,
            retry_after: None,
            seconds: None,
            status: None,
        }
    }

    /// The same, for one service only.
    #[must_use]
    pub fn at(self, service: Service) -> Self {
        Self { service: Some(service), ..self }
    }

    /// The same, for paths that match only.
    #[must_use]
    pub fn on(self, path: &str) -> Self {
        Self { path: Some(path.to_owned()), ..self }
    }

    /// The same, striking so often only.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// What makes no sense about it.
    pub fn check(&self) -> Result<(), String> {
        if self.probability.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err("probability is between 0 and 1".to_owned());
        }
        if self.retry_after.is_some_and(|seconds| !seconds.is_finite() || seconds < 0.0) {
            return Err("retryAfter is a positive number of seconds".to_owned());
        }
        if self.status.is_some_and(|status| !(200..600).contains(&status)) {
            return Err("status is between 200 and 599".to_owned());
        }
        Ok(())
    }

    pub(super) fn is_about(&self, service: Service, method: &str, path: &str) -> bool {
        self.service.is_none_or(|own| own == service)
            && self.method.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|pattern| matches(pattern, path))
    }

    /// Whether it strikes the request that it picks after `turn` others.
    pub(super) fn strikes(&self, turn: u64, chance: &impl Fn() -> u64) -> bool {
        let Some(turn) = turn.checked_sub(self.skip.unwrap_or(0)) else { return false };
        if self.times.is_some_and(|times| turn >= times) {
            return false;
        }
        if self.kind == Kind::Flicker && turn % 2 == 1 {
            return false;
        }
        #[expect(clippy::cast_precision_loss, reason = "a number below a million is exact")]
        self.probability.is_none_or(|probability| (chance() as f64) < probability * 1_000_000.0)
    }
}

/// Whether `text` is what `pattern` says, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(head) else { return false };
    rest.char_indices()
        .map(|(at, _)| at)
        .chain([rest.len()])
        .any(|at| rest.get(at..).is_some_and(|rest| matches(tail, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("/v1.0/users", "/v1.0/users", true),
            ("/v1.0/users", "/v1.0/users/1", false),
            ("/v1.0/users*", "/v1.0/users/1", true),
            ("*riskyUsers*", "/v1.0/identityProtection/riskyUsers", true),
            ("*riskyUsers", "/v1.0/identityProtection/riskyUsers/1", false),
            ("/a*b*c", "/a-b-b-c", true),
            ("/a*b*c", "/a-c", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_rule_lets_some_pass_then_strikes_so_often() {
        let fault = Fault { skip: Some(1), ..Fault::of(Kind::Reset).times(2) };
        let struck: Vec<_> = (0..5).map(|turn| fault.strikes(turn, &|| 0)).collect();
        assert_eq!(struck, [false, true, true, false, false]);
    }

    #[test]
    fn probability_is_a_share_of_a_million() {
        let fault = Fault { probability: Some(0.25), ..Fault::of(Kind::Reset) };
        assert!(fault.strikes(0, &|| 249_999));
        assert!(!fault.strikes(0, &|| 250_000));
    }

    #[test]
    fn what_a_rule_does_not_know_it_refuses() {
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"reset","retryAftr":3}"#).is_err());
        let fault = r#"{"kind":"throttled","service":"graph","retryAfter":2.5}"#;
        assert_eq!(serde_json::from_str::<Fault>(fault).unwrap().retry_after, Some(2.5));
    }
}
