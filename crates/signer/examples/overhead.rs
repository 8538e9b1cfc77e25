//! What the port, the pool and the runtime cost beside the operation itself.
//!
//! Run with `cargo run --release -p lanyard-signer --example overhead`. Prints, for each kind of
//! key, signatures a second and the processor time of each: the library's operation alone, one
//! after the other through the port, and 32 tasks at a time.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256};
use std::sync::Arc;
use std::time::Instant;

use lanyard_pki::KeyAlgorithm;
use lanyard_signer::{Pool, Signer, SoftwareKey};

const MESSAGE: [u8; 1000] = [0x5A; 1000];
const TASKS: usize = 32;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    println!("{} threads for RSA", Pool::shared().threads());
    for (algorithm, rounds) in [
        (KeyAlgorithm::Rsa { bits: 2048 }, 8_000),
        (KeyAlgorithm::Rsa { bits: 4096 }, 1_600),
        (KeyAlgorithm::P256, 64_000),
    ] {
        let key = SoftwareKey::generate(algorithm).expect("a key");
        let mut bare = bare(algorithm);
        let alone = measure(rounds, || (0..rounds).for_each(|_| bare()));
        let single = measure(rounds, || runtime.block_on(in_turn(key.clone(), rounds)));
        let many = measure(rounds, || runtime.block_on(at_a_time(key.clone(), rounds)));
        println!("{algorithm}");
        println!("  the operation alone   {alone}");
        println!("  through the port      {single}");
        println!("  {TASKS} tasks at a time   {many}");
    }
}

/// The library's own signature with a key of this kind.
fn bare(algorithm: KeyAlgorithm) -> Box<dyn FnMut()> {
    let random = SystemRandom::new();
    let size = match algorithm {
        KeyAlgorithm::Rsa { bits: 2048 } => KeySize::Rsa2048,
        KeyAlgorithm::Rsa { .. } => KeySize::Rsa4096,
        _ => {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
            return Box::new(move || {
                key.sign(&random, &MESSAGE).expect("a signature");
            });
        }
    };
    let key = KeyPair::generate(size).expect("a key");
    let mut signature = vec![0; key.public_modulus_len()];
    Box::new(move || {
        let signed = key.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature);
        signed.expect("a signature");
    })
}

async fn in_turn(key: SoftwareKey, rounds: usize) {
    let task = tokio::spawn(async move {
        for _ in 0..rounds {
            sign(&key).await;
        }
    });
    task.await.expect("no panic");
}

async fn at_a_time(key: SoftwareKey, rounds: usize) {
    let key = Arc::new(key);
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let key = key.clone();
            tokio::spawn(async move {
                for _ in 0..rounds / TASKS {
                    sign(&key).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
}

async fn sign(key: &SoftwareKey) {
    let algorithm = key.preferred_algorithm().expect("every key signs");
    key.sign(algorithm, &MESSAGE).await.expect("a signature");
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn measure(rounds: usize, work: impl FnOnce()) -> String {
    let (processor, begun) = (processor_seconds(), Instant::now());
    work();
    let wall = begun.elapsed().as_secs_f64();
    let busy = processor_seconds() - processor;
    let each = |seconds: f64| seconds * 1e6 / rounds as f64;
    format!(
        "{:8.0}/s, {:7.1} us wall, {:7.1} us processor",
        1e6 / each(wall),
        each(wall),
        each(busy)
    )
}

/// User and system time of this process (proc_pid_stat(5), in ticks of 10 ms).
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
