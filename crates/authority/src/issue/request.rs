//! What a door brings to be issued, and what it gets back.

use lanyard_lifecycle::id::EndpointId;
use lanyard_pki::certificate::Certificate;
use lanyard_pki::csr::CertificationRequest;
use lanyard_pki::digest;
use lanyard_store::EnrollmentId;

use crate::audit::Actor;
use crate::certify::Issued;

/// A request for a certificate, whatever the protocol.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it came in.
    pub endpoint: EndpointId,
    /// The key and the claims.
    pub csr: CertificationRequest,
    /// What speaks for it.
    pub proof: Proof,
    /// The client's transaction, where the protocol has one.
    pub transaction: Option<Transaction>,
    /// Who asks.
    pub actor: Actor,
}

/// What speaks for a request.
#[derive(Debug, Clone)]
pub enum Proof {
    /// The challenge password in the CSR, or the lack of one.
    Challenge,
    /// It is signed with the key of this certificate, which is to be renewed (RenewalReq, simplereenroll).
    Renewal(Certificate),
    /// It is signed with the key of this certificate, which may have been issued here (a PKCSReq whose signer is not
    /// self-signed).
    RenewalOrChallenge(Certificate),
    /// The door knows who asks, and that he may.
    Vouched,
}

/// A client's transaction (RFC 8894 section 3.2.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its id, as sent.
    pub id: Vec<u8>,
    /// SHA-256 of the SubjectPublicKeyInfo of the key that signed the message.
    pub signer: [u8; 32],
}

/// What came of a request that was not refused.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The certificate.
    Issued(Issued),
    /// A person has to decide: ask again.
    Pending(EnrollmentId),
}

impl Request {
    /// The certificate that it is signed with.
    pub(super) fn renews(&self) -> Option<&Certificate> {
        match &self.proof {
            Proof::Renewal(old) | Proof::RenewalOrChallenge(old) => Some(old),
            Proof::Challenge | Proof::Vouched => None,
        }
    }

    /// What tells two requests apart: SHA-256 over what is signed. The signature is left out, because a client that asks
    /// again may sign again, and ECDSA never signs alike.
    pub(super) fn digest(&self) -> [u8; 32] {
        digest::sha256(self.csr.info_der())
    }

    pub(super) fn transaction_key(&self) -> Option<Vec<u8>> {
        self.transaction.as_ref().map(|transaction| transaction.key(self.renews()))
    }
}

impl Transaction {
    /// What the store knows the transaction by. A renewal is another transaction than the enrollment of the certificate
    /// that it is signed with, although clients that derive the id from their key send the same one.
    pub(crate) fn key(&self, renews: Option<&Certificate>) -> Vec<u8> {
        match renews {
            None => self.id.clone(),
            Some(old) => [&self.id[..], b" renews ", &old.fingerprint_sha256()].concat(),
        }
    }
}
