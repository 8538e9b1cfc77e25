//! The parameters of a request, from its body or its query.

use std::collections::HashMap;

use super::error::TokenError;

/// The parameters of a request.
#[derive(Debug, Default)]
pub(super) struct Form(HashMap<String, String>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`; of a parameter that repeats, the last counts.
    pub(super) fn read(bytes: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// A parameter that is there and not empty.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A parameter that must be there.
    pub(super) fn need(&self, name: &'static str) -> Result<&str, TokenError> {
        self.find(name).ok_or(TokenError::Parameter(name))
    }
}
