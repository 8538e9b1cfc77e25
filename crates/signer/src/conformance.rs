//! What every [`Signer`] and [`Decrypter`] must do, as one suite for all of them: software, hardware,
//! a cloud's vault.
//!
//! Each check tells what it found in a sentence. How fast an adapter is, is not judged here.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use lanyard_pki::cms::KeyTransport;
use lanyard_pki::{Digest, KeyAlgorithm, PublicKey, SignatureAlgorithm};

use crate::decrypter::{ContentKey, Decrypter};
use crate::error::{DecryptError, SignError};
use crate::signer::Signer;

/// An adapter does not do what its port says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Nonconformance(String);

type Outcome = Result<(), Nonconformance>;

/// How many operations are under way at a time while concurrency is checked.
const AT_A_TIME: usize = 16;

/// Checks a signer.
pub async fn signer(signer: &dyn Signer) -> Outcome {
    let key = signer.public_key();
    demand(!signer.algorithms().is_empty(), || "it signs with nothing".to_owned())?;
    for algorithm in signer.algorithms().iter().copied() {
        demand(fits(algorithm, key.algorithm()), || {
            format!("it says it signs with {algorithm}, which a key {} cannot", key.algorithm())
        })?;
        for length in [0, 1, 20, 1024, 1024 * 1024] {
            signs(signer, algorithm, &vec![0xA5; length]).await?;
        }
    }
    for algorithm in every_algorithm() {
        if !signer.algorithms().contains(&algorithm) {
            let outcome = signer.sign(algorithm, b"message").await;
            demand(
                matches!(outcome, Err(SignError::Unsupported(named)) if named == algorithm),
                || format!("it does not sign with {algorithm} and does not say so: {outcome:?}"),
            )?;
        }
    }
    signs_concurrently(signer).await
}

async fn signs(signer: &dyn Signer, algorithm: SignatureAlgorithm, message: &[u8]) -> Outcome {
    let length = message.len();
    let signature = signer.sign(algorithm, message).await.map_err(|fault| {
        Nonconformance(format!("{length} octets are not signed with {algorithm}: {fault}"))
    })?;
    let verified = |message: &[u8]| signer.public_key().verify(algorithm, message, &signature);
    demand(verified(message).is_ok(), || {
        format!("its signature with {algorithm} over {length} octets does not verify")
    })?;
    let other = [message, b"!"].concat();
    demand(verified(&other).is_err(), || {
        format!("its signature with {algorithm} verifies over another message, too")
    })
}

async fn signs_concurrently(signer: &dyn Signer) -> Outcome {
    let Some(algorithm) = signer.preferred_algorithm() else { return Ok(()) };
    let messages: Vec<Vec<u8>> =
        (0..AT_A_TIME).map(|n| format!("message {n}").into_bytes()).collect();
    let mut under_way: Vec<_> = messages.iter().map(|m| signer.sign(algorithm, m)).collect();
    let signatures = all(&mut under_way).await;
    for (message, signature) in messages.iter().zip(signatures) {
        let verified = signature
            .as_ref()
            .is_ok_and(|s| signer.public_key().verify(algorithm, message, s).is_ok());
        demand(verified, || format!("of {AT_A_TIME} signatures at a time one is wrong"))?;
    }
    Ok(())
}

/// Checks a decrypter with an RSA key.
pub async fn decrypter(decrypter: &dyn Decrypter) -> Outcome {
    let mut supported = 0;
    for transport in &every_transport() {
        if decrypter.supports(transport) {
            supported += 1;
            decrypts(decrypter, transport).await?;
            falls_back(decrypter, transport).await?;
        } else {
            let outcome = decrypter.decrypt_content_key(transport, &[], fallback(16)).await;
            let said =
                matches!(outcome, Err(DecryptError::Unsupported(named)) if named == *transport);
            demand(said, || format!("it does not decrypt {transport} and does not say so"))?;
        }
    }
    demand(supported > 0, || "it decrypts nothing".to_owned())
}

/// Checks that a key which cannot decrypt says so for every transport.
pub async fn no_decrypter(decrypter: &dyn Decrypter) -> Outcome {
    for transport in &every_transport() {
        let outcome = decrypter.decrypt_content_key(transport, &[0; 256], fallback(16)).await;
        let said = matches!(outcome, Err(DecryptError::Unsupported(_)));
        demand(said && !decrypter.supports(transport), || {
            format!("a key {} pretends to decrypt", decrypter.public_key().algorithm())
        })?;
    }
    Ok(())
}

