//! The challenge: a blob that Intune signs and encrypts for itself, and that nobody else can read.
//!
//! The real layout is not public. This one has the same properties: base64, some thousand characters, sealed, and
//! each way to break it is told apart.

use super::{Code, Expected};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest,
    rand::{SecureRandom, SystemRandom},
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};
use uuid::Uuid;

use crate::tenant::Time;

/// How long a challenge lives.
pub const LIFE: Duration = Duration::from_hours(1);

/// What stands in a challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Challenge {
    /// The request that it was made for.
    pub certificate_request_id: Uuid,
    /// Whose device and profile.
    pub tenant_id: Uuid,
    /// The managed device.
    pub device_id: Uuid,
    /// The primary user, where the device has one.
    pub user_id: Option<Uuid>,
    /// The SCEP profile.
    pub profile_id: Uuid,
    /// Its version when the challenge was made.
    pub profile_version: u32,
    /// When.
    pub issued: Time,
    /// What the certificate request must say.
    pub expected: Expected,
}

impl Challenge {
    /// Whether it is too early or too late for it.
    pub fn timeliness(&self, now: Time) -> Result<(), Code> {
        if self.issued > now {
            Err(Code::ChallengeInvalidTimestamp)
        } else if now.since(self.issued) > LIFE {
            Err(Code::ChallengeExpired)
        } else {
            Ok(())
        }
    }
}

/// A way to make a challenge that does not hold, for trying out the refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Flaw {
    /// Not base64.
    Encoding,
    /// Encrypted with another key.
    Encryption,
    /// Decrypts to something that is no challenge.
    Contents,
    /// Signed with a certificate of another thumbprint.
    Thumbprint,
    /// A signature over something else.
    Signature,
    /// Made an hour from now.
    Future,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Encoding,
        Self::Encryption,
        Self::Contents,
        Self::Thumbprint,
        Self::Signature,
        Self::Future,
    ];
}

/// The keys with which Intune makes and reads challenges: the same for all tenants.
pub struct Keys {
    seed: [u8; 32],
    generation: u32,
    sealing: LessSafeKey,
    signing: Ed25519KeyPair,
    thumbprint: [u8; 20],
}

const THUMBPRINT: usize = 20;
const SIGNATURE: usize = 64;

impl Keys {
    /// The keys of the service. They are the same for every tenant and in every run: what they protect
    /// is made up.
    pub fn service() -> Self {
        Self::generation(sha256(&[b"the simulated Intune"]), 0)
    }

    fn generation(seed: [u8; 32], generation: u32) -> Self {
        let sealing = sealing_key(&sha256(&[b"sealing", &seed]));
        let signing = signing_key(&sha256(&[b"signing", &seed, &generation.to_be_bytes()]));
        let thumbprint = thumbprint(&signing);
        Self { seed, generation, sealing, signing, thumbprint }
    }

    /// Takes a new signing certificate: challenges made before are refused.
    pub fn renew_signing(&mut self) {
        *self = Self::generation(self.seed, self.generation.wrapping_add(1));
    }

    /// The challenge as the device is given it, or a broken one.
    pub fn seal(&self, challenge: &Challenge, flaw: Option<Flaw>) -> String {
        let payload = match flaw {
            Some(Flaw::Contents) => b"{\"deviceId\":".to_vec(),
            Some(Flaw::Future) => {
                let issued = challenge.issued.plus(LIFE);
                let later = Challenge { issued, ..challenge.clone() };
                serde_json::to_vec(&later).unwrap_or_default()
            }
            _ => serde_json::to_vec(challenge).unwrap_or_default(),
        };
        let mut signature = self.signing.sign(&payload).as_ref().to_vec();
        if let (Some(Flaw::Signature), Some(first)) = (flaw, signature.first_mut()) {
            *first ^= 1;
        }
        let mut thumbprint = self.thumbprint;
        if flaw == Some(Flaw::Thumbprint) {
            thumbprint[0] ^= 1;
        }
        let mut sealed = [&thumbprint[..], &signature, &payload].concat();
        let mut nonce = [0; NONCE_LEN];
        // Without randomness of the system nothing of this program works; a nonce of zeros would show.
        let _ = SystemRandom::new().fill(&mut nonce);
        let key = match flaw {
            Some(Flaw::Encryption) => &sealing_key(&sha256(&[b"another", &self.seed])),
            _ => &self.sealing,
        };
        let whole = Nonce::assume_unique_for_key(nonce);
        let _ = key.seal_in_place_append_tag(whole, Aad::empty(), &mut sealed);
        let blob = STANDARD.encode([&nonce[..], &sealed].concat());
        match flaw {
            Some(Flaw::Encoding) => format!("!{blob}"),
            _ => blob,
        }
    }

