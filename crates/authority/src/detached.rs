//! A responder without the installation's store: what a serial number says leads to the object, its directory says how that
//! is, and the installation's own CRL what people and rules have done.
//!
//! It signs with keys that the authority has certified for it ([`Material`]) and keeps its own mirror, in a store that holds
//! nothing else and may be thrown away. Certificates that follow no object are unknown to it. It answers only while the CRL
//! is current. Nothing is ever written down: what it says of an object ends with what the directory says.

mod crl;
mod judge;
mod material;

use std::sync::Arc;

use arc_swap::ArcSwap;
use lanyard_lifecycle::id::Scope;
use lanyard_lifecycle::serial_codec::{Epoch, SerialCodec, SerialKey};
use lanyard_pki::certificate::Certificate;
use lanyard_pki::ocsp::ResponderFrame;
use lanyard_pki::{PublicKey, SerialNumber, SignatureAlgorithm, Time};
use lanyard_signer::{BoxFuture, SignError, Signer, SoftwareKey};
use lanyard_store::{CaId, CaState};

use crate::answer::{Answer, Issuers};
use crate::ca::load::signature_algorithm;
use crate::ca::{Ca, Cas};
use crate::mirror::{DirectoryReport, Mirror};
use crate::responder::Responder;
use crate::settings::Publication;
use crate::status::{Memory, MemoryUse, Status};
use crate::tether::Tethers;
use crate::{Authority, Error, Fault, Inner, OpenError, Ports, Settings};

pub use crl::{CrlRefused, Listed};
pub(crate) use material::SERIAL_KEY_PURPOSE;
use material::SerialKeyOctets;
pub use material::{Material, MaterialError};

const DOING: &str = "open a responder without a store";

/// A responder without the installation's store.
#[derive(Debug, Clone)]
pub struct DetachedResponder {
    authority: Authority,
    /// What serial numbers are read with: other keys for answers come with the same.
    serial_key: Arc<SerialKeyOctets>,
}

/// A CA that is answered for.
#[derive(Debug, Clone)]
pub struct AnsweredCa {
    /// Its subject.
    pub name: String,
    /// Its key identifier.
    pub key_identifier: [u8; 20],
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
    /// When its certificate ends.
    pub not_after: Time,
    /// When the responder's certificate begins and ends: nothing is signed past it.
    pub responder_validity: Option<(Time, Time)>,
    /// The CRL that was taken up last.
    pub crl: Option<Arc<Listed>>,
}

/// What it knows instead of a store.
#[derive(Debug)]
pub(crate) struct Knowledge {
    /// The last CRL of each CA.
    crls: ArcSwap<Vec<Arc<Listed>>>,
}

impl DetachedResponder {
    /// Opens it. Of the settings those on directories, tethers and status count; the store of the ports is the mirror's.
    pub async fn open(
        settings: Settings,
        ports: Ports,
        material: Material,
    ) -> Result<Self, OpenError> {
        let owner = "the only process".to_owned();
        let mirror = Mirror::new(&settings.directories, &ports, owner)?;
        let codec = SerialCodec::new(&SerialKey::new(*material.serial_key), Epoch::FIRST);
        let memory = Memory::new(&settings.status);
        let (cas, responders) = seats(&material, &Cas::default())?;
        let cas = Arc::new(cas);
        let issuers = Issuers::new(Arc::clone(&cas), None);
        for (issuer, responder) in issuers.iter().zip(responders) {
            issuer.seat.take(responder);
        }
        memory.seat(issuers);
        let serial_key = Arc::new(material.serial_key);
        let authority = Authority {
            inner: Arc::new(Inner {
                serials: codec,
                cas: ArcSwap::new(cas),
                scep: ArcSwap::default(),
                ra_keys: crate::scep::ra::Keys::default(),
                wake: tokio::sync::Notify::new(),
                intune: crate::intune::State::new(&ports.intune),
                memory,
                mirror,
                tethers: Tethers::new(),
                refusals: crate::refusals::Refusals::new(),
                requests: crate::seal::Seal::new(&crate::entropy::random(&*ports.entropy)),
                detached: Some(Knowledge { crls: ArcSwap::default() }),
                settings,
                ports,
                #[cfg(test)]
                steps: Arc::new(crate::steps::Undisturbed),
            }),
        };
        authority.record_directories().await?;
        Ok(Self { authority, serial_key })
    }

    /// Signs with other keys from now on, and answers for the CAs that they are for. What they are of has to be the same
    /// installation.
    pub fn take_material(&self, material: &Material) -> Result<(), Fault> {
        if !bool::from(self.serial_key.ct_eq(&material.serial_key)) {
            return Err(Fault::lasting(
                DOING,
                "its key for serial numbers is another installation's",
            ));
        }
        let inner = &self.authority.inner;
        let (cas, responders) = seats(material, &self.authority.cas())?;
        let cas = Arc::new(cas);
        let issuers = Issuers::new(Arc::clone(&cas), None);
        for (issuer, responder) in issuers.iter().zip(responders) {
            issuer.seat.take(responder);
        }
        inner.cas.store(cas);
        inner.memory.seat(issuers);
        inner.memory.generations.advance_all();
        Ok(())
    }

