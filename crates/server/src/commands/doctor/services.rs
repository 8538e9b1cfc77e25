//! What clients get from a running server at the address that certificates carry: status, lists, enrollment.

use std::time::Duration;

use lanyard_authority::Clock as _;
use lanyard_authority::clock::SystemClock;
use lanyard_pki::crl::Crl;
use lanyard_pki::ocsp::CertStatus;
use lanyard_pki::{Certificate, Time, pem};
use lanyard_store::CaState;
use reqwest::Client;

use super::{Finding, network};
use crate::client::ocsp::ask;
use crate::client::scep::ScepServer;
use crate::control::ServerDescription;
use crate::control::description::EnrollmentDoor;
use crate::control::operations::ca::CaView;
use crate::open::World;
use crate::routes::ca::state_name;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long before its end a certificate that the server renews by itself should be replaced, in seconds.
const OVERDUE: i64 = 86_400;

pub(super) async fn look(server: &ServerDescription, cas: &[CaView]) -> Vec<Finding> {
    let current = cas.iter().find(|ca| ca.state == state_name(CaState::Current));
    let Some(chain) = current.map(|ca| &ca.chain) else { return Vec::new() };
    let ca = pem::decode(pem::CERTIFICATE, chain).ok();
    let Some(ca) = ca.and_then(|der| Certificate::from_der(&der).ok()) else { return Vec::new() };
    let http = match client(chain) {
        Ok(http) => http,
        Err(error) => {
            let fix = "Look at the certificates of this machine.";
            return vec![Finding::warning(
                "address",
                format!("Nothing can be asked: {error}."),
                fix,
            )];
        }
    };
    let reached = reached(&http, server).await;
    if reached.state == super::State::Problem {
        return vec![reached];
    }
    let mut findings = vec![reached];
    findings.extend(ocsp(&http, server, &ca).await);
    findings.push(crl(&http, server, &ca).await);
    for door in &server.enrollment {
        findings.extend(scep(&http, door, &ca).await);
    }
    findings
}

/// A client that trusts this authority beside the system's.
fn client(chain: &str) -> reqwest::Result<Client> {
    Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .tls_certs_merge(reqwest::Certificate::from_pem_bundle(chain.as_bytes())?)
        .build()
}

async fn reached(http: &Client, server: &ServerDescription) -> Finding {
    let base = &server.base_url;
    match http.get(format!("{base}/probe")).send().await {
        Ok(answer) if answer.status().is_success() => {
            Finding::well("address", format!("{base} is reached from here."))
        }
        Ok(answer) => Finding::problem(
            "address",
            format!("{base}/probe answers HTTP {}.", answer.status()),
            "Open that address: it says what is wrong. Else look at DNS and proxies.",
        ),
        Err(error) => Finding::problem(
            "address",
            format!("{base} is not reached from here: {}.", cause(&error)),
            "Look at DNS, proxies and firewalls: clients cannot ask for status.",
        ),
    }
}

/// Asks about the authority's own certificate where it certified itself, else about the listener's.
async fn ocsp(http: &Client, server: &ServerDescription, ca: &Certificate) -> Option<Finding> {
    let about = if ca.is_self_signed() {
        ca.clone()
    } else {
        let file = server.tls_certificate_file.as_ref()?;
        network::certificate(file).ok().filter(|one| one.issuer().matches(ca.subject()))?
    };
    let nonce = lanyard_authority::entropy::random(&*World::real().entropy);
    let url = server.ocsp_url.parse().ok()?;
    let url_text = &server.ocsp_url;
    let fix = "Look at the server's log.";
    Some(match ask(http, url, &about, ca, nonce, SystemClock.now()).await {
        Ok(said) if said.status == CertStatus::Good => {
            Finding::well("OCSP", format!("{url_text} answers, signed as it should be."))
        }
        Ok(said) => {
            let text = format!("{url_text} answers {:?} for {}.", said.status, about.subject());
            Finding::problem("OCSP", text, fix)
        }
        Err(error) => Finding::problem("OCSP", format!("{error}."), fix),
    })
}

async fn crl(http: &Client, server: &ServerDescription, ca: &Certificate) -> Finding {
    let fetched = async {
        let answer = http.get(&server.crl_url).send().await?.error_for_status()?;
        answer.bytes().await
    };
    let fix = "Look at the server's log.";
    let octets = match fetched.await {
        Ok(octets) => octets,
        Err(error) => {
            let text = format!("The list cannot be fetched: {}.", cause(&error));
            return Finding::problem("CRL", text, fix);
        }
    };
    let crl = match Crl::from_der(&octets) {
        Ok(crl) => crl,
        Err(error) => {
            return Finding::problem("CRL", format!("The list cannot be read: {error}."), fix);
        }
    };
    if !ca.public_key().is_ok_and(|key| crl.verify_signed_by(key).is_ok()) {
        return Finding::problem("CRL", "The list is not signed by the authority.", fix);
    }
    let fix = "The server should make a new one: look at its log.";
    freshness(crl.this_update(), crl.next_update(), SystemClock.now(), fix)
}

/// A list is made anew long before its end.
pub(super) fn freshness(made: Time, end: Option<Time>, now: Time, fix: &str) -> Finding {
    let Some(end) = end else {
        return Finding::problem("CRL", "The list does not say until when it is valid.", fix);
    };
    let text = format!("The list of {made} is valid until {end}.");
    let validity = end.seconds_since(made);
    match end.seconds_since(now) {
        left if left < 0 => Finding::problem("CRL", text, fix),
        left if left < validity / 4 => Finding::warning("CRL", text, fix),
        _ => Finding::well("CRL", text),
    }
}

/// What clients are told to encrypt to at an endpoint, and how long it is valid.
async fn scep(http: &Client, door: &EnrollmentDoor, ca: &Certificate) -> Option<Finding> {
    let text = &door.url;
    let url = text.parse().ok()?;
    let known = hex::encode(ca.fingerprint_sha256());
    let announced = match ScepServer::discover(http.clone(), url, Some(&known)).await {
        Ok(announced) => announced,
        Err(error) => {
            let text = format!("{text}: {error}.");
            return Some(Finding::problem("SCEP", text, "Look at the server's log."));
        }
    };
    let Some(recipient) = announced.authority().encryption() else {
        let text = format!("{text} announces nothing that clients can encrypt to.");
        return Some(Finding::problem("SCEP", text, "Set scep.identity to automatic."));
    };
    if recipient == ca {
        let text = format!("{text} answers; clients encrypt to the authority itself.");
        return Some(Finding::well("SCEP", text));
    }
    let end = recipient.not_after();
    let text =
        format!("{text} answers; clients encrypt to {}, valid until {end}.", recipient.subject());
    let fix = "The server should have renewed it: look at its log.";
    Some(match end.seconds_since(SystemClock.now()) {
        left if left < 0 => Finding::problem("SCEP", text, fix),
        left if left < OVERDUE => Finding::warning("SCEP", text, fix),
        _ => Finding::well("SCEP", text),
    })
}

/// The innermost cause: the outer ones repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_list_that_nobody_makes_anew_is_noticed_before_its_end() {
        let (made, end) = (Time::from_unix(0), Some(Time::from_unix(400)));
        let state = |now: i64| freshness(made, end, Time::from_unix(now), "").state;
        assert_eq!(state(300), State::Well);
        assert_eq!(state(301), State::Warning);
        assert_eq!(state(400), State::Warning);
        assert_eq!(state(401), State::Problem);
        assert_eq!(freshness(made, None, made, "").state, State::Problem);
    }
}
