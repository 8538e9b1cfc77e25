//! 39 hexadecimal digits as two machine words, for FF1.
//!
//! `fpe` brings digit strings of any length on big integers. Ours has one length, so that each half
//! (19 and 20 digits, 76 and 80 bits) fits a `u128` and no memory is allocated. FF1 itself is
//! `fpe`'s.

use fpe::ff1::{NumeralString, Operations};

const LEFT_DIGITS: usize = 19;
const RIGHT_DIGITS: usize = 20;
const LEFT_BITS: u32 = 76;
const RIGHT_BITS: u32 = 80;
const NONCE_BITS: u32 = 20;
/// FF1's `b`: octets of the longer half, 80 bits.
const HALF_OCTETS: usize = 10;

/// 156 bits: 19 digits left, 20 digits right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits {
    left: u128,
    right: u128,
}

impl Digits {
    /// `kind (8) ‖ object (128) ‖ nonce (20)`: the object's upper 68 bits go left, the lower 60
    /// right.
    pub(super) const fn pack(kind: u8, object: u128, nonce: u32) -> Self {
        let left = ((kind as u128) << 68) | (object >> 60);
        let right = ((object << NONCE_BITS) | nonce as u128) & mask(RIGHT_BITS);
        Self { left, right }
    }

    #[expect(clippy::cast_possible_truncation, reason = "each part is masked to its width")]
    pub(super) const fn unpack(self) -> (u8, u128, u32) {
        let kind = (self.left >> 68) as u8;
        let object = (self.left << 60) | (self.right >> NONCE_BITS);
        let nonce = (self.right & mask(NONCE_BITS)) as u32;
        (kind, object, nonce)
    }

    /// The digits in the lower 156 of 160 bits; the upper four are left clear for the caller.
    pub(super) fn to_octets(self) -> [u8; 20] {
        let mut octets = [0; 20];
        let (upper, lower) = octets.split_at_mut(HALF_OCTETS);
        upper.copy_from_slice(&tail(self.left));
        lower.copy_from_slice(&tail(self.right));
        octets
    }

    /// The inverse; the upper four bits are not looked at.
    pub(super) fn from_octets(octets: &[u8; 20]) -> Self {
        let (upper, lower) = octets.split_at(HALF_OCTETS);
        Self { left: number(upper) & mask(LEFT_BITS), right: number(lower) }
    }
}

const fn mask(bits: u32) -> u128 {
    (1 << bits) - 1
}

/// The lower ten octets.
fn tail(value: u128) -> [u8; HALF_OCTETS] {
    let mut octets = [0; HALF_OCTETS];
    for (octet, byte) in octets.iter_mut().zip(value.to_be_bytes().into_iter().skip(6)) {
        *octet = byte;
    }
    octets
}

fn number(octets: &[u8]) -> u128 {
    octets.iter().fold(0, |number, octet| (number << 8) | u128::from(*octet))
}

/// One half: a number below 16 to the power of `digits`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Half {
    value: u128,
    digits: usize,
}

impl Half {
    /// The value in this many digits: modulo 16 to the power of `digits`, at most 20.
    fn new(value: u128, digits: usize) -> Self {
        let bits = if digits == LEFT_DIGITS { LEFT_BITS } else { RIGHT_BITS };
        Self { value: value & mask(bits), digits }
    }
}

impl Operations for Half {
    type Bytes = [u8; HALF_OCTETS];

    fn numeral_count(&self) -> usize {
        self.digits
    }

    fn to_be_bytes(&self, _radix: u32, _octets: usize) -> Self::Bytes {
        tail(self.value)
    }

    fn add_mod_exp(self, other: impl Iterator<Item = u8>, _radix: u32, digits: usize) -> Self {
        Self::new(self.value.wrapping_add(sum(other)), digits)
    }

    fn sub_mod_exp(self, other: impl Iterator<Item = u8>, _radix: u32, digits: usize) -> Self {
        Self::new(self.value.wrapping_sub(sum(other)), digits)
    }
}

/// FF1's `NUM(S)`; S has 16 octets for halves of 10. Higher ones would not change the result modulo
/// 2 to the 80th.
fn sum(octets: impl Iterator<Item = u8>) -> u128 {
    octets.fold(0, |number, octet| (number << 8) | u128::from(octet))
}

impl NumeralString for Digits {
    type Ops = Half;

    fn is_valid(&self, radix: u32) -> bool {
        radix == super::RADIX && self.left >> LEFT_BITS == 0 && self.right >> RIGHT_BITS == 0
    }

    fn numeral_count(&self) -> usize {
        LEFT_DIGITS + RIGHT_DIGITS
    }

    fn split(&self) -> (Half, Half) {
        (Half::new(self.left, LEFT_DIGITS), Half::new(self.right, RIGHT_DIGITS))
    }

    fn concat(left: Half, right: Half) -> Self {
        Self { left: left.value, right: right.value }
    }
}
