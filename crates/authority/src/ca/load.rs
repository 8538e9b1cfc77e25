//! Loading: from the record and the key file to a CA that can sign.

use std::sync::Arc;

use futures_util::future::join_all;
use lanyard_pki::certificate::Certificate;
use lanyard_pki::{DerError, Digest, KeyAlgorithm, SignatureAlgorithm};
use lanyard_signer::{Decrypter, KeyName, KeyStore, KeyStoreError, Signer, SoftwareKey};
use lanyard_store::{Ca as Record, CaId, CaMaterial, CaState, StoreError};

use super::{Ca, Cas};
use crate::settings::Publication;
use crate::{Authority, Fault, stand_in};

/// Why a recorded CA can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its key can't be read.
    #[error("the key of CA {ca} ({name}): {fault}")]
    Key {
        /// The CA.
        ca: CaId,
        /// What people call it.
        name: String,
        /// What is wrong.
        fault: KeyStoreError,
    },
    /// The key file is another CA's.
    #[error("the key file {reference} does not hold the key of CA {ca} ({name})")]
    ForeignKey {
        /// The CA.
        ca: CaId,
        /// What people call it.
        name: String,
        /// The key's name.
        reference: String,
    },
    /// A stored certificate can't be read.
    #[error("the stored certificate of CA {ca} ({name}) can't be read: {fault}")]
    Certificate {
        /// The CA.
        ca: CaId,
        /// What people call it.
        name: String,
        /// What is wrong.
        fault: DerError,
    },
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program is ending.
    #[error("the key store was not read, because the program is ending")]
    Ending,
}

/// Every recorded CA that has a certificate, with its key. Keys that are loaded already are taken over. A retired CA
/// whose key is lost is left out.
pub(crate) async fn load(
    records: Vec<Record>,
    keys: &KeyStore,
    publication: &Publication,
    loaded: &Cas,
) -> Result<Cas, LoadError> {
    let records: Vec<_> =
        records.into_iter().filter(|record| record.record.material.is_some()).collect();
    // All at a time: opening a key with a passphrase takes a fifth of a second.
    let keys = join_all(records.iter().map(async |record| match loaded.by_id(record.id) {
        Some(ca) => Ok((Arc::clone(&ca.signer), ca.decrypter.clone())),
        None => key(record, keys).await.map(ports),
    }));
    let mut cas = Vec::new();
    for (record, key) in records.iter().zip(keys.await) {
        let Some(material) = &record.record.material else { continue };
        match key {
            Ok(key) => cas.push(Arc::new(assemble(record, material, key, publication)?)),
            // Nothing is issued with it any more: its operator may have destroyed it.
            Err(error) if record.record.state == CaState::Retired => {
                tracing::error!(%error, "A retired CA is left out: nobody answers for it");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Cas::new(cas))
}

/// A key's two ports.
type KeyPorts = (Arc<dyn Signer>, Option<Arc<dyn Decrypter>>);

/// A key as its two ports.
pub(crate) fn ports(key: SoftwareKey) -> KeyPorts {
    let key = Arc::new(key);
    let deciphers = Signer::public_key(&*key).algorithm().can_encipher();
    let decrypter = deciphers.then(|| Arc::clone(&key) as Arc<dyn Decrypter>);
    (key, decrypter)
}

/// What a key of this kind signs with: the digest is as strong as the key, at least SHA-256.
pub(crate) fn signature_algorithm(key: KeyAlgorithm) -> SignatureAlgorithm {
    match key {
        KeyAlgorithm::Rsa { .. } => SignatureAlgorithm::RsaPkcs1(Digest::Sha256),
        KeyAlgorithm::P256 => SignatureAlgorithm::Ecdsa(Digest::Sha256),
        KeyAlgorithm::P384 => SignatureAlgorithm::Ecdsa(Digest::Sha384),
        KeyAlgorithm::P521 => SignatureAlgorithm::Ecdsa(Digest::Sha512),
        KeyAlgorithm::Ed25519 => SignatureAlgorithm::Ed25519,
    }
}

async fn key(record: &Record, keys: &KeyStore) -> Result<SoftwareKey, LoadError> {
    let (ca, name) = (record.id, record.record.name.clone());
    let reference = record.record.key_reference.clone();
    let foreign = || LoadError::ForeignKey { ca, name: name.clone(), reference: reference.clone() };
    let key_name = KeyName::new(&reference).map_err(|_| foreign())?;
    let keys = keys.clone();
    let key = tokio::task::spawn_blocking(move || keys.load(&key_name))
        .await
        .map_err(|_| LoadError::Ending)?
        .map_err(|fault| LoadError::Key { ca, name: name.clone(), fault })?;
    if Signer::public_key(&key).key_identifier() == record.record.key_identifier {
        Ok(key)
    } else {
        Err(foreign())
    }
}

fn assemble(
    record: &Record,
    material: &CaMaterial,
    (signer, decrypter): KeyPorts,
    publication: &Publication,
) -> Result<Ca, LoadError> {
    let (id, name) = (record.id, &record.record.name);
    let unreadable = |fault| LoadError::Certificate { ca: id, name: name.clone(), fault };
    let read = |der: &Vec<u8>| Certificate::from_der(der).map_err(unreadable);
    let certificate = read(&material.certificate)?;
    let chain = material.chain.iter().map(read).collect::<Result<_, _>>()?;
    let stated = certificate.subject_key_identifier().map_err(unreadable)?;
    let key = signer.public_key().algorithm();
    let key_identifier = record.record.key_identifier;
    Ok(Ca {
        id: record.id,
        scope: record.record.scope,
        state: record.record.state,
        stated_key_identifier: stated.unwrap_or_else(|| key_identifier.to_vec()),
        certificate,
        chain,
        stand_in: stand_in::signature(key),
        signer,
        decrypter,
        signature_algorithm: signature_algorithm(key),
        key_identifier,
        publication: publication.for_ca(&key_identifier),
        activated_at: record.activated_at,
        name: record.record.name.clone(),
    })
}

impl Authority {
    /// What follows from a change of the CAs: they are loaded anew, and who receives SCEP messages is looked up again.
    pub(crate) async fn cas_changed(&self) -> Result<(), Fault> {
        self.reload_cas().await?;
        self.reload_scep_identity().await?;
        self.wake();
        Ok(())
    }

    /// Takes up what the store says of the CAs: after a change, here or by another process.
    pub(crate) async fn reload_cas(&self) -> Result<(), Fault> {
        let fault = |error| Fault::lasting("load the CAs", error);
        let records = self.store().cas().await.map_err(|error| fault(LoadError::from(error)))?;
        let publication = &self.settings().publication;
        let loaded = self.cas();
        let cas = load(records, &self.inner.ports.keys, publication, &loaded).await;
        self.inner.cas.store(Arc::new(cas.map_err(fault)?));
        // A CA that is new here needs its CRL and its responder.
        self.memory().crls.mark();
        self.wake();
        Ok(())
    }
}
