//! Random octets for a client's messages.

use anyhow::{Context, Result};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// `N` random octets.
pub(crate) fn octets<const N: usize>() -> Result<[u8; N]> {
    let mut octets = [0; N];
    SystemRandom::new().fill(&mut octets).context("the system gives no random octets")?;
    Ok(octets)
}
