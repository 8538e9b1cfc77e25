//! A CA's certificate and chain in the forms that people and programs ask for.

use lanyard_pki::certificate::Certificate;
use lanyard_pki::cms;
use lanyard_pki::pem;

use super::Ca;

/// A form of export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The certificate and those above it, PEM, in this order.
    Pem,
    /// The certificate alone, DER.
    Der,
    /// All of them in a degenerate SignedData (`.p7c`, RFC 5652), the certificate first.
    Cms,
}

impl Ca {
    /// The certificate, with its chain where the form has room for it.
    pub fn export(&self, form: Form) -> Vec<u8> {
        match form {
            Form::Pem => self
                .path()
                .map(|one| pem::encode(pem::CERTIFICATE, one.as_der()))
                .collect::<String>()
                .into_bytes(),
            Form::Der => self.certificate.as_der().to_vec(),
            Form::Cms => {
                let path: Vec<&[u8]> = self.path().map(Certificate::as_der).collect();
                cms::certificates_only(&path, &[])
            }
        }
    }
}
