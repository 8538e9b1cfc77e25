//! One SCEP operation over HTTP: a question out, an answer in, patiently and up to a size.
//!
//! What the octets mean is not known here.

use lanyard_authority::Clock as _;
use lanyard_authority::clock::SystemClock;
use lanyard_scep::operation::Operation;
use reqwest::{Client, StatusCode, Url};

use super::error::ScepClientError;
use crate::client::patience::{Next, Patience};

/// Answers above this size are not read: a chain of certificates is a few kilobytes.
pub(super) const LARGEST_ANSWER: usize = 4 << 20;

/// The most characters of a server's own words that are shown.
const SHOWN: usize = 200;

/// A server's own words as they are shown: a line of them, without what a terminal would obey.
pub(super) fn shown(text: &str) -> Option<String> {
    let line = text.lines().next()?;
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    Some(line.chars().take(SHOWN).map(shown).collect()).filter(|line: &String| !line.is_empty())
}

pub(super) async fn get(
    http: &Client,
    url: &Url,
    patience: &Patience,
    operation: Operation,
    query: &str,
) -> Result<Vec<u8>, ScepClientError> {
    let mut address = url.clone();
    address.set_query(Some(query));
    answer(url, patience, operation, http.get(address)).await
}

pub(super) async fn answer(
    url: &Url,
    patience: &Patience,
    operation: Operation,
    request: reqwest::RequestBuilder,
) -> Result<Vec<u8>, ScepClientError> {
    let mut waiting = patience.begin();
    let mut again = request.try_clone();
    let mut response = send(url, request).await?;
    while let Some(request) = again {
        match waiting.next(response.status(), response.headers(), SystemClock.now()) {
            Next::Take => break,
            Next::GiveUp(given_up) => {
                let (operation, status) = (operation.name(), response.status());
                return Err(ScepClientError::PutOff { operation, status, given_up });
            }
            Next::Again(delay) => tokio::time::sleep(delay).await,
        }
        again = request.try_clone();
        response = send(url, request).await?;
    }
    read(url, operation, response).await
}

async fn send(
    url: &Url,
    request: reqwest::RequestBuilder,
) -> Result<reqwest::Response, ScepClientError> {
    request.send().await.map_err(|error| ScepClientError::Unreachable(url.clone(), error))
}

async fn read(
    url: &Url,
    operation: Operation,
    mut response: reqwest::Response,
) -> Result<Vec<u8>, ScepClientError> {
    let unreachable = |error| ScepClientError::Unreachable(url.clone(), error);
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_ANSWER {
            return Err(ScepClientError::TooLarge(operation.name()));
        }
    }
    if status != StatusCode::OK {
        let text = std::str::from_utf8(&body).ok().and_then(shown);
        return Err(ScepClientError::Status { operation: operation.name(), status, text });
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_cannot_command_a_terminal() {
        assert_eq!(shown("no\u{1b}[2J\u{7}more\nand more").unwrap(), "no\u{fffd}[2J\u{fffd}more");
        assert_eq!(shown(&"x".repeat(1_000)).unwrap().len(), SHOWN);
        assert_eq!(shown(""), None);
    }
}
