//! What a connector finds when it tries itself, in words for an administrator.

use std::fmt;

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was tried: "Permission Device.Read.All".
    pub what: String,
    /// How it went.
    pub outcome: Outcome,
    /// What was found, in a sentence.
    pub found: String,
    /// What does not work because of it; none when all is well.
    pub disables: Option<String>,
    /// The setting, role or switch that mends it; none when all is well.
    pub remedy: Option<String>,
}

/// How a check went, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// All is well.
    Ok,
    /// Works, but something is missing or near its end.
    Warning,
    /// Does not work.
    Problem,
}

impl Check {
    /// All is well.
    pub fn ok(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            outcome: Outcome::Ok,
            found: found.into(),
            disables: None,
            remedy: None,
        }
    }

    /// Works, but.
    pub fn warning(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { outcome: Outcome::Warning, ..Self::ok(what, found) }
    }

    /// Does not work.
    pub fn problem(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { outcome: Outcome::Problem, ..Self::ok(what, found) }
    }

    /// Adds what does not work because of it.
    #[must_use]
    pub fn disables(mut self, what: impl Into<String>) -> Self {
        self.disables = Some(what.into());
        self
    }

    /// Adds what mends it.
    #[must_use]
    pub fn remedy(mut self, how: impl Into<String>) -> Self {
        self.remedy = Some(how.into());
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        })
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.outcome, self.what, self.found)?;
        if let Some(disables) = &self.disables {
            write!(f, " Without it: {disables}")?;
        }
        if let Some(remedy) = &self.remedy {
            write!(f, " To mend it: {remedy}")?;
        }
        Ok(())
    }
}
