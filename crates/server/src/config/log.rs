//! `[log]`: what the server logs, and how.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the server logs, and how.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct LogSection {
    /// The shape of a line.
    pub format: LogFormat,
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,lanyard_server=debug`.
    #[garde(custom(directives))]
    pub level: String,
}

impl Default for LogSection {
    fn default() -> Self {
        Self { format: LogFormat::default(), level: "info".into() }
    }
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum LogFormat {
    /// For people on a terminal, JSON elsewhere.
    #[default]
    Automatic,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

fn directives(level: &str, _: &()) -> garde::Result {
    level
        .parse::<tracing_subscriber::EnvFilter>()
        .map(|_| ())
        .map_err(|error| garde::Error::new(format!("cannot be read: {error}")))
}
