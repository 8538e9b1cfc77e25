//! SCEP messages as other clients put them together: every algorithm, kept and broken ones, and ids that come again.

use lanyard_authority::Clock as _;
use lanyard_pki::cms::{ContentCipher, EnvelopeSecrets, KeyTransport};
use lanyard_pki::csr::{ChallengePassword, RequestBuilder};
use lanyard_pki::{Certificate, Digest, KeyAlgorithm, Name, SerialNumber, SignatureAlgorithm, pem};
use lanyard_scep::client::{Asked, Outgoing, Reply, RequestInput, SealedReply, Suite, self_signed};
use lanyard_scep::server::Purpose;
use lanyard_scep::{FailInfo, Legacy, Policy, SenderNonce, TransactionId};
use lanyard_server::config::BrokenAlgorithms;
use lanyard_signer::{Decrypter as _, Signer, SoftwareKey};
use zeroize::Zeroizing;

use crate::site::{CHALLENGE, Site};

/// What clients of today send.
const USUAL: Suite =
    Suite { digest: Digest::Sha256, cipher: ContentCipher::Aes128, transport: KeyTransport::Pkcs1 };

/// A device with an RSA key and the certificate that it signs with: its own at first.
struct Device {
    key: SoftwareKey,
    certificate: Certificate,
}

/// One message of a device.
struct Sent<'a> {
    subject: &'a str,
    challenge: Option<&'a str>,
    transaction: &'a str,
    algorithms: &'a Suite,
}

impl Device {
    async fn new(site: &Site) -> Self {
        let key = SoftwareKey::generate(KeyAlgorithm::Rsa { bits: 2048 });
        Self::with(site, key.unwrap()).await
    }

    async fn with(site: &Site, key: SoftwareKey) -> Self {
        let now = site.clock.now();
        let unsigned = self_signed(
            &name("CN=device"),
            Signer::public_key(&key),
            &SerialNumber::from_bytes(&[0x40, 1]).unwrap(),
            now.plus(-60),
            now.plus(86_400),
            SignatureAlgorithm::RsaPkcs1(Digest::Sha256),
        );
        let signature = key.sign(unsigned.algorithm(), unsigned.tbs()).await.unwrap();
        let certificate = Certificate::from_der(&unsigned.assemble(&signature)).unwrap();
        Self { key, certificate }
    }

    /// What the server replies to a PKCSReq.
    async fn send(&self, site: &Site, sent: &Sent<'_>) -> Reply {
        let algorithm = sent.algorithms.signature_algorithm(Signer::public_key(&self.key));
        let mut builder =
            RequestBuilder::new(name(sent.subject), Signer::public_key(&self.key).clone());
        builder.challenge = sent.challenge.map(ChallengePassword::new);
        let unsigned = builder.build(algorithm);
        let signature = self.key.sign(algorithm, unsigned.tbs()).await.unwrap();
        let csr = unsigned.assemble(&signature);

        let server = site.scep().await;
        let input = RequestInput {
            asked: Asked::Certificate { csr: &csr, purpose: Purpose::Initial },
            transaction_id: TransactionId::new(sent.transaction).unwrap(),
            nonce: SenderNonce::from_random([4; 16]),
            signer: &self.certificate,
            recipient: server.authority().encryption().unwrap(),
            suite: sent.algorithms,
        };
        let secrets = EnvelopeSecrets::from_random(&[5; EnvelopeSecrets::LEN]);
        let outgoing = Outgoing::new(&input, &secrets).unwrap();
        let signature = self.key.sign(outgoing.algorithm(), outgoing.tbs()).await.unwrap();
        let (octets, expected) = outgoing.assemble(&signature);
        let url = site.url("/static?operation=PKIOperation");
        let answer = site.http.post(url).body(octets).send().await.unwrap();
        let answer = answer.error_for_status().unwrap().bytes().await.unwrap();
        let lenient = Policy { legacy: Legacy::Allowed, octets: Policy::OCTETS };
        expected.reply(&answer, server.authority(), &lenient).unwrap()
    }

    /// Sends a first request in a algorithms.
    async fn enroll(&self, site: &Site, transaction: &str, algorithms: &Suite) -> Reply {
        let challenge = Some(CHALLENGE);
        self.send(site, &Sent { subject: "CN=device", challenge, transaction, algorithms }).await
    }

    /// The certificate in a reply.
    async fn open(&self, reply: Reply) -> Certificate {
        self.unseal(&sealed(reply)).await
    }

