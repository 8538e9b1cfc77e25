use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use lanyard_directory::token::{ClientCertificate, Identity};
use lanyard_directory::{Outcome, Why};
use lanyard_pki::tlv::Writer;
use lanyard_pki::{Certificate, Digest, Name, PublicKey, SignatureAlgorithm, Unsigned};
use lanyard_simulator::tenant::AppCertificate;

use super::*;

fn secret(client: Uuid, secret: &str) -> Credential {
    Credential::Secret { client_id: client.to_string(), secret: secret.to_owned().into() }
}

/// A certificate that signs itself, and the PKCS#8 form of its key.
fn certificate() -> (Vec<u8>, Vec<u8>) {
    const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::RsaPkcs1(Digest::Sha256);
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let modulus = key.public_key().modulus().big_endian_without_leading_zero();
    let exponent = key.public_key().exponent().big_endian_without_leading_zero();
    let public = PublicKey::from_rsa_components(modulus, exponent).unwrap();
    let name: Name = "CN=Lanyard".parse().unwrap();
    let tbs = Writer::sequence_of(|w| {
        w.context(0, |w| w.small_integer(2));
        w.unsigned_integer(&public.key_identifier());
        w.raw(&ALGORITHM.identifier());
        w.raw(name.as_der());
        w.sequence(|w| {
            w.time(Time::from_unix(1_577_836_800));
            w.time(Time::from_unix(4_102_444_799));
        });
        w.raw(name.as_der());
        w.raw(public.spki_der());
    });
    let unsigned = Unsigned::<Certificate>::new(tbs, ALGORITHM);
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), unsigned.tbs(), &mut signature).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = key.as_der().unwrap();
    (unsigned.assemble(&signature), pkcs8.as_ref().to_vec())
}

#[tokio::test]
async fn a_certificate_signs_in_where_it_is_registered_and_nowhere_else() {
    let rehearsal = Rehearsal::start().await;
    let ((der, key), client) = (certificate(), rehearsal.client);
    let entra = || {
        let certificate = ClientCertificate::new(&der, &key).unwrap();
        let credential = Credential::Certificate { client_id: client.to_string(), certificate };
        EntraId::new(&tenant(&rehearsal.simulator, rehearsal.id, credential), UserRisk::Ignored)
    };
    let query = Query::id(ObjectKind::EntraUser, rehearsal.examples().user.into());
    let missed = entra().look_up(&query).await.unwrap_err();
    assert_eq!(missed.why, Why::Unauthorized);
    assert!(missed.detail.contains("AADSTS700027"), "{missed}");
    let register = |tenant: &mut lanyard_simulator::tenant::Tenant, _| {
        let registered = AppCertificate::from_der(&der).unwrap();
        tenant.apps.find_mut(client).unwrap().certificates.push(registered);
    };
    rehearsal.simulator.world().change(rehearsal.id, register).unwrap();
    assert!(entra().look_up(&query).await.is_ok());
}

#[tokio::test]
async fn a_token_that_the_service_thinks_is_over_is_replaced() {
    let rehearsal = Rehearsal::start().await;
    let query = Query::id(ObjectKind::EntraUser, rehearsal.examples().user.into());
    assert!(rehearsal.entra.look_up(&query).await.is_ok());
    // More than any token lasts, in the simulator's time and not in ours.
    rehearsal.control("POST", "time", &json!({ "advance": 3 * 3600 })).await;
    // A token that is new would not be replaced.
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(1)).await;
    tokio::time::resume();
    assert!(rehearsal.entra.look_up(&query).await.is_ok());
}

#[tokio::test]
async fn a_managed_identity_signs_in_without_a_secret() {
    let rehearsal = Rehearsal::start().await;
    let client = app_called(&rehearsal.simulator, rehearsal.id, "Lanyard's machine");
    let credential = Credential::ManagedIdentity(Identity::Client(client.to_string()));
    let tenant = tenant(&rehearsal.simulator, rehearsal.id, credential);
    let entra = EntraId::new(&tenant, UserRisk::Ignored);
    let query = Query::id(ObjectKind::EntraUser, rehearsal.examples().user.into());
    assert!(entra.look_up(&query).await.is_ok());
}

#[tokio::test]
async fn a_wrong_secret_is_said_to_be_wrong() {
    let rehearsal = Rehearsal::start().await;
    let credential = secret(rehearsal.client, "mistyped");
    let tenant = tenant(&rehearsal.simulator, rehearsal.id, credential);
    let entra = EntraId::new(&tenant, UserRisk::Ignored);
    let query = Query::id(ObjectKind::EntraUser, rehearsal.examples().user.into());
    let missed = entra.look_up(&query).await.unwrap_err();
    assert_eq!(missed.why, Why::Unauthorized);
    assert!(missed.detail.contains("AADSTS7000215"), "{missed}");
    let checks = entra.check().await;
    assert_eq!((checks.len(), checks[0].outcome), (1, Outcome::Problem));
    assert!(checks[0].remedy.as_deref().unwrap().contains("secret's value"), "{checks:?}");
}

#[tokio::test]
async fn all_is_well_in_a_tenant_that_grants_everything() {
    let rehearsal = Rehearsal::start().await;
    let mut checks = rehearsal.entra.check().await;
    checks.append(&mut rehearsal.intune.check().await);
    assert!(checks.iter().all(|check| check.outcome == Outcome::Ok), "{checks:#?}");
    let what: Vec<&str> = checks.iter().map(|check| check.what.as_str()).collect();
    for needed in [
        "Permission Directory.Read.All",
        "Permission IdentityRiskyUser.Read.All",
        "Permission DeviceManagementManagedDevices.Read.All",
    ] {
        assert!(what.contains(&needed), "{what:?}");
    }
}

#[tokio::test]
async fn a_permission_that_is_taken_away_is_ignorance_and_told_by_the_doctor() {
    let rehearsal = Rehearsal::start().await;
    let take = |tenant: &mut lanyard_simulator::tenant::Tenant, _| {
        let principal = tenant.apps.find(rehearsal.client).unwrap().service_principal;
        let all: Vec<_> = tenant.apps.assignments().copied().collect();
        for one in all.into_iter().filter(|one| one.principal == principal) {
            tenant.apps.unassign(one);
        }
    };
    rehearsal.simulator.world().change(rehearsal.id, take).unwrap();
    let Examples { user, managed, .. } = rehearsal.examples();
    for (kind, id) in [(ObjectKind::EntraUser, user), (ObjectKind::IntuneDevice, managed)] {
        let query = Query::id(kind, id.into());
        let missed = rehearsal.connector(kind).look_up(&query).await.unwrap_err();
        assert!(matches!(missed.why, Why::Forbidden { permission: Some(_) }), "{missed}");
        let checks = rehearsal.connector(kind).check().await;
        let problem = checks.iter().find(|check| check.outcome == Outcome::Problem).unwrap();
        assert!(problem.remedy.as_deref().unwrap().starts_with("grant the"), "{problem}");
    }
}