async fn decrypts(decrypter: &dyn Decrypter, transport: &KeyTransport) -> Outcome {
    for length in [8, 16, 24, 32] {
        let content_key = content_key(length);
        let encrypted = wrap(decrypter.public_key(), transport, &content_key)?;
        let found = decrypt(decrypter, transport, &encrypted, length).await?;
        demand(found == content_key, || {
            format!("it does not decrypt {length} octets that were encrypted by {transport}")
        })?;
    }
    let too_long = decrypter.decrypt_content_key(transport, &[0; 256], fallback(5000)).await;
    demand(matches!(too_long, Err(DecryptError::TooLong(5000))), || {
        format!("it does not say that 5000 octets are too long for {transport}: {too_long:?}")
    })
}

/// Whatever is wrong with the encrypted octets, the outcome is the fallback and no error.
async fn falls_back(decrypter: &dyn Decrypter, transport: &KeyTransport) -> Outcome {
    let key = decrypter.public_key();
    let sound = wrap(key, transport, &content_key(16))?;
    let length_differs = wrap(key, transport, &content_key(24))?;
    let mut damaged = sound.clone();
    if let Some(last) = damaged.last_mut() {
        *last ^= 1;
    }
    let other_padding = match transport {
        KeyTransport::Pkcs1 => KeyTransport::oaep(Digest::Sha1),
        KeyTransport::Oaep { .. } => KeyTransport::Pkcs1,
    };
    let cases = [
        ("a content key of another length", length_differs),
        ("one flipped bit", damaged),
        ("another padding", wrap(key, &other_padding, &content_key(16))?),
        ("nothing", Vec::new()),
        ("one octet too few", sound.iter().skip(1).copied().collect()),
        ("one octet too many", [&[0], sound.as_slice()].concat()),
        ("a number not below the modulus", vec![0xFF; sound.len()]),
        ("zero", vec![0; sound.len()]),
    ];
    for (what, encrypted) in cases {
        let found = decrypt(decrypter, transport, &encrypted, 16).await?;
        demand(found == fallback(16), || {
            format!("{transport}: the outcome of {what} is not the fallback")
        })?;
    }
    Ok(())
}

async fn decrypt(
    decrypter: &dyn Decrypter,
    transport: &KeyTransport,
    encrypted: &[u8],
    length: usize,
) -> Result<ContentKey, Nonconformance> {
    let outcome = decrypter.decrypt_content_key(transport, encrypted, fallback(length)).await;
    outcome.map_err(|fault| Nonconformance(format!("{transport} fails and must not: {fault}")))
}

fn wrap(
    key: &PublicKey,
    transport: &KeyTransport,
    content_key: &[u8],
) -> Result<Vec<u8>, Nonconformance> {
    let length = key.modulus_len().unwrap_or_default();
    let padded = transport.pad(content_key, length, &[0x5A; 64]).map_err(|fault| fault.to_string());
    let encrypted = padded.and_then(|block| key.encrypt_block(&block).map_err(|f| f.to_string()));
    encrypted.map_err(|fault| Nonconformance(format!("its key encrypts nothing: {fault}")))
}

fn content_key(length: usize) -> ContentKey {
    vec![0x11; length].into()
}

fn fallback(length: usize) -> ContentKey {
    vec![0xEE; length].into()
}

fn fits(algorithm: SignatureAlgorithm, key: KeyAlgorithm) -> bool {
    match key {
        KeyAlgorithm::Rsa { .. } => {
            matches!(algorithm, SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss(_))
        }
        KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521 => {
            matches!(algorithm, SignatureAlgorithm::Ecdsa(_))
        }
        KeyAlgorithm::Ed25519 => algorithm == SignatureAlgorithm::Ed25519,
    }
}

fn every_algorithm() -> Vec<SignatureAlgorithm> {
    let mut all = vec![SignatureAlgorithm::Ed25519];
    for digest in Digest::ALL {
        all.push(SignatureAlgorithm::RsaPkcs1(digest));
        all.push(SignatureAlgorithm::RsaPss(digest));
        all.push(SignatureAlgorithm::Ecdsa(digest));
    }
    all
}

fn every_transport() -> Vec<KeyTransport> {
    let same =
        [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512].map(KeyTransport::oaep);
    let mixed =
        KeyTransport::Oaep { digest: Digest::Sha256, mask: Digest::Sha1, label: b"label".to_vec() };
    [KeyTransport::Pkcs1, mixed].into_iter().chain(same).collect()
}

fn demand(met: bool, complaint: impl FnOnce() -> String) -> Outcome {
    if met { Ok(()) } else { Err(Nonconformance(complaint())) }
}

/// Polls all futures together until each is ready.
async fn all<F: Future + Unpin>(futures: &mut [F]) -> Vec<F::Output> {
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let Poll::Ready(output) = Pin::new(future).poll(context)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
