//! A CA that certifies itself: its key, its certificate, its record.

use lanyard_lifecycle::binding::Binding;
use lanyard_lifecycle::id::{ObjectId, Scope};
use lanyard_lifecycle::kind::Kind;
use lanyard_lifecycle::serial_codec::Nonce;
use lanyard_pki::PublicKey;
use lanyard_pki::extension::BasicConstraints;
use lanyard_pki::lint::Expectations;
use lanyard_pki::profile::{AuthorityKey, CertificateInput, Issuer, Profile};
use lanyard_signer::Signer;
use lanyard_store::{CaId, CaMaterial, CaState, NewCa as Record};

use super::{CaError, load, request};
use crate::audit::{Act, Actor};
use crate::error::Doing as _;
use crate::settings::{NewCa, seconds};
use crate::steps::Step;
use crate::{Authority, Fault, linted, stand_in};

impl Authority {
    /// Makes a self-signed CA, which becomes the next or the current one.
    pub(crate) async fn create_ca(
        &self,
        new: &NewCa,
        state: CaState,
        actor: &Actor,
    ) -> Result<CaId, CaError> {
        let ports = &self.inner.ports;
        let (key_reference, key) = request::new_key(ports, new).await?;
        self.reached(Step::CaKeyMade).await?;
        let key_identifier = key.public_key().key_identifier();
        let now = self.now();
        let material = self.self_signed(new, &key).await?;
        let record = Record {
            scope: Scope::DEFAULT,
            name: new.name.to_string(),
            state,
            key_identifier,
            key_reference,
            request: None,
            material: Some(material),
            created_at: now,
        };
        let audit = Act::CreateCa.by(actor, now).target(&record.name).done();
        let id = ports.store.add_ca(record, Some(audit)).await.doing("record a CA")?;
        self.reached(Step::CaStored).await?;
        Ok(id)
    }

    async fn self_signed(&self, new: &NewCa, key: &dyn Signer) -> Result<CaMaterial, Fault> {
        let public_key = key.public_key();
        let key_identifier = public_key.key_identifier();
        let now = self.now();
        let not_before = now.plus(-self.settings().clock_skew());
        let not_after = now.plus(seconds(new.validity));
        let nonce = Nonce::from_random(u32::from_be_bytes(self.random()));
        let binding = Binding {
            kind: Kind::Static,
            object: ObjectId::from_random(self.random()),
            directory: None,
        };
        let input = CertificateInput::new(
            Issuer { subject: &new.name, key_identifier: &key_identifier },
            self.serials().encode(&binding, nonce, &key_identifier),
            (not_before, not_after),
            new.name.clone(),
            public_key,
            load::signature_algorithm(public_key.algorithm()),
        );
        let unbuildable = |fault| Fault::lasting("build the CA's certificate", fault);
        let profile = profile(new, public_key);
        let unsigned = profile.certificate(&input).map_err(unbuildable)?;
        let expected =
            Expectations { constraints: profile.constraints, public_key, serial: &input.serial };
        let stand_in = stand_in::signature(public_key.algorithm());
        linted::check(&unsigned, &stand_in, None, &expected)?;
        let signature = key.sign(unsigned.algorithm(), unsigned.tbs()).await;
        let signature = signature.doing("sign the CA's certificate")?;
        let certificate = unsigned.assemble(&signature);
        Ok(CaMaterial { certificate, chain: Vec::new(), not_before, not_after })
    }
}

/// A CA whose key can decrypt says so: SCEP clients look for it.
fn profile(new: &NewCa, key: &PublicKey) -> Profile {
    let does = if key.algorithm().can_encipher() {
        AuthorityKey::IssuesAndEnrolls
    } else {
        AuthorityKey::Issues
    };
    let constraints = BasicConstraints::Authority { path_len: new.path_length };
    Profile { constraints, ..Profile::root_authority(does) }
}
