//! Checking a CA certificate that another CA issued: the right key and name, a CA's, valid, and a chain that holds.

use lanyard_pki::certificate::Certificate;
use lanyard_pki::extension::KeyUsages;
use lanyard_pki::{Name, PublicKey, Time};
use lanyard_store::CaId;

use super::CaError;

/// What was checked: the CA's certificate, and those above it up to the root.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) certificate: Certificate,
    pub(super) chain: Vec<Certificate>,
}

/// Reads certificates in any order, as operators get them.
pub(super) fn read(ders: &[Vec<u8>]) -> Result<Vec<Certificate>, CaError> {
    ders.iter()
        .zip(1..)
        .map(|(der, position)| {
            Certificate::from_der(der).map_err(|fault| CaError::Unreadable { position, fault })
        })
        .collect()
}

/// Finds the certificate for `key` and checks it with its chain at `now`.
pub(super) fn check(
    ca: CaId,
    key: &PublicKey,
    requested: &Name,
    given: &[Certificate],
    now: Time,
) -> Result<Checked, CaError> {
    if given.is_empty() {
        return Err(CaError::NoCertificate);
    }
    let certificate = given
        .iter()
        .find(|one| one.spki_der() == key.spki_der())
        .ok_or(CaError::ForeignKey(ca))?
        .clone();
    if !certificate.subject().matches(requested) {
        let (found, requested) = (certificate.subject().to_string(), requested.to_string());
        return Err(CaError::ForeignName { found, requested });
    }
    check_authority(&certificate, now)?;
    let chain = climb(&certificate, given, now)?;
    Ok(Checked { certificate, chain })
}

fn check_authority(certificate: &Certificate, now: Time) -> Result<(), CaError> {
    if !certificate.is_authority() {
        return Err(CaError::NotAuthority);
    }
    let usages =
        certificate.key_usage().map_err(|fault| CaError::Unreadable { position: 1, fault })?;
    if let Some(usages) = usages {
        if !usages.contains(KeyUsages::KEY_CERT_SIGN) {
            return Err(CaError::KeyUsage("signing certificates (keyCertSign)"));
        }
        if !usages.contains(KeyUsages::CRL_SIGN) {
            return Err(CaError::KeyUsage("signing CRLs (cRLSign)"));
        }
    }
    if !certificate.is_valid_at(now) {
        let (from, to) = (certificate.not_before(), certificate.not_after());
        return Err(CaError::NotValid { from, to, now });
    }
    Ok(())
}

/// The certificates above `start`, its issuer first, ending with a root.
fn climb(
    start: &Certificate,
    given: &[Certificate],
    now: Time,
) -> Result<Vec<Certificate>, CaError> {
    let mut chain: Vec<Certificate> = Vec::new();
    // No path without a loop is longer than what was given.
    for below in 0..given.len() {
        let last = chain.last().unwrap_or(start);
        if last.is_self_signed() {
            return Ok(chain);
        }
        let issuer = issuer_of(last, given, u8::try_from(below + 1).unwrap_or(u8::MAX), now)?;
        chain.push(issuer);
    }
    match chain.last().unwrap_or(start) {
        last if last.is_self_signed() => Ok(chain),
        last => Err(CaError::ChainEnds { subject: last.subject().to_string() }),
    }
}

/// `below` authorities follow the issuer on the path, `last` among them. Among certificates of the issuer's name, the first whose link holds; else why the last one's does not.
fn issuer_of(
    last: &Certificate,
    given: &[Certificate],
    below: u8,
    now: Time,
) -> Result<Certificate, CaError> {
    let subject = || last.subject().to_string();
    let mut broken = CaError::ChainEnds { subject: subject() };
    let candidates = given.iter().filter(|one| one.subject().matches(last.issuer()));
    for candidate in candidates.filter(|one| *one != last) {
        match last.check_issued_by(candidate, below, now) {
            Ok(()) => return Ok(candidate.clone()),
            Err(fault) => broken = CaError::BrokenLink { subject: subject(), fault },
        }
    }
    Err(broken)
}
