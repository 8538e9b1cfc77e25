//! From a decided order to a certificate: build, lint, sign, record, each stage a type of its own.
//!
//! What may be ordered is decided elsewhere. Until it is recorded nobody has seen a certificate, so that whatever is
//! killed when, there is nothing to tidy up: see the decision record on issuance.

mod order;

use std::sync::Arc;

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::serial_codec::Nonce;
use lanyard_pki::certificate::Certificate;
use lanyard_pki::lint::Expectations;
use lanyard_pki::unsigned::Frame as _;
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{AuditEntry, Claim, CrlPartition, Enrollment, Issuance, NewNotice};

use crate::audit::Act;
use crate::ca::Ca;
use crate::error::Doing as _;
use crate::steps::Step;
use crate::{Authority, Fault, intune, linted};
pub(crate) use order::{INTERNAL, Order, Origin};
use order::{blamed, input, names, record};

/// How often another serial number is drawn. One object would need thousands of certificates for a second attempt to be
/// likely, so that this many in vain mean that chance is broken.
const ATTEMPTS: usize = 16;

/// A certificate that was issued here, durable in the store.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Its serial number.
    pub serial: SerialNumber,
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// The CA that issued it.
    pub ca: Arc<Ca>,
}

/// What came of an order.
#[derive(Debug)]
pub(crate) enum Certified {
    /// The certificate.
    Issued(Issued),
    /// Its transaction was claimed before: this is how it stands.
    Claimed(Box<Enrollment>),
    /// The request that was to be approved is gone.
    NoSuchRequest,
    /// What was asked for is nothing that a certificate of its profile can say.
    Refused(Refusal),
}

/// Built and linted, not signed.
#[derive(Debug)]
struct Built {
    serial: SerialNumber,
    partition: CrlPartition,
    tbs: Vec<u8>,
}

/// Why there is nothing to sign.
enum Unbuilt {
    Refused(Refusal),
    Fault(Fault),
}

impl From<Fault> for Unbuilt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Signed and not recorded: it must not leave.
#[derive(Debug)]
struct Signed {
    serial: SerialNumber,
    partition: CrlPartition,
    certificate: Vec<u8>,
}

impl Authority {
    /// Carries an order out. What it returns is durable.
    ///
    /// A caller that goes away meanwhile (a client that hangs up) stops nothing: what is begun is finished.
    pub(crate) async fn certify(&self, order: Order, claim: Claim) -> Result<Certified, Fault> {
        let authority = self.clone();
        match tokio::spawn(async move { authority.certify_whole(order, claim).await }).await {
            Ok(certified) => certified,
            Err(error) => Err(Fault::lasting("issue a certificate", error)),
        }
    }

    async fn certify_whole(&self, order: Order, claim: Claim) -> Result<Certified, Fault> {
        let names = names(&order);
        for _ in 0..ATTEMPTS {
            let built = match self.build(&order) {
                Ok(built) => built,
                Err(Unbuilt::Refused(refusal)) => return Ok(Certified::Refused(refusal)),
                Err(Unbuilt::Fault(fault)) => return Err(fault),
            };
            self.reached(Step::Built).await?;
            let Signed { serial, partition, certificate } = self.sign(&order, built).await?;
            self.reached(Step::Signed).await?;

            let now = self.now();
            let mut new =
                record(&order, serial.clone(), partition, names.clone(), &certificate, now);
            new.notice = order.notice.clone().map(|notice| Box::new(named(notice, &serial)));
            let issuance = self.store().issue_certificate(
                new,
                claim.clone(),
                Some(audit(&order, &serial, now)),
            );
            match issuance.await.doing("record a certificate")? {
                Issuance::Issued => {
                    self.reached(Step::Recorded).await?;
                    // Somebody may have asked after it before it was: it was unknown then.
                    self.forget_status(&serial);
                    announce(&serial, &order);
                    return Ok(Certified::Issued(Issued { serial, certificate, ca: order.ca }));
                }
                // Drawn again, and signed again; what is signed now is forgotten.
                Issuance::SerialTaken => {}
                Issuance::TransactionExists(enrollment) => {
                    return Ok(Certified::Claimed(enrollment));
                }
                Issuance::NoSuchRequest => return Ok(Certified::NoSuchRequest),
            }
        }
        Err(Fault::lasting("number a certificate", "every serial number that was drawn is taken"))
    }

