//! Logs: for people or as JSON, on standard error, as `[log]` says.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogFormat, LogSection};

/// Starts logging for the process. A process that already logs keeps its way.
pub fn start(section: &LogSection) {
    let filter = EnvFilter::new(&section.level);
    let json = match section.format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Automatic => !std::io::stderr().is_terminal(),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if json {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .finish()
            .try_init()
    } else {
        builder.with_target(false).finish().try_init()
    };
    if let Err(error) = started {
        tracing::debug!(%error, "Logging was started before");
    }
}
