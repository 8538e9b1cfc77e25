//! SCEP over HTTP as a client: discover an authority, ask it for a certificate, poll while it decides.
//!
//! What the messages say is `lanyard-scep`'s business; files and flags are the commands'.

mod error;
mod http;

use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use lanyard_pki::cms::EnvelopeSecrets;
use lanyard_pki::csr::{ChallengePassword, RequestBuilder, RequestedValidity};
use lanyard_pki::extension::Extensions;
use lanyard_pki::{Certificate, Digest, Name, SerialNumber, Time};
use lanyard_scep::client::{
    Asked, CaCertificates, Expected, Issued, Outgoing, Reply, ReplyRefused, RequestInput,
    SealedReply, Suite, self_signed,
};
use lanyard_scep::operation::{Operation, content_type, pki_operation_query};
use lanyard_scep::server::{IssuerAndSubject, Purpose};
use lanyard_scep::{Capabilities, Capability, Policy, SenderNonce, TransactionId};
use lanyard_signer::{Decrypter as _, Signer, SoftwareKey};
use reqwest::{Client, Url};
use zeroize::Zeroizing;

use super::patience::Patience;
pub use error::ScepClientError;
use http::{answer, get, shown};

/// An authority behind a SCEP address.
#[derive(Clone)]
pub struct ScepServer {
    http: Client,
    url: Url,
    patience: Patience,
    capabilities: Capabilities,
    authority: CaCertificates,
}

/// What is asked for.
pub struct Order<'a> {
    /// The key to certify.
    pub key: &'a SoftwareKey,
    /// The subject.
    pub subject: Name,
    /// Extensions to ask for, such as alternative names.
    pub extensions: Extensions,
    /// The challenge password.
    pub challenge: Option<&'a ChallengePassword>,
    /// How long the certificate should be valid.
    pub validity: Option<RequestedValidity>,
    /// The certificate to renew and its key; without, the request is signed by its own key.
    pub renews: Option<(&'a Certificate, &'a SoftwareKey)>,
    /// The time, for the certificate that a first request is signed with.
    pub now: Time,
}

/// What came of a request.
#[derive(Debug)]
pub enum Outcome {
    /// A certificate, then whatever else came along.
    Issued(Box<Certificate>, Vec<Certificate>),
    /// Somebody has to decide first.
    Pending(TransactionId),
}

impl ScepServer {
    /// Asks for capabilities and certificates. `fingerprint` (SHA-256 or SHA-1 in hexadecimal) must be that of an
    /// announced certificate; without it, whoever answers is believed.
    pub async fn discover(
        http: Client,
        url: Url,
        fingerprint: Option<&str>,
    ) -> Result<Self, ScepClientError> {
        Self::discover_with(http, url, Patience::none(), fingerprint).await
    }

    /// The same with a server that may put its clients off, now and later.
    pub async fn discover_with(
        http: Client,
        url: Url,
        patience: Patience,
        fingerprint: Option<&str>,
    ) -> Result<Self, ScepClientError> {
        let ask = async |operation: Operation| {
            get(&http, &url, &patience, operation, &operation.query()).await
        };
        let capabilities = ask(Operation::GetCaCaps).await.map(|body| Capabilities::parse(&body));
        let capabilities = match capabilities {
            // RFC 8894, 3.5.1: an old server knows nothing of this operation.
            Err(ScepClientError::Status { .. }) => Capabilities::none(),
            other => other?,
        };
        let answer = ask(Operation::GetCaCert).await?;
        let authority = CaCertificates::from_answer(&answer)?;
        if let Some(expected) = fingerprint
            && !authority.all().iter().any(|certificate| has_fingerprint(certificate, expected))
        {
            return Err(ScepClientError::Fingerprint(expected.to_owned()));
        }
        Ok(Self { http, url, patience, capabilities, authority })
    }

    /// What the server announces that it can do.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// The certificates that the server announces.
    pub fn authority(&self) -> &CaCertificates {
        &self.authority
    }

