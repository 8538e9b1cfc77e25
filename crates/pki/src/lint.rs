//! Judging a finished certificate by the rules of RFC 5280, whoever built it.
//!
//! Lanyard lints each certificate before it is signed with the real key. The rules look at the final DER,
//! so that a mistake anywhere before shows here. Policy (names allowed, validity) is decided elsewhere.

mod canonical;
mod extensions;
mod fields;
mod names;
mod usages;

use crate::{Certificate, PublicKey, SerialNumber, Unsigned, extension::BasicConstraints};
use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Works, but somebody may stumble over it.
    Warning,
    /// Must not be issued.
    Error,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable name of the rule.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What, in words.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{severity}: {} ({})", self.text, self.rule)
    }
}

/// What the certificate was meant to be.
#[derive(Debug, Clone, Copy)]
pub struct Expectations<'a> {
    /// Authority or end entity.
    pub constraints: BasicConstraints,
    /// The key that it should certify.
    pub public_key: &'a PublicKey,
    /// The serial number that it should have.
    pub serial: &'a SerialNumber,
}

/// Collects findings.
struct Report(Vec<Finding>);

impl Report {
    fn error(&mut self, rule: &'static str, text: impl fmt::Display) {
        self.0.push(Finding { rule, severity: Severity::Error, text: text.to_string() });
    }

    fn warning(&mut self, rule: &'static str, text: impl fmt::Display) {
        self.0.push(Finding { rule, severity: Severity::Warning, text: text.to_string() });
    }

    /// An error unless it holds. The text is put together only then: most certificates are good.
    fn require(&mut self, holds: bool, rule: &'static str, text: impl fmt::Display) {
        if !holds {
            self.error(rule, text);
        }
    }
}

/// What is wrong with a certificate. `issuer` is the certificate that signs it, itself for a root;
/// without one, what depends on it is not judged. The signature is not checked.
pub fn lint(
    der: &[u8],
    issuer: Option<&Certificate>,
    expected: Option<&Expectations<'_>>,
) -> Vec<Finding> {
    let mut report = Report(Vec::new());
    let certificate = match Certificate::from_der(der) {
        Ok(certificate) => certificate,
        Err(fault) => {
            report.error("readable", format_args!("the certificate cannot be read: {fault}"));
            return report.0;
        }
    };
    canonical::check(&certificate, &mut report);
    fields::check(&certificate, issuer, &mut report);
    names::check_subject(&certificate, &mut report);
    extensions::check(&certificate, issuer, &mut report);
    usages::check(&certificate, &mut report);
    names::check_alt_names(&certificate, &mut report);
    if let Some(expected) = expected {
        compare(&certificate, expected, &mut report);
    }
    report.0
}

/// [`lint`] before the signature is made: the certificate is judged as if it were signed.
pub fn lint_unsigned(
    unsigned: &Unsigned<Certificate>,
    issuer: Option<&Certificate>,
    expected: Option<&Expectations<'_>>,
) -> Vec<Finding> {
    lint(&unsigned.clone().assemble(&[]), issuer, expected)
}

/// Whether nothing among `findings` forbids to issue.
pub fn may_be_issued(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity < Severity::Error)
}

fn compare(certificate: &Certificate, expected: &Expectations<'_>, report: &mut Report) {
    report.require(
        certificate.basic_constraints() == Ok(expected.constraints),
        "constraints-as-decided",
        "the basic constraints are not those that were decided",
    );
    report.require(
        certificate.spki_der() == expected.public_key.spki_der(),
        "key-as-requested",
        "the certified key is not the requested one",
    );
    report.require(
        certificate.serial() == expected.serial,
        "serial-as-reserved",
        format_args!("the serial number {} is not the reserved one", certificate.serial()),
    );
}

#[cfg(test)]
mod tests;
