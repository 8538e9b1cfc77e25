//! A new CA that another CA certifies: its key and the request (PKCS #10) to send there.

use lanyard_lifecycle::id::Scope;
use lanyard_pki::CertificationRequest;
use lanyard_pki::csr::RequestBuilder;
use lanyard_signer::{Signer as _, SoftwareKey};
use lanyard_store::{CaId, CaState, NewCa as Record};

use super::{CaError, load};
use crate::audit::{Act, Actor};
use crate::error::Doing as _;
use crate::settings::NewCa;
use crate::{Authority, Fault, Ports};

/// A CA that waits for its certificate.
#[derive(Debug, Clone)]
pub struct Requested {
    /// Its number.
    pub id: CaId,
    /// The request, DER.
    pub request: Vec<u8>,
}

impl Authority {
    /// Makes a key and a request for a CA below another one. A request that waits already, for the same name and kind of
    /// key, is given again: the first start makes one.
    pub async fn request_ca(&self, new: &NewCa, actor: &Actor) -> Result<Requested, CaError> {
        let ports = &self.inner.ports;
        if let Some(waiting) = waiting(ports, new).await? {
            return Ok(waiting);
        }
        let (reference, key) = new_key(ports, new).await?;
        self.reached(crate::steps::Step::CaKeyMade).await?;
        request(ports, new, reference, key, actor).await
    }
}

/// The request that waits for the same CA.
async fn waiting(ports: &Ports, new: &NewCa) -> Result<Option<Requested>, Fault> {
    let cas = ports.store.cas().await.doing("list the CAs")?;
    Ok(cas.into_iter().find_map(|ca| {
        let record = ca.record;
        let requested = record.state == CaState::Requested && record.scope == Scope::DEFAULT;
        let request = record.request.filter(|_| requested)?;
        let asked = CertificationRequest::from_der(&request).ok()?;
        let same = *asked.subject() == new.name && asked.public_key().algorithm() == new.key;
        same.then_some(Requested { id: ca.id, request })
    }))
}

/// Records the request for a key that exists.
pub(crate) async fn request(
    ports: &Ports,
    new: &NewCa,
    reference: String,
    key: SoftwareKey,
    actor: &Actor,
) -> Result<Requested, CaError> {
    let (signer, _) = load::ports(key);
    let public_key = signer.public_key().clone();
    let algorithm = load::signature_algorithm(public_key.algorithm());
    let unsigned = RequestBuilder::new(new.name.clone(), public_key.clone()).build(algorithm);
    let signature = signer.sign(algorithm, unsigned.tbs()).await.doing("sign a CA request")?;
    let request = unsigned.assemble(&signature);
    let now = ports.clock.now();
    let record = Record {
        scope: Scope::DEFAULT,
        name: new.name.to_string(),
        state: CaState::Requested,
        key_identifier: public_key.key_identifier(),
        key_reference: reference,
        request: Some(request.clone()),
        material: None,
        created_at: now,
    };
    let audit = Act::RequestCa.by(actor, now).target(&record.name).done();
    let id = ports.store.add_ca(record, Some(audit)).await.doing("record a CA request")?;
    Ok(Requested { id, request })
}

/// A new key for a CA. One that an interrupted attempt left behind, and that no CA has, is used.
pub(crate) async fn new_key(ports: &Ports, new: &NewCa) -> Result<(String, SoftwareKey), Fault> {
    let used = ports.store.cas().await.doing("list the CAs")?;
    for number in 1_u32.. {
        let reference = format!("ca-{number}");
        if used.iter().any(|ca| ca.record.key_reference == reference) {
            continue;
        }
        let key = crate::keys::load_or_create(&ports.keys, &reference, new.key).await?;
        // An attempt with another setting may have been interrupted: its key stays unused.
        if key.public_key().algorithm() == new.key {
            return Ok((reference, key));
        }
    }
    Err(Fault::lasting("name a CA's key", "four thousand million names are taken"))
}