    /// Asks for a certificate once. `waiting` is told when the authority wants to decide first and how long until the
    /// next poll; it says whether to go on waiting.
    pub async fn request(
        &self,
        order: &Order<'_>,
        mut waiting: impl FnMut(&TransactionId) -> Option<Duration>,
    ) -> Result<Outcome, ScepClientError> {
        let message = self.prepare(order).await?;
        let poll = message.poll.clone();
        let mut reply = self.exchange(&message).await?;
        loop {
            match reply {
                Reply::Success(sealed) => return self.open(*sealed, order, &message).await,
                Reply::Failure { fail_info, text } => {
                    let text = text.as_deref().and_then(shown);
                    return Err(ScepClientError::Refused { fail_info, text });
                }
                Reply::Pending => {
                    let Some(delay) = waiting(&message.transaction_id) else {
                        return Ok(Outcome::Pending(message.transaction_id));
                    };
                    tokio::time::sleep(delay).await;
                    let asked = Asked::Poll(&poll);
                    let again = self
                        .message(
                            asked,
                            &message.transaction_id,
                            &message.signer,
                            &message.signing_key,
                        )
                        .await?;
                    reply = self
                        .exchange(&PreparedMessage {
                            octets: again.0,
                            expected: again.1,
                            ..message.clone()
                        })
                        .await?;
                }
            }
        }
    }

    /// Makes the message for an order, without sending it.
    pub async fn prepare(&self, order: &Order<'_>) -> Result<PreparedMessage, ScepClientError> {
        let suite = Suite::for_server(self.capabilities);
        let algorithm = suite.signature_algorithm(Signer::public_key(order.key));
        let mut builder =
            RequestBuilder::new(order.subject.clone(), Signer::public_key(order.key).clone());
        builder.challenge = order.challenge.cloned();
        builder.extensions = order.extensions.clone();
        builder.validity = order.validity;
        let unsigned = builder.build(algorithm);
        let signature = order.key.sign(algorithm, unsigned.tbs()).await?;
        let csr = unsigned.assemble(&signature);

        let (signer, signing_key) = match order.renews {
            Some((certificate, key)) => (certificate.clone(), key.clone()),
            None => (self_signed_for(order, algorithm).await?, order.key.clone()),
        };
        // Nothing is asked for whose answer could not be read: the certificate would be issued in vain.
        if order.challenge.is_none() && !Signer::public_key(&signing_key).algorithm().can_encipher()
        {
            return Err(ScepClientError::NoChallenge);
        }
        // A server of before RFC 8894 knows renewal only as a PKCSReq signed with the old certificate.
        let purpose = if order.renews.is_some() && self.capabilities.contains(Capability::Renewal) {
            Purpose::Renewal
        } else {
            Purpose::Initial
        };
        // The same request again, after an interruption, is the same transaction: it gets the same answer.
        let transaction_id = TransactionId::new(&hex::encode(Digest::Sha256.of(&csr)))?;
        let asked = Asked::Certificate { csr: &csr, purpose };
        let (octets, expected) =
            self.message(asked, &transaction_id, &signer, &signing_key).await?;
        let issuer = self.authority.authority().ok_or(ScepClientError::NoRecipient)?;
        let poll =
            IssuerAndSubject { issuer: issuer.subject().clone(), subject: order.subject.clone() };
        let challenge = order.challenge.cloned();
        Ok(PreparedMessage {
            octets,
            expected,
            transaction_id,
            signer,
            signing_key,
            poll,
            challenge,
        })
    }

    async fn message(
        &self,
        asked: Asked<'_>,
        transaction_id: &TransactionId,
        signer: &Certificate,
        key: &SoftwareKey,
    ) -> Result<(Vec<u8>, Expected), ScepClientError> {
        let suite = Suite::for_server(self.capabilities);
        let recipient = self.authority.encryption().ok_or(ScepClientError::NoRecipient)?;
        let input = RequestInput {
            asked,
            transaction_id: transaction_id.clone(),
            nonce: SenderNonce::from_random(random()?),
            signer,
            recipient,
            suite: &suite,
        };
        let secrets = EnvelopeSecrets::from_random(&random()?);
        let outgoing = Outgoing::new(&input, &secrets)?;
        let signature = key.sign(outgoing.algorithm(), outgoing.tbs()).await?;
        Ok(outgoing.assemble(&signature))
    }

    async fn exchange(&self, message: &PreparedMessage) -> Result<Reply, ScepClientError> {
        let operation = Operation::PkiOperation;
        let answer = if self.capabilities.contains(Capability::PostPkiOperation) {
            let mut url = self.url.clone();
            url.set_query(Some(&operation.query()));
            let request = self
                .http
                .post(url)
                .header(reqwest::header::CONTENT_TYPE, content_type::PKI_MESSAGE)
                .body(message.octets.clone());
            answer(&self.url, &self.patience, operation, request).await?
        } else {
            let query = pki_operation_query(&message.octets);
            get(&self.http, &self.url, &self.patience, operation, &query).await?
        };
        Ok(message.reply(&answer, &self.authority)?)
    }

