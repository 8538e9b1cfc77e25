//! Serial number, algorithm, validity, issuer and key.

use super::Report;
use crate::{
    Certificate, Digest, KeyAlgorithm, PublicKey, Time,
    tlv::{Reader, Tag},
};

pub(super) fn check(certificate: &Certificate, issuer: Option<&Certificate>, report: &mut Report) {
    check_serial(certificate, report);
    check_algorithm(certificate, issuer, report);
    check_validity(certificate, issuer, report);
    check_key(certificate, report);
    report.require(
        !certificate.issuer().is_empty(),
        "issuer-named",
        "the issuer has no name (RFC 5280, 4.1.2.4)",
    );
    if let Some(issuer) = issuer {
        report.require(
            certificate.issuer() == issuer.subject(),
            "issuer-as-subject",
            "the issuer is not, octet for octet, the subject of the issuing certificate",
        );
    }
    report.require(
        !has_unique_identifiers(certificate),
        "no-unique-identifiers",
        "unique identifiers are not to be used (RFC 5280, 4.1.2.8)",
    );
}

fn check_serial(certificate: &Certificate, report: &mut Report) {
    let serial = certificate.serial();
    report.require(
        serial.conforms(),
        "serial",
        format_args!("serial number {serial} is not positive or has more than 20 octets"),
    );
    if serial.as_bytes().len() < 8 {
        report.warning("serial-entropy", format_args!("serial number {serial} can be guessed"));
    }
}

fn check_algorithm(certificate: &Certificate, issuer: Option<&Certificate>, report: &mut Report) {
    let algorithm = match certificate.signature_algorithm() {
        Ok(algorithm) => algorithm,
        Err(fault) => return report.error("algorithm", fault),
    };
    if matches!(algorithm.digest(), Some(Digest::Md5 | Digest::Sha1 | Digest::Sha224)) {
        report
            .error("algorithm-strength", format_args!("{algorithm} is too weak for a certificate"));
    }
    if let Some(Ok(key)) = issuer.map(Certificate::public_key) {
        use crate::SignatureAlgorithm as Algorithm;
        let fits = matches!(
            (algorithm, key.algorithm()),
            (Algorithm::RsaPkcs1(_) | Algorithm::RsaPss(_), KeyAlgorithm::Rsa { .. })
                | (
                    Algorithm::Ecdsa(_),
                    KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521
                )
                | (Algorithm::Ed25519, KeyAlgorithm::Ed25519)
        );
        let text = format_args!("the issuer's {} key cannot make {algorithm}", key.algorithm());
        report.require(fits, "algorithm-of-issuer", text);
    }
}

fn check_validity(certificate: &Certificate, issuer: Option<&Certificate>, report: &mut Report) {
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    report.require(not_before <= not_after, "validity-order", "the validity ends before it begins");
    report.require(
        validity_tags(certificate) == Some([tag_for(not_before), tag_for(not_after)]),
        "validity-encoding",
        "a time is not UTCTime up to 2049 and GeneralizedTime from 2050 (RFC 5280, 4.1.2.5)",
    );
    if let Some(issuer) = issuer {
        report.require(
            not_after <= issuer.not_after(),
            "validity-within-issuer",
            format_args!("it outlives its issuer, which ends at {}", issuer.not_after()),
        );
    }
}

fn tag_for(time: Time) -> Tag {
    time.to_der_contents().0
}

/// The types of the two times. The certificate was read before, so that nothing fails here.
fn validity_tags(certificate: &Certificate) -> Option<[Tag; 2]> {
    let mut fields = Reader::entered(certificate.tbs_der(), Tag::SEQUENCE).ok()?;
    fields.context(0).ok()?;
    for tag in [Tag::INTEGER, Tag::SEQUENCE, Tag::SEQUENCE] {
        fields.expect(tag).ok()?;
    }
    let mut validity = fields.sequence().ok()?;
    Some([validity.any().ok()?.tag, validity.any().ok()?.tag])
}

fn has_unique_identifiers(certificate: &Certificate) -> bool {
    let Ok(mut fields) = Reader::entered(certificate.tbs_der(), Tag::SEQUENCE) else {
        return false;
    };
    while let Ok(value) = fields.any() {
        if value.tag == Tag::context(1) || value.tag == Tag::context(2) {
            return true;
        }
    }
    false
}

fn check_key(certificate: &Certificate, report: &mut Report) {
    match certificate.public_key().map(PublicKey::algorithm) {
        Ok(KeyAlgorithm::Rsa { bits }) if bits < 2048 => {
            report.error("key-strength", format_args!("an RSA key of {bits} bits is too weak"));
        }
        Ok(_) => {}
        Err(fault) => report.error("key", fault),
    }
}
