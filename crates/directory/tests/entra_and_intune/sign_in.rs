use lanyard_directory::token::Identity;
use lanyard_directory::{Outcome, Why};

use super::*;

fn secret(client: Uuid, secret: &str) -> Credential {
    Credential::Secret { client_id: client.to_string(), secret: secret.to_owned().into() }
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
