//! Which names are certified: their forms, lengths and characters.
//!
//! Whether a name belongs to whoever asks is not decided here.

use lanyard_pki::name::Attribute;
use lanyard_pki::{GeneralName, Name, Oid, oid};

use crate::refusal::{NameFault, NamePart, Refusal};

/// A form of subject alternative name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameForm {
    /// A DNS name.
    Dns,
    /// An e-mail address.
    Email,
    /// A URI.
    Uri,
    /// An IP address.
    Ip,
    /// A user principal name.
    Upn,
    /// A directory name.
    DirectoryName,
    /// A registered object identifier.
    RegisteredId,
    /// An otherName of this type.
    Other(Oid),
}

/// Which names an endpoint certifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameRules {
    /// The forms of alternative names. A Kerberos principal, for one, speaks for an account of a
    /// domain, so that other forms than the usual are listed only where they are meant.
    pub forms: Vec<NameForm>,
    /// How many alternative names a certificate may have.
    pub most: usize,
}

impl Default for NameRules {
    /// DNS names, e-mail addresses, URIs, IP addresses and user principal names; 100 at most.
    fn default() -> Self {
        let forms =
            vec![NameForm::Dns, NameForm::Email, NameForm::Uri, NameForm::Ip, NameForm::Upn];
        Self { forms, most: 100 }
    }
}

/// Upper bounds of RFC 5280 appendix A.1, in characters.
const BOUNDS: [(Oid, usize); 12] = [
    (oid::COMMON_NAME, 64),
    (oid::SURNAME, 64),
    (oid::GIVEN_NAME, 64),
    (oid::SERIAL_NUMBER, 64),
    (oid::ORGANIZATION, 64),
    (oid::ORGANIZATIONAL_UNIT, 64),
    (oid::TITLE, 64),
    (oid::LOCALITY, 128),
    (oid::STATE, 128),
    (oid::DN_QUALIFIER, 64),
    (oid::EMAIL_ADDRESS, 255),
    (oid::COUNTRY, 2),
];
/// For attributes without a bound of their own.
const ATTRIBUTE: usize = 256;
/// Attributes of one subject.
const ATTRIBUTES: usize = 32;
const DNS: usize = 253;
const DNS_LABEL: usize = 63;
const EMAIL: usize = 254;
const URI: usize = 2048;
/// What Active Directory allows.
const UPN: usize = 1024;
/// Octets of an otherName that is not understood.
const OTHER: usize = 1024;

impl NameRules {
    pub(super) fn check(&self, subject: &Name, names: &[GeneralName]) -> Result<(), Refusal> {
        if subject.is_empty() && names.is_empty() {
            return Err(Refusal::NoName);
        }
        let bad = |part| move |fault| Refusal::BadName { part, fault };
        check_subject(subject).map_err(bad(NamePart::Subject))?;
        if names.len() > self.most {
            let fault = NameFault::TooMany { limit: self.most };
            return Err(Refusal::BadName { part: NamePart::AlternativeNames, fault });
        }
        for name in names {
            let (form, part) = form_of(name);
            let Some(form) = form else {
                return Err(bad(part)(NameFault::Malformed));
            };
            if !self.forms.contains(&form) {
                return Err(Refusal::NameNotAllowed { part });
            }
            check_name(name).map_err(bad(part))?;
        }
        Ok(())
    }
}

fn form_of(name: &GeneralName) -> (Option<NameForm>, NamePart) {
    match name {
        GeneralName::Dns(_) => (Some(NameForm::Dns), NamePart::DnsName),
        GeneralName::Email(_) => (Some(NameForm::Email), NamePart::EmailAddress),
        GeneralName::Uri(_) => (Some(NameForm::Uri), NamePart::Uri),
        GeneralName::Ip(_) => (Some(NameForm::Ip), NamePart::IpAddress),
        GeneralName::DirectoryName(_) => (Some(NameForm::DirectoryName), NamePart::DirectoryName),
        GeneralName::RegisteredId(_) => (Some(NameForm::RegisteredId), NamePart::RegisteredId),
        GeneralName::OtherName { oid: oid::MS_UPN, .. } => {
            (Some(NameForm::Upn), NamePart::UserPrincipalName)
        }
        GeneralName::OtherName { oid, .. } => (Some(NameForm::Other(*oid)), NamePart::OtherName),
        GeneralName::Unread(_) => (None, NamePart::OtherName),
    }
}

