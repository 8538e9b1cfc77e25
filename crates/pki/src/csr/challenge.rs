//! The challenge password: a secret, so it is wiped, never shown and compared in constant time.

use crate::{name::decode_string, tlv::Tlv};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A challenge password as octets of UTF-8, or as received where it is no string.
#[derive(Clone)]
pub struct ChallengePassword(Zeroizing<Vec<u8>>);

impl ChallengePassword {
    /// From text.
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.as_bytes().to_vec()))
    }

    pub(super) fn from_value(value: Tlv<'_>) -> Self {
        let text = decode_string(value.tag, value.contents).map(String::into_bytes);
        Self(Zeroizing::new(text.unwrap_or_else(|| value.contents.to_vec())))
    }

    /// The octets. They are a secret.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The octets as text, if they are. They are a secret.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether it is `secret`, in a time that depends on the lengths alone.
    pub fn matches(&self, secret: &[u8]) -> bool {
        self.0.as_slice().ct_eq(secret).into()
    }
}

impl fmt::Debug for ChallengePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChallengePassword(…)")
    }
}
