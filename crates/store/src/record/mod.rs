//! What the store keeps, as plain records; not here: how they are read and written.
//!
//! Times are whole seconds. Every record carries the [`Scope`] that owns it.

mod audit;
mod authority;
mod brake;
mod certificate;
mod crl;
mod enrollment;
mod lease;
mod notice;
mod object;
mod page;
mod queue;
mod rule;
mod standing;

pub use audit::{AuditEntry, AuditOutcome, AuditRecord, AuditVerdict};
pub use authority::{
    Ca, CaId, CaMaterial, CaState, NewCa, NewRaCertificate, RaCertificate, RaId, RaState,
};
pub use brake::{
    BatchId, BatchState, BrakeBatch, BrakeDecision, Decided, HeldBack, HeldBackCertificate,
    NewHeldBack,
};
pub use certificate::{Certificate, Counts, Issuance, Keep, Names, NewCertificate, Summary};
pub use crl::{Crl, CrlKind, CrlNumber, CrlPartition, NewCrl, RevokedEntry};
pub use enrollment::{
    Claim, Decline, Declined, Enrollment, EnrollmentId, EnrollmentState, NewEnrollment, Submission,
};
pub use lease::{Fence, Lease};
pub use notice::{Attempt, FailedAttempt, NewNotice, Notice, NoticeCount, NoticeId, NoticeState};
pub use object::{
    Applied, Demand, Directory, FeedKey, FeedPhase, FeedProgress, FeedTrouble, HeldLease,
    MirroredObject, ObjectBatch, ObjectChange, ObjectChanged, ObjectCount, ObjectName,
    ObjectSequence, Sweep,
};
pub(crate) use page::serial_range;
pub use page::{Cursor, ExpiringPage, Filter, Page, SearchText, Standings, Within};
pub use queue::{NewQueueRequest, QueueAnswer, QueueRequest};
pub use rule::{BoundCertificate, RuleBatch, RuleChange, RuleCount, RuleOutcome, Ruled};
pub use standing::{StandingChange, StandingOutcome, StatusChange, StatusRecord, StatusSequence};