fn check_subject(subject: &Name) -> Result<(), NameFault> {
    for (count, attribute) in subject.attributes().enumerate() {
        if count == ATTRIBUTES {
            return Err(NameFault::TooMany { limit: ATTRIBUTES });
        }
        check_attribute(&attribute)?;
    }
    Ok(())
}

fn check_attribute(attribute: &Attribute<'_>) -> Result<(), NameFault> {
    let text = attribute.value.exact_text().ok_or(NameFault::Malformed)?;
    let bound = BOUNDS.iter().find(|(oid, _)| *oid == attribute.oid).map(|(_, bound)| *bound);
    check_text(&text, bound.unwrap_or(ATTRIBUTE))?;
    let two_letters = || text.len() == 2 && text.bytes().all(|octet| octet.is_ascii_alphabetic());
    if attribute.oid == oid::COUNTRY && !two_letters() {
        return Err(NameFault::Malformed);
    }
    Ok(())
}

fn check_name(name: &GeneralName) -> Result<(), NameFault> {
    match name {
        GeneralName::Dns(text) => check_dns(text),
        GeneralName::Email(text) => check_email(text),
        GeneralName::Uri(text) => check_uri(text),
        GeneralName::DirectoryName(name) if name.is_empty() => Err(NameFault::Empty),
        GeneralName::DirectoryName(name) => check_subject(name),
        GeneralName::OtherName { oid: oid::MS_UPN, .. } => {
            check_text(&name.as_upn().ok_or(NameFault::Malformed)?, UPN)
        }
        GeneralName::OtherName { value, .. } if value.len() > OTHER => {
            Err(NameFault::TooLong { limit: OTHER })
        }
        GeneralName::OtherName { .. } | GeneralName::Ip(_) | GeneralName::RegisteredId(_) => Ok(()),
        GeneralName::Unread(_) => Err(NameFault::Malformed),
    }
}

fn check_text(text: &str, limit: usize) -> Result<(), NameFault> {
    if text.is_empty() {
        return Err(NameFault::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(NameFault::ControlCharacter);
    }
    if text.chars().count() > limit {
        return Err(NameFault::TooLong { limit });
    }
    Ok(())
}

/// Letters, digits, `-` and `_` in labels of at most 63 (RFC 1123 section 2.1; `_` because Windows
/// hosts have it); `*` as a whole first label of at least three.
fn check_dns(text: &str) -> Result<(), NameFault> {
    check_text(text, DNS)?;
    let host = match text.strip_prefix("*.") {
        Some(rest) if rest.contains('.') => rest,
        Some(_) => return Err(NameFault::Malformed),
        None => text,
    };
    let letter = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
    let sound = |label: &str| {
        let ends = [label.bytes().next(), label.bytes().last()];
        label.len() <= DNS_LABEL
            && ends.into_iter().all(|end| end.is_some_and(letter))
            && label.bytes().all(|octet| letter(octet) || octet == b'-')
    };
    if host.split('.').all(sound) { Ok(()) } else { Err(NameFault::Malformed) }
}

fn check_email(text: &str) -> Result<(), NameFault> {
    check_text(text, EMAIL)?;
    let (local, host) = text.rsplit_once('@').ok_or(NameFault::Malformed)?;
    let sound = !local.is_empty() && local.len() <= 64 && !local.contains(['@', ' ']);
    if !sound || host.starts_with("*.") {
        return Err(NameFault::Malformed);
    }
    check_dns(host).map_err(|_| NameFault::Malformed)
}

/// An absolute URI as far as RFC 5280 section 4.2.1.6 asks: a scheme and something after it,
/// without blanks.
fn check_uri(text: &str) -> Result<(), NameFault> {
    check_text(text, URI)?;
    let (scheme, rest) = text.split_once(':').ok_or(NameFault::Malformed)?;
    let begins = scheme.bytes().next().is_some_and(|octet| octet.is_ascii_alphabetic());
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet);
    let sound = begins && scheme.bytes().all(allowed) && !rest.is_empty() && !text.contains(' ');
    if sound { Ok(()) } else { Err(NameFault::Malformed) }
}

#[cfg(test)]
mod tests;
