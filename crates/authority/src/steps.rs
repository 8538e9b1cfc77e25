//! The instants of an issuance at which a test can stop the program or make it fail. In the product they are nothing.

/// What has just been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A CA's key is in the key store, its certificate not in the store.
    CaKeyMade,
    /// A CA is in the store.
    CaStored,
    /// An RA's key is in the key store, its certificate is not issued.
    RaKeyMade,
    /// An RA's certificate is issued, and not yet announced.
    RaIssued,
    /// A certificate is built and linted.
    Built,
    /// It is signed.
    Signed,
    /// It is recorded in the store.
    Recorded,
    /// A page of a directory's feed is read, and not recorded.
    PageRead,
    /// Objects are recorded, and nobody is told.
    ObjectsRecorded,
    /// It is recorded.
    PageRecorded,
    /// Objects that a feed did not show are looked up, and nothing is recorded.
    ProofRead,
    /// What was learnt of them is recorded.
    ProofRecorded,
    /// The lease of a directory is prolonged.
    LeaseProlonged,
    /// Certificates whose objects have changed, or whose time has come, are judged, and nothing is recorded.
    ChangesJudged,
    /// What follows is recorded.
    JudgementsRecorded,
    /// A directory's requests to revoke are recorded, and not carried out.
    QueueTaken,
    /// They are carried out, and the directory is not told.
    QueueCarriedOut,
    /// It is told, and they are not forgotten.
    QueueAnswered,
    /// Intune has taken a notice, and that is not recorded.
    NoticeTaken,
}

/// What a test wants to happen at a step.
#[cfg(test)]
pub(crate) trait Steps: Send + Sync + std::fmt::Debug {
    /// Called at each step: an error is what the step's work ends with.
    fn at(&self, step: Step) -> futures_util::future::BoxFuture<'_, Result<(), crate::Fault>>;
}

/// A test that wants nothing.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Undisturbed;

#[cfg(test)]
impl Steps for Undisturbed {
    fn at(&self, _: Step) -> futures_util::future::BoxFuture<'_, Result<(), crate::Fault>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