    /// Reads a challenge that this Intune made.
    pub fn open(&self, blob: &[u8]) -> Result<Challenge, Code> {
        let blob = STANDARD.decode(blob).map_err(|_| Code::ChallengeDecodingError)?;
        let (nonce, sealed) =
            blob.split_first_chunk::<NONCE_LEN>().ok_or(Code::ChallengeDecryptionError)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.sealing.open_in_place(nonce, Aad::empty(), &mut sealed);
        let opened = opened.map_err(|_| Code::ChallengeDecryptionError)?;
        let unreadable = Code::ChallengeDeserializationError;
        let (thumbprint, rest) = opened.split_first_chunk::<THUMBPRINT>().ok_or(unreadable)?;
        let (signature, payload) = rest.split_first_chunk::<SIGNATURE>().ok_or(unreadable)?;
        if *thumbprint != self.thumbprint {
            return Err(Code::SigningCertThumbprintMismatch);
        }
        UnparsedPublicKey::new(&ED25519, self.signing.public_key())
            .verify(payload, signature)
            .map_err(|_| Code::SignatureValidationFailed)?;
        serde_json::from_slice(payload).map_err(|_| unreadable)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({}, generation {})", hex::encode_upper(self.thumbprint), self.generation)
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut octets = [0; 32];
    octets.copy_from_slice(context.finish().as_ref());
    octets
}

#[expect(clippy::expect_used, reason = "32 octets are a key of AES-256")]
fn sealing_key(octets: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, octets).expect("the length of a key"))
}

#[expect(clippy::expect_used, reason = "any 32 octets are a seed of Ed25519")]
fn signing_key(seed: &[u8; 32]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(seed).expect("the length of a seed")
}

fn thumbprint(signing: &Ed25519KeyPair) -> [u8; THUMBPRINT] {
    let mut octets = [0; THUMBPRINT];
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, signing.public_key().as_ref());
    octets.copy_from_slice(digest.as_ref());
    octets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intune::{Settings, Variables};
    use proptest::prelude::*;

    fn challenge() -> Challenge {
        let variables = Variables::default().with("AAD_Device_ID", "1");
        Challenge {
            certificate_request_id: Uuid::from_u128(1),
            tenant_id: Uuid::from_u128(2),
            device_id: Uuid::from_u128(3),
            user_id: None,
            profile_id: Uuid::from_u128(4),
            profile_version: 1,
            issued: Time::from_unix_seconds(1_800_000_000),
            expected: Settings::default().expected(&variables, crate::intune::Purposes::Demanded),
        }
    }

    #[test]
    fn what_was_sealed_opens_and_no_two_are_alike() {
        let (keys, challenge) = (Keys::service(), challenge());
        let (first, second) = (keys.seal(&challenge, None), keys.seal(&challenge, None));
        assert_ne!(first, second);
        assert_eq!(Keys::service().open(first.as_bytes()), Ok(challenge.clone()));
        assert_eq!(keys.open(second.as_bytes()), Ok(challenge));
    }

    #[test]
    fn no_flawed_challenge_passes_for_a_good_one() {
        let (keys, challenge) = (Keys::service(), challenge());
        for flaw in Flaw::ALL {
            let opened = keys.open(keys.seal(&challenge, Some(flaw)).as_bytes());
            let timely = opened.and_then(|opened| opened.timeliness(challenge.issued));
            assert!(timely.is_err(), "{flaw:?}");
        }
    }

    proptest! {
        #[test]
        fn a_challenge_that_was_touched_anywhere_does_not_open(at: usize, bit in 0..8u8) {
            let keys = Keys::service();
            let mut octets = STANDARD.decode(keys.seal(&challenge(), None)).unwrap();
            let at = at % octets.len();
            octets[at] ^= 1 << bit;
            let opened = keys.open(STANDARD.encode(octets).as_bytes());
            prop_assert_eq!(opened, Err(Code::ChallengeDecryptionError));
        }

        #[test]
        fn foreign_blobs_are_refused(blob: Vec<u8>) {
            prop_assert!(Keys::service().open(&blob).is_err());
            prop_assert!(Keys::service().open(STANDARD.encode(&blob).as_bytes()).is_err());
        }
    }
}
