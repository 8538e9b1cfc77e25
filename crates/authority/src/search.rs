//! Looking certificates up: search, show, export, and those that end soon.
//!
//! Which columns are shown and in which form is the door's affair.

use lanyard_lifecycle::refusal::Refusal;
use lanyard_lifecycle::verdict::Verdict;
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{Certificate, Counts, Cursor, ExpiringPage, Filter, Page, Summary, Within};

use crate::error::Doing as _;
use crate::revoke::reaches;
use crate::{Authority, Error};

/// The most certificates on one page.
const LONGEST_PAGE: u32 = 1000;

/// A certificate, whole, and how it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What is recorded.
    pub certificate: Certificate,
    /// Good, on hold, revoked, and why.
    pub verdict: Verdict,
}

/// A certificate's octets with those above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Its CA's certificate and those above, DER.
    pub chain: Vec<Vec<u8>>,
}

impl Authority {
    /// The issued certificates that a filter lets through, newest first. Pages stay in place while certificates come.
    pub async fn search(
        &self,
        filter: Filter,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<Summary>, Error> {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let found = self.store().search_certificates(filter, after, limit).await;
        Ok(found.doing("search certificates")?)
    }

    /// The certificates that are good and end from `from` on and before `until`, in that order.
    pub async fn expiring(
        &self,
        within: Within,
        from: Time,
        until: Time,
        after: Option<(Time, Cursor)>,
        limit: u32,
    ) -> Result<ExpiringPage<Summary>, Error> {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let found = self.store().expiring_certificates(within, from, until, after, limit).await;
        Ok(found.doing("list the certificates that end soon")?)
    }

    /// How many certificates were issued, by kind and standing.
    pub async fn counts(&self, within: Within) -> Result<Vec<Counts>, Error> {
        Ok(self.store().counts(within).await.doing("count certificates")?)
    }

    /// A certificate and its verdict. Refused when it was not issued here or lies outside of the caller's scope.
    pub async fn show(&self, serial: &SerialNumber, within: Within) -> Result<Shown, Error> {
        let certificate = self.recorded(serial, within).await?;
        let verdict = self.status(serial).await?.verdict;
        Ok(Shown { certificate, verdict })
    }

    /// A certificate as it was issued, with its chain. Refused as for [`Authority::show`], and when the certificate is no
    /// longer kept.
    pub async fn export(&self, serial: &SerialNumber, within: Within) -> Result<Exported, Error> {
        let found = self.recorded(serial, within).await?;
        let certificate = found.der.ok_or(Refusal::UnknownCertificate)?;
        let cas = self.cas();
        let ca = cas.by_id(found.summary.ca);
        let chain = ca.into_iter().flat_map(|ca| ca.path()).map(|above| above.as_der().to_vec());
        Ok(Exported { certificate, chain: chain.collect() })
    }

    async fn recorded(&self, serial: &SerialNumber, within: Within) -> Result<Certificate, Error> {
        let found = self.store().certificate(serial.clone()).await.doing("read a certificate")?;
        let issued = found.filter(|found| reaches(within, found.summary.scope));
        Ok(issued.ok_or(Refusal::UnknownCertificate)?)
    }
}
