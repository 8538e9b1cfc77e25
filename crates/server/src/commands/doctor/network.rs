//! The listeners' addresses, their certificate, and the address that certificates carry.

use std::net::SocketAddr;
use std::time::Duration;

use lanyard_authority::Clock as _;
use lanyard_authority::clock::SystemClock;
use lanyard_pki::Certificate;
use tokio::net::TcpStream;

use super::Finding;
use crate::address::Addresses;
use crate::commands::enroll::http_client;
use crate::config::Config;
use crate::listener::Bound;
use crate::listener::tls::CertificateFiles;

/// How long an address may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long before its end a listener's certificate should be replaced, in seconds.
const SOON: i64 = 14 * 86_400;

pub(super) async fn look(config: &Config, is_running: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for address in config.listen.http.iter().chain(&config.listen.https) {
        findings.push(listener(*address, is_running).await);
    }
    findings.extend(tls(config));
    findings.push(public_address(config, is_running).await);
    findings
}

async fn listener(address: SocketAddr, is_running: bool) -> Finding {
    if !is_running {
        return match Bound::bind(address) {
            Ok(_) => Finding::well("listener", format!("{address} is free.")),
            Err(error) => Finding::trouble(
                "listener",
                format!("{address} cannot be listened at: {error}."),
                "Stop what uses it, or set another address in [listen]; ports below 1024 need CAP_NET_BIND_SERVICE.",
            ),
        };
    }
    let target = if address.ip().is_unspecified() {
        let loopback = match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        SocketAddr::new(loopback, address.port())
    } else {
        address
    };
    match tokio::time::timeout(PATIENCE, TcpStream::connect(target)).await {
        Ok(Ok(_)) => Finding::well("listener", format!("{address} answers.")),
        Ok(Err(error)) => Finding::trouble(
            "listener",
            format!("{target} does not answer: {error}."),
            "Does the running server have another configuration? Restart it.",
        ),
        Err(_) => Finding::trouble(
            "listener",
            format!("{target} does not answer in time."),
            "Look at the server's log.",
        ),
    }
}

/// The operator's own certificate, where there is one.
fn tls(config: &Config) -> Option<Finding> {
    let certificate = config.tls.certificate_file.clone()?;
    let key = config.tls.key_file.clone()?;
    let shown = certificate.display().to_string();
    let files = CertificateFiles { certificate, key };
    let chain = match files.read() {
        Ok(certified) => certified.cert,
        Err(error) => {
            return Some(Finding::trouble(
                "TLS",
                format!("{error}."),
                "Look at [tls]; both files are PEM.",
            ));
        }
    };
    let end = Certificate::from_der(chain.first()?).ok()?.not_after();
    let left = end.seconds_since(SystemClock.now());
    let text = format!("{shown} is valid until {end}.");
    Some(match left {
        ..0 => Finding::trouble("TLS", text, "Replace it: it is reloaded without a restart."),
        0..SOON => {
            Finding::warning("TLS", text, "Replace it soon: it is reloaded without a restart.")
        }
        _ => Finding::well("TLS", text),
    })
}

/// The address that certificates carry for as long as they live.
async fn public_address(config: &Config, is_running: bool) -> Finding {
    let addresses = Addresses::new(config);
    let base = addresses.base();
    if config.publication.base_url.is_none() {
        return Finding::warning(
            "address",
            format!(
                "publication.base_url is not set: certificates say that clients reach this CA at {base}."
            ),
            "Set it to a name that stays.",
        );
    }
    if !is_running {
        return Finding::well(
            "address",
            format!("Certificates say that clients reach this CA at {base}."),
        );
    }
    let asked = async {
        let http = http_client(None).map_err(|failure| failure.to_string())?;
        let response = http.get(addresses.of("/probe")).timeout(PATIENCE).send().await;
        response.map(|response| response.status()).map_err(|error| error.without_url().to_string())
    };
    match asked.await {
        Ok(status) if status.is_success() => {
            Finding::well("address", format!("{base} is reached from here."))
        }
        Ok(status) => Finding::trouble(
            "address",
            format!("{base}/probe answers HTTP {status}."),
            "Does the name lead to this server? Look at DNS and proxies.",
        ),
        Err(error) => Finding::trouble(
            "address",
            format!("{base} is not reached from here: {error}."),
            "Look at DNS, proxies and firewalls: clients cannot ask for status.",
        ),
    }
}
