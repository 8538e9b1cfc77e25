//! What a bench tells: for people on a terminal, as one JSON object with `--json`.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::load::Outcome;

/// One load, in figures.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// What was asked of the server, in words.
    pub(crate) what: String,
    /// The server's address.
    pub(crate) url: String,
    /// Connections.
    pub(crate) concurrency: usize,
    /// Seconds from the first request to the last answer.
    pub(crate) seconds: f64,
    /// Good answers.
    pub(crate) good: u64,
    /// Bad answers, whatever the cause.
    pub(crate) failed: u64,
    /// Good answers a second.
    pub(crate) rate: f64,
    /// Times of good answers in milliseconds.
    pub(crate) latency_ms: Latency,
    /// What the server used, where its process was named.
    pub(crate) server: Option<Server>,
    /// Bad answers by cause.
    pub(crate) failures: std::collections::BTreeMap<String, u64>,
}

/// Percentiles in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

/// The server's process.
#[derive(Debug, Serialize)]
pub(crate) struct Server {
    /// Processor time for a good answer in microseconds.
    pub(crate) cpu_us_per_answer: f64,
    /// Resident memory at the end in bytes.
    pub(crate) resident_bytes: Option<u64>,
}

impl Report {
    /// Puts an outcome into figures; `server` is its processor time and its memory at the end.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(crate) fn new(
        what: String,
        url: String,
        concurrency: usize,
        outcome: Outcome,
        server: Option<(Duration, Option<u64>)>,
    ) -> Self {
        let ms = |per_mille| f64::from(outcome.percentile(per_mille).unwrap_or(0)) / 1000.0;
        let good = outcome.latencies.len() as u64;
        Self {
            what,
            url,
            concurrency,
            seconds: outcome.elapsed.as_secs_f64(),
            good,
            failed: outcome.failed(),
            rate: outcome.rate(),
            latency_ms: Latency {
                p50: ms(500),
                p90: ms(900),
                p99: ms(990),
                p999: ms(999),
                max: ms(1000),
            },
            server: server.map(|(cpu, resident_bytes)| Server {
                cpu_us_per_answer: cpu.as_secs_f64() * 1e6 / good.max(1) as f64,
                resident_bytes,
            }),
            failures: outcome.failures,
        }
    }

    /// The report for people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let l = &self.latency_ms;
        let _ = writeln!(text, "{} at {}", self.what, self.url);
        let _ = writeln!(
            text,
            "  {:>10.0} a second   {} answers in {:.1} s over {} connections",
            self.rate, self.good, self.seconds, self.concurrency
        );
        let _ = writeln!(
            text,
            "  latency    p50 {:.2} ms   p90 {:.2}   p99 {:.2}   p99.9 {:.2}   max {:.2}",
            l.p50, l.p90, l.p99, l.p999, l.max
        );
        if let Some(server) = &self.server {
            let _ =
                write!(text, "  server     {:.1} µs of CPU an answer", server.cpu_us_per_answer);
            if let Some(bytes) = server.resident_bytes {
                let _ = write!(text, ", {} MiB resident", bytes >> 20);
            }
            text.push('\n');
        }
        if self.failed > 0 {
            let _ = writeln!(text, "  {} failed:", self.failed);
            for (cause, count) in &self.failures {
                let _ = writeln!(text, "  {count:>10}  {cause}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn outcome() -> Outcome {
        Outcome {
            elapsed: Duration::from_secs(2),
            latencies: (1..=1000).map(|n| n * 1000).collect(),
            failures: BTreeMap::from([("HTTP 429".to_owned(), 3)]),
        }
    }

    #[test]
    fn figures_follow_from_the_outcome() {
        let cpu = Some((Duration::from_millis(500), Some(64 << 20)));
        let report = Report::new("OCSP".into(), "http://ca/ocsp".into(), 8, outcome(), cpu);
        assert!((report.rate - 500.0).abs() < 1e-9);
        assert!((report.latency_ms.p99 - 990.0).abs() < 1.5);
        assert!((report.latency_ms.max - 1000.0).abs() < 1e-9);
        assert!((report.server.as_ref().expect("given").cpu_us_per_answer - 500.0).abs() < 1e-9);
        insta::assert_snapshot!(report.text());
    }

    #[test]
    fn nothing_answered_is_no_division_by_zero() {
        let none =
            Outcome { elapsed: Duration::ZERO, latencies: Vec::new(), failures: BTreeMap::new() };
        let report = Report::new("OCSP".into(), "u".into(), 1, none, None);
        assert!(report.rate.abs() < f64::EPSILON && report.latency_ms.p50.abs() < f64::EPSILON);
    }
}
