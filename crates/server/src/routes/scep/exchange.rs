//! One PKIOperation: the message's octets in, those of the reply out. Each stage is a type that the next one consumes.

use std::sync::Arc;

use http::StatusCode;
use lanyard_authority::scep::ScepIdentity;
use lanyard_authority::settings::Endpoint;
use lanyard_authority::{
    Actor, Error, Fault, Issued, Outcome, Persistence, Proof, Request, Transaction,
};
use lanyard_lifecycle::Refusal;
use lanyard_pki::Certificate;
use lanyard_pki::cms::{
    EnvelopeSecrets, IssuerAndSerialNumber, KeyTransport, PasswordKey, UnsignedMessage,
};
use lanyard_scep::server::{
    Granted, Message, NeedsDecryption, Opened, Purpose, Rejected, ReplyError,
};
use lanyard_scep::server::{ReplyTo, Request as Asked};
use lanyard_scep::{FailInfo, Legacy, MessageType, Policy, SenderNonce, Tolerances, TransactionId};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{announce, refusal};
use crate::app::App;
use crate::config::BrokenAlgorithms;
use crate::extract::Client;
use crate::observe;
use crate::problem::Problem;

/// A reply and what came of the message, for metrics.
pub(super) struct Answered {
    pub(super) reply: Vec<u8>,
    pub(super) message_type: &'static str,
    pub(super) outcome: &'static str,
    pub(super) tolerances: Tolerances,
}

/// Answers a message. What cannot be answered in kind becomes a problem document.
pub(super) async fn answer(
    app: &App,
    endpoint: &Endpoint,
    client: Client,
    octets: &[u8],
) -> Result<Answered, Problem> {
    let identity = announce::identity(app, endpoint)?;
    let policy = Policy {
        legacy: match app.config.scep.broken_algorithms {
            BrokenAlgorithms::Refused => Legacy::Refused,
            BrokenAlgorithms::Accepted => Legacy::Allowed,
        },
        octets: app.config.limits.scep_body.octets(),
    };
    let message = Message::parse(octets, policy).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST).detail(format!("This is no SCEP message: {error}."))
    })?;
    let exchange = Exchange {
        app,
        endpoint,
        client,
        identity,
        message_type: message.message_type(),
        transaction_id: message.transaction_id().clone(),
    };
    exchange.answer(message).await
}

/// What stays the same while a message is worked on.
struct Exchange<'a> {
    app: &'a App,
    endpoint: &'a Endpoint,
    client: Client,
    identity: Arc<ScepIdentity>,
    message_type: MessageType,
    transaction_id: TransactionId,
}

