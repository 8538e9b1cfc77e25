//! The certificate of a delegated responder: short-lived, for OCSP answers alone, not itself to be asked about.
//!
//! Issued, recorded and audited like any other ([`crate::certify`]).

use std::sync::Arc;

use lanyard_lifecycle::binding::Binding;
use lanyard_lifecycle::kind::Kind;
use lanyard_pki::profile::Profile;
use lanyard_pki::{Name, PublicKey, oid};
use lanyard_store::Claim;

use super::term::Term;
use crate::ca::Ca;
use crate::certify::{Certified, Order, Origin};
use crate::{Authority, Fault};

/// Characters of a common name (ub-common-name of RFC 5280).
const LONGEST_NAME: usize = 64;

/// What follows the CA's name in its responder's.
const SUFFIX: &str = " OCSP responder";

const DOING: &str = "make an OCSP responder's certificate";

impl Authority {
    /// Issues a responder's certificate, DER.
    pub(crate) async fn certify_responder(
        &self,
        ca: &Arc<Ca>,
        key: &PublicKey,
        term: Term,
    ) -> Result<Vec<u8>, Fault> {
        let binding = Binding::untethered(Kind::Static, self.random());
        let order = Order {
            ca: ca.clone(),
            profile: Profile::ocsp_responder(),
            binding: binding.ok_or_else(|| Fault::lasting(DOING, "its kind needs an object"))?,
            subject: name_below(ca)?,
            alternative_names: Vec::new(),
            public_key: key.clone(),
            not_before: term.not_before,
            not_after: term.not_after,
            key_usages: None,
            extended_key_usages: None,
            extensions: Vec::new(),
            notice: None,
            origin: Origin::internal(ca.scope),
        };
        match self.certify(order, Claim::None).await? {
            Certified::Issued(issued) => Ok(issued.certificate),
            Certified::Refused(refusal) => Err(Fault::lasting(DOING, refusal)),
            Certified::Claimed(_) | Certified::NoSuchRequest => {
                Err(Fault::lasting(DOING, "it was taken for an enrollment"))
            }
        }
    }
}

fn name_below(ca: &Ca) -> Result<Name, Fault> {
    let room = LONGEST_NAME - SUFFIX.len();
    let of: String = match ca.certificate.subject().common_name() {
        Some(name) => name.chars().take(room).collect(),
        None => "CA".to_owned(),
    };
    let name = Name::from_attributes([(oid::COMMON_NAME, format!("{of}{SUFFIX}"))]);
    name.map_err(|error| Fault::lasting(DOING, error))
}