    /// Every CA that is answered for, and how current what is known of its certificates is.
    pub fn authorities(&self) -> Vec<AnsweredCa> {
        let crls = self.authority.inner.detached.as_ref().map(|known| known.crls.load_full());
        let crl = |ca: CaId| crls.iter().flat_map(|crls| crls.iter()).find(|one| one.ca == ca);
        let issuers = self.authority.issuers();
        let answered = issuers.iter().map(|issuer| AnsweredCa {
            name: issuer.ca.name.clone(),
            key_identifier: issuer.ca.key_identifier,
            certificate: issuer.ca.certificate.as_der().to_vec(),
            not_after: issuer.ca.certificate.not_after(),
            responder_validity: issuer.seat.validity(),
            crl: crl(issuer.ca.id).cloned(),
        });
        answered.collect()
    }

    /// The verbs that doors answer with. What needs the store's records finds none.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The answer to an OCSP request, as [`Authority::answer`] gives it.
    pub async fn answer(&self, request: &[u8]) -> Answer {
        self.authority.answer(request).await
    }

    /// How a certificate stands, by its serial number, with every fact that led to it.
    pub async fn status(&self, serial: &SerialNumber) -> Result<Status, Error> {
        self.authority.status(serial).await
    }

    /// Keeps the mirror, for as long as the future is polled.
    pub async fn keep(&self) {
        self.authority.keep_mirror().await;
    }

    /// Does all that is due on the mirror once.
    pub async fn work(&self) -> Result<Time, Fault> {
        self.authority.work_mirror().await
    }

    /// How the directories are read.
    pub async fn directories(&self) -> Result<Vec<DirectoryReport>, Fault> {
        self.authority.directories().await
    }

    /// How much is remembered now.
    pub fn memory_use(&self) -> MemoryUse {
        self.authority.memory_use()
    }
}

/// The CAs that are answered for, and who signs for each.
/// One that was there `before` keeps its number, by which its CRL is known.
fn seats(material: &Material, before: &Cas) -> Result<(Cas, Vec<Responder>), Fault> {
    let (mut cas, mut responders) = (Vec::new(), Vec::new());
    let first = before.iter().map(|ca| ca.id.0 + 1).max().unwrap_or(1);
    for (seat, new) in material.seats.iter().zip(first..) {
        let read =
            |der: &[u8]| Certificate::from_der(der).map_err(|error| Fault::lasting(DOING, error));
        let (certificate, delegate) = (read(&seat.ca)?, read(&seat.certificate)?);
        let key = SoftwareKey::from_pkcs8(&seat.key);
        let key = key.map_err(|error| Fault::lasting(DOING, error))?;
        let ca_key = certificate.public_key().map_err(|error| Fault::lasting(DOING, error))?;
        let delegated = delegate.verify_signed_by(ca_key);
        delegated.map_err(|error| Fault::lasting(DOING, error))?;
        if delegate.public_key().ok() != Some(Signer::public_key(&key)) {
            return Err(Fault::lasting(DOING, "a responder's certificate is of another key"));
        }
        let algorithm = key.preferred_algorithm();
        let algorithm = algorithm.ok_or_else(|| Fault::lasting(DOING, "its key signs nothing"))?;
        let key_hash = Signer::public_key(&key).key_identifier();
        responders.push(Responder::of(
            Arc::new(key),
            ResponderFrame::new(&key_hash, algorithm, &[&seat.certificate]),
            (delegate.not_before(), delegate.not_after()),
        ));
        let (ca_key, key_identifier) = (ca_key.clone(), ca_key.key_identifier());
        cas.push(Arc::new(Ca {
            id: before.by_key_identifier(&key_identifier).map_or(CaId(new), |known| known.id),
            scope: Scope::DEFAULT,
            name: certificate.subject().to_string(),
            state: CaState::Retired,
            chain: Vec::new(),
            signature_algorithm: signature_algorithm(ca_key.algorithm()),
            signer: Arc::new(Elsewhere(ca_key)),
            decrypter: None,
            key_identifier,
            publication: Publication::default(),
            activated_at: None,
            stated_key_identifier: key_identifier.to_vec(),
            stand_in: Vec::new(),
            certificate,
        }));
    }
    Ok((Cas::new(cas), responders))
}

/// A CA's key, which is not here.
#[derive(Debug)]
struct Elsewhere(PublicKey);

impl Signer for Elsewhere {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn algorithms(&self) -> &[SignatureAlgorithm] {
        &[]
    }

    fn sign<'a>(
        &'a self,
        algorithm: SignatureAlgorithm,
        _: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        Box::pin(std::future::ready(Err(SignError::Unsupported(algorithm))))
    }
}
