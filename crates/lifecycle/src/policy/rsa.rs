//! What a public RSA key tells about the care with which it was made.
//!
//! Three tests that need no secret and a few microseconds: the exponent, small factors, and the
//! fingerprint of the library whose keys can be factored (ROCA; Nemec et al., "The Return of
//! Coppersmith's Attack", 2017): its primes are powers of 65537 modulo a product of the first
//! primes, and so are its moduli. Of sound keys one in more than a hundred million has that
//! fingerprint by chance.

use lanyard_pki::PublicKey;
use lanyard_pki::tlv::{Reader, Tag};

use crate::refusal::WeakKey;

/// The odd primes up to 167, with which the authors of ROCA test.
const PRIMES: [u16; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Primes whose product fits 32 bits go together, so that the modulus is walked through nine times
/// and not 38.
const GROUP: usize = 4;

pub(super) fn check(key: &PublicKey, least_exponent: u64) -> Result<(), WeakKey> {
    let Some((modulus, exponent)) = parts(key) else { return Err(WeakKey::RsaExponent) };
    if number(exponent).is_some_and(|exponent| exponent < least_exponent) {
        return Err(WeakKey::RsaExponent);
    }
    let residues = residues(modulus);
    if let Some((factor, _)) = residues.iter().find(|(_, residue)| *residue == 0) {
        return Err(WeakKey::RsaSmallFactor { factor: *factor });
    }
    if residues.iter().all(|(prime, residue)| is_power_of_65537(*residue, *prime)) {
        return Err(WeakKey::Roca);
    }
    Ok(())
}

fn parts(key: &PublicKey) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::entered(key.key_bits(), Tag::SEQUENCE).ok()?;
    Some((reader.unsigned_integer().ok()?, reader.unsigned_integer().ok()?))
}

/// The number, if it has 64 bits at most.
fn number(magnitude: &[u8]) -> Option<u64> {
    (magnitude.len() <= 8)
        .then(|| magnitude.iter().fold(0, |number, octet| (number << 8) | u64::from(*octet)))
}

/// The modulus modulo each prime.
fn residues(modulus: &[u8]) -> Vec<(u16, u16)> {
    let (head, words) = modulus.as_rchunks::<4>();
    let mut residues = Vec::with_capacity(PRIMES.len());
    for group in PRIMES.chunks(GROUP) {
        let product: u64 = group.iter().map(|prime| u64::from(*prime)).product();
        let head = head.iter().fold(0, |rest, octet| ((rest << 8) | u64::from(*octet)) % product);
        let rest = words.iter().fold(head, |rest, word| {
            ((rest << 32) | u64::from(u32::from_be_bytes(*word))) % product
        });
        residues.extend(group.iter().map(|prime| (*prime, remainder(rest, *prime))));
    }
    residues
}

fn remainder(number: u64, prime: u16) -> u16 {
    u16::try_from(number % u64::from(prime)).unwrap_or(0)
}

