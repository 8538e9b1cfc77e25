//! Does the time of a decryption tell whether the padding was good? A statistical check, for a
//! quiet machine.
//!
//! Run with `cargo run --release -p lanyard-signer --example padding_timing [samples] [bits]`.
//! Blocks with good padding and with every sort of bad padding are decrypted in random order. For
//! each sort the program prints the median and Welch's t of its times against the good ones, over
//! all samples and without the slowest tenth; a |t| above 4.5 that stays when there are more
//! samples would be a leak (the threshold of Goodwill et al., "A testing methodology for
//! side-channel resistance validation"). Two further sorts, good padding again and one flipped bit,
//! show how much the machine itself makes of nothing.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use lanyard_pki::cms::KeyTransport;
use lanyard_pki::{Digest, KeyAlgorithm, PublicKey};
use lanyard_signer::{Decrypter, Pool, SoftwareKey};

const CONTENT_KEY: usize = 16;
const BLOCKS: usize = 256;
const LEAK: f64 = 4.5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<usize>().ok());
    let samples = arguments.next().unwrap_or(20_000);
    let bits = arguments.next().and_then(|bits| u32::try_from(bits).ok()).unwrap_or(2048);
    let Ok(key) = SoftwareKey::generate(KeyAlgorithm::Rsa { bits }) else {
        eprintln!("a key of {bits} bits cannot be made");
        return ExitCode::FAILURE;
    };
    let key = key.on(Arc::new(Pool::new(NonZeroUsize::MIN)));
    let mut sound = true;
    for transport in [KeyTransport::Pkcs1, KeyTransport::oaep(Digest::Sha256)] {
        println!("{transport}, RSA-{bits}, {samples} decryptions of each sort");
        sound &= measure(&key, &transport, samples).await;
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure(key: &SoftwareKey, transport: &KeyTransport, samples: usize) -> bool {
    let sorts = sorts(Decrypter::public_key(key), transport);
    let mut times: Vec<Vec<f64>> = sorts.iter().map(|_| Vec::with_capacity(samples)).collect();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..samples * sorts.len() {
        let sort = random.below(sorts.len());
        let encrypted = &sorts[sort].1[random.below(BLOCKS)];
        let fallback = vec![0xEE; CONTENT_KEY].into();
        let begun = Instant::now();
        let found = key.decrypt_content_key(transport, encrypted, fallback).await;
        times[sort].push(begun.elapsed().as_secs_f64() * 1e6);
        assert!(black_box(found).is_ok(), "decryption never fails on what is inside");
    }
    let good = times[0].clone();
    let mut sound = true;
    for ((name, _), times) in sorts.iter().zip(&times) {
        let (all, most) = (welch(&good, times), welch(&fastest(&good), &fastest(times)));
        sound &= most.abs() < LEAK;
        println!(
            "  {name:<34} median {:8.2} us   t {all:6.2}   without outliers {most:6.2}",
            median(times)
        );
    }
    sound
}

type Sort = (&'static str, Vec<Vec<u8>>);

/// Encrypted blocks by what is wrong with them; the first has nothing wrong.
fn sorts(key: &PublicKey, transport: &KeyTransport) -> Vec<Sort> {
    let length = key.modulus_len().unwrap_or_default();
    let make = |damage: &dyn Fn(&mut Vec<u8>)| -> Vec<Vec<u8>> {
        let numbered = 0..BLOCKS as u64;
        numbered.map(|n| encrypt(key, transport, length, n, damage)).collect()
    };
    let mut sorts = vec![
        ("good", make(&|_| {})),
        ("good, again", make(&|_| {})),
        ("second octet wrong", make(&|block| block[1] ^= 1)),
        ("last octet of the padding wrong", make(&|block| block[length - CONTENT_KEY - 1] ^= 1)),
        ("padding ends early", make(&|block| block[length / 2] = 0)),
        ("random block", make(&|block| block[1..].reverse())),
        ("first octet wrong", make(&|block| block[0] = 1)),
    ];
    let mut flipped = sorts[0].1.clone();
    for encrypted in &mut flipped {
        encrypted[length - 1] ^= 1;
    }
    sorts.push(("one bit flipped on the way", flipped));
    sorts
}

fn encrypt(
    key: &PublicKey,
    transport: &KeyTransport,
    length: usize,
    number: u64,
    damage: &dyn Fn(&mut Vec<u8>),
) -> Vec<u8> {
    let random = Digest::Sha512.of(&number.to_be_bytes());
    let content_key = Digest::Sha256.of(&number.to_le_bytes());
    let padded = transport.pad(&content_key[..CONTENT_KEY], length, &random);
    let mut block = padded.expect("a content key of 16 octets fits");
    damage(&mut block);
    key.encrypt_block(&block).expect("a block that begins with 0 or 1 is below the modulus")
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn fastest(times: &[f64]) -> Vec<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.truncate(sorted.len() * 9 / 10);
    sorted
}

fn welch(one: &[f64], two: &[f64]) -> f64 {
    let moments = |times: &[f64]| {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    };
    let ((mean_one, spread_one), (mean_two, spread_two)) = (moments(one), moments(two));
    (mean_two - mean_one) / (spread_one + spread_two).sqrt()
}

/// xorshift64*: the order of the measurements need not be unpredictable.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).unwrap_or(0) % limit
    }
}