    async fn unseal(&self, sealed: &SealedReply) -> Certificate {
        let (transport, encrypted) = sealed.encrypted_key().unwrap();
        let fallback = Zeroizing::new(vec![0; sealed.key_len()]);
        let key = self.key.decrypt_content_key(transport, encrypted, fallback).await.unwrap();
        let issued = sealed.decrypted(&key).unwrap();
        issued.for_key(Signer::public_key(&self.key)).unwrap().clone()
    }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn sealed(reply: Reply) -> Box<SealedReply> {
    assert!(matches!(reply, Reply::Success(_)), "{reply:?}");
    let sealed = if let Reply::Success(sealed) = reply { Some(sealed) } else { None };
    sealed.unwrap()
}

fn refused(reply: &Reply) -> FailInfo {
    let fail_info =
        if let Reply::Failure { fail_info, .. } = reply { Some(*fail_info) } else { None };
    assert!(fail_info.is_some(), "{reply:?}");
    fail_info.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_8192_bits_is_certified() {
    let site = Site::start().await;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../interop/fixtures/keys/rsa-8192.key");
    let key = pem::decode(pem::PRIVATE_KEY, &std::fs::read_to_string(file).unwrap()).unwrap();
    let device = Device::with(&site, SoftwareKey::from_pkcs8(&key).unwrap()).await;
    let reply = device.enroll(&site, "long", &USUAL).await;
    let issued = device.open(reply).await;
    let long = KeyAlgorithm::Rsa { bits: 8192 };
    assert_eq!(issued.public_key().unwrap().algorithm(), long);
}

#[tokio::test(flavor = "multi_thread")]
async fn oaep_is_answered_in_oaep() {
    let site = Site::start().await;
    let device = Device::new(&site).await;
    for (transaction, digest) in [("oaep-1", Digest::Sha1), ("oaep-256", Digest::Sha256)] {
        let algorithms = Suite { transport: KeyTransport::oaep(digest), ..USUAL };
        let reply = device.enroll(&site, transaction, &algorithms).await;
        let sealed = sealed(reply);
        assert_eq!(sealed.encrypted_key().unwrap().0, &algorithms.transport);
        device.unseal(&sealed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn single_des_and_md5_are_refused_unless_a_setting_takes_them() {
    let broken = [
        ("des", Suite { cipher: ContentCipher::Des, ..USUAL }),
        ("md5", Suite { digest: Digest::Md5, ..USUAL }),
    ];
    let strict = Site::start().await;
    let lenient =
        Site::with(|config| config.scep.broken_algorithms = BrokenAlgorithms::Accepted).await;
    let device = Device::new(&strict).await;
    for (transaction, algorithms) in &broken {
        let reply = device.enroll(&strict, transaction, algorithms).await;
        assert_eq!(refused(&reply), FailInfo::BadAlg, "{transaction}");
        let reply = device.enroll(&lenient, transaction, algorithms).await;
        device.open(reply).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_id_with_another_request_or_for_a_revoked_certificate_is_a_bad_request() {
    let site = Site::start().await;
    let device = Device::new(&site).await;
    let reply = device.enroll(&site, "once", &USUAL).await;
    let first = device.open(reply).await;
    let again = device.enroll(&site, "once", &USUAL).await;
    assert_eq!(device.open(again).await, first, "the same request gets the same certificate");
    let (challenge, algorithms) = (Some(CHALLENGE), &USUAL);
    let other = Sent { subject: "CN=other", challenge, transaction: "once", algorithms };
    assert_eq!(refused(&device.send(&site, &other).await), FailInfo::BadRequest);

    let revocation = crate::enrollment::revocation(&first, "keyCompromise");
    site.control().await.run(revocation).await.unwrap();
    let late = device.enroll(&site, "once", &USUAL).await;
    assert_eq!(refused(&late), FailInfo::BadRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pkcsreq_signed_with_the_old_certificate_is_a_renewal_without_a_challenge() {
    let site = Site::start().await;
    let mut device = Device::new(&site).await;
    let reply = device.enroll(&site, "first", &USUAL).await;
    let old = device.open(reply).await;
    let renewal =
        Sent { subject: "CN=device", challenge: None, transaction: "second", algorithms: &USUAL };
    let stranger = device.send(&site, &renewal).await;
    assert_eq!(refused(&stranger), FailInfo::BadRequest, "anybody can sign for himself");
    device.certificate = old.clone();
    let reply = device.send(&site, &renewal).await;
    let new = device.open(reply).await;
    assert_ne!(new.serial(), old.serial());
    assert_eq!(new.subject(), old.subject());
}
