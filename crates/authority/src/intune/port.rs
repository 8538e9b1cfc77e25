//! Intune's services for certification authorities, as the authority asks them.

use std::fmt;

use lanyard_directory::intune::CertificateServices;
use lanyard_directory::intune::certificates::{NextPage, StatePage};
use lanyard_directory::intune::revocation::{RevocationError, RevocationRequest, RevocationResult};
use lanyard_directory::intune::validation::{
    Enrollment, HResult, IssuedCertificate, ValidationError,
};
use lanyard_directory::{BoxFuture, Ignorance};
use lanyard_lifecycle::DirectoryId;

/// The services of one tenant. Each call ends within a deadline of its own.
pub trait IntuneServices: fmt::Debug + Send + Sync {
    /// Whose they are.
    fn directory(&self) -> DirectoryId;

    /// The name under which Intune keeps this authority, where one is configured.
    fn ca_configuration(&self) -> Option<&str>;

    /// Asks whether a request may be answered with a certificate.
    ///
    /// # Errors
    /// When it may not, or when nobody knows.
    fn validate<'a>(
        &'a self,
        enrollment: Enrollment<'a>,
    ) -> BoxFuture<'a, Result<(), ValidationError>>;

    /// Tells that a certificate was issued.
    ///
    /// # Errors
    /// When Intune does not want it, or does not answer.
    fn issued<'a>(
        &'a self,
        enrollment: Enrollment<'a>,
        certificate: IssuedCertificate<'a>,
    ) -> BoxFuture<'a, Result<(), ValidationError>>;

    /// Tells that a request which was validated got no certificate, for a reason of ours.
    ///
    /// # Errors
    /// When Intune does not take the notice, or does not answer.
    fn failed<'a>(
        &'a self,
        enrollment: Enrollment<'a>,
        result: HResult,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<(), ValidationError>>;

    /// Downloads a page of requests to revoke; it is empty when there are no more.
    ///
    /// # Errors
    /// When Intune does not answer.
    fn download_revocations(
        &self,
    ) -> BoxFuture<'_, Result<Vec<RevocationRequest>, RevocationError>>;

    /// Tells what became of requests to revoke.
    ///
    /// # Errors
    /// When Intune does not answer, or does not take them.
    fn upload_results<'a>(
        &'a self,
        results: &'a [RevocationResult],
    ) -> BoxFuture<'a, Result<(), RevocationError>>;

    /// A page of the certificates that Intune believes to be issued, from the first one on.
    ///
    /// # Errors
    /// When Intune does not answer.
    fn certificate_states<'a>(
        &'a self,
        next: Option<&'a NextPage>,
    ) -> BoxFuture<'a, Result<StatePage, Ignorance>>;
}

impl IntuneServices for CertificateServices {
    fn directory(&self) -> DirectoryId {
        lanyard_directory::Connector::directory(self)
    }

    fn ca_configuration(&self) -> Option<&str> {
        self.validation().ca_configuration()
    }

    fn validate<'a>(
        &'a self,
        enrollment: Enrollment<'a>,
    ) -> BoxFuture<'a, Result<(), ValidationError>> {
        Box::pin(self.validation().validate(enrollment))
    }

    fn issued<'a>(
        &'a self,
        enrollment: Enrollment<'a>,
        certificate: IssuedCertificate<'a>,
    ) -> BoxFuture<'a, Result<(), ValidationError>> {
        Box::pin(self.validation().issued(enrollment, certificate))
    }

    fn failed<'a>(
        &'a self,
        enrollment: Enrollment<'a>,
        result: HResult,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<(), ValidationError>> {
        Box::pin(self.validation().failed(enrollment, result, reason))
    }

    fn download_revocations(
        &self,
    ) -> BoxFuture<'_, Result<Vec<RevocationRequest>, RevocationError>> {
        Box::pin(self.revocation().download())
    }

    fn upload_results<'a>(
        &'a self,
        results: &'a [RevocationResult],
    ) -> BoxFuture<'a, Result<(), RevocationError>> {
        Box::pin(self.revocation().upload(results))
    }

    fn certificate_states<'a>(
        &'a self,
        next: Option<&'a NextPage>,
    ) -> BoxFuture<'a, Result<StatePage, Ignorance>> {
        Box::pin(self.certificates().states(next))
    }
}
