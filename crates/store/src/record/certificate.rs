//! Certificates: what is recorded before one leaves, and what is read back.

use lanyard_lifecycle::{
    binding::Binding,
    id::{EndpointId, Scope},
    kind::{Kind, Source},
    revocation::Standing,
    verdict::Rule,
};
use lanyard_pki::{SerialNumber, Time};

use super::{CaId, CrlPartition, Enrollment, NewNotice};

/// A certificate that was signed and is not known to anybody yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCertificate {
    /// Unique in the whole installation, whatever the CA.
    pub serial: SerialNumber,
    /// The CA whose key signed.
    pub ca: CaId,
    /// The CRL partition that its distribution point names.
    pub crl_partition: CrlPartition,
    /// Who owns it.
    pub scope: Scope,
    /// Its kind and the object that it is tethered to.
    pub binding: Binding,
    /// The channel that it is issued through.
    pub source: Source,
    /// The endpoint that it is issued at.
    pub endpoint: EndpointId,
    /// The profile's name.
    pub profile: String,
    /// What it says about its holder.
    pub names: Names,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
    /// Start of validity.
    pub not_before: Time,
    /// End of validity.
    pub not_after: Time,
    /// Now, by the caller's clock.
    pub issued_at: Time,
    /// The certificate itself.
    pub der: Vec<u8>,
    /// How much is kept.
    pub keep: Keep,
    /// When it is first to be judged although nobody says anything new of its object; none is never.
    pub due: Option<Time>,
    /// What a directory has to be told of it. It is recorded if the certificate is.
    pub notice: Option<Box<NewNotice>>,
}

/// What a certificate says about its holder, as text for people and for the search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The subject in RFC 4514 form.
    pub subject: Option<String>,
    /// The subject's common name.
    pub common_name: Option<String>,
    /// The subject alternative names, one text each (`DNS:…`, `URI:…`).
    pub alternative_names: Vec<String>,
    /// The user principal name.
    pub upn: Option<String>,
    /// Who asked for it.
    pub requester: Option<String>,
}

/// How much of a certificate is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All that is known.
    Everything,
    /// What revocation needs: serial, kind, object, dates, endpoint. Names are never written and
    /// the certificate itself is forgotten after `certificate_until`, so that a client that asks
    /// again soon after still gets it.
    RevocationOnly {
        /// When `forget_certificates` may drop the DER.
        certificate_until: Time,
    },
}

/// What came of [`issue_certificate`](crate::Store::issue_certificate).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuance {
    /// Recorded, and durable.
    Issued,
    /// Another certificate has the serial number: draw another. Nothing was recorded.
    SerialTaken,
    /// The transaction was claimed before. Nothing was recorded.
    TransactionExists(Box<Enrollment>),
    /// The request that was to be approved is unknown. Nothing was recorded.
    NoSuchRequest,
}

/// A certificate in lists: all but its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its serial number.
    pub serial: SerialNumber,
    /// The CA that issued it.
    pub ca: CaId,
    /// The CRL partition that its distribution point names.
    pub crl_partition: CrlPartition,
    /// Who owns it.
    pub scope: Scope,
    /// Its kind and the object that it is tethered to.
    pub binding: Binding,
    /// The channel that it was issued through.
    pub source: Source,
    /// The endpoint that it was issued at.
    pub endpoint: EndpointId,
    /// The profile's name.
    pub profile: String,
    /// What it says about its holder; empty where only revocation data is kept.
    pub names: Names,
    /// Start of validity.
    pub not_before: Time,
    /// End of validity.
    pub not_after: Time,
    /// When it was recorded.
    pub issued_at: Time,
    /// Good, on hold or revoked, as recorded: by hand and by rule.
    pub standing: Standing,
    /// Who put it on hold or revoked it by hand.
    pub revoked_by: Option<String>,
    /// The rule that has put it on hold or revoked it, beside or instead.
    pub rule: Option<Rule>,
    /// When its standing was last recorded (`since` in the standing is the time that it counts from).
    pub revocation_recorded_at: Option<Time>,
    /// Since when the key is thought to be compromised or the holder gone (RFC 5280 5.3.2).
    pub invalidity_date: Option<Time>,
}

/// A certificate, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// All but its bytes.
    pub summary: Summary,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub spki_sha256: Option<[u8; 32]>,
    /// SHA-256 of the certificate.
    pub fingerprint: Option<[u8; 32]>,
    /// The certificate, while it is kept.
    pub der: Option<Vec<u8>>,
}

/// How many issued certificates there are of one kind and standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// The kind.
    pub kind: Kind,
    /// Issued and neither on hold nor revoked; expired ones are among them.
    pub good: u64,
    /// On hold.
    pub on_hold: u64,
    /// Revoked.
    pub revoked: u64,
}