impl Exchange<'_> {
    async fn answer(&self, message: Message) -> Result<Answered, Problem> {
        let receivers = self.identity.receivers();
        let certificates: Vec<&Certificate> =
            receivers.iter().map(|one| &one.certificate).collect();
        let needs = match message.verify().and_then(|verified| verified.envelope(&certificates)) {
            Ok(needs) => needs,
            Err(rejected) => return self.reject(rejected).await,
        };
        let Some(key) = self.content_key(&needs).await? else {
            return self.fail(needs.reply_to(), FailInfo::BadAlg, "key transport", None).await;
        };
        match needs.decrypted(&key) {
            Ok(opened) => self.decide(opened).await,
            Err(rejected) => self.reject(rejected).await,
        }
    }

    /// The content key, or random octets in its place; none when our key cannot undo this key transport.
    async fn content_key(
        &self,
        needs: &NeedsDecryption,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Problem> {
        let transport: &KeyTransport = needs.transport();
        let Some(receiver) = self.identity.receivers().get(needs.identity()) else {
            return Ok(None);
        };
        if !receiver.decrypter.supports(transport) {
            return Ok(None);
        }
        let mut fallback = Zeroizing::new(vec![0; needs.key_len()]);
        self.app.world.entropy.fill(&mut fallback);
        let key = receiver
            .decrypter
            .decrypt_content_key(transport, needs.encrypted_key(), fallback)
            .await;
        key.map(Some).map_err(|error| fault("decrypt a SCEP message", error))
    }

    async fn decide(&self, opened: Opened) -> Result<Answered, Problem> {
        let transaction = match self.transaction(&opened) {
            Ok(transaction) => transaction,
            Err(refusal) => return self.refuse(opened.reply.to(), &refusal).await,
        };
        let outcome = match &opened.request {
            Asked::Certificate { csr, purpose } => {
                let request = Request {
                    endpoint: self.endpoint.id,
                    csr: csr.clone(),
                    proof: self.proof(*purpose, &opened.signer),
                    transaction: Some(transaction),
                    actor: self.actor(),
                };
                self.app.authority.issue(request).await
            }
            Asked::Poll(_) => {
                let holds = Some(&opened.signer).filter(|_| !opened.signer_is_self_issued());
                self.app.authority.poll(self.endpoint.id, &transaction, holds).await
            }
            Asked::GetCert(named) => self.look_up(&opened.signer, named).await,
            Asked::GetCrl(named) => return self.crl(&opened, named).await,
        };
        match outcome {
            Ok(Outcome::Issued(issued)) => {
                let mut certificates = vec![issued.certificate.as_slice()];
                certificates.extend(issued.ca.path().map(Certificate::as_der));
                self.grant(&opened, Granted::Certificates(&certificates)).await
            }
            Ok(Outcome::Pending(_)) => {
                let pending = opened.reply.to().pending(&self.identity.certificate, self.nonce());
                let reply = self.sign(pending).await?;
                Ok(self.answered(reply, "pending", opened.tolerances))
            }
            Err(Error::Refused(refusal)) => self.refuse(opened.reply.to(), &refusal).await,
            Err(Error::Fault(fault)) => Err(unable(&fault)),
        }
    }

    /// The client's transaction: its id, and the key that signed the message.
    fn transaction(&self, opened: &Opened) -> Result<Transaction, Refusal> {
        let signer = opened.signer.public_key().map_err(|_| Refusal::BadProofOfPossession)?;
        Ok(Transaction {
            id: self.transaction_id.as_str().as_bytes().to_vec(),
            signer: signer.fingerprint(),
        })
    }

    fn proof(&self, purpose: Purpose, signer: &Certificate) -> Proof {
        match (purpose, self.message_type) {
            (Purpose::Initial, _) => Proof::Challenge,
            (Purpose::Renewal, MessageType::RenewalReq) => Proof::Renewal(signer.clone()),
            (Purpose::Renewal, _) => Proof::RenewalOrChallenge(signer.clone()),
        }
    }

    fn actor(&self) -> Actor {
        Actor::Client { endpoint: self.endpoint.name.clone(), address: self.client.0 }
    }

    /// GetCert: the certificate that the message names, for its own key and for whoever has a certificate from here.
    async fn look_up(
        &self,
        signer: &Certificate,
        named: &IssuerAndSerialNumber,
    ) -> Result<Outcome, Error> {
        let found = self.app.authority.issued_by(&named.issuer, &named.serial).await;
        let is_own = |found: &Issued| {
            Certificate::from_der(&found.certificate)
                .is_ok_and(|one| one.spki_der() == signer.spki_der())
        };
        let may_have = found.as_ref().is_ok_and(is_own) || self.knows(signer).await?;
        if may_have { found.map(Outcome::Issued) } else { Err(Refusal::Unauthenticated.into()) }
    }

    /// Whether a signer's certificate was issued here. What anyone may sign says nothing about who asks.
    async fn knows(&self, signer: &Certificate) -> Result<bool, Error> {
        match self.app.authority.issued_by(signer.issuer(), signer.serial()).await {
            Ok(issued) => Ok(issued.certificate == signer.as_der()),
            Err(Error::Refused(_)) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// GetCRL: the complete CRL of the CA that the message names, for whoever has a certificate from here.
    async fn crl(
        &self,
        opened: &Opened,
        named: &IssuerAndSerialNumber,
    ) -> Result<Answered, Problem> {
        match self.knows(&opened.signer).await {
            Ok(true) => {}
            Ok(false) | Err(Error::Refused(_)) => {
                return self.refuse(opened.reply.to(), &Refusal::Unauthenticated).await;
            }
            Err(Error::Fault(fault)) => return Err(unable(&fault)),
        }
        match self.app.authority.crl_for(&named.issuer, &named.serial).await {
            Ok(crl) => self.grant(opened, Granted::Crl(&crl.der)).await,
            Err(Error::Refused(refusal)) => self.refuse(opened.reply.to(), &refusal).await,
            Err(Error::Fault(fault)) => Err(unable(&fault)),
        }
    }

    async fn grant(&self, opened: &Opened, granted: Granted<'_>) -> Result<Answered, Problem> {
        let password = self.password(opened).await?;
        let mut random = Zeroizing::new([0; EnvelopeSecrets::LEN]);
        self.app.world.entropy.fill(random.as_mut());
        let secrets = EnvelopeSecrets::from_random(&random);
        let (certificate, nonce) = (&self.identity.certificate, self.nonce());
        let success =
            opened.reply.success(granted, password.as_ref(), certificate, nonce, &secrets);
        if let Err(ReplyError::NoPassword) = success {
            let text = Some("the key cannot decrypt, and there is no challenge to encrypt with");
            return self.fail(opened.reply.to(), FailInfo::BadRequest, "no password", text).await;
        }
        let reply = self.sign(success).await?;
        Ok(self.answered(reply, "success", opened.tolerances))
    }

    /// The key of a reply to a client whose own key cannot decrypt: from the challenge that it sent, else from the one
    /// that it has to know.
    async fn password(&self, opened: &Opened) -> Result<Option<PasswordKey>, Problem> {
        if !opened.reply.needs_password() {
            return Ok(None);
        }
        let sent = opened.challenge_password().map(|sent| Zeroizing::new(sent.expose().to_vec()));
        let known = || {
            let challenge = self.endpoint.challenge.as_ref()?;
            Some(Zeroizing::new(challenge.expose_secret().as_bytes().to_vec()))
        };
        let Some(challenge) = sent.or_else(known) else { return Ok(None) };
        let salt = self.random();
        let derived = tokio::task::spawn_blocking(move || {
            PasswordKey::derive(&challenge, salt, PasswordKey::ITERATIONS)
        });
        derived.await.map(Some).map_err(|error| fault("derive a reply's key", error))
    }

    async fn reject(&self, rejected: Rejected) -> Result<Answered, Problem> {
        tracing::info!(
            scep.transaction_id = %self.transaction_id,
            scep.message_type = ?self.message_type,
            client.address = self.client.0.map(tracing::field::display),
            "Rejected a SCEP message: {}",
            rejected.reason
        );
        self.fail(&rejected.reply_to, rejected.fail_info, "message", None).await
    }

    async fn refuse(&self, to: &ReplyTo, refusal: &Refusal) -> Result<Answered, Problem> {
        if let (true, Some(address)) = (refusal::is_wrong_challenge(refusal), self.client.0) {
            self.app.challenges.wrong(address);
        }
        tracing::info!(
            scep.transaction_id = %self.transaction_id,
            scep.message_type = ?self.message_type,
            client.address = self.client.0.map(tracing::field::display),
            "Refused a SCEP request: {refusal}"
        );
        if refusal.is_passing() {
            // A failure in SCEP is final to many clients; this they try again.
            observe::refused("scep", refusal_name(refusal));
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE).retry_after(10);
            return Err(problem.detail(format!("This cannot be decided now: {refusal}.")));
        }
        self.fail(
            to,
            refusal::fail_info(refusal),
            refusal_name(refusal),
            Some(&refusal.to_string()),
        )
        .await
    }

    async fn fail(
        &self,
        to: &ReplyTo,
        fail_info: FailInfo,
        reason: &'static str,
        text: Option<&str>,
    ) -> Result<Answered, Problem> {
        observe::refused("scep", reason);
        let failure = to.failure(fail_info, text, &self.identity.certificate, self.nonce());
        let reply = self.sign(failure).await?;
        Ok(self.answered(reply, "failure", Tolerances::none()))
    }

    async fn sign(
        &self,
        unsigned: Result<UnsignedMessage, ReplyError>,
    ) -> Result<Vec<u8>, Problem> {
        let unsigned = unsigned.map_err(|error| fault("make a SCEP reply", error))?;
        let signature = self.identity.signer.sign(unsigned.algorithm(), unsigned.tbs()).await;
        let signature = signature.map_err(|error| fault("sign a SCEP reply", error))?;
        Ok(unsigned.assemble(&signature))
    }

    fn answered(&self, reply: Vec<u8>, outcome: &'static str, tolerances: Tolerances) -> Answered {
        Answered { reply, message_type: type_name(self.message_type), outcome, tolerances }
    }

    fn nonce(&self) -> SenderNonce {
        SenderNonce::from_random(self.random())
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        lanyard_authority::entropy::random(&*self.app.world.entropy)
    }
}

fn type_name(message_type: MessageType) -> &'static str {
    match message_type {
        MessageType::CertRep => "CertRep",
        MessageType::RenewalReq => "RenewalReq",
        MessageType::PkcsReq => "PKCSReq",
        MessageType::CertPoll => "CertPoll",
        MessageType::GetCert => "GetCert",
        MessageType::GetCrl => "GetCRL",
    }
}

