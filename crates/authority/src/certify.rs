//! From a decided order to a certificate: build, lint, prepare, sign, complete, each stage a type of its own.
//!
//! What may be ordered is decided elsewhere. Whatever is killed when, the store knows what to finish: see the decision
//! record on issuance.

mod order;

use std::sync::Arc;

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::id::Scope;
use lanyard_lifecycle::serial_codec::Nonce;
use lanyard_pki::SerialNumber;
use lanyard_pki::certificate::Certificate;
use lanyard_pki::lint::Expectations;
use lanyard_pki::unsigned::Frame as _;
use lanyard_store::{Claim, Completion, Enrollment, Preparation};

use crate::audit::{Act, Actor};
use crate::ca::Ca;
use crate::error::Doing as _;
use crate::steps::Step;
use crate::{Authority, Fault, linted};
pub(crate) use order::{Order, Origin};
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

/// Recorded and not yet signed.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) ca: Arc<Ca>,
    pub(crate) serial: SerialNumber,
    pub(crate) tbs: Vec<u8>,
    pub(crate) about: About,
}

/// What the audit trail and the log say of a certificate.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) scope: Scope,
    pub(crate) actor: Actor,
    pub(crate) at: String,
    pub(crate) profile: String,
}

/// Signed and not yet recorded as such: it must not leave.
#[derive(Debug)]
struct Signed {
    ca: Arc<Ca>,
    serial: SerialNumber,
    certificate: Vec<u8>,
    about: About,
}

enum Preparing {
    Prepared(Prepared),
    Claimed(Box<Enrollment>),
    NoSuchRequest,
    Refused(Refusal),
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
        match self.prepare(order, claim).await? {
            Preparing::Prepared(prepared) => self.finish(prepared).await.map(Certified::Issued),
            Preparing::Claimed(enrollment) => Ok(Certified::Claimed(enrollment)),
            Preparing::NoSuchRequest => Ok(Certified::NoSuchRequest),
            Preparing::Refused(refusal) => Ok(Certified::Refused(refusal)),
        }
    }

    /// Signs and completes what is prepared: now, after a crash, or for whoever asks again.
    pub(crate) async fn finish(&self, prepared: Prepared) -> Result<Issued, Fault> {
        let signed = self.sign(prepared).await?;
        self.reached(Step::Signed).await?;
        let issued = self.complete(signed).await?;
        self.reached(Step::Completed).await?;
        Ok(issued)
    }

    async fn prepare(&self, order: Order, claim: Claim) -> Result<Preparing, Fault> {
        let names = names(&order);
        for _ in 0..ATTEMPTS {
            let nonce = Nonce::from_random(u32::from_be_bytes(self.random()));
            let serial = self.serials().encode(&order.binding, nonce, &order.ca.key_identifier);
            let (partition, crl_urls) = self.crl_urls(&order.ca, &serial);
            let built = order.profile.certificate(&input(&order, serial.clone(), crl_urls));
            let unsigned = match built {
                Ok(unsigned) => unsigned,
                Err(error) => {
                    let refusal = blamed(&error).map(Preparing::Refused);
                    return refusal.ok_or_else(|| Fault::lasting("build a certificate", error));
                }
            };
            let expected = Expectations {
                constraints: order.profile.constraints,
                public_key: &order.public_key,
                serial: &serial,
            };
            let issuer = &order.ca.certificate;
            linted::check(&unsigned, &order.ca.stand_in, Some(issuer), &expected)?;
            self.reached(Step::Built).await?;

            let tbs = unsigned.tbs().to_vec();
            let record = record(&order, serial.clone(), partition, names.clone(), tbs, self.now());
            let tbs = record.tbs.clone();
            let preparing = self.store().prepare_certificate(record, claim.clone(), None).await;
            match preparing.doing("prepare a certificate")? {
                Preparation::SerialTaken => {}
                Preparation::TransactionExists(enrollment) => {
                    return Ok(Preparing::Claimed(enrollment));
                }
                Preparation::NoSuchRequest => return Ok(Preparing::NoSuchRequest),
                Preparation::Prepared => {
                    self.reached(Step::Prepared).await?;
                    let Order { ca, profile, origin, .. } = order;
                    let about = About {
                        scope: origin.scope,
                        actor: origin.actor,
                        at: origin.at,
                        profile: profile.name.into_owned(),
                    };
                    return Ok(Preparing::Prepared(Prepared { ca, serial, tbs, about }));
                }
            }
        }
        Err(Fault::lasting("number a certificate", "every serial number that was drawn is taken"))
    }

    async fn sign(&self, prepared: Prepared) -> Result<Signed, Fault> {
        let Prepared { ca, serial, tbs, about } = prepared;
        let algorithm = ca.signature_algorithm;
        let signature = ca.signer.sign(algorithm, &tbs).await.doing("sign a certificate")?;
        let certificate = Certificate::frame(&tbs, algorithm, &signature, &[]);
        Ok(Signed { ca, serial, certificate, about })
    }

    async fn complete(&self, signed: Signed) -> Result<Issued, Fault> {
        let Signed { ca, serial, certificate, about } = signed;
        let now = self.now();
        let detail = serde_json::json!({
            "ca": ca.id.0, "endpoint": about.at, "profile": about.profile,
        });
        let audit = Act::IssueCertificate.by(&about.actor, now).scope(about.scope);
        let audit = audit.target(&serial).detail(&detail).done();
        let completion = self
            .store()
            .complete_certificate(serial.clone(), certificate.clone(), now, Some(audit))
            .await
            .doing("record a certificate")?;
        match completion {
            Completion::Completed => {
                // Somebody may have asked after it before it was: it was unknown then.
                self.forget_status(&serial);
                announce(&serial, &ca, &about);
                Ok(Issued { serial, certificate, ca })
            }
            Completion::AlreadyComplete(Some(certificate)) => {
                Ok(Issued { serial, certificate, ca })
            }
            Completion::AlreadyComplete(None) | Completion::NotPrepared => {
                Err(Fault::lasting("record a certificate", "it was given up meanwhile"))
            }
        }
    }
}

fn announce(serial: &SerialNumber, ca: &Ca, about: &About) {
    metrics::counter!(
        "lanyard_certificates_issued_total",
        "endpoint" => about.at.clone(),
        "profile" => about.profile.clone(),
    )
    .increment(1);
    tracing::info!(
        cert.serial = %serial,
        cert.profile = %about.profile,
        ca.name = %ca.name,
        endpoint = %about.at,
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
