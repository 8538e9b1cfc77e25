//! Finding a certificate that was issued here, or the CRL that would list it, for protocols that hand them out (GetCert,
//! GetCRL).

use std::sync::Arc;

use lanyard_lifecycle::Refusal;
use lanyard_pki::{Name, SerialNumber};
use lanyard_store::CaState;

use crate::certify::Issued;
use crate::crl::PublishedCrl;
use crate::error::Doing as _;
use crate::{Authority, Error};

impl Authority {
    /// The certificate with this serial number.
    pub async fn issued(&self, serial: &SerialNumber) -> Result<Issued, Error> {
        let record = self.store().certificate_status(serial.clone()).await;
        let record = record.doing("look up a certificate")?.ok_or(Refusal::UnknownCertificate)?;
        let certificate = self.store().certificate_der(serial.clone()).await;
        let certificate = certificate.doing("read a certificate")?;
        let certificate = certificate.ok_or(Refusal::UnknownCertificate)?;
        let cas = self.cas();
        let ca = cas.by_id(record.ca).ok_or(Refusal::UnknownCertificate)?.clone();
        Ok(Issued { serial: serial.clone(), certificate, ca })
    }

    /// The certificate that an issuer's name and serial number name (RFC 8894 section 3.3.4), a CA's own among them.
    pub async fn issued_by(&self, issuer: &Name, serial: &SerialNumber) -> Result<Issued, Error> {
        let cas = self.cas();
        let own = cas.by_own_serial(serial).filter(|ca| ca.certificate.issuer().matches(issuer));
        if let Some(ca) = own {
            let certificate = ca.certificate.as_der().to_vec();
            return Ok(Issued { serial: serial.clone(), certificate, ca: ca.clone() });
        }
        let found = self.issued(serial).await?;
        if found.ca.certificate.subject().matches(issuer) {
            Ok(found)
        } else {
            Err(Refusal::UnknownCertificate.into())
        }
    }

    /// The complete CRL that would list the certificate that an issuer's name and serial number name (RFC 8894 section
    /// 3.3.5). CAs that follow each other may have one name: the serial number tells them apart, and the current one
    /// counts where it is not known.
    pub async fn crl_for(
        &self,
        issuer: &Name,
        serial: &SerialNumber,
    ) -> Result<Arc<PublishedCrl>, Error> {
        let issued_by = self.status(serial).await?.ca;
        let cas = self.cas();
        let named = || cas.iter().filter(|ca| ca.certificate.subject().matches(issuer));
        let ca = named()
            .find(|ca| Some(ca.id) == issued_by)
            .or_else(|| named().find(|ca| ca.state == CaState::Current))
            .or_else(|| named().next());
        let crl = ca.and_then(|ca| self.complete_crl(ca.id));
        Ok(crl.ok_or(Refusal::UnknownCertificate)?)
    }
}
