//! Subject and alternative names: string types, lengths and syntax.

use super::Report;
use crate::{
    Certificate, GeneralName, Oid,
    extension::{Criticality, SubjectAltName},
    name::{Keyword, is_printable},
    oid,
    tlv::Tag,
};

/// Upper bounds of RFC 5280, appendix A.1, in characters.
const BOUNDS: &[(Oid, usize)] = &[
    (oid::COMMON_NAME, 64),
    (oid::LOCALITY, 128),
    (oid::STATE, 128),
    (oid::ORGANIZATION, 64),
    (oid::ORGANIZATIONAL_UNIT, 64),
    (oid::TITLE, 64),
    (oid::SERIAL_NUMBER, 64),
    (oid::COUNTRY, 2),
    (oid::EMAIL_ADDRESS, 255),
    (oid::PSEUDONYM, 128),
    (oid::NAME, 32768),
    (oid::SURNAME, 32768),
    (oid::GIVEN_NAME, 32768),
    (oid::INITIALS, 32768),
    (oid::GENERATION_QUALIFIER, 32768),
];

/// The subject is copied from the request as it was signed, so that string types are the client's choice and
/// only worth a warning.
pub(super) fn check_subject(certificate: &Certificate, report: &mut Report) {
    for attribute in certificate.subject().attributes() {
        let (oid, tag) = (attribute.oid, attribute.value.tag());
        let kind = Keyword(oid);
        let Some(text) = attribute.value.exact_text() else {
            report.error("name-string", format_args!("{kind} is not a string that can be read"));
            continue;
        };
        let allowed: &[Tag] = match oid {
            oid::COUNTRY | oid::SERIAL_NUMBER | oid::DN_QUALIFIER => &[Tag::PRINTABLE_STRING],
            oid::DOMAIN_COMPONENT | oid::EMAIL_ADDRESS => &[Tag::IA5_STRING],
            oid::UNSTRUCTURED_NAME => &[Tag::IA5_STRING, Tag::UTF8_STRING, Tag::PRINTABLE_STRING],
            _ => &[Tag::UTF8_STRING, Tag::PRINTABLE_STRING],
        };
        if !allowed.contains(&tag) {
            let text = format_args!("{kind} is a {tag} (RFC 5280, 4.1.2.4)");
            report.warning("name-string-type", text);
        }
        let contents = attribute.value.contents();
        let foreign = match tag {
            Tag::PRINTABLE_STRING => !contents.iter().copied().all(is_printable),
            Tag::IA5_STRING => !contents.is_ascii(),
            _ => false,
        };
        if foreign {
            let text = format_args!("{kind} has characters that a {tag} does not have");
            report.warning("name-string-characters", text);
        }
        report.require(!text.is_empty(), "name-empty", format_args!("{kind} is empty"));
        report.require(
            !text.chars().any(char::is_control),
            "name-control",
            format_args!("{kind} has control characters"),
        );
        let length = text.chars().count();
        if let Some((_, most)) = BOUNDS.iter().find(|(bounded, _)| *bounded == oid)
            && length > *most
        {
            let text = format_args!("{kind} has {length} characters, more than {most}");
            report.warning("name-length", text);
        }
    }
}

pub(super) fn check_alt_names(certificate: &Certificate, report: &mut Report) {
    let empty_subject = certificate.subject().is_empty();
    let Some(extension) = certificate.extensions().get(oid::SUBJECT_ALT_NAME) else {
        report.require(!empty_subject, "named", "there is neither a subject nor a name");
        return;
    };
    report.require(
        (extension.criticality == Criticality::Critical) == empty_subject,
        "alt-name-criticality",
        "alternative names are critical exactly when the subject is empty (RFC 5280, 4.2.1.6)",
    );
    let Ok(Some(SubjectAltName(names))) = certificate.extensions().decode::<SubjectAltName>()
    else {
        return; // reported with the other extensions
    };
    report.require(!names.is_empty(), "alt-name-present", "there is no alternative name in it");
    for name in &names {
        if let Some(fault) = fault_of(name) {
            report.error("alt-name-syntax", format_args!("{name}: {fault}"));
        }
    }
}

/// What is wrong with a name's syntax.
fn fault_of(name: &GeneralName) -> Option<&'static str> {
    let graphic = |text: &str| text.bytes().all(|octet| octet.is_ascii_graphic());
    match name {
        GeneralName::Dns(host) if !is_host(host) => Some("not a host name"),
        GeneralName::Email(address) => {
            let good = graphic(address)
                && address.split_once('@').is_some_and(|(local, domain)| {
                    !local.is_empty() && (is_host(domain) || domain.starts_with('['))
                });
            (!good).then_some("not an e-mail address")
        }
        GeneralName::Uri(uri) => {
            let good = graphic(uri)
                && uri.split_once(':').is_some_and(|(scheme, rest)| {
                    !rest.is_empty()
                        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                        && scheme.bytes().all(|octet| {
                            octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.')
                        })
                });
            (!good).then_some("not an absolute URI")
        }
        GeneralName::OtherName { oid: oid::MS_UPN, .. } => {
            (name.as_upn().is_none_or(|upn| upn.is_empty())).then_some("not a principal name")
        }
        GeneralName::DirectoryName(name) if name.is_empty() => Some("an empty name"),
        GeneralName::Unread(_) => Some("not a name that can be read"),
        _ => None,
    }
}

/// Letters, digits, hyphens and underscores between dots; `*` may be the whole first label. Underscores
/// are beyond RFC 1034 but common in the names of devices.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let host = host.strip_prefix("*.").unwrap_or(host);
    host.len() <= 253 && host.split('.').all(label)
}
