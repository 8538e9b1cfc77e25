//! The limit: what one core makes of the raw key operations that an enrollment and an OCSP answer consist of.
//!
//! Nothing of Lanyard runs here but the cryptography library, so that the other benches have something to be
//! compared with in the same run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use anyhow::{Context, Result};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair as RsaKeyPair, KeySize, Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey,
    PrivateDecryptingKey,
};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair as _,
    ParsedPublicKey,
};
use serde::Serialize;

use super::cpu;

/// Microseconds of one core for each operation, by name (`rsa2048-sign`, `p256-verify`, …).
#[derive(Debug, Serialize)]
pub(crate) struct Costs(pub(crate) BTreeMap<String, f64>);

impl Costs {
    /// The costs for people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from("Raw key operations on one core\n");
        for (name, us) in &self.0 {
            let _ = writeln!(text, "  {name:<18} {us:>9.1} µs {:>9.0} a second", 1e6 / us);
        }
        text
    }
}

/// Measures every operation for about `each` of processor time, telling `progress` its name before.
pub(crate) fn measure(each: Duration, mut progress: impl FnMut(&str)) -> Result<Costs> {
    let mut costs = BTreeMap::new();
    for (name, size) in [
        ("rsa2048", KeySize::Rsa2048),
        ("rsa3072", KeySize::Rsa3072),
        ("rsa4096", KeySize::Rsa4096),
    ] {
        progress(name);
        rsa(name, size, each, &mut costs)?;
    }
    for (name, sign, verify) in [
        ("p256", &signature::ECDSA_P256_SHA256_ASN1_SIGNING, &signature::ECDSA_P256_SHA256_ASN1),
        ("p384", &signature::ECDSA_P384_SHA384_ASN1_SIGNING, &signature::ECDSA_P384_SHA384_ASN1),
    ] {
        progress(name);
        ecdsa(name, sign, verify, each, &mut costs)?;
    }
    Ok(Costs(costs))
}

const MESSAGE: &[u8] = &[0x5a; 1024];
const CONTENT_KEY: &[u8] = &[0xa5; 16];

fn rsa(name: &str, size: KeySize, each: Duration, costs: &mut BTreeMap<String, f64>) -> Result<()> {
    let random = SystemRandom::new();
    let key = RsaKeyPair::generate(size)?;
    let mut signed = vec![0; key.public_modulus_len()];
    key.sign(&signature::RSA_PKCS1_SHA256, &random, MESSAGE, &mut signed)?;
    let public = key.public_key();
    let verifier = ParsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public.as_ref())?;

    let private = PrivateDecryptingKey::from_pkcs8(key.as_der()?.as_ref())?;
    let encrypting = Pkcs1PublicEncryptingKey::new(private.public_key())?;
    let decrypting = Pkcs1PrivateDecryptingKey::new(private)?;
    let mut wrapped = vec![0; encrypting.ciphertext_size()];
    let wrapped = encrypting.encrypt(CONTENT_KEY, &mut wrapped)?.to_vec();

    let mut out = vec![0; signed.len()];
    let sign = cost(each, || key.sign(&signature::RSA_PKCS1_SHA256, &random, MESSAGE, &mut out))?;
    let verify = cost(each, || verifier.verify_sig(MESSAGE, &signed))?;
    let mut out = vec![0; decrypting.min_output_size()];
    let decrypt = cost(each, || decrypting.decrypt(&wrapped, &mut out).map(|key| key.len()))?;
    let mut out = vec![0; wrapped.len()];
    let encrypt = cost(each, || encrypting.encrypt(CONTENT_KEY, &mut out).map(|key| key.len()))?;
    costs.extend([
        (format!("{name}-sign"), sign),
        (format!("{name}-verify"), verify),
        (format!("{name}-decrypt"), decrypt),
        (format!("{name}-encrypt"), encrypt),
    ]);
    Ok(())
}

fn ecdsa(
    name: &str,
    signing: &'static EcdsaSigningAlgorithm,
    verifying: &'static EcdsaVerificationAlgorithm,
    each: Duration,
    costs: &mut BTreeMap<String, f64>,
) -> Result<()> {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate(signing)?;
    let signed = key.sign(&random, MESSAGE)?;
    let verifier = ParsedPublicKey::new(verifying, key.public_key().as_ref())?;
    let sign = cost(each, || key.sign(&random, MESSAGE))?;
    let verify = cost(each, || verifier.verify_sig(MESSAGE, signed.as_ref()))?;
    costs.extend([(format!("{name}-sign"), sign), (format!("{name}-verify"), verify)]);
    Ok(())
}

/// Microseconds of this thread's processor time for one `operation`: the median of five stretches.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn cost<T, E>(each: Duration, mut operation: impl FnMut() -> Result<T, E>) -> Result<f64>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut stretches = Vec::with_capacity(5);
    for _ in 0..5 {
        let begun = cpu::of_this_thread();
        let mut done = 0_u32;
        let took = loop {
            black_box(operation().context("a key operation failed")?);
            done += 1;
            let took = cpu::of_this_thread().saturating_sub(begun);
            if took >= each / 5 {
                break took;
            }
        };
        stretches.push(took.as_nanos() as f64 / 1000.0 / f64::from(done));
    }
    stretches.sort_by(f64::total_cmp);
    stretches.get(2).copied().context("five stretches were measured")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_operation_costs_more_than_its_public_one() {
        let mut costs = BTreeMap::new();
        rsa("rsa2048", KeySize::Rsa2048, Duration::from_millis(20), &mut costs).expect("measured");
        let cost = |name: &str| costs.get(name).copied().expect("measured");
        assert!(cost("rsa2048-sign") > cost("rsa2048-verify"));
        assert!(cost("rsa2048-decrypt") > cost("rsa2048-encrypt"));
    }
}
