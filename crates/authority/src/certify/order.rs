//! An order: everything that was decided about a certificate, and what it becomes for the profile and for the record.

use std::sync::Arc;

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::binding::Binding;
use lanyard_lifecycle::id::{EndpointId, Scope};
use lanyard_lifecycle::kind::Source;
use lanyard_lifecycle::refusal::{NameFault, NamePart};
use lanyard_pki::extension::{Extension, KeyUsages};
use lanyard_pki::profile::{CertificateInput, Profile, ProfileError};
use lanyard_pki::{GeneralName, Name, Oid, PublicKey, SerialNumber, Time};
use lanyard_store::{CrlPartition, Keep, Names, NewCertificate, NewNotice};

use crate::audit::Actor;
use crate::ca::Ca;

/// The endpoint that the authority's own certificates are recorded with.
pub(crate) const INTERNAL: EndpointId = EndpointId::from_bytes([0; 16]);

/// A certificate that was decided on. Who may have it is not asked any more.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) ca: Arc<Ca>,
    pub(crate) profile: Profile,
    pub(crate) binding: Binding,
    pub(crate) subject: Name,
    pub(crate) alternative_names: Vec<GeneralName>,
    pub(crate) public_key: PublicKey,
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
    pub(crate) key_usages: Option<KeyUsages>,
    pub(crate) extended_key_usages: Option<Vec<Oid>>,
    pub(crate) extensions: Vec<Extension>,
    /// What a directory is to be told of it, but for the certificate itself.
    pub(crate) notice: Option<NewNotice>,
    pub(crate) origin: Origin,
}

/// Where an order comes from, for the record.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) endpoint: EndpointId,
    /// The endpoint's name.
    pub(crate) at: String,
    pub(crate) source: Source,
    pub(crate) scope: Scope,
    pub(crate) keep: Keep,
    pub(crate) requester: Option<String>,
    pub(crate) actor: Actor,
}

impl Origin {
    /// Of the authority's own certificates.
    pub(crate) fn internal(scope: Scope) -> Self {
        Self {
            endpoint: INTERNAL,
            at: "internal".to_owned(),
            source: Source::CertificateMaster,
            scope,
            keep: Keep::Everything,
            requester: None,
            actor: Actor::System,
        }
    }
}

pub(super) fn input(
    order: &Order,
    serial: SerialNumber,
    crl_urls: Vec<String>,
) -> CertificateInput<'_> {
    let publication = &order.ca.publication;
    CertificateInput {
        issuer: order.ca.issuer(),
        serial,
        not_before: order.not_before,
        not_after: order.not_after,
        subject: order.subject.clone(),
        public_key: &order.public_key,
        subject_alt_names: order.alternative_names.clone(),
        key_usages: order.key_usages,
        extended_key_usages: order.extended_key_usages.clone(),
        policies: Vec::new(),
        ocsp_urls: publication.ocsp.clone(),
        ca_issuer_urls: publication.ca_issuers.clone(),
        crl_urls,
        extra_extensions: order.extensions.clone(),
        signature_algorithm: order.ca.signature_algorithm,
    }
}

pub(super) fn record(
    order: &Order,
    serial: SerialNumber,
    crl_partition: CrlPartition,
    names: Names,
    certificate: &[u8],
    now: Time,
) -> NewCertificate {
    NewCertificate {
        serial,
        ca: order.ca.id,
        crl_partition,
        scope: order.origin.scope,
        binding: order.binding,
        source: order.origin.source,
        endpoint: order.origin.endpoint,
        profile: order.profile.name.to_string(),
        names,
        spki_sha256: order.public_key.fingerprint(),
        not_before: order.not_before,
        not_after: order.not_after,
        issued_at: now,
        der: certificate.to_vec(),
        keep: order.origin.keep,
        // Whoever goes through what changes may have passed its object just before it was issued.
        due: order.binding.directory.map(|_| now),
        notice: None,
    }
}

/// What to tell whoever asked for something that no certificate of the profile can say; none where it is no fault of his.
pub(super) fn blamed(error: &ProfileError) -> Option<Refusal> {
    let refusal = match error {
        ProfileError::SubjectMissing(_) | ProfileError::Nameless => Some(Refusal::NoName),
        ProfileError::AltName { .. } => {
            Some(Refusal::NameNotAllowed { part: NamePart::AlternativeNames })
        }
        ProfileError::Text(_) => {
            let (part, fault) = (NamePart::AlternativeNames, NameFault::Malformed);
            Some(Refusal::BadName { part, fault })
        }
        ProfileError::KeyUsage(_) | ProfileError::AuthorityUsage(_) | ProfileError::OcspSigning => {
            Some(Refusal::NoUsage)
        }
        ProfileError::Serial(_) | ProfileError::Validity { .. } | ProfileError::Extension(_) => {
            None
        }
    };
    debug_assert_eq!(refusal.is_some(), error.blames_request(), "{error}");
    refusal
}

/// What the search finds it by; nothing where an organization wants no names stored.
pub(super) fn names(order: &Order) -> Names {
    match order.origin.keep {
        Keep::RevocationOnly { .. } => Names::default(),
        Keep::Everything => Names {
            subject: Some(order.subject.to_string()).filter(|subject| !subject.is_empty()),
            common_name: order.subject.common_name(),
            alternative_names: order.alternative_names.iter().map(ToString::to_string).collect(),
            upn: order.alternative_names.iter().find_map(GeneralName::as_upn),
            requester: order.origin.requester.clone(),
        },
    }
}
