//! `OCSPRequest` (RFC 6960, 4.1): read without a copy or an allocation, and written for our client.
//!
//! A requestor's signature is passed over: whoever may ask may ask unsigned.

use super::{CertId, NONCE_OCTETS};
use crate::{
    Oid, oid,
    tlv::{DerError, Reader, Tag, Writer},
};

/// A request as received. Everything in it was read once when it was made.
#[derive(Clone, Copy, Debug)]
pub struct OcspRequest<'a> {
    list: Reader<'a>,
    count: usize,
    nonce: Option<&'a [u8]>,
}

/// One certificate that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SingleRequest<'a> {
    /// Which.
    pub id: CertId<'a>,
}

/// Why a request gets `malformedRequest`.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RequestError {
    /// Not an `OCSPRequest`.
    #[error("the OCSP request cannot be read: {0}")]
    Malformed(#[from] DerError),
    /// It asks about no certificate.
    #[error("the OCSP request asks about no certificate")]
    Empty,
    /// It asks about too many.
    #[error("the OCSP request asks about more than {0} certificates")]
    TooMany(usize),
    /// A nonce of another length than [`NONCE_OCTETS`].
    #[error("a nonce of {0} octets; 1 to 128 are allowed")]
    Nonce(usize),
    /// A critical extension that is not understood.
    #[error("the critical extension {0} is not supported")]
    CriticalExtension(Oid),
}

impl<'a> OcspRequest<'a> {
    /// Certificates in one request beyond which it is refused: more than a GET line of 16 kB holds.
    pub const MOST: usize = 256;

    /// Reads a request.
    pub fn from_der(der: &'a [u8]) -> Result<Self, RequestError> {
        let mut outer = Reader::entered(der, Tag::SEQUENCE)?;
        let mut tbs = outer.sequence()?;
        outer.context(0)?;
        outer.finish()?;
        tbs.context(0)?;
        tbs.context(1)?;
        let list = tbs.sequence()?;
        let count = check_list(list)?;
        let nonce = match tbs.context(2)? {
            None => None,
            Some(mut extensions) => {
                let inside = extensions.sequence()?;
                extensions.finish()?;
                read_extensions(inside)?
            }
        };
        tbs.finish()?;
        Ok(Self { list, count, nonce })
    }

    /// How many certificates are asked about; at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// The certificates that are asked about, in their order.
    pub fn requests(&self) -> impl Iterator<Item = SingleRequest<'a>> + use<'a> {
        let mut list = self.list;
        std::iter::from_fn(move || {
            let id = CertId::read(list.sequence().ok()?.any().ok()?).ok()?;
            Some(SingleRequest { id })
        })
    }

    /// The nonce, without its OCTET STRING.
    #[must_use]
    pub const fn nonce(&self) -> Option<&'a [u8]> {
        self.nonce
    }
}

fn check_list(mut list: Reader<'_>) -> Result<usize, RequestError> {
    let mut count = 0;
    while !list.is_empty() {
        if count == OcspRequest::MOST {
            return Err(RequestError::TooMany(OcspRequest::MOST));
        }
        let mut request = list.sequence()?;
        CertId::read(request.expect(Tag::SEQUENCE)?)?;
        if let Some(mut extensions) = request.context(0)? {
            read_extensions(extensions.sequence()?)?;
        }
        request.finish()?;
        count += 1;
    }
    if count == 0 { Err(RequestError::Empty) } else { Ok(count) }
}

/// The nonce among some extensions; all others are passed over unless they are critical and unknown.
fn read_extensions(mut extensions: Reader<'_>) -> Result<Option<&[u8]>, RequestError> {
    let mut nonce = None;
    while !extensions.is_empty() {
        let mut extension = extensions.sequence()?;
        let oid = extension.oid()?;
        let critical = match extension.optional(Tag::BOOLEAN)? {
            None => false,
            Some(value) => value.boolean()?,
        };
        let value = extension.octet_string()?;
        extension.finish()?;
        match oid {
            oid::OCSP_NONCE => {
                let mut inside = Reader::new(value);
                let octets = inside.octet_string()?;
                inside.finish()?;
                if !NONCE_OCTETS.contains(&octets.len()) {
                    return Err(RequestError::Nonce(octets.len()));
                }
                nonce = Some(octets);
            }
            oid::OCSP_RESPONSE
            | oid::OCSP_SERVICE_LOCATOR
            | oid::OCSP_PREF_SIG_ALGS
            | oid::OCSP_CRL => {}
            other if critical => return Err(RequestError::CriticalExtension(other)),
            _ => {}
        }
    }
    Ok(nonce)
}

/// A request about the certificates with these `CertID`s ([`super::IssuerHashes::cert_id`]).
#[must_use]
pub fn request(ids: &[&[u8]], nonce: Option<&[u8]>) -> Vec<u8> {
    Writer::sequence_of(|w| {
        w.sequence(|w| {
            w.sequence(|w| {
                for id in ids {
                    w.sequence(|w| w.raw(id));
                }
            });
            if let Some(nonce) = nonce {
                w.context(2, |w| write_nonce(w, nonce));
            }
        });
    })
}

/// Extensions with nothing but a nonce.
pub(super) fn write_nonce(w: &mut Writer, nonce: &[u8]) {
    w.sequence(|w| {
        w.sequence(|w| {
            w.oid(oid::OCSP_NONCE);
            w.nested(Tag::OCTET_STRING, |w| w.octet_string(nonce));
        });
    });
}
