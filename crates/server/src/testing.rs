//! What tests of several modules share.

use lanyard_pki::{KeyAlgorithm, Name, SerialNumber, SignatureAlgorithm, Time, pem};
use lanyard_scep::client;
use lanyard_signer::{Signer as _, SoftwareKey};

/// A self-signed P-256 certificate of thirty days and its key, both PEM.
pub(crate) fn self_signed(subject: &str) -> (String, String) {
    let pkcs8 = SoftwareKey::generate_pkcs8(KeyAlgorithm::P256).unwrap();
    let key = SoftwareKey::from_pkcs8(&pkcs8).unwrap();
    let algorithm = SignatureAlgorithm::Ecdsa(lanyard_pki::Digest::Sha256);
    let subject: Name = subject.parse().unwrap();
    let serial = SerialNumber::from_bytes(&[0x40, 1]).unwrap();
    let from = Time::from_unix(1_790_000_000);
    let to = from.plus(30 * 86_400);
    let unsigned = client::self_signed(&subject, key.public_key(), &serial, from, to, algorithm);
    let signature = futures_util::FutureExt::now_or_never(key.sign(algorithm, unsigned.tbs()));
    let der = unsigned.assemble(&signature.unwrap().unwrap());
    (pem::encode(pem::CERTIFICATE, &der), pem::encode(pem::PRIVATE_KEY, &pkcs8))
}
