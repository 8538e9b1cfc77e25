//! Whether every octet is as DER wants it: one value has one encoding (X.690, 10 and 11).

use super::Report;
use crate::{Certificate, SignatureAlgorithm, tlv::check_canonical};

pub(super) fn check(certificate: &Certificate, report: &mut Report) {
    if let Err(fault) = check_canonical(certificate.as_der()) {
        report.error("der", format_args!("not DER: {fault}"));
    }
    for extension in certificate.extensions() {
        if let Err(fault) = check_canonical(&extension.value) {
            report.error("der", format_args!("extension {} is not DER: {fault}", extension.oid));
        }
    }
    // Elements with a DEFAULT: the version, and the flag of an extension.
    if certificate.version() != 3 {
        let text = format_args!("version {} instead of 3", certificate.version());
        report.error("version", text);
    }
    if let Ok(algorithm) = certificate.signature_algorithm() {
        let expected = algorithm.identifier();
        report.require(
            contains(certificate.tbs_der(), &expected)
                && certificate.algorithms_agree()
                && SignatureAlgorithm::from_identifier(&expected) == Ok(algorithm),
            "algorithm-identifier",
            "the signature algorithm's identifier is not in its published form",
        );
    }
}

fn contains(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}
