//! What a responder without the store is given by the installation: keys and certificates to sign with, and the key that
//! serial numbers are read with.

use std::sync::Arc;
use std::time::Duration;

use lanyard_pki::pem::{self, PemError};
use lanyard_signer::{Signer, SoftwareKey};
use zeroize::Zeroizing;

use crate::ca::Ca;
use crate::responder::{Term, key_for};
use crate::{Authority, Fault, keys};

/// The label of the key that serial numbers are read with.
const SERIAL_KEY: &str = "LANYARD SERIAL KEY";

/// What the installation's key for serial numbers is derived for.
pub(crate) const SERIAL_KEY_PURPOSE: &str = "serial number, epoch 0";

/// What a responder without the store is given. Secret: who has it may sign answers until its certificates end, and read
/// whose certificate a serial number is of.
#[derive(Debug)]
pub struct Material {
    pub(super) seats: Vec<Seat>,
    pub(super) serial_key: SerialKeyOctets,
}

/// The octets of the key that serial numbers are read with.
pub(super) struct SerialKeyOctets(Zeroizing<[u8; 32]>);

impl std::ops::Deref for SerialKeyOctets {
    type Target = [u8; 32];

    fn deref(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for SerialKeyOctets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SerialKeyOctets(redacted)")
    }
}

impl SerialKeyOctets {
    /// Whether they are the same, in constant time.
    pub(super) fn ct_eq(&self, other: &[u8; 32]) -> subtle::Choice {
        subtle::ConstantTimeEq::ct_eq(&self.0[..], &other[..])
    }
}

/// Who signs for one CA.
pub(super) struct Seat {
    /// The CA's certificate, DER.
    pub(super) ca: Vec<u8>,
    /// The responder's, DER.
    pub(super) certificate: Vec<u8>,
    /// The responder's key: PrivateKeyInfo, DER.
    pub(super) key: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seat(redacted)")
    }
}

/// Why a file is not what a responder is given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaterialError {
    /// It is not PEM.
    #[error("it is not PEM: {0}")]
    Pem(#[from] PemError),
    /// Something is missing, or there is too much.
    #[error(
        "it does not hold, for each CA, its certificate, a responder's certificate and a private key, and one {SERIAL_KEY}"
    )]
    Incomplete,
}

impl Material {
    /// As a text file: for each CA its certificate, the responder's, and its key; then the key for serial numbers.
    pub fn to_pem(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for seat in &self.seats {
            for (label, der) in [
                (pem::CERTIFICATE, seat.ca.as_slice()),
                (pem::CERTIFICATE, &seat.certificate),
                (pem::PRIVATE_KEY, &seat.key),
            ] {
                text.push_str(&Zeroizing::new(pem::encode(label, der)));
            }
        }
        text.push_str(&Zeroizing::new(pem::encode(SERIAL_KEY, &*self.serial_key)));
        text
    }

    /// The inverse of `to_pem`.
    pub fn from_pem(text: &str) -> Result<Self, MaterialError> {
        let mut blocks = pem::decode_all(text)?;
        let serial_key = blocks.pop().filter(|block| block.label == SERIAL_KEY);
        let serial_key = serial_key.map(|block| Zeroizing::new(block.der));
        let serial_key: [u8; 32] = serial_key
            .and_then(|key| key.as_slice().try_into().ok())
            .ok_or(MaterialError::Incomplete)?;
        let mut seats = Vec::new();
        let mut blocks = blocks.into_iter();
        while let Some(ca) = blocks.next() {
            let (certificate, key) =
                blocks.next().zip(blocks.next()).ok_or(MaterialError::Incomplete)?;
            let labels = [&ca, &certificate, &key].map(|block| block.label.as_str());
            if labels != [pem::CERTIFICATE, pem::CERTIFICATE, pem::PRIVATE_KEY] {
                return Err(MaterialError::Incomplete);
            }
            let (ca, certificate) = (ca.der, certificate.der);
            seats.push(Seat { ca, certificate, key: Zeroizing::new(key.der) });
        }
        if seats.is_empty() {
            return Err(MaterialError::Incomplete);
        }
        Ok(Self { seats, serial_key: SerialKeyOctets(Zeroizing::new(serial_key)) })
    }
}

impl Authority {
    /// Makes what a responder without the store is given: a key and a certificate below each CA that is valid now, for so
    /// long. It is handed out once and kept nowhere here.
    pub async fn make_responder_material(&self, validity: Duration) -> Result<Material, Fault> {
        let secret = keys::secret(&self.inner.ports.keys).await?;
        let serial_key = SerialKeyOctets(secret.derive(SERIAL_KEY_PURPOSE));
        let mut seats = Vec::new();
        for ca in self.cas().iter() {
            seats.extend(self.seat_elsewhere(ca, validity).await?);
        }
        Ok(Material { seats, serial_key })
    }

    async fn seat_elsewhere(
        &self,
        ca: &Arc<Ca>,
        validity: Duration,
    ) -> Result<Option<Seat>, Fault> {
        const DOING: &str = "make an OCSP responder's key";
        let ends = (ca.certificate.not_before(), ca.certificate.not_after());
        let skew = self.settings().clock_skew();
        let Some(term) = Term::beginning(self.now(), validity, skew, ends) else { return Ok(None) };
        let algorithm = key_for(ca, self.settings().status.responder.signer);
        let made = tokio::task::spawn_blocking(move || {
            let key = SoftwareKey::generate_pkcs8(algorithm)?;
            let public = Signer::public_key(&SoftwareKey::from_pkcs8(&key)?).clone();
            Ok::<_, lanyard_signer::KeyFormError>((key, public))
        });
        let made = made.await.map_err(|error| Fault::lasting(DOING, error))?;
        let (key, public) = made.map_err(|error| Fault::lasting(DOING, error))?;
        let certificate = self.certify_responder(ca, &public, term).await?;
        let ca = ca.certificate.as_der().to_vec();
        Ok(Some(Seat { ca, certificate, key }))
    }
}
