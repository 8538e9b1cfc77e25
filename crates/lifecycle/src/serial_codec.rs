//! Serial numbers that carry the binding, encrypted, so that a responder without a store finds the
//! object.
//!
//! 20 octets, always. The first is `01ee cccc`: positive, of full length, `ee` the key's epoch. The
//! 156 bits after the epoch are FF1 (NIST SP 800-38G, AES-256, radix 16, 39 digits) of `kind (8) ‖
//! object (128) ‖ nonce (20)`, tweaked by the issuing authority's key identifier.
//!
//! Where the key comes from and whether a serial number is taken is not known here.

mod half;

use std::fmt;

use aes::Aes256;
use fpe::ff1::FF1;
use lanyard_pki::SerialNumber;
use zeroize::ZeroizeOnDrop;

use crate::binding::Binding;
use crate::id::ObjectId;
use crate::kind::Kind;
use half::Digits;

/// Octets of every serial number that is made here.
const OCTETS: usize = 20;
const NONCE_BITS: u32 = 20;
const RADIX: u32 = 16;

/// The key that serial numbers are encrypted with: 256 bits, wiped when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SerialKey([u8; 32]);

impl SerialKey {
    /// A key of these octets, which should come from a key derivation of their own.
    #[must_use]
    pub const fn new(octets: [u8; 32]) -> Self {
        Self(octets)
    }
}

impl fmt::Debug for SerialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SerialKey(redacted)")
    }
}

/// Which of the installation's serial keys a serial number was made with: 0 to 3, counted round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u8);

impl Epoch {
    /// The epoch of an installation that has never changed its key.
    pub const FIRST: Self = Self(0);

    /// An epoch by number; none above 3.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < 4 { Some(Self(number)) } else { None }
    }

    /// The number, 0 to 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The epoch of the key that follows; after the fourth the first comes again, so that a key
    /// must have no unexpired certificate left before its epoch is used anew.
    #[must_use]
    pub const fn next(self) -> Self {
        Self((self.0 + 1) % 4)
    }
}

/// 20 random bits that tell certificates of one object apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce(u32);

impl Nonce {
    /// The lower 20 bits of a random number.
    #[must_use]
    pub const fn from_random(random: u32) -> Self {
        Self(random & ((1 << NONCE_BITS) - 1))
    }

    /// The 20 bits.
    #[must_use]
    pub const fn to_u32(self) -> u32 {
        self.0
    }
}

/// What a serial number said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded {
    /// The kind of the certificate.
    pub kind: Kind,
    /// The object that it is tethered to.
    pub object: ObjectId,
    /// The random part.
    pub nonce: Nonce,
    /// The epoch of the key it was made with.
    pub epoch: Epoch,
}

/// Makes and reads serial numbers, with one current key and any earlier ones.
pub struct SerialCodec {
    current: (Epoch, Cipher),
    earlier: Vec<(Epoch, Cipher)>,
}

/// Two keys were given one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is a serial key of epoch {} already", .0.number())]
pub struct EpochTaken(pub Epoch);

impl SerialCodec {
    /// A codec that makes serial numbers with `key` and reads those of its epoch.
    #[must_use]
    pub fn new(key: &SerialKey, epoch: Epoch) -> Self {
        Self { current: (epoch, Cipher::new(key)), earlier: Vec::new() }
    }

    /// Also reads serial numbers of an earlier key.
    pub fn with_earlier(mut self, key: &SerialKey, epoch: Epoch) -> Result<Self, EpochTaken> {
        if self.cipher(epoch).is_some() {
            return Err(EpochTaken(epoch));
        }
        self.earlier.push((epoch, Cipher::new(key)));
        Ok(self)
    }

    /// The epoch of serial numbers made now.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.current.0
    }

    /// The serial number of a certificate that the authority with this key identifier (RFC 5280
    /// section 4.2.1.2, method 1) issues.
    #[must_use]
    pub fn encode(&self, binding: &Binding, nonce: Nonce, issuer: &[u8; 20]) -> SerialNumber {
        let (epoch, cipher) = &self.current;
        let plain = Digits::pack(binding.kind.code(), binding.object.to_u128(), nonce.0);
        serial_number(*epoch, cipher.encrypt(issuer, &plain))
    }

    /// What a serial number says, if it was made with one of our keys for this issuer.
    ///
    /// None for every other length, first octet, epoch and kind. A foreign number passes with the
    /// chance that its plaintext begins with a known kind, about 6 %, and then names an object that
    /// does not exist: the directory or the store has the last word.
    #[must_use]
    pub fn decode(&self, serial: &SerialNumber, issuer: &[u8; 20]) -> Option<Decoded> {
        let octets: &[u8; OCTETS] = serial.as_bytes().try_into().ok()?;
        let first = octets[0];
        if first >> 6 != 1 {
            return None;
        }
        let epoch = Epoch((first >> 4) & 3);
        let plain = self.cipher(epoch)?.decrypt(issuer, &Digits::from_octets(octets))?;
        let (kind, object, nonce) = plain.unpack();
        let (object, nonce) = (ObjectId::from_u128(object), Nonce(nonce));
        Some(Decoded { kind: Kind::from_code(kind)?, object, nonce, epoch })
    }

    fn cipher(&self, epoch: Epoch) -> Option<&Cipher> {
        std::iter::once(&self.current)
            .chain(&self.earlier)
            .find(|(of, _)| *of == epoch)
            .map(|(_, cipher)| cipher)
    }
}

impl fmt::Debug for SerialCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let earlier: Vec<u8> = self.earlier.iter().map(|(epoch, _)| epoch.0).collect();
        write!(f, "SerialCodec(epoch {}, earlier {earlier:?})", self.current.0.0)
    }
}

#[expect(clippy::expect_used, reason = "20 octets are a serial number")]
fn serial_number(epoch: Epoch, digits: Digits) -> SerialNumber {
    let mut octets = digits.to_octets();
    octets[0] |= 0x40 | (epoch.0 << 4);
    SerialNumber::from_bytes(&octets).expect("20 octets, the first not zero")
}

struct Cipher(FF1<Aes256>);

impl Cipher {
    #[expect(clippy::expect_used, reason = "FF1 takes radix 16")]
    fn new(key: &SerialKey) -> Self {
        Self(FF1::new(&key.0, RADIX).expect("radix 16 is in FF1's range"))
    }

    #[expect(clippy::expect_used, reason = "39 digits below 16 are what FF1 takes")]
    fn encrypt(&self, tweak: &[u8; 20], plain: &Digits) -> Digits {
        self.0.encrypt(tweak, plain).expect("39 digits of radix 16 are valid for FF1")
    }

    fn decrypt(&self, tweak: &[u8; 20], secret: &Digits) -> Option<Digits> {
        self.0.decrypt(tweak, secret).ok()
    }
}

#[cfg(test)]
mod tests;
