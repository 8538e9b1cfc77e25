//! A command's side of the control socket.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::description::{DESCRIBE, ServerDescription};
use super::operation::{Operation, OperationFailure};
use super::server::OPERATOR_HEADER;
use crate::exit::{ExitStatus, Failure};

/// A running server, reached through its control socket.
#[derive(Debug, Clone)]
pub struct ControlClient {
    http: reqwest::Client,
    socket: PathBuf,
    operator: String,
}

impl ControlClient {
    /// The server behind `socket`, when one answers there. `operator` is what its user calls himself; who he is the server
    /// learns from the kernel.
    ///
    /// `Ok(None)` when there is no socket, or only what a killed server left.
    pub async fn find(socket: &Path, operator: &str) -> Result<Option<Self>, Failure> {
        match tokio::net::UnixStream::connect(socket).await {
            Ok(_) => {}
            Err(error) if is_nobody(&error) => return Ok(None),
            Err(error) => {
                let text =
                    format!("the control socket {} cannot be opened: {error}", socket.display());
                return Err(Failure::new(ExitStatus::Unreachable, text));
            }
        }
        let http = reqwest::Client::builder().unix_socket(socket).no_proxy().build()?;
        Ok(Some(Self { http, socket: socket.to_owned(), operator: operator.to_owned() }))
    }

    /// Has the server carry out an operation.
    pub async fn run<O: Operation>(&self, operation: O) -> Result<O::Answer, Failure> {
        self.ask(O::NAME, serde_json::to_vec(&operation)?).await
    }

    /// Has the server describe itself.
    pub async fn describe(&self) -> Result<ServerDescription, Failure> {
        self.ask(DESCRIBE, Vec::new()).await
    }

    async fn ask<T: DeserializeOwned>(&self, name: &str, body: Vec<u8>) -> Result<T, Failure> {
        let unreachable = |error: reqwest::Error| {
            let text = format!("the server at {} does not answer: {error}", self.socket.display());
            Failure::new(ExitStatus::Unreachable, text)
        };
        let response = self
            .http
            .post(format!("http://lanyard/{name}"))
            .header(OPERATOR_HEADER, &self.operator)
            .body(body)
            .send()
            .await
            .map_err(unreachable)?;
        let success = response.status().is_success();
        let body = response.bytes().await.map_err(unreachable)?;
        if success {
            return read(&body);
        }
        let failure: OperationFailure = read(&body)?;
        Err(Failure::new(failure.kind.into(), failure.text))
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|_| {
        let text =
            "the server does not know this operation, or answers in a form of another version";
        Failure::new(ExitStatus::Failed, text)
    })
}

fn is_nobody(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused)
}