    async fn open(
        &self,
        sealed: SealedReply,
        order: &Order<'_>,
        message: &PreparedMessage,
    ) -> Result<Outcome, ScepClientError> {
        let issued = message.open(sealed).await?;
        let key = Signer::public_key(order.key);
        let certificate = issued.for_key(key).cloned().ok_or(ScepClientError::NotOurs)?;
        let mut others = issued.certificates;
        others.retain(|other| *other != certificate);
        Ok(Outcome::Issued(Box::new(certificate), others))
    }
}

/// A message that is ready to be sent, and what is needed to understand its reply.
#[derive(Clone)]
pub struct PreparedMessage {
    /// The message.
    pub octets: Vec<u8>,
    expected: Expected,
    transaction_id: TransactionId,
    signer: Certificate,
    signing_key: SoftwareKey,
    poll: IssuerAndSubject,
    challenge: Option<ChallengePassword>,
}

impl PreparedMessage {
    /// Reads the reply to this message, whose signer must be announced or certified by `authority`.
    pub fn reply(&self, answer: &[u8], authority: &CaCertificates) -> Result<Reply, ReplyRefused> {
        self.expected.reply(answer, authority, &Policy::default())
    }

    /// Opens the reply to this message.
    pub async fn open(&self, sealed: SealedReply) -> Result<Issued, ScepClientError> {
        let Some((transport, encrypted)) = sealed.encrypted_key() else {
            let challenge = self.challenge.as_ref().ok_or(ScepClientError::NoChallenge)?;
            return Ok(sealed.with_password(challenge.expose())?);
        };
        let fallback = Zeroizing::new(random::<32>()?[..sealed.key_len()].to_vec());
        let key = self.signing_key.decrypt_content_key(transport, encrypted, fallback).await?;
        Ok(sealed.decrypted(&key)?)
    }
}

/// How long the certificate is valid that signs a first request, in seconds: long enough for a person to decide.
const SELF_SIGNED: i64 = 60 * 86_400;

/// How far back it begins, in seconds, for servers whose clock is behind.
const SKEW: i64 = 86_400;

/// The certificate that a first request is signed with: its own key and subject.
async fn self_signed_for(
    order: &Order<'_>,
    algorithm: lanyard_pki::SignatureAlgorithm,
) -> Result<Certificate, ScepClientError> {
    let mut serial: [u8; 16] = random()?;
    serial[0] = serial[0] & 0x7f | 0x40;
    let unsigned = self_signed(
        &order.subject,
        Signer::public_key(order.key),
        &SerialNumber::from_bytes(&serial)?,
        order.now.plus(-SKEW),
        order.now.plus(SELF_SIGNED),
        algorithm,
    );
    let signature = order.key.sign(algorithm, unsigned.tbs()).await?;
    Ok(Certificate::from_der(&unsigned.assemble(&signature))?)
}

fn has_fingerprint(certificate: &Certificate, expected: &str) -> bool {
    let expected: String =
        expected.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
    expected == hex::encode(certificate.fingerprint_sha256())
        || expected == hex::encode(certificate.fingerprint_sha1())
}

fn random<const N: usize>() -> Result<[u8; N], ScepClientError> {
    let mut octets = [0; N];
    SystemRandom::new().fill(&mut octets).map_err(|_| ScepClientError::NoRandomness)?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_that_cannot_decrypt_asks_for_nothing_without_a_challenge() {
        crate::install_tls_provider();
        let key = SoftwareKey::generate(lanyard_pki::KeyAlgorithm::P256).unwrap();
        let mut order = Order {
            key: &key,
            subject: Name::empty(),
            extensions: Extensions::none(),
            challenge: None,
            validity: None,
            renews: None,
            now: Time::from_unix(1_800_000_000),
        };
        let algorithm = key.preferred_algorithm().unwrap();
        let authority = self_signed_for(&order, algorithm).await.unwrap();
        let server = ScepServer {
            http: Client::new(),
            url: "http://127.0.0.1/static".parse().unwrap(),
            patience: Patience::none(),
            capabilities: Capabilities::ours(),
            authority: CaCertificates::from_answer(authority.as_der()).unwrap(),
        };
        let without = server.prepare(&order).await.err();
        assert!(matches!(without, Some(ScepClientError::NoChallenge)), "{without:?}");
        let challenge = ChallengePassword::new("known");
        order.challenge = Some(&challenge);
        // One step further: this authority has no key to encrypt to.
        let with = server.prepare(&order).await.err();
        assert!(matches!(with, Some(ScepClientError::NoRecipient)), "{with:?}");
    }
}
