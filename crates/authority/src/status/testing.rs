//! What the tests of the status side share: an authority on a temporary store, and a client that asks and checks.

use std::sync::Arc;

use lanyard_lifecycle::revocation::Change;
use lanyard_pki::ocsp::{self, CertStatus, IssuerHashes, OcspRequest, ReceivedResponse};
use lanyard_pki::{Certificate, Digest, SerialNumber, Time};
use lanyard_store::Within;

use crate::answer::Answer;
use crate::audit::Actor;
use crate::ca::Ca;
use crate::revoke::{Revocation, Revoked};
use crate::{Authority, Error};

/// The CertID of a certificate of `ca`.
pub(crate) fn cert_id(ca: &Ca, digest: Digest, serial: &SerialNumber) -> Vec<u8> {
    let name = ca.certificate.subject().as_der();
    IssuerHashes::of(name, ca.signer.public_key().key_bits()).cert_id(digest, serial).unwrap()
}

/// A request for one certificate, by SHA-1.
pub(crate) fn request(ca: &Ca, serial: &SerialNumber, nonce: Option<&[u8]>) -> Vec<u8> {
    ocsp::request(&[&cert_id(ca, Digest::Sha1, serial)], nonce)
}
