//! The profiles that come with Lanyard.

use super::{NameKind, Profile, StatusCheck, SubjectRule};
use crate::{
    Oid,
    extension::{BasicConstraints, KeyUsages},
    oid,
};
use std::borrow::Cow;

/// What an authority's key does beside signing certificates and CRLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorityKey {
    /// Signs OCSP answers too.
    Issues,
    /// Receives and answers SCEP messages too: clients look for these usages in the certificate that they
    /// encrypt to, and Intune and Jamf expect the authority itself.
    IssuesAndEnrolls,
}

const SIGN: KeyUsages = KeyUsages::DIGITAL_SIGNATURE;
const SIGN_AND_ENCIPHER: KeyUsages = SIGN.union(KeyUsages::KEY_ENCIPHERMENT);
const ISSUE: KeyUsages = KeyUsages::KEY_CERT_SIGN.union(KeyUsages::CRL_SIGN).union(SIGN);

impl Profile {
    fn authority(name: &'static str, path_len: Option<u8>, key: AuthorityKey) -> Self {
        let key_usages = match key {
            AuthorityKey::Issues => ISSUE,
            AuthorityKey::IssuesAndEnrolls => ISSUE.union(KeyUsages::KEY_ENCIPHERMENT),
        };
        Self {
            name: Cow::Borrowed(name),
            key_usages,
            extended_key_usages: Vec::new(),
            constraints: BasicConstraints::Authority { path_len },
            subject: SubjectRule::Required,
            alt_names: Vec::new(),
            status: StatusCheck::Checked,
        }
    }

    fn end_entity(
        name: &'static str,
        key_usages: KeyUsages,
        extended_key_usages: &[Oid],
        alt_names: &[NameKind],
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            key_usages,
            extended_key_usages: extended_key_usages.to_vec(),
            constraints: BasicConstraints::EndEntity,
            subject: SubjectRule::Optional,
            alt_names: alt_names.to_vec(),
            status: StatusCheck::Checked,
        }
    }

    /// A root: it signs itself.
    pub fn root_authority(key: AuthorityKey) -> Self {
        Self::authority("root authority", None, key)
    }

    /// An authority below another; `path_len` is how many may come below it.
    pub fn subordinate_authority(path_len: Option<u8>, key: AuthorityKey) -> Self {
        Self::authority("subordinate authority", path_len, key)
    }

    /// The authority of a proxy that inspects TLS: none below it, TLS servers only.
    pub fn tls_inspection_authority() -> Self {
        Self {
            extended_key_usages: vec![oid::SERVER_AUTH],
            ..Self::authority("TLS inspection", Some(0), AuthorityKey::Issues)
        }
    }

    /// A delegated OCSP responder (RFC 6960, 4.2.2.2).
    pub fn ocsp_responder() -> Self {
        Self {
            subject: SubjectRule::Required,
            status: StatusCheck::NoCheck,
            ..Self::end_entity("OCSP responder", SIGN, &[oid::OCSP_SIGNING], &[])
        }
    }

    /// A registration authority that receives and answers SCEP messages (RFC 8894, 2.1.2). It names no
    /// purpose: clients that check CMS signatures by the rules of S/MIME refuse one that they do not
    /// know.
    pub fn scep_registration_authority() -> Self {
        Self {
            subject: SubjectRule::Required,
            ..Self::end_entity("SCEP registration authority", SIGN_AND_ENCIPHER, &[], &[])
        }
    }

    /// A TLS server.
    pub fn tls_server() -> Self {
        let names = [NameKind::Dns, NameKind::Ip, NameKind::Uri];
        Self::end_entity("TLS server", SIGN_AND_ENCIPHER, &[oid::SERVER_AUTH], &names)
    }

    /// A TLS client with any names.
    pub fn client() -> Self {
        Self::end_entity("client", SIGN_AND_ENCIPHER, &[oid::CLIENT_AUTH], &NameKind::ALL)
    }

    /// A device.
    pub fn device() -> Self {
        let names = [NameKind::Dns, NameKind::Uri, NameKind::Upn, NameKind::Email, NameKind::Ip];
        Self::end_entity("device", SIGN_AND_ENCIPHER, &[oid::CLIENT_AUTH], &names)
    }

    /// A person's certificate on a device.
    pub fn user() -> Self {
        let names = [NameKind::Upn, NameKind::Email, NameKind::Uri];
        Self::end_entity("user", SIGN_AND_ENCIPHER, &[oid::CLIENT_AUTH], &names)
    }

    /// A person's certificate for signing in to Windows with a smart card or security key.
    pub fn smart_card_user() -> Self {
        let purposes = [oid::CLIENT_AUTH, oid::MS_SMARTCARD_LOGON];
        let names = [NameKind::Upn, NameKind::Email, NameKind::Uri];
        Self::end_entity("smart card user", SIGN_AND_ENCIPHER, &purposes, &names)
    }

    /// A domain controller: Kerberos key distribution centre and TLS server.
    pub fn domain_controller() -> Self {
        let purposes = [oid::SERVER_AUTH, oid::CLIENT_AUTH, oid::MS_SMARTCARD_LOGON, oid::KDC];
        let names = [NameKind::Dns, NameKind::OtherName, NameKind::Uri];
        Self::end_entity("domain controller", SIGN_AND_ENCIPHER, &purposes, &names)
    }

    /// A RADIUS server for EAP-TLS.
    pub fn radius_server() -> Self {
        let names = [NameKind::Dns, NameKind::Ip];
        Self::end_entity("RADIUS server", SIGN_AND_ENCIPHER, &[oid::SERVER_AUTH], &names)
    }

    /// Signing programs.
    pub fn code_signing() -> Self {
        Self {
            subject: SubjectRule::Required,
            ..Self::end_entity("code signing", SIGN, &[oid::CODE_SIGNING], &[NameKind::Email])
        }
    }

    /// Signing documents (RFC 9336), also for readers that look for the vendors' older purposes.
    pub fn document_signing() -> Self {
        let purposes =
            [oid::DOCUMENT_SIGNING, oid::MS_DOCUMENT_SIGNING, oid::ADOBE_DOCUMENT_SIGNING];
        let usages = SIGN.union(KeyUsages::NON_REPUDIATION);
        Self {
            subject: SubjectRule::Required,
            ..Self::end_entity("document signing", usages, &purposes, &[NameKind::Email])
        }
    }
}
