//! What the tests of the status side share: an authority on a temporary store, and a client that asks and checks.

use std::sync::Arc;

use lanyard_lifecycle::binding::Binding;
use lanyard_lifecycle::kind::Kind;
use lanyard_lifecycle::revocation::Change;
use lanyard_pki::ocsp::{
    self, CertStatus, IssuerHashes, ReceivedResponse, ResponderId, ResponseError,
};
use lanyard_pki::profile::Profile;
use lanyard_pki::{Certificate, Digest, KeyAlgorithm, Name, SerialNumber, Time};
use lanyard_signer::{KeyStore, Signer as _, SoftwareKey};
use lanyard_store::{Claim, Options, Store, StoreUrl, Within};

use crate::answer::Answer;
use crate::audit::Actor;
use crate::ca::Ca;
use crate::certify::{Certified, Order, Origin};
use crate::clock::ManualClock;
use crate::entropy::SeededEntropy;
use crate::revoke::{Revocation, Revoked};
use crate::settings::ScepIdentityChoice;
use crate::{Authority, Error, Ports, Settings};

/// When every test begins.
pub(crate) const NOW: Time = Time::from_unix(1_800_000_000);

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// An authority with a P-256 CA on a temporary store.
pub(crate) struct Lab {
    pub(crate) authority: Authority,
    pub(crate) clock: Arc<ManualClock>,
    key: SoftwareKey,
    folder: tempfile::TempDir,
}

impl Lab {
    /// With default settings.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(NOW));
        let authority = open(&folder, &clock, change).await;
        Self { authority, clock, key: SoftwareKey::generate(KeyAlgorithm::P256).unwrap(), folder }
    }

    /// The same installation after a restart.
    pub(crate) async fn restarted(self, change: impl FnOnce(&mut Settings)) -> Self {
        self.authority.store().close().await;
        let Self { clock, key, folder, authority } = self;
        drop(authority);
        let authority = open(&folder, &clock, change).await;
        Self { authority, clock, key, folder }
    }

    /// The current CA.
    pub(crate) fn ca(&self) -> Arc<Ca> {
        self.authority.cas().current(lanyard_lifecycle::OrganizationId::DEFAULT).unwrap().clone()
    }

    /// Issues a certificate that is valid for a year.
    pub(crate) async fn issue(&self) -> SerialNumber {
        self.issue_until(self.clock_now().plus(365 * DAY)).await
    }

    /// Issues a certificate.
    pub(crate) async fn issue_until(&self, not_after: Time) -> SerialNumber {
        match self.authority.certify(self.order(not_after), Claim::None).await.unwrap() {
            Certified::Issued(issued) => issued.serial,
            other => panic!("not issued: {other:?}"),
        }
    }

    /// An order for a device's certificate.
    pub(crate) fn order(&self, not_after: Time) -> Order {
        let ca = self.ca();
        Order {
            profile: Profile::client(),
            binding: Binding::untethered(Kind::Static, self.authority.random()).unwrap(),
            subject: "CN=device".parse().unwrap(),
            alternative_names: Vec::new(),
            public_key: self.key.public_key().clone(),
            not_before: self.clock_now().plus(-60),
            not_after,
            key_usages: None,
            extended_key_usages: None,
            extensions: Vec::new(),
            notice: None,
            origin: Origin::internal(ca.scope),
            ca,
        }
    }

    /// Revokes, holds or releases.
    pub(crate) async fn change(
        &self,
        serial: &SerialNumber,
        change: Change,
    ) -> Result<Revoked, Error> {
        let revocation = Revocation {
            serial: serial.clone(),
            change,
            invalidity_date: None,
            actor: Actor::Operator("tester".to_owned()),
            within: Within::Everywhere,
        };
        self.authority.revoke(revocation).await
    }

    /// The answer about one certificate of the current CA, named by SHA-1, without a nonce.
    pub(crate) async fn ask(&self, serial: &SerialNumber) -> Answer {
        self.authority.answer(&request(&self.ca(), serial, None)).await
    }

    /// What OCSP says of one certificate of the current CA; the answer is checked as a client does.
    pub(crate) async fn status(&self, serial: &SerialNumber) -> CertStatus {
        let answer = self.ask(serial).await;
        checked(&answer.der(), &self.ca(), self.clock_now()).unwrap()[0].0
    }

    pub(crate) fn clock_now(&self) -> Time {
        crate::Clock::now(&*self.clock)
    }
}

async fn open(
    folder: &tempfile::TempDir,
    clock: &Arc<ManualClock>,
    change: impl FnOnce(&mut Settings),
) -> Authority {
    let mut settings = Settings::new("CN=Test CA".parse::<Name>().unwrap());
    settings.first.key = KeyAlgorithm::P256;
    settings.scep.identity = ScepIdentityChoice::Ca;
    change(&mut settings);
    let url = StoreUrl::Sqlite(folder.path().join("lanyard.db"));
    let ports = Ports {
        store: Store::open(&url, Options::WRITING).await.unwrap(),
        keys: KeyStore::open(&folder.path().join("keys"), None).unwrap(),
        clock: clock.clone(),
        entropy: Arc::new(SeededEntropy::new(7)),
        directories: Vec::new(),
        intune: Vec::new(),
    };
    crate::open(settings, ports).await.unwrap()
}

/// The CertID of a certificate of `ca`.
pub(crate) fn cert_id(ca: &Ca, digest: Digest, serial: &SerialNumber) -> Vec<u8> {
    let name = ca.certificate.subject().as_der();
    IssuerHashes::of(name, ca.signer.public_key().key_bits()).cert_id(digest, serial).unwrap()
}

/// A request for one certificate, by SHA-1.
pub(crate) fn request(ca: &Ca, serial: &SerialNumber, nonce: Option<&[u8]>) -> Vec<u8> {
    ocsp::request(&[&cert_id(ca, Digest::Sha1, serial)], nonce)
}

/// What a response says of each certificate and until when, after everything that RFC 6960 section 3.2 has a client
/// check: signed by the CA or by a responder that it has delegated to, and of this moment.
pub(crate) fn checked(
    der: &[u8],
    ca: &Ca,
    now: Time,
) -> Result<Vec<(CertStatus, Time)>, ResponseError> {
    let response = ReceivedResponse::from_der(der)?;
    let ca_key = ca.signer.public_key();
    let key = match response.certificates.as_slice() {
        [] => ca_key.clone(),
        [delegate, ..] => {
            let delegate = Certificate::from_der(delegate)?;
            delegate.verify_signed_by(ca_key).expect("the CA has signed its delegate");
            assert!(delegate.is_valid_at(now), "the delegate's certificate is valid");
            let purposes = delegate.extended_key_usage()?.expect("a delegate has a purpose");
            assert_eq!(purposes.0, [lanyard_pki::oid::OCSP_SIGNING]);
            delegate.public_key().unwrap().clone()
        }
    };
    assert_eq!(response.responder, ResponderId::ByKey(&key.key_identifier()));
    response.signed_with(&key)?;
    let answers = response.answers.iter().map(|answer| {
        let until = answer.next_update.expect("every answer says until when");
        assert!(answer.this_update <= now && now < until, "the answer is of this moment");
        (answer.status, until)
    });
    Ok(answers.collect())
}
