//! Unpredictable octets for what is secret for good: keys, salts, initialization vectors.
//!
//! Everything else in Lanyard is handed its randomness, so that it can be replayed. A private key
//! must never be: it is as unpredictable in a simulation as anywhere.

use zeroize::Zeroizing;

/// The operating system has no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system yields no random numbers")]
pub(crate) struct NoRandomness;

#[expect(
    clippy::disallowed_methods,
    reason = "secrets are unpredictable even where time is simulated"
)]
pub(crate) fn octets<const N: usize>() -> Result<Zeroizing<[u8; N]>, NoRandomness> {
    let mut octets = Zeroizing::new([0; N]);
    aws_lc_rs::rand::fill(octets.as_mut_slice()).map_err(|_| NoRandomness)?;
    Ok(octets)
}
