//! Enrollment with a challenge of the endpoint's own, for objects that must exist; at once and after an approval.

use lanyard_directory::Why;
use lanyard_lifecycle::id::ObjectId;
use lanyard_lifecycle::object::{JamfDevice, JamfUser};
use lanyard_lifecycle::policy::Approval;
use lanyard_lifecycle::verdict::Rule;
use lanyard_pki::extension::{EntraDeviceId, EntraTenantId};
use lanyard_store::EnrollmentId;

use super::*;

async fn adas(transaction: &str) -> Request {
    let upn = vec![GeneralName::upn(ADA)];
    request_of(&Device::new("ada"), ENTRA, transaction, "CN=Ada", upn).await
}

fn manual(settings: &mut Settings) {
    settings.endpoints[2].policy.approval = Approval::Manual;
}

async fn waiting(authority: &Authority, request: Request) -> EnrollmentId {
    match authority.issue(request).await {
        Ok(Outcome::Pending(id)) => id,
        other => panic!("not pending: {other:?}"),
    }
}

#[tokio::test]
async fn a_user_and_a_device_of_the_tenant_are_bound() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let ada = issued(authority.issue(adas("t1").await).await);
    assert_eq!(record(&authority, &ada).await.binding.object.to_u128(), ADA_ID);
    assert!(certificate(&ada).extensions().decode::<EntraTenantId>().unwrap().is_some());
    let subject = format!("CN={{{PHONE}}}");
    let request = request_of(&Device::new("phone"), ENTRA, "t2", &subject, vec![]).await;
    let phone = issued(authority.issue(request).await);
    let binding = record(&authority, &phone).await.binding;
    assert_eq!((binding.kind, binding.object.to_u128()), (Kind::EntraDevice, PHONE_ID));
    let id = certificate(&phone).extensions().decode::<EntraDeviceId>().unwrap().unwrap();
    assert_eq!(id.0, uuid::Uuid::from_u128(PHONE_ID).to_bytes_le());
}

#[tokio::test]
async fn who_does_not_know_the_challenge_costs_the_directory_nothing() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("ada");
    let key = Signer::public_key(&device.key).clone();
    let builder = RequestBuilder {
        challenge: Some(ChallengePassword::new("guess")),
        ..RequestBuilder::new(name(&format!("CN={ADA}")), key)
    };
    let request = signed(&device, ENTRA, "t1", &builder).await;
    assert_eq!(refusal(authority.issue(request).await), Refusal::WrongChallenge);
    assert_eq!(tenancy.directory.world().look_ups, 0);
}

#[tokio::test]
async fn who_is_not_there_not_enabled_or_not_to_be_asked_about_gets_nothing() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    tenancy.directory.world().look_up_faults.push_back(Why::Unreachable);
    let kind = ObjectKind::EntraUser;
    let silent = refusal(authority.issue(adas("t1").await).await);
    assert_eq!(silent, Refusal::DirectorySilent { kind });
    tenancy.directory.world().put(ADA_ID, crate::mirror::testing::user(ADA, false));
    tenancy.later(61);
    let disabled = refusal(authority.issue(adas("t2").await).await);
    assert_eq!(disabled, Refusal::Unbound(Unbound::NotGood(Rule::EntraUserDisabled)));
    tenancy.directory.world().delete(kind, ADA_ID);
    tenancy.later(61);
    let gone = refusal(authority.issue(adas("t3").await).await);
    assert_eq!(gone, Refusal::Unbound(Unbound::NoSuchObject(kind)));
    let upn = vec![GeneralName::upn(ADA), GeneralName::upn("bob@example.com")];
    let both = request_of(&Device::new("two"), ENTRA, "t4", "CN=Two", upn).await;
    assert_eq!(refusal(authority.issue(both).await), Refusal::Unbound(Unbound::SeveralUsers));
    let nameless = request_of(&Device::new("none"), ENTRA, "t5", "CN=None", vec![]).await;
    assert_eq!(refusal(authority.issue(nameless).await), Refusal::Unbound(Unbound::NoDeviceOrUser));
    assert_eq!(tethered(&authority).await, 0);
}

