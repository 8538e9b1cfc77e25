//! Ignorance: why a directory's answer is not known. It never means that an object is gone.

use std::fmt;
use std::time::Duration;

/// Why an answer is not known, in a form that is safe to log and to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignorance {
    /// The service that was asked: "Microsoft Graph".
    pub service: &'static str,
    /// What was asked of it: "look up a user".
    pub operation: &'static str,
    /// What kind of trouble it was.
    pub why: Why,
    /// What more is known, such as the service's own error code and message: bounded, printable,
    /// without secrets. May be empty.
    pub detail: String,
}

/// The kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No answer within the deadline.
    TimedOut,
    /// The service asks for fewer requests, and the deadline ends before it takes more.
    Throttled {
        /// How long it asked to be left alone, where it said so.
        retry_after: Option<Duration>,
    },
    /// The service failed so often that it was not asked.
    BreakerOpen {
        /// When it is asked again.
        retry_after: Duration,
    },
    /// No connection, or it broke before the answer was complete.
    Unreachable,
    /// The credential was refused: no token, or the service does not take it.
    Unauthorized,
    /// The credential is good and lacks a permission.
    Forbidden {
        /// The permission that the question needs, where it is known.
        permission: Option<&'static str>,
    },
    /// Refused for another reason, which asking again will not mend.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The service is in trouble itself.
    Failing {
        /// The HTTP status.
        status: u16,
    },
    /// The answer cannot be read: not the documented form, HTML, too long.
    Unreadable,
    /// The answer was a redirection, which is not followed: a token must not travel to a place that
    /// nobody configured.
    Redirected,
    /// The connector has no way to ask this.
    NotAskable,
}

impl Ignorance {
    /// With a detail that is cut to what is safe to show: one line, printable, 300 characters.
    pub fn new(
        service: &'static str,
        operation: &'static str,
        why: Why,
        detail: impl AsRef<str>,
    ) -> Self {
        Self { service, operation, why, detail: printable(detail.as_ref()) }
    }

    /// Whether the same question may well be answered later without anybody doing anything.
    pub const fn is_passing(&self) -> bool {
        match self.why {
            Why::TimedOut
            | Why::Throttled { .. }
            | Why::BreakerOpen { .. }
            | Why::Unreachable
            | Why::Failing { .. }
            | Why::Unreadable => true,
            Why::Unauthorized
            | Why::Forbidden { .. }
            | Why::Refused { .. }
            | Why::Redirected
            | Why::NotAskable => false,
        }
    }
}

impl Why {
    /// A short stable word, for metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Throttled { .. } => "throttled",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::Unreachable => "unreachable",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden { .. } => "forbidden",
            Self::Refused { .. } => "refused",
            Self::Failing { .. } => "failing",
            Self::Unreadable => "unreadable",
            Self::Redirected => "redirected",
            Self::NotAskable => "not_askable",
        }
    }
}

impl std::error::Error for Ignorance {}

impl fmt::Display for Ignorance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, operation, why, detail } = self;
        write!(f, "{service} ({operation}): {why}")?;
        if detail.is_empty() { Ok(()) } else { write!(f, ": {detail}") }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Throttled { retry_after: Some(after) } => {
                write!(f, "takes no more requests for {:.1} s", after.as_secs_f64())
            }
            Self::Throttled { retry_after: None } => f.write_str("takes no more requests now"),
            Self::BreakerOpen { retry_after } => {
                let seconds = retry_after.as_secs_f64();
                write!(f, "not asked after repeated failures, for another {seconds:.1} s")
            }
            Self::Unreachable => f.write_str("cannot be reached"),
            Self::Unauthorized => f.write_str("does not accept the credential"),
            Self::Forbidden { permission: Some(permission) } => {
                write!(f, "the permission {permission} is missing")
            }
            Self::Forbidden { permission: None } => f.write_str("a permission is missing"),
            Self::Refused { status } => write!(f, "refused with status {status}"),
            Self::Failing { status } => write!(f, "in trouble itself, status {status}"),
            Self::Unreadable => f.write_str("an answer that cannot be read"),
            Self::Redirected => f.write_str("a redirection, which is not followed"),
            Self::NotAskable => f.write_str("this cannot be asked there"),
        }
    }
}

const LONGEST_DETAIL: usize = 300;

/// One line of printable characters, cut.
fn printable(text: &str) -> String {
    let words = text.split(|at: char| at.is_whitespace() || at.is_control());
    let mut line = String::new();
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if let Some((end, _)) = line.char_indices().nth(LONGEST_DETAIL) {
            line.truncate(end);
            line.push('…');
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detail_is_one_short_printable_line() {
        let text = format!("AADSTS7000215:\r\n\u{1b}[31mInvalid\tsecret {}", "x".repeat(1000));
        let ignorance = Ignorance::new("Entra ID", "sign in", Why::Unauthorized, text);
        assert!(ignorance.detail.starts_with("AADSTS7000215: [31mInvalid secret xxx"));
        assert_eq!(ignorance.detail.chars().count(), LONGEST_DETAIL + 1);
        assert_eq!(
            Ignorance::new("Microsoft Graph", "look up a user", Why::TimedOut, "").to_string(),
            "Microsoft Graph (look up a user): no answer in time"
        );
    }
}
