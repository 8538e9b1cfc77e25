//! Renewal: whether a certificate that a request is signed with was issued here, and whether it is good now.
//!
//! That the signature is the certificate's the protocol room has checked; whether it is renewed the policy decides.

use lanyard_lifecycle::binding::Binding;
use lanyard_lifecycle::id::{EndpointId, Scope};
use lanyard_lifecycle::policy::{IssuedAt, Origin};
use lanyard_lifecycle::verdict::Verdict;
use lanyard_pki::certificate::Certificate;

use crate::error::Doing as _;
use crate::settings::Endpoint;
use crate::{Authority, Error};

/// What is known about an old certificate.
#[derive(Debug)]
pub(crate) enum Old {
    /// It was not issued here.
    Foreign,
    /// It was.
    Ours {
        /// What it is tethered to.
        binding: Binding,
        /// The endpoint that it was issued at.
        endpoint: EndpointId,
        /// Who owns it.
        scope: Scope,
        /// Whether it is good now.
        verdict: Verdict,
    },
}

impl Old {
    /// What the policy of the endpoint at which it is to be renewed asks about it.
    pub(crate) fn origin(&self, at: &Endpoint) -> Origin<'_> {
        let Self::Ours { binding, endpoint, scope, verdict } = self else {
            return Origin::Foreign;
        };
        let issued_at = if *scope != at.scope {
            IssuedAt::OtherScope
        } else if *endpoint != at.id {
            IssuedAt::OtherEndpoint
        } else {
            IssuedAt::ThisEndpoint
        };
        Origin::Ours { kind: binding.kind, issued_at, verdict }
    }

    /// The binding that its successor takes over.
    pub(crate) fn binding(self) -> Option<Binding> {
        match self {
            Self::Ours { binding, .. } => Some(binding),
            Self::Foreign => None,
        }
    }
}

impl Authority {
    /// Looks an old certificate up: by serial number, and then by the signature of the CA that issued that one.
    pub(crate) async fn old_certificate(&self, old: &Certificate) -> Result<Old, Error> {
        let record = self.store().certificate_status(old.serial().clone()).await;
        let Some(record) = record.doing("look up a certificate")? else { return Ok(Old::Foreign) };
        let cas = self.cas();
        let signed = cas
            .by_id(record.ca)
            .is_some_and(|ca| old.verify_signed_by(ca.signer.public_key()).is_ok());
        if !signed {
            return Ok(Old::Foreign);
        }
        let status = self.status(old.serial()).await?;
        Ok(Old::Ours {
            binding: record.binding,
            endpoint: record.endpoint,
            scope: record.scope,
            verdict: status.verdict,
        })
    }
}
