//! What commands print: for people, or one JSON value with `--json`; and progress for what takes longer than two seconds.

use std::future::Future;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use serde::Serialize;

use crate::exit::Failure;

/// How long a command may be silent.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where a command's answer goes.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Human,
    Json,
}

impl Output {
    /// Output for people, or as JSON.
    pub fn new(json: bool) -> Self {
        Self { form: if json { Form::Json } else { Form::Human } }
    }

    /// Whether the answer is JSON.
    pub fn is_json(self) -> bool {
        self.form == Form::Json
    }

    /// The answer of a command: `value` as JSON, else the text.
    pub fn answer(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let line = match self.form {
            Form::Json => serde_json::to_string_pretty(value)?,
            Form::Human => text(),
        };
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes())?;
        if !line.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok(())
    }

    /// A line of an answer that comes bit by bit. What cannot be written is lost: nobody listens.
    pub fn line(self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// A remark for people beside the answer.
    pub fn remark(self, text: &str) {
        eprintln!("{text}");
    }

    /// The reason for which a command failed, on standard error.
    pub fn failure(self, failure: &Failure) {
        match self.form {
            Form::Human => eprintln!("lanyard: {failure}"),
            Form::Json => {
                let error = serde_json::json!({
                    "error": failure.to_string(),
                    "exit_status": failure.status() as u8,
                });
                eprintln!("{error}");
            }
        }
    }

    /// Awaits `work`; when it takes longer than two seconds, says on a terminal that it goes on.
    pub async fn progress<T>(self, doing: &str, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        if self.is_json() || !std::io::stderr().is_terminal() {
            return work.await;
        }
        let mut seconds = PATIENCE.as_secs();
        if let Ok(done) = tokio::time::timeout(PATIENCE, &mut work).await {
            return done;
        }
        loop {
            eprint!("\r\x1b[K{doing} ... {seconds} s");
            if let Ok(done) = tokio::time::timeout(Duration::from_secs(1), &mut work).await {
                eprint!("\r\x1b[K");
                return done;
            }
            seconds += 1;
        }
    }
}

/// Rows in columns, for people.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let last = cells.len().saturating_sub(1);
        let cells = cells.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
            if at == last { (*cell).to_owned() } else { format!("{cell:width$}  ") }
        });
        cells.collect::<String>() + "\n"
    };
    let mut text = line(header.to_vec());
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    text
}
