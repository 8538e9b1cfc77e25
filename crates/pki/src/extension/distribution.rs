//! Where CRLs are found, and what a CRL covers.

use super::ExtensionValue;
use crate::{
    GeneralName, Oid, oid,
    tlv::{DerError, Reader, Tag, Writer},
};

/// One place where the same CRL is found (RFC 5280, 4.2.1.13).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DistributionPoint {
    /// Its names, in the form `fullName`.
    pub full_name: Vec<GeneralName>,
    /// Who signs the CRL, if not the certificate's issuer. We never write it.
    pub crl_issuer: Vec<GeneralName>,
}

impl DistributionPoint {
    /// The URLs among its names.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.full_name.iter().filter_map(|name| match name {
            GeneralName::Uri(url) => Some(url.as_str()),
            _ => None,
        })
    }
}

fn read_points(value: &[u8]) -> Result<Vec<DistributionPoint>, DerError> {
    let mut reader = Reader::entered(value, Tag::SEQUENCE)?;
    let mut points = Vec::new();
    while !reader.is_empty() {
        let mut fields = reader.sequence()?;
        let full_name = match fields.context(0)? {
            Some(name) => read_name(name)?,
            None => Vec::new(),
        };
        fields.optional(Tag::context(1))?;
        let crl_issuer = match fields.context(2)? {
            Some(names) => read_names(names)?,
            None => Vec::new(),
        };
        fields.finish()?;
        points.push(DistributionPoint { full_name, crl_issuer });
    }
    Ok(points)
}

/// The names of a DistributionPointName; one relative to the issuer is read over.
fn read_name(mut name: Reader<'_>) -> Result<Vec<GeneralName>, DerError> {
    match name.context(0)? {
        Some(names) => read_names(names),
        None => Ok(Vec::new()),
    }
}

fn read_names(mut names: Reader<'_>) -> Result<Vec<GeneralName>, DerError> {
    let mut read = Vec::new();
    while !names.is_empty() {
        read.push(GeneralName::read(&mut names)?);
    }
    Ok(read)
}

/// Appends `fullName` in a DistributionPointName in `[0]`.
fn write_name(w: &mut Writer, names: &[GeneralName]) {
    w.context(0, |w| {
        w.context(0, |w| {
            for name in names {
                name.write(w);
            }
        });
    });
}

fn write_points(w: &mut Writer, points: &[DistributionPoint]) {
    w.sequence(|w| {
        for point in points {
            w.sequence(|w| {
                if !point.full_name.is_empty() {
                    write_name(w, &point.full_name);
                }
                if !point.crl_issuer.is_empty() {
                    w.context(2, |w| {
                        for name in &point.crl_issuer {
                            name.write(w);
                        }
                    });
                }
            });
        }
    });
}

fn points_of_urls<T: AsRef<str>>(urls: &[T]) -> Vec<DistributionPoint> {
    let names: Vec<_> = urls.iter().map(|url| GeneralName::Uri(url.as_ref().to_owned())).collect();
    if names.is_empty() {
        return Vec::new();
    }
    vec![DistributionPoint { full_name: names, crl_issuer: Vec::new() }]
}

/// CRL distribution points (RFC 5280, 4.2.1.13).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CrlDistributionPoints(pub Vec<DistributionPoint>);

impl CrlDistributionPoints {
    /// One point whose CRL is found at each of `urls`.
    pub fn of_urls<T: AsRef<str>>(urls: &[T]) -> Self {
        Self(points_of_urls(urls))
    }
}

impl ExtensionValue for CrlDistributionPoints {
    const OID: Oid = oid::CRL_DISTRIBUTION_POINTS;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        read_points(value).map(Self)
    }

    fn write(&self, w: &mut Writer) {
        write_points(w, &self.0);
    }
}

/// Where the delta CRL is found (RFC 5280, 4.2.1.15 and 5.2.6).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FreshestCrl(pub Vec<DistributionPoint>);

impl FreshestCrl {
    /// One point whose delta CRL is found at each of `urls`.
    pub fn of_urls<T: AsRef<str>>(urls: &[T]) -> Self {
        Self(points_of_urls(urls))
    }
}

impl ExtensionValue for FreshestCrl {
    const OID: Oid = oid::FRESHEST_CRL;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        read_points(value).map(Self)
    }

    fn write(&self, w: &mut Writer) {
        write_points(w, &self.0);
    }
}

/// Which certificates of the issuer a CRL covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// All of them.
    #[default]
    All,
    /// Those that are no authorities.
    UserCertificates,
    /// Those of authorities.
    AuthorityCertificates,
    /// Attribute certificates, which we never issue.
    AttributeCertificates,
}

/// What a CRL covers and where it is found (RFC 5280, 5.2.5). Always critical.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IssuingDistributionPoint {
    /// The names that the covered certificates carry as their distribution point; empty when the CRL is
    /// not bound to one.
    pub full_name: Vec<GeneralName>,
    /// Which kind of certificates.
    pub scope: Scope,
    /// Whether only some reasons are covered. Read so that such a CRL is not taken for a complete one.
    pub some_reasons: bool,
    /// Whether it lists certificates of other issuers. Read for the same reason.
    pub indirect: bool,
}

impl ExtensionValue for IssuingDistributionPoint {
    const OID: Oid = oid::ISSUING_DISTRIBUTION_POINT;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut fields = Reader::entered(value, Tag::SEQUENCE)?;
        let full_name = match fields.context(0)? {
            Some(name) => read_name(name)?,
            None => Vec::new(),
        };
        let mut flag = |number| match fields.optional(Tag::context(number))? {
            Some(value) => value.boolean(),
            None => Ok(false),
        };
        let (users, authorities) = (flag(1)?, flag(2)?);
        let reasons = fields.optional(Tag::context(3))?;
        let mut flag = |number| match fields.optional(Tag::context(number))? {
            Some(value) => value.boolean(),
            None => Ok(false),
        };
        let (indirect, attributes) = (flag(4)?, flag(5)?);
        fields.finish()?;
        let scope = match (users, authorities, attributes) {
            (false, false, false) => Scope::All,
            (true, false, false) => Scope::UserCertificates,
            (false, true, false) => Scope::AuthorityCertificates,
            (false, false, true) => Scope::AttributeCertificates,
            _ => return Err(DerError::Value("a distribution point with two scopes")),
        };
        Ok(Self { full_name, scope, some_reasons: reasons.is_some(), indirect })
    }

    /// Reasons are not written: our CRLs cover all of them.
    fn write(&self, w: &mut Writer) {
        const TRUE: &[u8] = &[0xff];
        w.sequence(|w| {
            if !self.full_name.is_empty() {
                write_name(w, &self.full_name);
            }
            match self.scope {
                Scope::UserCertificates => w.value(Tag::context(1), TRUE),
                Scope::AuthorityCertificates => w.value(Tag::context(2), TRUE),
                Scope::All | Scope::AttributeCertificates => {}
            }
            if self.indirect {
                w.value(Tag::context(4), TRUE);
            }
            if self.scope == Scope::AttributeCertificates {
                w.value(Tag::context(5), TRUE);
            }
        });
    }
}
