//! Each extension by itself: known, as critical as it should be, and in its one encoding.

use super::Report;
use crate::{
    Certificate, DerError, Extension, Oid,
    extension::{
        AuthorityInfoAccess, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies,
        Criticality, CrlDistributionPoints, DistributionPoint, EntraDeviceId, EntraTenantId,
        ExtendedKeyUsage, ExtensionValue, FreshestCrl, KeyUsages, NameConstraints, OcspNoCheck,
        SecurityIdentifier, SubjectAltName, SubjectKeyIdentifier,
    },
    oid::{self, Named},
};

use Criticality::{Critical, NonCritical};

/// Reads a value and writes it again.
type Rewrite = fn(&[u8]) -> Result<Vec<u8>, DerError>;

fn rewrite<T: ExtensionValue>(value: &[u8]) -> Result<Vec<u8>, DerError> {
    Ok(T::read(value)?.extension(NonCritical).value)
}

/// Every extension that a certificate of ours may have, and its criticality where it is always the same.
const KNOWN: &[(Oid, Option<Criticality>, Rewrite)] = &[
    (oid::BASIC_CONSTRAINTS, None, rewrite::<BasicConstraints>),
    (oid::KEY_USAGE, Some(Critical), rewrite::<KeyUsages>),
    (oid::EXTENDED_KEY_USAGE, Some(NonCritical), rewrite::<ExtendedKeyUsage>),
    (oid::SUBJECT_KEY_IDENTIFIER, Some(NonCritical), rewrite::<SubjectKeyIdentifier>),
    (oid::AUTHORITY_KEY_IDENTIFIER, Some(NonCritical), rewrite::<AuthorityKeyIdentifier>),
    (oid::SUBJECT_ALT_NAME, None, rewrite::<SubjectAltName>),
    (oid::CERTIFICATE_POLICIES, Some(NonCritical), rewrite::<CertificatePolicies>),
    (oid::NAME_CONSTRAINTS, Some(Critical), rewrite::<NameConstraints>),
    (oid::CRL_DISTRIBUTION_POINTS, Some(NonCritical), rewrite::<CrlDistributionPoints>),
    (oid::FRESHEST_CRL, Some(NonCritical), rewrite::<FreshestCrl>),
    (oid::AUTHORITY_INFO_ACCESS, Some(NonCritical), rewrite::<AuthorityInfoAccess>),
    (oid::OCSP_NO_CHECK, Some(NonCritical), rewrite::<OcspNoCheck>),
    (oid::MS_SID, Some(NonCritical), rewrite::<SecurityIdentifier>),
    (oid::ENTRA_TENANT_ID, Some(NonCritical), rewrite::<EntraTenantId>),
    (oid::ENTRA_DEVICE_ID, Some(NonCritical), rewrite::<EntraDeviceId>),
];

pub(super) fn check(certificate: &Certificate, issuer: Option<&Certificate>, report: &mut Report) {
    for extension in certificate.extensions() {
        check_one(extension, report);
    }
    check_identifiers(certificate, issuer, report);
    check_places(certificate, report);
}

fn check_one(extension: &Extension, report: &mut Report) {
    let oid = extension.oid;
    let Some((_, criticality, rewrite)) = KNOWN.iter().find(|(known, ..)| *known == oid) else {
        report.error("extension-known", format_args!("extension {oid} is not one of ours"));
        return;
    };
    let name = Named(oid);
    match rewrite(&extension.value) {
        Ok(canonical) => report.require(
            canonical == extension.value,
            "extension-canonical",
            format_args!("{name} is not in its one encoding"),
        ),
        Err(fault) => {
            report.error("extension-readable", format_args!("{name} cannot be read: {fault}"));
        }
    }
    if let Some(expected) = criticality {
        report.require(
            extension.criticality == *expected,
            "extension-criticality",
            format_args!(
                "{name} is {} critical",
                if *expected == Critical { "always" } else { "never" }
            ),
        );
    }
}

fn check_identifiers(certificate: &Certificate, issuer: Option<&Certificate>, report: &mut Report) {
    let subject = certificate.subject_key_identifier().unwrap_or(None);
    let authority = certificate.authority_key_identifier().unwrap_or(None);
    report.require(
        subject.as_ref().is_some_and(|identifier| !identifier.is_empty()),
        "subject-key-identifier",
        "there is no subject key identifier",
    );
    if let (Some(subject), Ok(key)) = (&subject, certificate.public_key())
        && subject[..] != key.key_identifier()
    {
        report.error("subject-key-identifier", "the subject key identifier is of another key");
    }
    let stated = authority.and_then(|authority| authority.key_identifier);
    let Some(stated) = stated else {
        report.error("authority-key-identifier", "there is no authority key identifier");
        return;
    };
    if let Some(Ok(Some(expected))) = issuer.map(Certificate::subject_key_identifier) {
        report.require(
            stated == expected,
            "authority-key-identifier",
            "the authority key identifier is not the issuer's subject key identifier",
        );
    }
}

/// Places are URLs that relying parties can follow.
fn check_places(certificate: &Certificate, report: &mut Report) {
    let (Ok(access), Ok(points)) =
        (certificate.authority_info_access(), certificate.crl_distribution_points())
    else {
        return; // reported above
    };
    let present = |oid| certificate.extensions().get(oid).is_some();
    report.require(
        !present(oid::AUTHORITY_INFO_ACCESS) || access != AuthorityInfoAccess::default(),
        "access-present",
        "there is no place in the authority information access",
    );
    let points_at: Vec<&str> = points.0.iter().flat_map(DistributionPoint::urls).collect();
    report.require(
        !present(oid::CRL_DISTRIBUTION_POINTS) || !points_at.is_empty(),
        "points-present",
        "there is no place in the CRL distribution points",
    );
    let all = access.ocsp.iter().chain(&access.ca_issuers).map(String::as_str).chain(points_at);
    for url in all {
        let known = ["http://", "https://", "ldap://", "ldaps://"];
        let followed = known.iter().any(|scheme| {
            url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
                && url.len() > scheme.len()
        });
        report.require(followed, "place-url", format_args!("{url:?} is not a URL to follow"));
        if url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://")) {
            // Checking the server's certificate may need the very answer that is fetched here.
            report.warning("place-https", format_args!("{url} is fetched over TLS (RFC 5280, 8)"));
        }
    }
}
