//! Notices: Intune is told what became of each request that it has accepted, until it has taken it.
//!
//! A notice is recorded with the certificate that it tells of, so that neither is ever there alone. Usually Intune has to
//! take it before the client gets its certificate: see the decision record on enrollment through Intune.

mod drive;
mod hand_over;
mod tell;

use lanyard_directory::intune::validation::HResult;
use lanyard_pki::{SerialNumber, Time, digest};
use lanyard_store::{NewNotice, Notice, NoticeId, StoreError};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Accepted;
use crate::error::Doing as _;
use crate::settings::{Endpoint, NoticeOrder};
use crate::{Authority, Error, Fault, Persistence};
use tell::Telling;

/// For how long whoever tells something has the telling to himself, in seconds: longer than a call takes.
const CLAIM: i64 = 120;

/// What is told, as it is kept. It holds the challenge, and is sealed therefore.
#[derive(Serialize)]
struct Written<'a> {
    /// The PKCS#10, in hexadecimal digits.
    request: &'a str,
    word: &'a Word,
}

/// The same as it is read.
#[derive(Deserialize)]
struct Read {
    request: String,
    word: Word,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Word {
    /// It was answered with a certificate.
    Issued {
        /// Whether the client has it.
        kept_back: KeptBack,
    },
    /// It was not, for a reason of ours.
    Failed {
        /// An HRESULT.
        result: i32,
        /// The reason.
        reason: String,
    },
}

/// Whether a certificate is kept back until Intune has taken notice of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeptBack {
    /// It is.
    UntilTaken,
    /// It is not: the client has it.
    No,
}

impl From<NoticeOrder> for KeptBack {
    fn from(order: NoticeOrder) -> Self {
        match order {
            NoticeOrder::BeforeAnswer => Self::UntilTaken,
            NoticeOrder::AfterAnswer => Self::No,
        }
    }
}

impl Authority {
    /// The notice of a certificate that is about to be recorded, to be recorded with it.
    pub(crate) fn notice_of_success(
        &self,
        endpoint: &Endpoint,
        accepted: &Accepted,
        order: NoticeOrder,
    ) -> Result<NewNotice, Fault> {
        let word = Word::Issued { kept_back: order.into() };
        // Who tells it himself has it to himself.
        let claimed = match order {
            NoticeOrder::BeforeAnswer => Some(self.now().plus(CLAIM)),
            NoticeOrder::AfterAnswer => None,
        };
        // Which certificate it is about is not known yet.
        let unnamed = NoticeId::from_bytes([0; 16]);
        self.notice(endpoint, accepted, &word, (unnamed, claimed))
    }

    fn notice(
        &self,
        endpoint: &Endpoint,
        accepted: &Accepted,
        word: &Word,
        (id, claimed_until): (NoticeId, Option<Time>),
    ) -> Result<NewNotice, Fault> {
        let request = Zeroizing::new(hex::encode(&*accepted.request));
        let payload = serde_json::to_vec(&Written { request: &request, word });
        let payload = payload.map_err(|error| Fault::lasting("write a notice", error))?;
        let payload = Zeroizing::new(payload);
        let transaction_id = accepted.transaction.as_bytes().to_vec();
        let sealed = self.requests().seal(&payload, &about(&transaction_id), self.random());
        let payload = sealed.map_err(|fault| Fault::lasting("seal a notice", fault))?;
        Ok(NewNotice {
            id,
            endpoint: endpoint.id,
            directory: accepted.directory,
            scope: endpoint.scope,
            serial: None,
            transaction_id,
            payload,
            created_at: self.now(),
            claimed_until,
        })
    }

    /// Tells Intune that a request which it had accepted gets no certificate. What may pass is not told: the client asks
    /// again, and Intune would take the request to be done with.
    pub(crate) async fn tell_failure(
        &self,
        endpoint: &Endpoint,
        accepted: &Accepted,
        error: &Error,
    ) {
        let (result, reason) = match error {
            Error::Refused(refusal) if refusal.is_passing() => return,
            Error::Refused(refusal) => (HResult::ACCESS_DENIED, refusal.to_string()),
            Error::Fault(fault) if fault.persistence() == Persistence::Passing => return,
            // What failed is for our log alone; its id leads there.
            Error::Fault(fault) => (HResult::UNEXPECTED, fault.to_string()),
        };
        let word = Word::Failed { result: result.0, reason };
        let id = notice_of_failure(endpoint, accepted);
        let noted = match self.notice(endpoint, accepted, &word, (id, None)) {
            Ok(notice) => match self.store().record_notice(notice, None).await {
                // It was told of before.
                Err(StoreError::Conflict(_)) => return,
                recorded => recorded.doing("record a notice"),
            },
            Err(fault) => Err(fault),
        };
        match noted {
            Ok(()) => self.wake_notices(),
            Err(fault) => tracing::error!(
                fault.id = %fault.id(), cause = %fault.report(),
                "Intune is not told that a request of its gets no certificate"
            ),
        }
    }

    fn telling(&self, notice: &Notice) -> Result<Telling, Fault> {
        let sealed = notice.payload.as_deref().unwrap_or_default();
        let payload = self.requests().open(sealed, &about(&notice.transaction_id));
        let payload = payload.map_err(|fault| Fault::lasting("open a notice", fault))?;
        let payload = Zeroizing::new(payload);
        let Read { request, word } = serde_json::from_slice(&payload)
            .map_err(|error| Fault::lasting("read a notice", error))?;
        let request = hex::decode(&*Zeroizing::new(request));
        let request = request.map_err(|error| Fault::lasting("read a notice", error))?;
        Ok(Telling {
            id: notice.id,
            attempt: notice.attempt,
            directory: notice.directory,
            serial: notice.serial.clone(),
            transaction: notice.transaction_id.clone(),
            request: Zeroizing::new(request),
            word,
            scope: notice.scope,
            created_at: notice.created_at,
        })
    }
}

impl Word {
    const fn name(&self) -> &'static str {
        match self {
            Self::Issued { .. } => "issued",
            Self::Failed { .. } => "failed",
        }
    }
}

/// What the notice of a certificate is named by.
pub(crate) fn notice_of(serial: &SerialNumber) -> NoticeId {
    id(&[b"certificate", serial.as_bytes()])
}

/// What the notice of a failure is named by: the same request that fails again is told of once.
fn notice_of_failure(endpoint: &Endpoint, accepted: &Accepted) -> NoticeId {
    let transaction = accepted.transaction.as_bytes();
    id(&[b"failure", &endpoint.id.to_bytes(), transaction, &accepted.request])
}

fn id(parts: &[&[u8]]) -> NoticeId {
    let mut all = Zeroizing::new(b"notice".to_vec());
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    let digest = digest::sha256(&all);
    let mut id = [0; 16];
    id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    NoticeId::from_bytes(id)
}

/// What a payload is sealed beside.
fn about(transaction: &[u8]) -> Vec<u8> {
    [b"notice ", transaction].concat()
}
