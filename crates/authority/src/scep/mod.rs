//! Who receives and answers SCEP messages: the CA itself, or a registration authority that it certifies.
//!
//! What the messages look like is the protocol room's; here are the certificates to announce and the keys behind them.

pub(crate) mod ra;

use std::sync::Arc;

use lanyard_lifecycle::id::Scope;
use lanyard_pki::SignatureAlgorithm;
use lanyard_pki::certificate::Certificate;
use lanyard_pki::cms::CertificateId;
use lanyard_signer::{Decrypter, Signer};
use lanyard_store::{CaId, CaState};

use crate::ca::Ca;
use crate::settings::ScepIdentityChoice;
use crate::{Authority, Fault};

/// The identity of one CA's SCEP service.
#[derive(Debug)]
pub struct ScepIdentity {
    /// The CA that issues.
    pub ca: Arc<Ca>,
    /// The certificate that answers are signed with, and that clients encrypt to: the CA's or an RA's.
    pub certificate: Certificate,
    /// Its key.
    pub signer: Arc<dyn Signer>,
    /// What it signs with unless the client asks for something else.
    pub signature_algorithm: SignatureAlgorithm,
    /// What GetCACert announces: the CA's certificate alone where it answers itself, else the RA's, the CA's and those
    /// above it.
    pub announced: Vec<Certificate>,
    receivers: Vec<Receiver>,
}

/// A certificate that messages may be encrypted to.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// The certificate.
    pub certificate: Certificate,
    /// Its key.
    pub decrypter: Arc<dyn Decrypter>,
}

impl ScepIdentity {
    /// The receiver that a message names: the present one, or one of before that is still valid.
    pub fn receiver(&self, named: &CertificateId) -> Option<&Receiver> {
        self.receivers.iter().find(|receiver| named.names(&receiver.certificate))
    }

    /// Every certificate that messages may be encrypted to, the present one among them.
    pub fn receivers(&self) -> &[Receiver] {
        &self.receivers
    }

    /// What GetCACert announces is one certificate, or several (RFC 8894 section 4.2.1).
    pub fn is_ca_itself(&self) -> bool {
        self.certificate == self.ca.certificate
    }
}

/// The identities of all CAs that issue.
#[derive(Debug, Default)]
pub(crate) struct Identities(Vec<Arc<ScepIdentity>>);

impl Identities {
    fn of(&self, ca: CaId) -> Option<&Arc<ScepIdentity>> {
        self.0.iter().find(|identity| identity.ca.id == ca)
    }
}

impl Authority {
    /// Who receives and answers SCEP messages for a scope; none while no CA that is valid issues for it, or when its key
    /// can't decrypt and the setting wants the CA itself.
    pub fn scep_identity(&self, scope: &Scope) -> Option<Arc<ScepIdentity>> {
        let cas = self.cas();
        let ca = cas.current(scope.organization)?;
        self.inner.scep.load().of(ca.id).cloned()
    }

    /// Makes the identities anew: after a change of CA or RA. An RA that is missing or due is made.
    pub(crate) async fn reload_scep_identity(&self) -> Result<(), Fault> {
        let cas = self.cas();
        let mut identities = Vec::new();
        for ca in cas.iter().filter(|ca| ca.state == CaState::Current) {
            identities.extend(self.identity(ca).await?.map(Arc::new));
        }
        self.inner.scep.store(Arc::new(Identities(identities)));
        Ok(())
    }

    async fn identity(&self, ca: &Arc<Ca>) -> Result<Option<ScepIdentity>, Fault> {
        let choice = self.settings().scep.identity;
        if !ca.is_valid_at(self.now()) {
            return Ok(None);
        }
        let itself = match (choice, &ca.decrypter) {
            (ScepIdentityChoice::Ra, _) | (ScepIdentityChoice::Automatic, None) => false,
            (ScepIdentityChoice::Ca, None) => return Ok(None),
            (ScepIdentityChoice::Ca | ScepIdentityChoice::Automatic, Some(_)) => true,
        };
        let mut receivers = self.ca_receivers(choice);
        if itself {
            receivers.extend(self.ra_receivers().await?);
            return Ok(Some(ScepIdentity {
                certificate: ca.certificate.clone(),
                signer: Arc::clone(&ca.signer),
                signature_algorithm: ca.signature_algorithm,
                announced: vec![ca.certificate.clone()],
                ca: Arc::clone(ca),
                receivers,
            }));
        }
        let ra = self.present_ra(ca).await?;
        receivers.extend(self.ra_receivers().await?);
        let announced = std::iter::once(&ra.certificate).chain(ca.path()).cloned().collect();
        Ok(Some(ScepIdentity {
            certificate: ra.certificate,
            signer: ra.signer,
            signature_algorithm: ra.signature_algorithm,
            announced,
            ca: Arc::clone(ca),
            receivers,
        }))
    }

    /// The CAs that may receive: the current one, the next one (clients may know it by GetNextCACert), retired ones that
    /// are still valid. None when the setting keeps CA keys for certificates.
    fn ca_receivers(&self, choice: ScepIdentityChoice) -> Vec<Receiver> {
        let now = self.now();
        let cas = self.cas();
        let may = |ca: &&Arc<Ca>| choice != ScepIdentityChoice::Ra && ca.is_valid_at(now);
        let receiver = |ca: &Arc<Ca>| {
            let decrypter = Arc::clone(ca.decrypter.as_ref()?);
            Some(Receiver { certificate: ca.certificate.clone(), decrypter })
        };
        cas.iter().filter(may).filter_map(receiver).collect()
    }
}
