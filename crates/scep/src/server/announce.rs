//! GetCACert and GetNextCACert (RFC 8894, 4.2 and 4.7).

use lanyard_pki::{
    Certificate, SignatureAlgorithm,
    cms::{CertificateId, SigningInput, UnsignedMessage, certificates_only},
    oid,
};

use crate::operation::content_type;

/// The answer to GetCACert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaCertAnswer {
    /// Its content type.
    pub content_type: &'static str,
    /// Its body.
    pub body: Vec<u8>,
}

/// Announces `certificates`: one goes out as it is, several as degenerate signed data in their order.
///
/// The first one is the one to encrypt to, as clients take the first that can: the registration
/// authority if there is one, then the authority, then what is above it.
#[must_use]
pub fn ca_certificates(certificates: &[&[u8]]) -> CaCertAnswer {
    match certificates {
        [only] => CaCertAnswer { content_type: content_type::CA_CERT, body: only.to_vec() },
        several => CaCertAnswer {
            content_type: content_type::CA_RA_CERT,
            body: certificates_only(several, &[]),
        },
    }
}

/// Announces the certificates of the next authority (type
/// [`content_type::NEXT_CA_CERT`]), to be signed by the present one with `algorithm`.
#[must_use]
pub fn next_ca_certificates(
    certificates: &[&[u8]],
    present: &Certificate,
    algorithm: SignatureAlgorithm,
) -> UnsignedMessage {
    let content = certificates_only(certificates, &[]);
    UnsignedMessage::new(SigningInput {
        content_type: oid::DATA,
        content: Some(&content),
        certificates: &[present.as_der()],
        signer: CertificateId::of(present),
        algorithm,
        attributes: Vec::new(),
    })
}
