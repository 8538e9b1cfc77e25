//! Reading a CRL: kept as received, entries read one after the other when asked for.

use super::{CrlNumber, Entry};
use crate::{
    CrlReason, DerError, Name, PublicKey, SerialNumber, SignatureAlgorithm, Time,
    algorithm::AlgorithmError,
    extension::{AuthorityKeyIdentifier, Extensions, IssuingDistributionPoint},
    key::BadSignature,
    oid,
    tlv::{Reader, Tag},
    unsigned::Frame,
};
use std::{fmt, ops::Range, sync::Arc};

/// A CRL. Cheap to clone.
#[derive(Clone)]
pub struct Crl(Arc<Parts>);

struct Parts {
    der: Vec<u8>,
    tbs: Range<usize>,
    inner_algorithm: Range<usize>,
    outer_algorithm: Range<usize>,
    issuer: Name,
    this_update: Time,
    next_update: Option<Time>,
    entries: Range<usize>,
    extensions: Extensions,
    signature: Range<usize>,
}

impl Frame for Crl {}

impl Crl {
    /// Reads exactly one CRL. Entries are read by [`Crl::entries`].
    pub fn from_der(der: &[u8]) -> Result<Self, DerError> {
        let place = |octets: &[u8]| {
            let start = octets.as_ptr() as usize - der.as_ptr() as usize;
            start..start + octets.len()
        };
        let mut outer = Reader::entered(der, Tag::SEQUENCE)?;
        let tbs = outer.expect(Tag::SEQUENCE)?;
        let outer_algorithm = place(outer.expect(Tag::SEQUENCE)?.bytes);
        let signature = place(outer.bit_string()?);
        outer.finish()?;

        let mut fields = tbs.reader();
        fields.optional(Tag::INTEGER)?;
        let inner_algorithm = place(fields.expect(Tag::SEQUENCE)?.bytes);
        let issuer = Name::from_der(fields.expect(Tag::SEQUENCE)?.bytes)?;
        let this_update = fields.time()?;
        let next_update = match fields.peek() {
            Some(Tag::UTC_TIME | Tag::GENERALIZED_TIME) => Some(fields.time()?),
            _ => None,
        };
        let entries = fields.optional(Tag::SEQUENCE)?.map_or(0..0, |list| place(list.contents));
        let extensions = match fields.context(0)? {
            None => Extensions::default(),
            Some(explicit) => Extensions::from_der(explicit.rest())?,
        };
        fields.finish()?;
        Ok(Self(Arc::new(Parts {
            tbs: place(tbs.bytes),
            inner_algorithm,
            outer_algorithm,
            issuer,
            this_update,
            next_update,
            entries,
            extensions,
            signature,
            der: der.to_vec(),
        })))
    }

    fn octets(&self, range: &Range<usize>) -> &[u8] {
        self.0.der.get(range.clone()).unwrap_or_default()
    }

    /// All of it, as received.
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    /// When it was made.
    pub fn this_update(&self) -> Time {
        self.0.this_update
    }

    /// When the next one is due.
    pub fn next_update(&self) -> Option<Time> {
        self.0.next_update
    }

    /// Whether it is current at `at`: made before, and the next one not yet due.
    pub fn is_current_at(&self, at: Time) -> bool {
        self.0.this_update <= at && self.0.next_update.is_some_and(|next| at < next)
    }

    /// All extensions.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// Its number.
    pub fn number(&self) -> Result<Option<CrlNumber>, DerError> {
        self.small_integer(oid::CRL_NUMBER)
    }

    /// The number of the complete CRL that it amends; none for a complete one.
    pub fn base(&self) -> Result<Option<CrlNumber>, DerError> {
        self.small_integer(oid::DELTA_CRL_INDICATOR)
    }

    fn small_integer(&self, oid: crate::Oid) -> Result<Option<CrlNumber>, DerError> {
        let Some(extension) = self.0.extensions.get(oid) else { return Ok(None) };
        let mut reader = Reader::new(&extension.value);
        let number = reader.small_integer()?;
        reader.finish()?;
        Ok(Some(CrlNumber(number)))
    }

    /// What it covers; none for everything of its issuer.
    pub fn distribution_point(&self) -> Result<Option<IssuingDistributionPoint>, DerError> {
        self.0.extensions.decode()
    }

    /// The issuer's key identifier.
    pub fn authority_key_identifier(&self) -> Result<Option<AuthorityKeyIdentifier>, DerError> {
        self.0.extensions.decode()
    }

    /// The algorithm of its signature.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, AlgorithmError> {
        SignatureAlgorithm::from_identifier(self.octets(&self.0.outer_algorithm))
    }

    /// The signature.
    pub fn signature(&self) -> &[u8] {
        self.octets(&self.0.signature)
    }

    /// Checks the signature, and that both statements of its algorithm agree.
    pub fn verify_signed_by(&self, key: &PublicKey) -> Result<(), BadSignature> {
        let algorithm = self.signature_algorithm().map_err(|_| BadSignature)?;
        if self.octets(&self.0.inner_algorithm) != self.octets(&self.0.outer_algorithm) {
            return Err(BadSignature);
        }
        key.verify(algorithm, self.octets(&self.0.tbs), self.signature())
    }

    /// Its entries, in the order of the DER.
    pub fn entries(&self) -> Entries<'_> {
        Entries(Reader::new(self.octets(&self.0.entries)))
    }

    /// The entry of a certificate. Fails where an entry before it cannot be read.
    pub fn entry(&self, serial: &SerialNumber) -> Result<Option<Entry>, DerError> {
        for entry in self.entries() {
            let entry = entry?;
            if entry.serial == *serial {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

/// The entries of a CRL. Ends after the first that cannot be read.
#[derive(Debug, Clone)]
pub struct Entries<'a>(pub(super) Reader<'a>);

impl Iterator for Entries<'_> {
    type Item = Result<Entry, DerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = read_entry(&mut self.0);
        if read.is_err() {
            self.0 = Reader::new(&[]);
        }
        Some(read)
    }
}

fn read_entry(list: &mut Reader<'_>) -> Result<Entry, DerError> {
    let mut fields = list.sequence()?;
    let (serial, revoked_at) = (fields.serial_number()?, fields.time()?);
    let extensions = match fields.optional(Tag::SEQUENCE)? {
        Some(extensions) => Extensions::from_der(extensions.bytes)?,
        None => Extensions::default(),
    };
    fields.finish()?;
    let mut entry = Entry { serial, revoked_at, reason: None, invalid_since: None };
    for extension in &extensions {
        let mut value = Reader::new(&extension.value);
        match extension.oid {
            oid::REASON_CODE => {
                let number = value.expect(Tag::ENUMERATED)?.small_integer()?;
                let reason = u8::try_from(number).ok().and_then(CrlReason::from_number);
                let reason = reason.ok_or(DerError::Value("a reason that is not assigned"))?;
                entry.reason = Some(reason);
            }
            oid::INVALIDITY_DATE => entry.invalid_since = Some(value.time()?),
            // An entry of another issuer's certificate must not be taken for one of this issuer's.
            oid::CERTIFICATE_ISSUER => {
                return Err(DerError::Value("an entry of another issuer's certificate"));
            }
            _ => continue,
        }
        value.finish()?;
    }
    Ok(entry)
}

impl PartialEq for Crl {
    fn eq(&self, other: &Self) -> bool {
        self.as_der() == other.as_der()
    }
}

impl Eq for Crl {}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crl({}, {})", self.issuer(), self.this_update())
    }
}
