//! The listeners' addresses, the certificate of HTTPS, and the address that certificates carry.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use lanyard_authority::Clock as _;
use lanyard_authority::clock::SystemClock;
use lanyard_pki::{Certificate, Time, pem};
use tokio::net::TcpStream;

use super::Finding;
use crate::address::Addresses;
use crate::config::Config;
use crate::control::ServerDescription;
use crate::control::description::BaseUrlFrom;
use crate::listener::Bound;
use crate::listener::tls::CertificateFiles;

/// How long an address may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long before its end a certificate of the operator's should be replaced, in seconds.
const SOON: i64 = 14 * 86_400;

/// How long before its end the authority should have replaced its own certificate for the listener, in seconds.
const OVERDUE: i64 = 86_400;

/// Where a server listens, or would.
pub(super) async fn look(config: &Config, running: Option<&ServerDescription>) -> Vec<Finding> {
    let mut findings = Vec::new();
    match running {
        Some(server) => {
            for address in server.http.iter().chain(&server.https) {
                findings.push(answers(*address).await);
            }
        }
        None => findings.extend(config.listen.http.iter().chain(&config.listen.https).map(is_free)),
    }
    findings.extend(pair(config));
    findings.extend(running.and_then(shown));
    findings.push(public_address(config, running));
    findings
}

fn is_free(address: &SocketAddr) -> Finding {
    match Bound::bind(*address) {
        Ok(_) => Finding::well("listener", format!("{address} is free.")),
        Err(error) => Finding::problem(
            "listener",
            format!("{address} cannot be listened at: {error}."),
            "Stop what uses it, or set another address in [listen]; ports below 1024 need CAP_NET_BIND_SERVICE.",
        ),
    }
}

async fn answers(address: SocketAddr) -> Finding {
    let target = match address {
        address if !address.ip().is_unspecified() => address,
        SocketAddr::V4(_) => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        SocketAddr::V6(_) => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), address.port()),
    };
    match tokio::time::timeout(PATIENCE, TcpStream::connect(target)).await {
        Ok(Ok(_)) => Finding::well("listener", format!("{address} answers.")),
        Ok(Err(error)) => Finding::problem(
            "listener",
            format!("{target} does not answer: {error}."),
            "Look at the server's log and at firewalls.",
        ),
        Err(_) => Finding::problem(
            "listener",
            format!("{target} does not answer in time."),
            "Look at the server's log: it may have more connections than it takes.",
        ),
    }
}

/// The operator's own certificate and key, where they are set: whether they can be read and belong together.
fn pair(config: &Config) -> Option<Finding> {
    let certificate = config.tls.certificate_file.clone()?;
    let key = config.tls.key_file.clone()?;
    let error = CertificateFiles { certificate, key }.read().err()?;
    let fix = "Look at [tls]; both files are PEM.";
    Some(Finding::problem("TLS", format!("{error}."), fix))
}

/// How long the certificate that HTTPS shows is valid.
fn shown(server: &ServerDescription) -> Option<Finding> {
    let file = server.tls_certificate_file.as_ref()?;
    Some(match certificate(file) {
        Ok(certificate) => expiry(file, &certificate, SystemClock.now()),
        Err(error) => Finding::warning(
            "TLS",
            format!("{}: {error}.", file.display()),
            "Run this as the user that the server runs as.",
        ),
    })
}

pub(super) fn certificate(file: &Path) -> Result<Certificate, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let der = pem::decode(pem::CERTIFICATE, &text).map_err(|error| error.to_string())?;
    Certificate::from_der(&der).map_err(|error| error.to_string())
}

fn expiry(file: &Path, certificate: &Certificate, now: Time) -> Finding {
    let end = certificate.not_after();
    let text = format!("{} is valid until {end}.", file.display());
    let is_own = file.file_name().is_some_and(|name| name == "listener.pem");
    let (soon, fix) = if is_own {
        (OVERDUE, "The server should have made a new one: look at its log, and restart it.")
    } else {
        (SOON, "Replace it: it is reloaded without a restart.")
    };
    match end.seconds_since(now) {
        left if left < 0 => Finding::problem("TLS", text, fix),
        left if left < soon => Finding::warning("TLS", text, fix),
        _ => Finding::well("TLS", text),
    }
}

/// The address that certificates carry for as long as they live.
fn public_address(config: &Config, running: Option<&ServerDescription>) -> Finding {
    let (base, from) = match running {
        Some(server) => (server.base_url.clone(), server.base_url_from),
        None => (Addresses::new(config).base().to_owned(), BaseUrlFrom::of(config)),
    };
    match from {
        BaseUrlFrom::Setting => Finding::well(
            "address",
            format!("Certificates say that clients reach this CA at {base}."),
        ),
        BaseUrlFrom::Listener => Finding::warning(
            "address",
            format!("Certificates say that clients reach this CA at {base}, which nobody chose."),
            "Set publication.base_url to a name that stays: certificates carry it for as long as they live.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_port_that_another_program_has_is_a_problem() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _entered = runtime.enter();
        let address = taken.local_addr().unwrap();
        assert_eq!(is_free(&address).state, State::Problem);
        drop(taken);
        assert_eq!(is_free(&address).state, State::Well);
    }

    #[test]
    fn an_address_that_nobody_chose_is_worth_a_warning() {
        let mut config = Config::default();
        assert_eq!(public_address(&config, None).state, State::Warning);
        config.publication.base_url = Some("http://ca.example.com".parse().unwrap());
        assert_eq!(public_address(&config, None).state, State::Well);
    }
}