/// The reason of a refusal in metrics: a fixed set.
fn refusal_name(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::ChallengeMissing => "challenge missing",
        Refusal::WrongChallenge | Refusal::ChallengeTooLong { .. } => "wrong challenge",
        Refusal::WeakKey(_) | Refusal::UnsupportedKey(_) => "key",
        Refusal::BadProofOfPossession => "proof of possession",
        Refusal::TransactionReused | Refusal::UnknownTransaction => "transaction",
        Refusal::Declined => "declined",
        Refusal::NotValidated(_) | Refusal::NoticeRefused => "refused by Intune",
        Refusal::ValidationSilent | Refusal::NoticeWaiting | Refusal::DirectorySilent { .. } => {
            "directory silent"
        }
        Refusal::Unbound(_) => "object",
        _ => "policy",
    }
}

/// A fault that a door found itself: logged here, once.
pub(super) fn fault(
    doing: &'static str,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Problem {
    unable(&Fault::new(doing, Persistence::Lasting, cause))
}

/// What a client is told about a fault of ours: its id.
fn unable(fault: &Fault) -> Problem {
    observe::fault("scep");
    tracing::error!(fault.id = %fault.id(), "A SCEP request failed: {}", fault.report());
    match fault.persistence() {
        Persistence::Passing => Problem::new(StatusCode::SERVICE_UNAVAILABLE).retry_after(10),
        Persistence::Lasting => Problem::new(StatusCode::INTERNAL_SERVER_ERROR),
    }
    .fault(fault.id())
}
