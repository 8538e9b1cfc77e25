//! How a command ends: an exit status that scripts can rely on, and a sentence for people.

use std::fmt;
use std::process::ExitCode;

/// The exit status of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Something failed that is none of the below.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The configuration is wrong.
    Configuration = 3,
    /// The answer is no: a request was refused, or a check did not pass.
    Refused = 4,
    /// What was asked for does not exist.
    NotFound = 5,
    /// A decision is still to come: the request waits for approval.
    Pending = 6,
    /// The server, or another that was asked, cannot be reached or does not answer.
    Unreachable = 7,
    /// Another process holds the data folder.
    Busy = 8,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// What `--help` says about exit statuses.
pub const EXIT_STATUSES: &str = "\
Exit statuses:
  0  done
  1  failed
  2  the command line is wrong
  3  the configuration is wrong
  4  refused, or a check did not pass
  5  not found
  6  waiting for approval
  7  the server cannot be reached or does not answer
  8  another process holds the data folder";

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    status: ExitStatus,
    cause: anyhow::Error,
}

impl Failure {
    /// A failure with a sentence for people.
    pub fn new(
        status: ExitStatus,
        text: impl fmt::Display + fmt::Debug + Send + Sync + 'static,
    ) -> Self {
        Self { status, cause: anyhow::Error::msg(text) }
    }

    /// The exit status.
    pub fn status(&self) -> ExitStatus {
        self.status
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.cause)
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { status: ExitStatus::Failed, cause: error.into() }
    }
}

/// Gives an error the exit status that it deserves.
pub trait WithStatus<T> {
    /// Ends the command with this status when it failed.
    fn or_exit(self, status: ExitStatus) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> WithStatus<T> for Result<T, E> {
    fn or_exit(self, status: ExitStatus) -> Result<T, Failure> {
        self.map_err(|error| Failure { status, cause: error.into() })
    }
}