/// Whether `residue` is in the subgroup that 65537 generates modulo `prime`: the group is cyclic,
/// so that this is to say that its power to that subgroup's order is 1.
fn is_power_of_65537(residue: u16, prime: u16) -> bool {
    let generator = remainder(65_537, prime);
    let multiply = |one: u16, two: u16| remainder(u64::from(one) * u64::from(two), prime);
    let (mut power, mut of_residue) = (generator, residue);
    while power != 1 {
        power = multiply(power, generator);
        of_residue = multiply(of_residue, residue);
    }
    of_residue == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(modulus: &str, exponent: &[u8]) -> PublicKey {
        PublicKey::from_rsa_components(&hex::decode(modulus).unwrap(), exponent).unwrap()
    }

    const F4: &[u8] = &[1, 0, 1];
    /// Of the form 65537^a modulo the product of [`PRIMES`], plus a multiple of it: what the faulty
    /// library makes.
    const FAULTY: &str = "943705d34918aaea53295cc878f8c228b2f26c525ff93229b7f0b233e500927f510395bc2c7fb683\
        05e6000d5d830fedc24d6951a1eeaf00c45b569fad92e900934359b7670979897bb9b25c9afea618\
        0b1250fb36c0b7e48f1c8d2d654ed7dd1b6240e6a6fb3e86a8197db7059d26fd8f110aa8a31a00f0\
        96d14bcdd0588cd829007f801d31025c0e90487f2ce9e7c664e99029585dfd577dedc42ae32a5739\
        6cde46bb39f0b88f34cab5671dc1e9d12b217670bd32b93761c0c76b6024b335a14fe1698e1f9308\
        6223f6b37084a42fbf8f2f61502529c18004bc616a4feec196e800c1ffb906e5878976db4a9b3d63\
        76c72770c20b17b197e67ef8ae5384b7";
    /// Of a key that OpenSSL made.
    const SOUND: &str = "c8167643fdd16929944bbf0339c93de1bbb4d36ee03de56591d037592fe50947b7b34c741f0a3edd\
        19f9cb37d36e6618c59e4d4f5e333ccbb4ff68e2c02ea2cc2be4315d9b5bb4411a0501af7b9232d5\
        b56f54914ca31092037d3d415515512acdbc6316e8f430bea574c4043a8e19c01b4faa6ebb5c84ce\
        b614be134315e2f84b37e8e1d06669bef97de293256c221c3935e6183d3f5edf8b9cfdf692ee0e7f\
        9545f472746e56ff41c49c49e4a4c06ed8902f653bd3aa794bf13ae04f954ec1446886da092c9460\
        d94520ff40f87c771f3c206db00b1399efbae0da2c2b74919907914b97fa05b14bbc51ced12a26e4\
        ffd0e8e6408ebe56d9042c12713a6df7";
    /// The sound modulus with its lowest digits changed, so that 131 divides it and no smaller
    /// prime.
    const WITH_131: &str = "c8167643fdd16929944bbf0339c93de1bbb4d36ee03de56591d037592fe50947b7b34c741f0a3edd\
        19f9cb37d36e6618c59e4d4f5e333ccbb4ff68e2c02ea2cc2be4315d9b5bb4411a0501af7b9232d5\
        b56f54914ca31092037d3d415515512acdbc6316e8f430bea574c4043a8e19c01b4faa6ebb5c84ce\
        b614be134315e2f84b37e8e1d06669bef97de293256c221c3935e6183d3f5edf8b9cfdf692ee0e7f\
        9545f472746e56ff41c49c49e4a4c06ed8902f653bd3aa794bf13ae04f954ec1446886da092c9460\
        d94520ff40f87c771f3c206db00b1399efbae0da2c2b74919907914b97fa05b14bbc51ced12a26e4\
        ffd0e8e6408ebe56d9042c12713a7829";

    #[test]
    fn a_sound_key_passes() {
        assert_eq!(check(&key(SOUND, F4), 65_537), Ok(()));
    }

    #[test]
    fn a_key_of_the_faulty_library_is_known_by_its_fingerprint() {
        assert_eq!(check(&key(FAULTY, F4), 65_537), Err(WeakKey::Roca));
    }

    #[test]
    fn a_small_factor_is_found() {
        let factor = WeakKey::RsaSmallFactor { factor: 131 };
        assert_eq!(check(&key(WITH_131, F4), 65_537), Err(factor));
    }

    #[test]
    fn a_small_exponent_is_weak_unless_allowed() {
        assert_eq!(check(&key(SOUND, &[3]), 65_537), Err(WeakKey::RsaExponent));
        assert_eq!(check(&key(SOUND, &[3]), 3), Ok(()));
    }

    #[test]
    fn the_subgroup_is_what_multiplying_yields() {
        for prime in PRIMES {
            let mut powers = vec![1];
            loop {
                let next = remainder(u64::from(powers[powers.len() - 1]) * 65_537, prime);
                if next == 1 {
                    break;
                }
                powers.push(next);
            }
            for residue in 1..prime {
                assert_eq!(is_power_of_65537(residue, prime), powers.contains(&residue));
            }
        }
    }
}
