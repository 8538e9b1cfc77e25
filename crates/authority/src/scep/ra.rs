//! Registration authorities: short-lived RSA certificates that receive and answer SCEP messages for a CA.
//!
//! A new one is made when a third of the validity is left. The one before opens messages until its certificate ends;
//! then its key is deleted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lanyard_lifecycle::binding::Binding;
use lanyard_lifecycle::id::ObjectId;
use lanyard_lifecycle::kind::Kind;
use lanyard_pki::certificate::Certificate;
use lanyard_pki::profile::Profile;
use lanyard_pki::{KeyAlgorithm, Name, SignatureAlgorithm, Time, oid};
use lanyard_signer::{Decrypter, Signer, SoftwareKey};
use lanyard_store::{Claim, NewEnrollment, NewRaCertificate, RaCertificate, RaState};

use super::Receiver;
use crate::audit::{Act, Actor};
use crate::ca::{Ca, load};
use crate::certify::INTERNAL;
use crate::certify::{Certified, Issued, Order, Origin};
use crate::error::Doing as _;
use crate::settings::seconds;
use crate::steps::Step;
use crate::{Authority, Error, Fault, keys};

/// The keys of RAs that were read from their files, by name: opening one with a passphrase takes a fifth of a second.
#[derive(Debug, Default)]
pub(crate) struct Keys(Mutex<BTreeMap<String, SoftwareKey>>);

impl Keys {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, SoftwareKey>> {
        // A map that a panic left behind is whole all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An RA with its key.
pub(super) struct Ra {
    pub(super) certificate: Certificate,
    pub(super) signer: Arc<dyn Signer>,
    pub(super) signature_algorithm: SignatureAlgorithm,
}

impl Authority {
    /// The CA's RA; a new one where there is none or the present one is due.
    pub(super) async fn present_ra(&self, ca: &Arc<Ca>) -> Result<Ra, Fault> {
        let now = self.now();
        let records = self.ras(now).await?;
        let present = records.iter().find(|ra| {
            ra.state == RaState::Current && ra.record.ca == ca.id && now < due(&ra.record)
        });
        if let Some(ra) = present
            && let Some(key) = self.ra_key(ra).await
        {
            return Self::with_key(&ra.record.certificate, key);
        }
        self.new_ra(ca).await
    }

    /// Every RA certificate that has not ended: what was encrypted to it is opened.
    pub(super) async fn ra_receivers(&self) -> Result<Vec<Receiver>, Fault> {
        let mut receivers = Vec::new();
        for ra in self.ras(self.now()).await? {
            let Some(key) = self.ra_key(&ra).await else { continue };
            let certificate = read(&ra.record.certificate)?;
            let decrypter: Arc<dyn Decrypter> = Arc::new(key);
            receivers.push(Receiver { certificate, decrypter });
        }
        Ok(receivers)
    }

    /// Makes new RAs where they are due and deletes the keys of those that have ended; returns when to look again.
    pub(crate) async fn rotate_ras(&self) -> Result<Option<Time>, Fault> {
        let now = self.now();
        let in_use = |ra: &RaCertificate| {
            let cas = self.cas();
            ra.state == RaState::Current
                && self.inner.scep.load().of(ra.record.ca).is_some_and(|one| !one.is_ca_itself())
                && cas.by_id(ra.record.ca).is_some()
        };
        let records = self.ras(Time::MIN).await?;
        if records.iter().any(|ra| in_use(ra) && due(&ra.record) <= now) {
            self.reload_scep_identity().await?;
        }
        let mut removed = false;
        for ended in records.iter().filter(|ra| ra.record.not_after < now) {
            let reference = &ended.record.key_reference;
            self.inner.ra_keys.lock().remove(reference);
            removed |= keys::remove(&self.inner.ports.keys, reference).await?;
        }
        if removed {
            self.reload_scep_identity().await?;
        }
        let records = self.ras(now).await?;
        Ok(records.iter().filter(|ra| in_use(ra)).map(|ra| due(&ra.record)).min())
    }

    /// The key of an RA. One that is lost is replaced with its RA, and no reason not to start.
    async fn ra_key(&self, ra: &RaCertificate) -> Option<SoftwareKey> {
        let reference = &ra.record.key_reference;
        if let Some(key) = self.inner.ra_keys.lock().get(reference) {
            return Some(key.clone());
        }
        match keys::load(&self.inner.ports.keys, reference).await {
            Ok(key) => {
                self.inner.ra_keys.lock().insert(reference.clone(), key.clone());
                Some(key)
            }
            Err(fault) => {
                tracing::error!(
                    fault = %fault.id(), cause = %fault.report(), key = %reference,
                    "The key of a registration authority can't be read; messages to it are lost"
                );
                None
            }
        }
    }

