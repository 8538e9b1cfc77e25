//! `OCSPResponse` (RFC 6960, 4.2) to send. What is the same in every answer of a responder is encoded
//! once; times are whole seconds, as some clients refuse fractions.

use std::fmt;

use super::request::write_nonce;
use crate::{
    CrlReason, SignatureAlgorithm, Time, Unsigned, oid,
    tlv::{Tag, Writer},
    unsigned::Frame,
};

/// `OCSPResponseStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseStatus {
    /// There is an answer.
    Successful,
    /// The request was not understood.
    MalformedRequest,
    /// Our own fault.
    InternalError,
    /// Come back later.
    TryLater,
    /// Only signed requests are answered.
    SigRequired,
    /// Not for this client, or not about these certificates (RFC 5019, 2.2.3).
    Unauthorized,
}

impl ResponseStatus {
    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Successful => 0,
            Self::MalformedRequest => 1,
            Self::InternalError => 2,
            Self::TryLater => 3,
            Self::SigRequired => 5,
            Self::Unauthorized => 6,
        }
    }

    /// The status with this number.
    #[must_use]
    pub const fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Successful,
            1 => Self::MalformedRequest,
            2 => Self::InternalError,
            3 => Self::TryLater,
            5 => Self::SigRequired,
            6 => Self::Unauthorized,
            _ => return None,
        })
    }

    /// The whole response with this status and no answer: five octets, never signed.
    #[must_use]
    pub const fn response(self) -> [u8; 5] {
        [0x30, 0x03, 0x0a, 0x01, self.number()]
    }
}

impl fmt::Display for ResponseStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Successful => "successful",
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SigRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        })
    }
}

/// `CertStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertStatus {
    /// Not revoked.
    Good,
    /// Revoked, or on hold.
    Revoked {
        /// Since when.
        at: Time,
        /// Why, if that is said. RFC 5280, 5.3.1: not *unspecified*, which is written by silence.
        reason: Option<CrlReason>,
    },
    /// Not known here.
    Unknown,
}

/// What is said about one certificate.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its `CertID`, as it was asked.
    pub id: &'a [u8],
    /// Its status.
    pub status: CertStatus,
    /// When that was known to be so.
    pub this_update: Time,
    /// Until when it may be believed.
    pub next_update: Option<Time>,
}

/// What all answers of a responder have in common, encoded once.
#[derive(Clone, Debug)]
pub struct ResponderFrame {
    responder_id: Vec<u8>,
    trailer: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl ResponderFrame {
    /// A responder that is named by the SHA-1 of its key, and sends `certificates` along: its own
    /// when it is a delegated one, none when the issuer itself signs.
    #[must_use]
    pub fn new(key_hash: &[u8; 20], algorithm: SignatureAlgorithm, certificates: &[&[u8]]) -> Self {
        let mut responder_id = Writer::new();
        responder_id.context(2, |w| w.octet_string(key_hash));
        let mut trailer = Writer::new();
        if !certificates.is_empty() {
            trailer.context(0, |w| {
                w.sequence(|w| {
                    for certificate in certificates {
                        w.raw(certificate);
                    }
                });
            });
        }
        Self { responder_id: responder_id.finish(), trailer: trailer.finish(), algorithm }
    }

    /// A response, to be signed by the responder.
    #[must_use]
    pub fn response(
        &self,
        produced_at: Time,
        answers: &[Answer<'_>],
        nonce: Option<&[u8]>,
    ) -> Unsigned<OcspResponse> {
        let mut w = Writer::with_capacity(256 + 192 * answers.len());
        w.sequence(|w| {
            w.raw(&self.responder_id);
            w.generalized_time(produced_at);
            w.sequence(|w| {
                for answer in answers {
                    answer.write(w);
                }
            });
            if let Some(nonce) = nonce {
                w.context(1, |w| write_nonce(w, nonce));
            }
        });
        Unsigned::new(w.finish(), self.algorithm).with_trailer(self.trailer.clone())
    }
}

impl Answer<'_> {
    fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            w.raw(self.id);
            match self.status {
                CertStatus::Good => w.value(Tag::context(0), &[]),
                CertStatus::Unknown => w.value(Tag::context(2), &[]),
                CertStatus::Revoked { at, reason } => w.context(1, |w| {
                    w.generalized_time(at);
                    if let Some(reason) = reason.filter(|reason| reason.number() != 0) {
                        w.context(0, |w| w.enumerated(reason.number()));
                    }
                }),
            }
            w.generalized_time(self.this_update);
            if let Some(next_update) = self.next_update {
                w.context(0, |w| w.generalized_time(next_update));
            }
        });
    }
}

/// What a signed answer becomes: the marker of [`Unsigned`].
#[derive(Clone, Copy, Debug)]
pub struct OcspResponse;

impl Frame for OcspResponse {
    fn frame(
        tbs: &[u8],
        algorithm: SignatureAlgorithm,
        signature: &[u8],
        trailer: &[u8],
    ) -> Vec<u8> {
        let mut w = Writer::with_capacity(tbs.len() + signature.len() + trailer.len() + 128);
        w.sequence(|w| {
            w.enumerated(ResponseStatus::Successful.number());
            w.context(0, |w| {
                w.sequence(|w| {
                    w.oid(oid::OCSP_BASIC);
                    w.nested(Tag::OCTET_STRING, |w| {
                        w.sequence(|w| {
                            w.raw(tbs);
                            w.raw(&algorithm.identifier());
                            w.bit_string(signature);
                            w.raw(trailer);
                        });
                    });
                });
            });
        });
        w.finish()
    }
}