/// An endpoint for Jamf Pro, a computer 7 and a user 12 there.
async fn jamf(tenancy: &Tenancy) -> (Authority, EndpointId) {
    let endpoint = EndpointId::from_bytes([11; 16]);
    {
        let mut world = tenancy.directory.world();
        let computer = JamfDevice { managed: Some(true), ..JamfDevice::default() };
        let id = ObjectId::jamf_device(7).to_u128();
        world.put(id, Properties::JamfComputer(computer));
        let email = Some("ada@example.com".to_owned());
        let id = ObjectId::jamf_user(0, 12).to_u128();
        world.put(id, Properties::JamfUser(JamfUser { email, ..JamfUser::default() }));
    }
    let authority = tenancy
        .open_with(|settings| {
            let mut jamf = settings.endpoints[2].clone();
            jamf.id = endpoint;
            jamf.source = Source::Jamf;
            jamf.follows = Follows::Jamf(TENANT);
            settings.endpoints.push(jamf);
        })
        .await;
    (authority, endpoint)
}

#[tokio::test]
async fn a_computer_of_jamf_pro_and_its_user_are_bound() {
    let tenancy = Tenancy::new();
    let (authority, endpoint) = jamf(&tenancy).await;
    let device = Device::new("mac");
    let subject = "CN=7,OU=computers,CN=profile";
    let request = request_of(&device, endpoint, "t1", subject, vec![]).await;
    let mac = issued(authority.issue(request).await);
    let binding = record(&authority, &mac).await.binding;
    assert_eq!((binding.kind, binding.object.jamf_numbers()), (Kind::JamfComputer, (7, 0)));
    assert!(certificate(&mac).extensions().decode::<EntraTenantId>().unwrap().is_none());

    let subject = "CN=7,OU=users-on-computers,CN=profile";
    let email = vec![GeneralName::Email("ada@example.com".into())];
    let request = request_of(&device, endpoint, "t2", subject, email).await;
    let user = issued(authority.issue(request).await);
    let binding = record(&authority, &user).await.binding;
    assert_eq!((binding.kind, binding.object.jamf_numbers()), (Kind::JamfUserOnComputer, (7, 12)));
}

#[tokio::test]
async fn of_jamf_pro_both_the_computer_and_its_user_must_exist() {
    let tenancy = Tenancy::new();
    let (authority, endpoint) = jamf(&tenancy).await;
    let device = Device::new("mac");
    for (transaction, subject, email, missing) in [
        ("t1", "CN=8,OU=computers", "ada@example.com", ObjectKind::JamfComputer),
        ("t2", "CN=8,OU=users-on-computers", "ada@example.com", ObjectKind::JamfComputer),
        ("t3", "CN=7,OU=users-on-computers", "bob@example.com", ObjectKind::JamfUser),
    ] {
        let names = vec![GeneralName::Email(email.into())];
        let request = request_of(&device, endpoint, transaction, subject, names).await;
        let refused = refusal(authority.issue(request).await);
        assert_eq!(refused, Refusal::Unbound(Unbound::NoSuchObject(missing)), "{subject}");
    }
}

#[tokio::test]
async fn a_request_that_waited_is_bound_and_judged_when_it_is_approved() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open_with(manual).await;
    let operator = Actor::Operator("ada".into());
    let id = waiting(&authority, adas("t1").await).await;
    tenancy.directory.world().put(ADA_ID, crate::mirror::testing::user(ADA, false));
    tenancy.later(61);
    let refused = refusal(authority.approve(id, &operator).await);
    assert_eq!(refused, Refusal::Unbound(Unbound::NotGood(Rule::EntraUserDisabled)));
    tenancy.directory.world().put(ADA_ID, ada());
    tenancy.later(61);
    let approved = authority.approve(id, &operator).await.unwrap();
    let record = record(&authority, &approved).await;
    assert_eq!(record.binding.object.to_u128(), ADA_ID);
    assert_eq!(record.source, Source::StaticAAD);
    assert!(certificate(&approved).extensions().decode::<EntraTenantId>().unwrap().is_some());
}

#[tokio::test]
async fn what_is_about_nobody_does_not_even_wait() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open_with(manual).await;
    let request = request_of(&Device::new("none"), ENTRA, "t1", "CN=None", vec![]).await;
    assert_eq!(refusal(authority.issue(request).await), Refusal::Unbound(Unbound::NoDeviceOrUser));
    assert_eq!(authority.count_pending_requests().await.unwrap(), 0);
}

#[tokio::test]
async fn where_nothing_is_added_nothing_is() {
    let tenancy = Tenancy::new();
    let authority = tenancy
        .open_with(|settings| {
            settings.endpoints[2].additions.ids = crate::settings::DirectoryIds::LeftOut;
        })
        .await;
    let ada = certificate(&issued(authority.issue(adas("t1").await).await));
    assert!(ada.extensions().decode::<EntraTenantId>().unwrap().is_none());
}