    async fn new_ra(&self, ca: &Arc<Ca>) -> Result<Ra, Fault> {
        let bits = self.settings().scep.ra_key_bits;
        let (reference, key) = self.new_ra_key(ca, KeyAlgorithm::Rsa { bits }).await?;
        self.reached(Step::RaKeyMade).await?;
        let issued = self.certify_ra(ca, &reference, &key).await?;
        self.reached(Step::RaIssued).await?;
        let certificate = read(&issued.certificate)?;
        let now = self.now();
        let record = NewRaCertificate {
            ca: ca.id,
            scope: ca.scope,
            certificate: issued.certificate.clone(),
            key_reference: reference,
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            created_at: now,
        };
        let audit = Act::RotateRa.by(&Actor::System, now).scope(ca.scope).target(&issued.serial);
        let added = self.store().add_ra_certificate(record, Some(audit.done())).await;
        added.doing("record a registration authority's certificate")?;
        Self::with_key(&issued.certificate, key)
    }

    /// A key that no RA has. One that an interrupted rotation left behind is used.
    async fn new_ra_key(
        &self,
        ca: &Ca,
        algorithm: KeyAlgorithm,
    ) -> Result<(String, SoftwareKey), Fault> {
        let used = self.ras(Time::MIN).await?;
        for number in 1_u32.. {
            let reference = format!("ra-{}-{number}", ca.id);
            if used.iter().any(|ra| ra.record.key_reference == reference) {
                continue;
            }
            let key = keys::load_or_create(&self.inner.ports.keys, &reference, algorithm).await?;
            if Signer::public_key(&key).algorithm() == algorithm {
                return Ok((reference, key));
            }
        }
        Err(Fault::lasting("name a key", "four thousand million names are taken"))
    }

    /// The RA's certificate. Its key's name is the transaction, so that an interrupted rotation gets the same one.
    async fn certify_ra(
        &self,
        ca: &Arc<Ca>,
        reference: &str,
        key: &SoftwareKey,
    ) -> Result<Issued, Fault> {
        let now = self.now();
        let settings = self.settings();
        let not_after = now.plus(seconds(settings.scep.ra_validity));
        let public_key = Signer::public_key(key).clone();
        let fingerprint = public_key.fingerprint();
        let order = Order {
            ca: Arc::clone(ca),
            profile: Profile::scep_registration_authority(),
            binding: Binding {
                kind: Kind::Static,
                object: ObjectId::from_random(self.random()),
                directory: None,
            },
            subject: subject(ca)?,
            alternative_names: Vec::new(),
            public_key,
            not_before: now.plus(-settings.clock_skew()).max(ca.certificate.not_before()),
            not_after: not_after.min(ca.certificate.not_after()),
            key_usages: None,
            extended_key_usages: None,
            extensions: Vec::new(),
            notice: None,
            origin: Origin::internal(ca.scope),
        };
        let claim = Claim::New(Box::new(NewEnrollment {
            endpoint: INTERNAL,
            transaction_id: reference.as_bytes().to_vec(),
            scope: ca.scope,
            signer_sha256: fingerprint,
            csr_sha256: fingerprint,
            csr: None,
            context: None,
            subject: None,
            renews: None,
            address: None,
            received_at: now,
            expires_at: not_after,
        }));
        match self.certify(order, claim).await? {
            Certified::Issued(issued) => Ok(issued),
            Certified::Claimed(enrollment) => match self.resume(&enrollment).await {
                Ok(issued) => Ok(issued),
                Err(Error::Fault(fault)) => Err(fault),
                Err(Error::Refused(refusal)) => {
                    Err(Fault::lasting("certify a registration authority", refusal))
                }
            },
            Certified::Refused(refusal) => {
                Err(Fault::lasting("certify a registration authority", refusal))
            }
            Certified::NoSuchRequest => {
                Err(Fault::lasting("certify a registration authority", "its request is gone"))
            }
        }
    }

    async fn ras(&self, ends_from: Time) -> Result<Vec<RaCertificate>, Fault> {
        let records = self.store().ra_certificates(ends_from).await;
        records.doing("list the registration authorities")
    }

    fn with_key(certificate: &[u8], key: SoftwareKey) -> Result<Ra, Fault> {
        let certificate = read(certificate)?;
        let signature_algorithm = load::signature_algorithm(Signer::public_key(&key).algorithm());
        Ok(Ra { certificate, signer: Arc::new(key), signature_algorithm })
    }
}

/// When a new one has to be made: a third of the validity before the end.
fn due(ra: &NewRaCertificate) -> Time {
    let validity = ra.not_after.seconds_since(ra.created_at);
    ra.not_after.plus(-validity / 3)
}

/// The CA's name with another common name.
fn subject(ca: &Ca) -> Result<Name, Fault> {
    let attributes: Vec<_> = ca
        .certificate
        .subject()
        .attributes()
        .filter(|attribute| attribute.oid != oid::COMMON_NAME)
        .map(|attribute| (attribute.oid, attribute.value.text()))
        .chain(std::iter::once((oid::COMMON_NAME, "SCEP RA".to_owned())))
        .collect();
    Name::from_attributes(attributes)
        .map_err(|fault| Fault::lasting("name a registration authority", fault))
}

fn read(der: &[u8]) -> Result<Certificate, Fault> {
    Certificate::from_der(der)
        .map_err(|fault| Fault::lasting("read a registration authority's certificate", fault))
}
