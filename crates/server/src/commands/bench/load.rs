//! A closed-loop HTTP load: so many connections, each sending its next request when the last answer is in.
//!
//! It knows nothing of SCEP or OCSP; [`super::scep`] and [`super::ocsp`] hand it requests and judge answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Where the load goes: scheme, authority and TLS trust of one server.
#[derive(Clone)]
pub(crate) struct Target {
    host: String,
    port: u16,
    tls: Option<(tokio_rustls::TlsConnector, rustls_pki_types::ServerName<'static>)>,
}

impl Target {
    /// Reads the server out of `url`; `tls` is needed for `https` only.
    pub(crate) fn new(url: &Uri, tls: Option<Arc<rustls::ClientConfig>>) -> Result<Self> {
        let host = url.host().context("the URL names no host")?.trim_matches(['[', ']']).to_owned();
        let secure = match url.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => bail!("the URL must begin with http:// or https://"),
        };
        let port = url.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = if secure {
            let config = tls.context("no trust is set up for https")?;
            let name = rustls_pki_types::ServerName::try_from(host.clone())
                .context("the URL's host is no name that TLS knows")?;
            Some((tokio_rustls::TlsConnector::from(config), name))
        } else {
            None
        };
        Ok(Self { host, port, tls })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => handshake(TokioIo::new(stream)).await,
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await?;
                handshake(TokioIo::new(stream)).await
            }
        }
    }
}

async fn handshake<T>(io: T) -> Result<SendRequest<Full<Bytes>>>
where
    T: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
{
    let (sender, connection) = http1::handshake(io).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// One request to send.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// Path and query, as they go on the request line.
    pub(crate) path: String,
    /// The body and its media type; none is a GET.
    pub(crate) body: Option<(Bytes, &'static str)>,
}

/// How long the load lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// A stretch of time.
    Elapsed(Duration),
    /// A number of requests.
    Sent(u64),
}

/// What came of a load.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// Time of each good answer in microseconds, sorted.
    pub(crate) latencies: Vec<u32>,
    /// Bad answers by what was wrong with them.
    pub(crate) failures: BTreeMap<String, u64>,
}

impl Outcome {
    /// Good answers a second.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// The time in microseconds that `per_mille` of a thousand answers do not exceed.
    pub(crate) fn percentile(&self, per_mille: usize) -> Option<u32> {
        let last = self.latencies.len().checked_sub(1)?;
        self.latencies.get(last * per_mille / 1000).copied()
    }

    /// How many answers were bad.
    pub(crate) fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}

/// What a protocol brings to a load: the n-th request, and the judgement of its answer.
pub(crate) trait Traffic: Send + Sync + 'static {
    /// The n-th request; none when there are no more.
    fn request(&self, n: u64) -> Option<Exchange>;

    /// Whether the answer to the n-th request is good; else what is wrong with it, in words that can be counted.
    fn judge(&self, n: u64, status: StatusCode, body: &Bytes) -> Result<(), String>;
}

/// Runs `traffic` against `target` over `concurrency` connections.
pub(crate) async fn run(
    target: &Target,
    traffic: Arc<dyn Traffic>,
    concurrency: usize,
    until: Until,
) -> Result<Outcome> {
    drop(target.connect().await.context("cannot connect to the server")?);
    let next = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    let workers: Vec<_> = (0..concurrency.max(1))
        .map(|_| {
            let (target, traffic) = (target.clone(), Arc::clone(&traffic));
            let (next, done) = (Arc::clone(&next), Arc::clone(&done));
            tokio::spawn(async move { worker(&target, &*traffic, &next, &done, until).await })
        })
        .collect();
    // Requests that were made beforehand may be used up before the time is.
    let timer = match until {
        Until::Elapsed(duration) => Some(tokio::spawn({
            let done = Arc::clone(&done);
            async move {
                tokio::time::sleep(duration).await;
                done.store(true, Ordering::Relaxed);
            }
        })),
        Until::Sent(_) => None,
    };
    let mut latencies = Vec::new();
    let mut failures = BTreeMap::new();
    for worker in workers {
        let (mut good, bad) = worker.await.context("a connection's task ended early")?;
        latencies.append(&mut good);
        for (text, count) in bad {
            *failures.entry(text).or_insert(0) += count;
        }
    }
    let elapsed = started.elapsed();
    if let Some(timer) = timer {
        timer.abort();
    }
    latencies.sort_unstable();
    Ok(Outcome { elapsed, latencies, failures })
}

type Share = (Vec<u32>, BTreeMap<String, u64>);

async fn worker(
    target: &Target,
    traffic: &dyn Traffic,
    next: &AtomicU64,
    done: &AtomicBool,
    until: Until,
) -> Share {
    let (mut latencies, mut failures) = Share::default();
    let mut connection = None;
    while !done.load(Ordering::Relaxed) {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if matches!(until, Until::Sent(count) if n >= count) {
            break;
        }
        let Some(exchange) = traffic.request(n) else { break };
        let begun = Instant::now();
        let answer = match &mut connection {
            Some(sender) => send(sender, target, &exchange).await,
            None => match target.connect().await {
                Ok(sender) => send(connection.insert(sender), target, &exchange).await,
                Err(error) => Err(error.context("connect")),
            },
        };
        let took = u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX);
        let verdict = match answer {
            Ok((status, body)) => traffic.judge(n, status, &body),
            Err(error) => {
                connection = None;
                Err(format!("{error:#}"))
            }
        };
        match verdict {
            Ok(()) => latencies.push(took),
            Err(text) => *failures.entry(text).or_insert(0) += 1,
        }
        if connection.as_ref().is_some_and(SendRequest::is_closed) {
            connection = None;
        }
    }
    (latencies, failures)
}

async fn send(
    sender: &mut SendRequest<Full<Bytes>>,
    target: &Target,
    exchange: &Exchange,
) -> Result<(StatusCode, Bytes)> {
    sender.ready().await?;
    let mut request = Request::builder()
        .uri(exchange.path.as_str())
        .header(HOST, format!("{}:{}", target.host, target.port))
        .header(USER_AGENT, "lanyard-bench");
    let body = match &exchange.body {
        Some((body, media_type)) => {
            request = request.method(Method::POST).header(CONTENT_TYPE, *media_type);
            body.clone()
        }
        None => Bytes::new(),
    };
    let response = sender.send_request(request.body(Full::new(body))?).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, body))
}
