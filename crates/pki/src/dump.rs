//! Readable text of certificates, requests, CRLs, OCSP answers and CMS messages: for `show` commands and for golden
//! tests, in which a change of DER reads as a change of text.
//!
//! Secrets are left out, and no name can break the line that shows it.

mod extension;
mod messages;

pub use messages::{enveloped_data, ocsp_response, signed_data};

use crate::{
    Certificate, CertificationRequest, Crl, Extensions, PublicKey, crl::Entry, key::KeyError, oid,
    oid::Named,
};
use std::fmt::{Display, Write as _};

/// Lines of text, indented by their depth.
#[derive(Default)]
struct Text {
    out: String,
    depth: usize,
}

impl Text {
    fn line(&mut self, line: impl Display) {
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
        // Writing to a String does not fail.
        let _ = writeln!(self.out, "{line}");
    }

    fn field(&mut self, name: impl Display, value: impl Display) {
        self.line(format_args!("{name}: {value}"));
    }

    fn below(&mut self, heading: impl Display, inside: impl FnOnce(&mut Self)) {
        self.line(heading);
        self.depth += 1;
        inside(self);
        self.depth -= 1;
    }
}

/// A value, or why it cannot be read.
fn or_fault<T: Display, E: Display>(value: Result<T, E>) -> String {
    match value {
        Ok(value) => value.to_string(),
        Err(fault) => format!("({fault})"),
    }
}

fn key_text(key: Result<&PublicKey, KeyError>) -> String {
    let known = |key: &PublicKey| {
        format!("{}, SHA-256 {}", key.algorithm(), hex::encode(key.fingerprint()))
    };
    or_fault(key.map(known))
}

fn push_extensions(text: &mut Text, heading: &str, extensions: &Extensions) {
    if !extensions.is_empty() {
        text.below(format_args!("{heading}:"), |text| {
            for extension in extensions {
                extension::push(text, extension);
            }
        });
    }
}

/// A certificate as text.
pub fn certificate(certificate: &Certificate) -> String {
    let mut text = Text::default();
    text.below("certificate", |text| {
        text.field("version", certificate.version());
        text.field("serial", certificate.serial());
        text.field("issuer", certificate.issuer());
        text.field("subject", certificate.subject());
        text.field("not before", certificate.not_before());
        text.field("not after", certificate.not_after());
        text.field("public key", key_text(certificate.public_key()));
        push_extensions(text, "extensions", certificate.extensions());
        text.field("signed with", or_fault(certificate.signature_algorithm()));
        text.field("SHA-256", hex::encode(certificate.fingerprint_sha256()));
        text.field("SHA-1", hex::encode(certificate.fingerprint_sha1()));
    });
    text.out
}

/// A certification request as text. Of a challenge password, only that there is one.
pub fn request(request: &CertificationRequest) -> String {
    let mut text = Text::default();
    text.below("certification request", |text| {
        text.field("subject", request.subject());
        text.field("public key", key_text(Ok(request.public_key())));
        for attribute in request.attributes() {
            match attribute.oid {
                oid::CHALLENGE_PASSWORD => text.line("challengePassword: (not shown)"),
                oid::EXTENSION_REQUEST | oid::MS_CERT_EXTENSIONS => {}
                oid => {
                    let values: Vec<String> = attribute.values.iter().map(hex::encode).collect();
                    text.field(Named(oid), values.join(", "));
                }
            }
        }
        if let Some(validity) = request.requested_validity() {
            text.line(format_args!(
                "requested validity: {} {}",
                validity.count,
                validity.unit.name()
            ));
        }
        match request.requested_extensions() {
            Ok(extensions) => push_extensions(text, "requested extensions", &extensions),
            Err(fault) => text.field("requested extensions", format_args!("({fault})")),
        }
        text.field("signed with", request.signature_algorithm());
        let proof = if request.verify().is_ok() { "good" } else { "BAD" };
        text.field("proof of possession", proof);
    });
    text.out
}

/// A CRL as text, with at most `entries` of its entries.
pub fn crl(crl: &Crl, entries: usize) -> String {
    let mut text = Text::default();
    text.below("certificate revocation list", |text| {
        text.field("issuer", crl.issuer());
        text.field("this update", crl.this_update());
        match crl.next_update() {
            Some(next) => text.field("next update", next),
            None => text.line("next update: (not said)"),
        }
        push_extensions(text, "extensions", crl.extensions());
        let count = crl.entries().count();
        text.below(format_args!("entries: {count}"), |text| {
            for entry in crl.entries().take(entries) {
                text.line(or_fault(entry.map(|entry| entry_text(&entry))));
            }
            if count > entries {
                text.line(format_args!("… and {} more", count - entries));
            }
        });
        text.field("signed with", or_fault(crl.signature_algorithm()));
    });
    text.out
}

fn entry_text(entry: &Entry) -> String {
    let mut line = format!("{} since {}", entry.serial, entry.revoked_at);
    if let Some(reason) = entry.reason {
        let _ = write!(line, ", {reason}");
    }
    if let Some(since) = entry.invalid_since {
        let _ = write!(line, ", invalid since {since}");
    }
    line
}

#[cfg(test)]
mod tests;
