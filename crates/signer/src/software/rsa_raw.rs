//! The private RSA operations of aws-lc: the only place of this crate where `unsafe` is permitted.
//!
//! The safe library signs with SHA-2 alone and decrypts in a way that tells good padding from bad.
//! Here are the operations beneath: a signature over any digest that SCEP clients still ask for,
//! and the bare private operation, whose padding is judged in constant time elsewhere
//! (`lanyard_pki::padding`). aws-lc blinds all of them and checks each result against the public
//! exponent, so that neither timing nor a fault gives the key away.
#![expect(
    unsafe_code,
    reason = "the safe library has no raw private operation and no SHA-1 signatures"
)]

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use aws_lc_sys as lc;
use lanyard_pki::Digest;
use zeroize::Zeroizing;

/// A private RSA key. Its operations may run on many threads at a time (`openssl/rsa.h`:
/// "non-mutating for thread-safety purposes").
pub(super) struct RsaPrivate {
    rsa: NonNull<lc::RSA>,
    octets: usize,
}

// SAFETY: the key is owned and never changed after `parse`; aws-lc documents its operations as
// usable concurrently.
unsafe impl Send for RsaPrivate {}
// SAFETY: as above.
unsafe impl Sync for RsaPrivate {}

impl RsaPrivate {
    /// Reads an RSAPrivateKey (RFC 8017 appendix A.1.2) and checks that its parts fit together.
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        // SAFETY: the pointer and length are those of a live slice, which is read only; the result
        // is owned by us.
        let rsa = unsafe { lc::RSA_private_key_from_bytes(der.as_ptr(), der.len()) };
        let rsa = NonNull::new(rsa).or_else(forget_errors)?;
        // SAFETY: `rsa` is a live key.
        let octets = unsafe { lc::RSA_size(rsa.as_ptr()) };
        Some(Self { rsa, octets: usize::try_from(octets).ok()? })
    }

    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2) over a digest that was computed with `digest`.
    pub(super) fn sign_pkcs1(&self, digest: Digest, hash: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.octets];
        let mut length = 0;
        // SAFETY: `signature` has RSA_size octets, as the function asks; `hash` is a live slice.
        let done = unsafe {
            lc::RSA_sign(
                nid(digest),
                hash.as_ptr(),
                hash.len(),
                signature.as_mut_ptr(),
                &raw mut length,
                self.rsa.as_ptr(),
            )
        };
        (done == 1 && usize::try_from(length) == Ok(self.octets))
            .then_some(signature)
            .or_else(forget_errors)
    }

    /// RSASSA-PSS (RFC 8017 section 8.1) over a digest that was computed with `digest`; MGF1 with
    /// the same, a random salt of the digest's length.
    pub(super) fn sign_pss(&self, digest: Digest, hash: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.octets];
        let mut length = 0;
        // SAFETY: `signature` has RSA_size octets and its length is given; `hash` is a live slice;
        // the digest's description is a constant of the library, and none for MGF1 means the same.
        let done = unsafe {
            lc::RSA_sign_pss_mgf1(
                self.rsa.as_ptr(),
                &raw mut length,
                signature.as_mut_ptr(),
                signature.len(),
                hash.as_ptr(),
                hash.len(),
                method(digest),
                ptr::null(),
                lc::RSA_PSS_SALTLEN_DIGEST,
            )
        };
        (done == 1 && length == self.octets).then_some(signature).or_else(forget_errors)
    }

    /// The bare private operation (RFC 8017 section 5.1.2), blinded; none if `block` is not as long
    /// as the modulus or not below it, which anyone can tell who knows the public key.
    pub(super) fn apply(&self, block: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut plain = Zeroizing::new(vec![0; self.octets]);
        let mut length = 0;
        // SAFETY: `plain` has RSA_size octets and its length is given; `block` is a live slice.
        let done = unsafe {
            lc::RSA_decrypt(
                self.rsa.as_ptr(),
                &raw mut length,
                plain.as_mut_ptr(),
                plain.len(),
                block.as_ptr(),
                block.len(),
                lc::RSA_NO_PADDING,
            )
        };
        (done == 1 && length == self.octets).then_some(plain).or_else(forget_errors)
    }

    /// Octets of the modulus.
    pub(super) const fn octets(&self) -> usize {
        self.octets
    }
}

impl Drop for RsaPrivate {
    fn drop(&mut self) {
        // SAFETY: the key is ours and not used afterwards; aws-lc wipes its numbers.
        unsafe { lc::RSA_free(self.rsa.as_ptr()) }
    }
}

/// The library keeps a queue of errors per thread; what is not read would turn up with a later
/// operation.
fn forget_errors<T>() -> Option<T> {
    // SAFETY: touches this thread's queue only.
    unsafe { lc::ERR_clear_error() }
    None
}

const fn nid(digest: Digest) -> c_int {
    match digest {
        Digest::Md5 => lc::NID_md5,
        Digest::Sha1 => lc::NID_sha1,
        Digest::Sha224 => lc::NID_sha224,
        Digest::Sha256 => lc::NID_sha256,
        Digest::Sha384 => lc::NID_sha384,
        Digest::Sha512 => lc::NID_sha512,
    }
}

fn method(digest: Digest) -> *const lc::EVP_MD {
    // SAFETY: these functions return pointers to constants.
    unsafe {
        match digest {
            Digest::Md5 => lc::EVP_md5(),
            Digest::Sha1 => lc::EVP_sha1(),
            Digest::Sha224 => lc::EVP_sha224(),
            Digest::Sha256 => lc::EVP_sha256(),
            Digest::Sha384 => lc::EVP_sha384(),
            Digest::Sha512 => lc::EVP_sha512(),
        }
    }
}