    fn build(&self, order: &Order) -> Result<Built, Unbuilt> {
        let nonce = Nonce::from_random(u32::from_be_bytes(self.random()));
        let serial = self.serials().encode(&order.binding, nonce, &order.ca.key_identifier);
        let (partition, crl_urls) = self.crl_urls(&order.ca, &serial);
        let unsigned = order.profile.certificate(&input(order, serial.clone(), crl_urls));
        let unsigned = unsigned.map_err(|error| match blamed(&error) {
            Some(refusal) => Unbuilt::Refused(refusal),
            None => Unbuilt::Fault(Fault::lasting("build a certificate", error)),
        })?;
        let expected = Expectations {
            constraints: order.profile.constraints,
            public_key: &order.public_key,
            serial: &serial,
        };
        let issuer = &order.ca.certificate;
        linted::check(&unsigned, &order.ca.stand_in, Some(issuer), &expected)?;
        Ok(Built { serial, partition, tbs: unsigned.tbs().to_vec() })
    }

    async fn sign(&self, order: &Order, built: Built) -> Result<Signed, Fault> {
        let Built { serial, partition, tbs } = built;
        let algorithm = order.ca.signature_algorithm;
        let signature = order.ca.signer.sign(algorithm, &tbs).await.doing("sign a certificate")?;
        let certificate = Certificate::frame(&tbs, algorithm, &signature, &[]);
        Ok(Signed { serial, partition, certificate })
    }
}

/// The notice of a certificate, which is named by it: whoever knows the one finds the other.
fn named(notice: NewNotice, serial: &SerialNumber) -> NewNotice {
    let id = intune::notice_of(serial);
    NewNotice { id, serial: Some(serial.clone()), ..notice }
}

fn audit(order: &Order, serial: &SerialNumber, now: Time) -> AuditEntry {
    let Origin { at, actor, scope, .. } = &order.origin;
    let detail = serde_json::json!({
        "ca": order.ca.id.0, "endpoint": at, "profile": order.profile.name,
    });
    Act::IssueCertificate.by(actor, now).scope(*scope).target(serial).detail(&detail).done()
}

fn announce(serial: &SerialNumber, order: &Order) {
    let (endpoint, profile) = (&order.origin.at, &order.profile.name);
    metrics::counter!(
        "lanyard_certificates_issued_total",
        "endpoint" => endpoint.clone(),
        "profile" => profile.to_string(),
    )
    .increment(1);
    tracing::info!(
        cert.serial = %serial,
        cert.profile = %profile,
        ca.name = %order.ca.name,
        endpoint = %endpoint,
        "Issued a certificate with serial number {serial}"
    );
}

#[cfg(test)]
mod tests {
    use lanyard_lifecycle::refusal::{NameFault, NamePart};
    use lanyard_pki::GeneralName;
    use lanyard_pki::extension::KeyUsages;
    use lanyard_pki::oid;
    use lanyard_pki::profile::Profile;

    use super::*;
    use crate::status::testing::{DAY, Lab};

    /// What an order comes to that was made otherwise than usual.
    async fn changed(change: impl FnOnce(&mut Order)) -> Result<Certified, Fault> {
        let lab = Lab::new().await;
        let mut order = lab.order(lab.clock_now().plus(DAY));
        change(&mut order);
        lab.authority.certify(order, Claim::None).await
    }

    #[tokio::test]
    async fn what_no_certificate_of_a_profile_can_say_is_refused_and_no_fault_of_ours() {
        let refusal = |certified| match certified {
            Ok(Certified::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        };
        let part = NamePart::AlternativeNames;
        let uncarried = changed(|order| {
            order.profile = Profile::tls_server();
            order.alternative_names.push(GeneralName::Email("ada@example.com".into()));
        });
        assert_eq!(refusal(uncarried.await), Refusal::NameNotAllowed { part });
        let unspoken = changed(|order| {
            order.alternative_names.push(GeneralName::Dns("b\u{fc}cher.example".into()));
        });
        let fault = NameFault::Malformed;
        assert_eq!(refusal(unspoken.await), Refusal::BadName { part, fault });
        let climbing = changed(|order| order.key_usages = Some(KeyUsages::KEY_CERT_SIGN)).await;
        assert_eq!(refusal(climbing), Refusal::NoUsage);
        let answering =
            changed(|order| order.extended_key_usages = Some(vec![oid::OCSP_SIGNING])).await;
        assert_eq!(refusal(answering), Refusal::NoUsage);
    }

    #[tokio::test]
    async fn what_this_program_got_wrong_is_a_fault() {
        let backwards = changed(|order| order.not_after = order.not_before.plus(-1)).await;
        assert!(backwards.is_err(), "{backwards:?}");
    }
}
