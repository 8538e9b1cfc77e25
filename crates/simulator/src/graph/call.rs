//! A request to Graph, taken apart: version, segments, options, who asks.

use std::collections::BTreeMap;

use axum::body::Bytes;
use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;

use super::error::GraphError;
use crate::entra::Caller;
use crate::tenant::View;

/// A version of Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    Beta,
}

impl Version {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// A request to Graph.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) caller: Caller,
    pub(super) version: Version,
    pub(super) method: Method,
    /// The path in pieces; a key in parentheses is a piece of its own, without its quotes.
    pub(super) segments: Vec<String>,
    pub(super) options: Options,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) view: View,
}

impl Call {
    /// Refuses a caller that has none of these permissions.
    pub(super) fn needs(&self, permissions: &[&str]) -> Result<(), GraphError> {
        if self.caller.may(permissions) { Ok(()) } else { Err(GraphError::denied()) }
    }

    /// The body, which is JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, GraphError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            GraphError::bad(format!("Unable to read JSON request payload: {error}"))
        })
    }

    /// A preference of the client, as in `Prefer: odata.maxpagesize=50`.
    pub(super) fn preference(&self, name: &str) -> Option<&str> {
        let preferences =
            self.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        preferences.flat_map(|value| value.split([',', ';'])).find_map(|preference| {
            let (own, value) = preference.split_once('=')?;
            own.trim().eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// The pieces of a path: `devices(deviceId='x')/registeredOwners` is the same as
/// `devices/deviceId=x/registeredOwners`.
pub(super) fn segments(path: &str) -> Vec<String> {
    let mut segments = Vec::new();
    for raw in path.split('/').filter(|raw| !raw.is_empty()) {
        let text = decoded(raw);
        match text.strip_suffix(')').and_then(|text| text.split_once('(')) {
            Some((name, key)) => {
                segments.push(name.to_owned());
                if !key.is_empty() {
                    segments.push(unquoted(key));
                }
            }
            None => segments.push(text),
        }
    }
    segments
}

/// A piece of a path without its percent signs; a plus sign stands for itself.
fn decoded(piece: &str) -> String {
    let piece = piece.replace('+', "%2B");
    let pairs = format!("piece={piece}").replace('&', "%26");
    let value = url::form_urlencoded::parse(pairs.as_bytes()).next();
    value.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn unquoted(key: &str) -> String {
    let bare = |text: &str| {
        let inside = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        inside.map_or_else(|| text.to_owned(), |inside| inside.replace("''", "'"))
    };
    match key.split_once('=') {
        Some((name, value)) if !key.starts_with('\'') => format!("{name}={}", bare(value)),
        _ => bare(key),
    }
}

/// The query of a request, by names with their dollar sign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options(BTreeMap<String, String>);

impl Options {
    /// Reads a query; names are known in any letter case and without their dollar sign too.
    pub(super) fn read(query: &str) -> Self {
        const KNOWN: [&str; 10] = [
            "select",
            "filter",
            "top",
            "skiptoken",
            "deltatoken",
            "count",
            "expand",
            "orderby",
            "search",
            "skip",
        ];
        let pairs = url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| {
            let bare = name.trim_start_matches('$').to_lowercase();
            let name = if KNOWN.contains(&bare.as_str()) { format!("${bare}") } else { bare };
            (name, value.into_owned())
        });
        Self(pairs.collect())
    }

    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The properties that are asked for.
    pub(super) fn select(&self) -> Option<Vec<&str>> {
        let list = self.find("$select")?;
        Some(list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect())
    }

    /// How many are asked for at once, at most `most`.
    pub(super) fn top(&self, default: usize, most: usize) -> Result<usize, GraphError> {
        let Some(text) = self.find("$top") else { return Ok(default) };
        let top = text.parse::<usize>().ok().filter(|top| (1..=most).contains(top));
        top.ok_or_else(|| {
            let message = format!(
                "Invalid page size specified: '{text}'. Must be between 1 and {most} inclusive."
            );
            GraphError::bad_request(message)
        })
    }

    /// The same query with one option in place of another.
    pub(super) fn with(&self, name: &str, value: &str, without: &[&str]) -> String {
        let mut all = self.0.clone();
        for name in without {
            all.remove(*name);
        }
        all.insert(name.to_owned(), value.to_owned());
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(all).finish().replace("%24", "$").replace("%2C", ",")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_in_parentheses_and_between_slashes_are_the_same() {
        for (path, expected) in [
            ("/devices(deviceId='a-b')/registeredOwners", "devices|deviceId=a-b|registeredOwners"),
            ("/users('$x@contoso.example')", "users|$x@contoso.example"),
            ("/users/guest%23EXT%23@contoso.example", "users|guest#EXT#@contoso.example"),
            ("/users/delta()", "users|delta"),
            ("/servicePrincipals/appId=0000/endpoints", "servicePrincipals|appId=0000|endpoints"),
            ("/users('o''neill')", "users|o'neill"),
        ] {
            assert_eq!(segments(path).join("|"), expected);
        }
    }

    proptest! {
        #[test]
        fn no_path_and_no_query_stop_the_service(text in ".{0,100}", odd in "[%()'=/+&$a]{0,60}") {
            for text in [text, odd] {
                drop(segments(&text));
                drop(Options::read(&text).top(1, 10));
            }
        }
    }

    #[test]
    fn options_are_known_without_their_dollar_sign() {
        let options = Options::read("select=id,%20mail&$top=5&x=y");
        assert_eq!(options.select().unwrap(), ["id", "mail"]);
        assert_eq!(options.top(100, 999).unwrap(), 5);
        assert!(Options::read("$top=1000").top(100, 999).is_err());
        let query = options.with("$skiptoken", "a b", &["$top"]);
        assert_eq!(query, "$select=id,+mail&$skiptoken=a+b&x=y");
    }
}
