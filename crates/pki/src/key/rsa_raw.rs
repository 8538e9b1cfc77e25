//! The raw RSA public operation, which the safe interface of the library does not offer.
//!
//! The only unsafe code of this crate. Padding is not here, except that of RSASSA-PSS, which the
//! library checks.
#![expect(unsafe_code, reason = "raw RSA is offered by the C interface alone")]

use crate::Digest;
use aws_lc_sys as c;
use std::ptr::NonNull;

/// An RSA public key in the library's form.
pub(super) struct RsaPublic(NonNull<c::RSA>);

// SAFETY: after `parse` the key is only read; the library locks the one field that it computes late (the
// Montgomery context of the modulus), so that an `RSA` may be used by several threads at once.
unsafe impl Send for RsaPublic {}
// SAFETY: as above.
unsafe impl Sync for RsaPublic {}

impl RsaPublic {
    /// Reads an RSAPublicKey (RFC 8017, A.1.1).
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        // SAFETY: the pointer and the length describe `der`, which the library copies from.
        let key = unsafe { c::RSA_public_key_from_bytes(der.as_ptr(), der.len()) };
        NonNull::new(key).map(Self)
    }

    /// Octets of the modulus.
    pub(super) fn modulus_len(&self) -> usize {
        // SAFETY: the key is alive as long as `self`.
        unsafe { c::RSA_size(self.0.as_ptr()) as usize }
    }

    /// `block` to the power of the public exponent. `None` unless `block` is as long as the modulus and
    /// smaller than it.
    pub(super) fn apply(&self, block: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![0; self.modulus_len()];
        if block.len() != out.len() {
            return None;
        }
        let mut written = 0;
        // SAFETY: the key is alive; `out` has room for `out.len()` octets and `block` holds
        // `block.len()`; both outlive the call, and `written` is a place for the length.
        let done = unsafe {
            c::RSA_verify_raw(
                self.0.as_ptr(),
                &raw mut written,
                out.as_mut_ptr(),
                out.len(),
                block.as_ptr(),
                block.len(),
                c::RSA_NO_PADDING,
            )
        };
        forget_errors();
        (done == 1 && written == out.len()).then_some(out)
    }

    /// Whether `signature` is one of RSASSA-PSS over the digest `hash`, whatever the salt's length, with
    /// MGF1 of the same digest.
    pub(super) fn verifies_pss(&self, digest: Digest, hash: &[u8], signature: &[u8]) -> bool {
        const SALT_OF_ANY_LENGTH: std::os::raw::c_int = -2;
        if hash.len() != digest.octets() {
            return false;
        }
        // SAFETY: the key is alive; pointers and lengths describe `hash` and `signature`; the digest's
        // description is a static of the library.
        let verified = unsafe {
            let md = match digest {
                Digest::Md5 => c::EVP_md5(),
                Digest::Sha1 => c::EVP_sha1(),
                Digest::Sha224 => c::EVP_sha224(),
                Digest::Sha256 => c::EVP_sha256(),
                Digest::Sha384 => c::EVP_sha384(),
                Digest::Sha512 => c::EVP_sha512(),
            };
            c::RSA_verify_pss_mgf1(
                self.0.as_ptr(),
                hash.as_ptr(),
                hash.len(),
                md,
                md,
                SALT_OF_ANY_LENGTH,
                signature.as_ptr(),
                signature.len(),
            )
        };
        forget_errors();
        verified == 1
    }
}

/// Empties the thread's queue of errors, which the library fills and nobody reads.
fn forget_errors() {
    // SAFETY: touches the calling thread's queue alone.
    unsafe { c::ERR_clear_error() }
}

impl Drop for RsaPublic {
    fn drop(&mut self) {
        // SAFETY: the one reference that `parse` was given is given back, once.
        unsafe { c::RSA_free(self.0.as_ptr()) }
    }
}
