//! Why a verb on a CA did nothing, in words for the operator who asked.

use lanyard_pki::certificate::LinkError;
use lanyard_pki::{DerError, Time};
use lanyard_store::CaId;

use crate::Fault;

/// Why a verb on a CA did nothing.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// There is no CA of that number.
    #[error("there is no CA {0}; `lanyard ca show` lists them")]
    Unknown(CaId),
    /// It is not waiting for a certificate.
    #[error(
        "CA {0} is not waiting for a certificate; only one that was requested can be given one"
    )]
    NotRequested(CaId),
    /// It is waiting for its certificate.
    #[error("CA {0} has no certificate yet; import the answer to its request first")]
    NotCertified(CaId),
    /// It issues already.
    #[error("CA {0} is the current one already")]
    AlreadyCurrent(CaId),
    /// It was replaced.
    #[error("CA {0} is retired and can't issue again; prepare a new one")]
    Retired(CaId),
    /// Activation lies in the past.
    #[error("{0} has passed; leave the time out to activate now")]
    InThePast(Time),
    /// Activation lies outside of the certificate's validity.
    #[error("the certificate of CA {ca} is not valid at {at}: it is valid from {from} to {to}")]
    NotValidThen {
        /// The CA.
        ca: CaId,
        /// When it was to be activated.
        at: Time,
        /// Start of its validity.
        from: Time,
        /// End of its validity.
        to: Time,
    },
    /// Nothing to read.
    #[error("there is no certificate in what was given")]
    NoCertificate,
    /// A certificate can't be read.
    #[error("certificate {position} can't be read: {fault}")]
    Unreadable {
        /// Which one, from 1.
        position: usize,
        /// What is wrong.
        fault: DerError,
    },
    /// No certificate for our key.
    #[error("none of the certificates is for the key of CA {0}")]
    ForeignKey(CaId),
    /// Not a CA certificate.
    #[error("the certificate is not a CA's: basic constraints don't say CA:TRUE")]
    NotAuthority,
    /// Its key usage leaves out what a CA does.
    #[error("the certificate's key usage does not allow {0}")]
    KeyUsage(&'static str),
    /// Not valid now.
    #[error("the certificate is valid from {from} to {to}, and it is {now} now")]
    NotValid {
        /// Start of its validity.
        from: Time,
        /// End of its validity.
        to: Time,
        /// Now.
        now: Time,
    },
    /// Its subject is not the one that was asked for.
    #[error("the certificate is for {found}, and {requested} was requested")]
    ForeignName {
        /// The certificate's subject.
        found: String,
        /// The request's.
        requested: String,
    },
    /// The chain does not lead to a root.
    #[error(
        "no issuer of {subject} is among the certificates; give the whole chain, the root included"
    )]
    ChainEnds {
        /// The certificate whose issuer is missing.
        subject: String,
    },
    /// A link of the chain does not hold.
    #[error("{subject} was not issued by the next certificate of the chain: {fault}")]
    BrokenLink {
        /// The certificate whose link is broken.
        subject: String,
        /// Why.
        fault: LinkError,
    },
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}
