//! Writing the to-be-signed part of a certificate.

use super::{CertificateInput, Profile, ProfileError, StatusCheck, SubjectRule};
use crate::{
    Certificate, Extension, Extensions, GeneralName, Oid, Unsigned,
    extension::{
        AuthorityInfoAccess, AuthorityKeyIdentifier, CertificatePolicies, Criticality,
        CrlDistributionPoints, ExtendedKeyUsage, ExtensionValue, KeyUsages, OcspNoCheck,
        SubjectAltName, SubjectKeyIdentifier,
    },
    oid,
    tlv::Writer,
};

use Criticality::{Critical, NonCritical};

impl Profile {
    /// The certificate that says `input`, to be signed by its issuer.
    pub fn certificate(
        &self,
        input: &CertificateInput<'_>,
    ) -> Result<Unsigned<Certificate>, ProfileError> {
        if !input.serial.conforms() {
            return Err(ProfileError::Serial(input.serial.clone()));
        }
        let (not_before, not_after) = (input.not_before, input.not_after);
        if not_after < not_before {
            return Err(ProfileError::Validity { not_before, not_after });
        }
        let extensions = self.extensions(input)?;
        let tbs = Writer::sequence_of(|w| {
            w.context(0, |w| w.small_integer(2));
            w.serial_number(&input.serial);
            w.raw(&input.signature_algorithm.identifier());
            w.raw(input.issuer.subject.as_der());
            w.sequence(|w| {
                w.time(not_before);
                w.time(not_after);
            });
            w.raw(input.subject.sorted().as_der());
            w.raw(input.public_key.spki_der());
            w.context(3, |w| extensions.write(w));
        });
        Ok(Unsigned::new(tbs, input.signature_algorithm))
    }

    fn extensions(&self, input: &CertificateInput<'_>) -> Result<Extensions, ProfileError> {
        let mut list = Extensions::none();
        if self.is_authority() {
            list.push(self.constraints.extension(Critical));
        }
        list.push(self.decided_usages(input)?.extension(Critical));
        let purposes = input.extended_key_usages.as_ref().unwrap_or(&self.extended_key_usages);
        if purposes.contains(&oid::OCSP_SIGNING) && self.status != StatusCheck::NoCheck {
            return Err(ProfileError::OcspSigning);
        }
        if !purposes.is_empty() {
            list.push(ExtendedKeyUsage(distinct(purposes)).extension(NonCritical));
        }
        let key_identifier = input.public_key.key_identifier().to_vec();
        list.push(SubjectKeyIdentifier(key_identifier).extension(NonCritical));
        let issuer = AuthorityKeyIdentifier::of_key(input.issuer.key_identifier);
        list.push(issuer.extension(NonCritical));
        if let Some(names) = self.alt_names(input)? {
            list.push(names);
        }
        if !input.policies.is_empty() {
            list.push(CertificatePolicies(distinct(&input.policies)).extension(NonCritical));
        }
        self.push_places(input, &mut list)?;
        for extra in &input.extra_extensions {
            if is_written_here(extra.oid) || list.get(extra.oid).is_some() {
                return Err(ProfileError::Extension(extra.oid));
            }
            list.push(extra.clone());
        }
        Ok(list)
    }

    /// The usages that were decided, or the profile's, as far as the key can be used for them.
    fn decided_usages(&self, input: &CertificateInput<'_>) -> Result<KeyUsages, ProfileError> {
        const AUTHORITY: KeyUsages = KeyUsages::KEY_CERT_SIGN.union(KeyUsages::CRL_SIGN);
        let wanted = input.key_usages.unwrap_or(self.key_usages);
        let reserved = wanted.intersection(AUTHORITY);
        if !self.is_authority() && !reserved.is_empty() {
            return Err(ProfileError::AuthorityUsage(reserved));
        }
        let usages = Self::usages_for(wanted, input.public_key);
        let missing = self.is_authority() && !usages.contains(KeyUsages::KEY_CERT_SIGN);
        if usages.is_empty() || missing {
            return Err(ProfileError::KeyUsage(wanted));
        }
        Ok(usages)
    }

    /// The alternative names, critical where they are all that names the subject (RFC 5280, 4.2.1.6).
    fn alt_names(&self, input: &CertificateInput<'_>) -> Result<Option<Extension>, ProfileError> {
        let names = distinct(&input.subject_alt_names);
        for name in &names {
            if !self.carries(name) {
                let (profile, name) = (self.name.clone(), name.to_string());
                return Err(ProfileError::AltName { profile, name });
            }
            check_text(name)?;
        }
        match (input.subject.is_empty(), self.subject) {
            (true, SubjectRule::Required) => Err(ProfileError::SubjectMissing(self.name.clone())),
            (true, _) if names.is_empty() => Err(ProfileError::Nameless),
            (_, _) if names.is_empty() => Ok(None),
            (true, _) => Ok(Some(SubjectAltName(names).extension(Critical))),
            (false, _) => Ok(Some(SubjectAltName(names).extension(NonCritical))),
        }
    }

    /// Where status and issuer are found.
    fn push_places(
        &self,
        input: &CertificateInput<'_>,
        list: &mut Extensions,
    ) -> Result<(), ProfileError> {
        let urls = input.ocsp_urls.iter().chain(&input.ca_issuer_urls).chain(&input.crl_urls);
        for url in urls {
            check_ascii(url)?;
        }
        let checked = self.status == StatusCheck::Checked;
        let access = AuthorityInfoAccess {
            ocsp: if checked { input.ocsp_urls.clone() } else { Vec::new() },
            ca_issuers: input.ca_issuer_urls.clone(),
        };
        if access != AuthorityInfoAccess::default() {
            list.push(access.extension(NonCritical));
        }
        if checked && !input.crl_urls.is_empty() {
            let points = CrlDistributionPoints::of_urls(&input.crl_urls);
            list.push(points.extension(NonCritical));
        }
        if !checked {
            list.push(OcspNoCheck.extension(NonCritical));
        }
        Ok(())
    }
}

/// Extensions that an extra one may never stand in for: all of X.509 and PKIX.
fn is_written_here(oid: Oid) -> bool {
    const CERTIFICATE_EXTENSION: &[u8] = &[0x55, 0x1d];
    const PKIX: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07];
    let octets = oid.as_bytes();
    octets.starts_with(CERTIFICATE_EXTENSION) || octets.starts_with(PKIX)
}

fn check_text(name: &GeneralName) -> Result<(), ProfileError> {
    match (name.ia5_text(), name.as_upn()) {
        (Some(text), _) => check_ascii(text),
        (None, Some(upn)) if upn.is_empty() => Err(ProfileError::Text(upn)),
        _ => Ok(()),
    }
}

fn check_ascii(text: &str) -> Result<(), ProfileError> {
    let good = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic());
    if good { Ok(()) } else { Err(ProfileError::Text(text.to_owned())) }
}

/// The list without what it repeats, in its order.
fn distinct<T: PartialEq + Clone>(list: &[T]) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(list.len());
    for item in list {
        if !kept.contains(item) {
            kept.push(item.clone());
        }
    }
    kept
}
