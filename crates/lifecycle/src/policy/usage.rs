//! What a certified key may be used for.

use lanyard_pki::extension::KeyUsages;
use lanyard_pki::{KeyAlgorithm, Oid, oid};

use super::Claims;
use crate::refusal::Refusal;

/// Key usages and extended key usages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usages {
    /// Key usages (RFC 5280 section 4.2.1.3).
    pub key: KeyUsages,
    /// Extended key usages (section 4.2.1.12), in the order in which they are written.
    pub extended: Vec<Oid>,
}

/// What an endpoint's certificates may be used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRules {
    /// What a certificate gets if requests do not decide, or the request asks for nothing.
    pub default: Usages,
    /// Whether requests decide.
    pub requested: RequestedUsages,
}

/// Whether requests decide about usages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedUsages {
    /// Certificates get the endpoint's usages, whatever is asked.
    Ignored,
    /// A request gets what it asks for, as far as it is among these.
    Granted(Usages),
}

impl Default for UsageRules {
    /// Signature and key encipherment for client authentication.
    fn default() -> Self {
        let default = Usages {
            key: KeyUsages::DIGITAL_SIGNATURE | KeyUsages::KEY_ENCIPHERMENT,
            extended: vec![oid::CLIENT_AUTH],
        };
        Self { default, requested: RequestedUsages::Ignored }
    }
}

/// Usages of authorities, and of keys that speak for one: no request gets them.
const AUTHORITY: KeyUsages = KeyUsages::KEY_CERT_SIGN.union(KeyUsages::CRL_SIGN);
const NEVER_REQUESTED: [Oid; 2] = [oid::OCSP_SIGNING, oid::ANY_EXTENDED_KEY_USAGE];

impl UsageRules {
    pub(super) fn decide(&self, claims: &Claims) -> Result<Usages, Refusal> {
        let key = claims.public_key.algorithm();
        let RequestedUsages::Granted(most) = &self.requested else {
            return Ok(Usages {
                key: suited(self.default.key, key),
                extended: self.default.extended.clone(),
            });
        };
        let asked = claims.key_usages.filter(|asked| !asked.is_empty());
        let key_usages = match asked {
            None => suited(self.default.key, key),
            Some(asked) => suited(asked.intersection(most.key), key).without(AUTHORITY),
        };
        let extended = match &claims.extended_key_usages {
            None => self.default.extended.clone(),
            Some(asked) => granted(asked, &most.extended),
        };
        let nothing_left = claims.extended_key_usages.is_some() && extended.is_empty();
        if nothing_left || key_usages.is_empty() {
            return Err(Refusal::NoUsage);
        }
        Ok(Usages { key: key_usages, extended })
    }
}

/// What is asked and may be granted, each once, in the order asked.
fn granted(asked: &[Oid], most: &[Oid]) -> Vec<Oid> {
    let mut granted = Vec::new();
    for usage in asked {
        if most.contains(usage) && !NEVER_REQUESTED.contains(usage) && !granted.contains(usage) {
            granted.push(*usage);
        }
    }
    granted
}

/// The usages that a key of this kind can have: encipherment needs RSA (RFC 3279 section 2.3.1),
/// agreement a curve that agrees (RFC 5480 section 3, RFC 8410 section 5).
fn suited(usages: KeyUsages, key: KeyAlgorithm) -> KeyUsages {
    let encipherment = KeyUsages::KEY_ENCIPHERMENT | KeyUsages::DATA_ENCIPHERMENT;
    let agreement = KeyUsages::KEY_AGREEMENT | KeyUsages::ENCIPHER_ONLY | KeyUsages::DECIPHER_ONLY;
    match key {
        KeyAlgorithm::Rsa { .. } => usages.without(agreement),
        KeyAlgorithm::Ed25519 => usages.without(encipherment | agreement),
        KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521 => {
            let usages = usages.without(encipherment);
            // These two say something about agreement only (RFC 5280 section 4.2.1.3).
            if usages.contains(KeyUsages::KEY_AGREEMENT) {
                usages
            } else {
                usages.without(agreement)
            }
        }
    }
}
