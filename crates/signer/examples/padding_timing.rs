//! Does the time of a decryption tell whether the padding was good? A statistical check, for a
//! quiet machine.
//!
//! Run with `cargo run --release -p lanyard-signer --example padding_timing [rounds] [bits]`. In
//! each round a block with good padding and one with every sort of bad padding are decrypted, in
//! random order. For each sort the program prints the median of its times, the mean of its
//! differences from the good one of the same round, and Student's t of these; rounds with one of
//! the slowest tenth of all times in them are left out. A |t| above 4.5 that stays when there are
//! more rounds would be a leak (the threshold of Goodwill et al., "A testing methodology for
//! side-channel resistance validation"). The sort "good, again" shows how much the machine itself
//! makes of nothing.

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
    let rounds = arguments.next().unwrap_or(20_000);
    let bits = arguments.next().and_then(|bits| u32::try_from(bits).ok()).unwrap_or(2048);
    let Ok(key) = SoftwareKey::generate(KeyAlgorithm::Rsa { bits }) else {
        eprintln!("a key of {bits} bits cannot be made");
        return ExitCode::FAILURE;
    };
    let key = key.on(Arc::new(Pool::new(NonZeroUsize::MIN)));
    let mut sound = true;
    for transport in [KeyTransport::Pkcs1, KeyTransport::oaep(Digest::Sha256)] {
        println!("{transport}, RSA-{bits}, {rounds} rounds");
        sound &= measure(&key, &transport, rounds).await;
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure(key: &SoftwareKey, transport: &KeyTransport, rounds: usize) -> bool {
    let sorts = sorts(Decrypter::public_key(key), transport);
    let mut times: Vec<Vec<f64>> = sorts.iter().map(|_| Vec::with_capacity(rounds)).collect();
    let mut order: Vec<usize> = (0..sorts.len()).collect();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..rounds {
        random.shuffle(&mut order);
        for sort in order.iter().copied() {
            let encrypted = &sorts[sort].1[random.below(BLOCKS)];
            let fallback = vec![0xEE; CONTENT_KEY].into();
            let begun = Instant::now();
            let found = key.decrypt_content_key(transport, encrypted, fallback).await;
            times[sort].push(begun.elapsed().as_secs_f64() * 1e6);
            assert!(black_box(found).is_ok(), "decryption never fails on what is inside");
        }
    }
    let slow = quantile(&times.concat(), 0.9);
    let quiet: Vec<usize> =
        (0..rounds).filter(|round| times.iter().all(|times| times[*round] < slow)).collect();
    let mut sound = true;
    for ((name, _), of_sort) in sorts.iter().zip(&times).skip(1) {
        let differences: Vec<f64> =
            quiet.iter().map(|round| of_sort[*round] - times[0][*round]).collect();
        let (mean, t) = student(&differences);
        let median = quantile(of_sort, 0.5);
        sound &= t.abs() < LEAK;
        println!("  {name:<32} median {median:8.2} us   difference {mean:6.3} us   t {t:6.2}");
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

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are far below 2^52"
)]
fn quantile(times: &[f64], part: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() as f64 * part) as usize]
}

/// Mean of the differences, and by how many of its standard errors it is off zero.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn student(differences: &[f64]) -> (f64, f64) {
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let squares = differences.iter().map(|one| (one - mean).powi(2)).sum::<f64>();
    (mean, mean / (squares / (count - 1.0) / count).sqrt())
}

/// xorshift64*: the order of the measurements need not be unpredictable.
struct Random(u64);

impl Random {
    fn shuffle(&mut self, order: &mut [usize]) {
        for place in (1..order.len()).rev() {
            order.swap(place, self.below(place + 1));
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).unwrap_or(0) % limit
    }
}
