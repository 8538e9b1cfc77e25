//! Key usage, purposes and constraints: with each other and with the key.

use super::Report;
use crate::{
    Certificate, Oid, Profile,
    extension::{BasicConstraints, Criticality, KeyUsages},
    oid::{self, Named},
};

/// Purposes, and the usages of which RFC 5280, 4.2.1.12, wants one.
const CONSISTENT: &[(Oid, KeyUsages)] = &[
    (
        oid::SERVER_AUTH,
        KeyUsages::DIGITAL_SIGNATURE
            .union(KeyUsages::KEY_ENCIPHERMENT)
            .union(KeyUsages::KEY_AGREEMENT),
    ),
    (oid::CLIENT_AUTH, KeyUsages::DIGITAL_SIGNATURE.union(KeyUsages::KEY_AGREEMENT)),
    (oid::CODE_SIGNING, KeyUsages::DIGITAL_SIGNATURE),
    (
        oid::EMAIL_PROTECTION,
        KeyUsages::DIGITAL_SIGNATURE
            .union(KeyUsages::NON_REPUDIATION)
            .union(KeyUsages::KEY_ENCIPHERMENT)
            .union(KeyUsages::KEY_AGREEMENT),
    ),
    (oid::TIME_STAMPING, KeyUsages::DIGITAL_SIGNATURE.union(KeyUsages::NON_REPUDIATION)),
    (oid::OCSP_SIGNING, KeyUsages::DIGITAL_SIGNATURE.union(KeyUsages::NON_REPUDIATION)),
    (oid::DOCUMENT_SIGNING, KeyUsages::DIGITAL_SIGNATURE.union(KeyUsages::NON_REPUDIATION)),
];

pub(super) fn check(certificate: &Certificate, report: &mut Report) {
    let usages = match certificate.key_usage() {
        Ok(Some(usages)) => usages,
        Ok(None) => return report.error("key-usage-present", "there is no key usage"),
        Err(_) => return, // reported with the other extensions
    };
    report.require(!usages.is_empty(), "key-usage-empty", "the key usage has no bit set");
    check_key(certificate, usages, report);
    check_authority(certificate, usages, report);
    check_purposes(certificate, usages, report);
}

fn check_key(certificate: &Certificate, usages: KeyUsages, report: &mut Report) {
    let Ok(key) = certificate.public_key() else { return };
    let unfit = usages.without(Profile::usages_for(usages, key));
    report.require(
        unfit.is_empty(),
        "key-usage-of-key",
        format_args!("a key of kind {} cannot be used for {unfit}", key.algorithm()),
    );
}

fn check_authority(certificate: &Certificate, usages: KeyUsages, report: &mut Report) {
    let signs = usages.contains(KeyUsages::KEY_CERT_SIGN);
    match certificate.basic_constraints() {
        Ok(BasicConstraints::Authority { .. }) => {
            report.require(
                signs,
                "authority-signs",
                "an authority whose key may not sign certificates",
            );
            let extension = certificate.extensions().get(oid::BASIC_CONSTRAINTS);
            let critical = extension.is_some_and(|e| e.criticality == Criticality::Critical);
            report.require(
                critical,
                "authority-critical",
                "an authority's basic constraints are critical (RFC 5280, 4.2.1.9)",
            );
            report.require(
                !certificate.subject().is_empty(),
                "authority-named",
                "an authority has a subject (RFC 5280, 4.1.2.6)",
            );
        }
        Ok(BasicConstraints::EndEntity) => report.require(
            !signs,
            "end-entity-signs",
            "an end entity whose key may sign certificates",
        ),
        Err(_) => {}
    }
}

fn check_purposes(certificate: &Certificate, usages: KeyUsages, report: &mut Report) {
    let Ok(Some(purposes)) = certificate.extended_key_usage() else { return };
    let purposes = purposes.0;
    report.require(!purposes.is_empty(), "purposes-empty", "there is no purpose in it");
    for (at, purpose) in purposes.iter().enumerate() {
        report.require(
            !purposes.iter().take(at).any(|before| before == purpose),
            "purposes-distinct",
            format_args!("purpose {purpose} occurs twice"),
        );
    }
    let authority = certificate.is_authority();
    for (purpose, any_of) in CONSISTENT {
        if purposes.contains(purpose) && !authority {
            let name = Named(*purpose);
            report.require(
                !usages.intersection(*any_of).is_empty(),
                "purposes-consistent",
                format_args!("purpose {name} needs one of the usages {any_of}"),
            );
        }
    }
    let unchecked = certificate.extensions().get(oid::OCSP_NO_CHECK).is_some();
    report.require(
        unchecked == purposes.contains(&oid::OCSP_SIGNING),
        "responder-unchecked",
        "OCSP signing and ocspNoCheck go together in our certificates",
    );
}
