//! Who gets a certificate through Intune, and who does not.

use lanyard_directory::Why;
use lanyard_lifecycle::tether::{Compliance, Newcomers};
use lanyard_lifecycle::verdict::Rule;
use lanyard_pki::csr::{PeriodUnit, RequestedValidity};
use lanyard_pki::extension::{EntraDeviceId, EntraTenantId, SecurityIdentifier};
use lanyard_pki::oid;

use super::*;

#[tokio::test]
async fn intune_is_asked_first_and_told_before_the_client_gets_its_certificate() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let issued = enrolled(&authority, &Device::new("laptop"), "t1").await;
    let record = record(&authority, &issued).await;
    assert_eq!(record.binding.kind, Kind::IntuneDevice);
    assert_eq!(record.binding.object.to_u128(), LAPTOP_ID);
    assert_eq!(record.binding.directory, Some(TENANT));
    assert_eq!(record.source, Source::Intune);
    let decoded = authority.serials().decode(&issued.serial, &issued.ca.key_identifier);
    assert_eq!(decoded.map(|decoded| decoded.object.to_u128()), Some(LAPTOP_ID));
    let world = tenancy.intune.world();
    assert_eq!(world.validated, ["t1"]);
    assert_eq!(
        world.said,
        [Said::Issued { transaction: "t1".to_owned(), serial: issued.serial.clone() }]
    );
}

#[tokio::test]
async fn what_intune_refuses_gets_nothing_and_intune_is_told_nothing() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    for code in [Code::ChallengeExpired, Code::SubjectNameMismatch, Code::Other("New".into())] {
        tenancy.intune.world().validations.push_back(Trouble::No(code.clone()));
        let refused = refusal(authority.issue(laptops(&device, "t1").await).await);
        let Refusal::NotValidated(text) = &refused else { panic!("{refused:?}") };
        assert!(text.contains(code.as_str()), "{text}");
        assert!(!refused.is_passing());
    }
    authority.work_notices().await.unwrap();
    assert_eq!(tethered(&authority).await, 0);
    assert_eq!(tenancy.intune.world().said, []);
}

#[tokio::test]
async fn an_intune_that_does_not_answer_lets_the_client_try_again() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    let why = Why::Failing { status: 503 };
    tenancy.intune.world().validations.push_back(Trouble::Silent(why));
    let refused = refusal(authority.issue(laptops(&device, "t1").await).await);
    assert_eq!(refused, Refusal::ValidationSilent);
    assert!(refused.is_passing());
    assert_eq!(tethered(&authority).await, 0);
    enrolled(&authority, &device, "t1").await;
}

#[tokio::test]
async fn without_a_challenge_intune_is_not_even_asked() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    let key = Signer::public_key(&device.key).clone();
    let builder = RequestBuilder::new(name("CN=laptop"), key);
    let request = signed(&device, INTUNE, "t1", &builder).await;
    assert_eq!(refusal(authority.issue(request).await), Refusal::ChallengeMissing);
    assert_eq!(tenancy.intune.world().validated, Vec::<String>::new());
}

#[tokio::test]
async fn nobody_but_intune_vouches_at_its_endpoint() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let mut request = laptops(&Device::new("laptop"), "t1").await;
    request.proof = Proof::Vouched;
    assert_eq!(refusal(authority.issue(request).await), Refusal::Unauthenticated);
}

#[tokio::test]
async fn intune_is_asked_at_its_own_endpoint_only() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let upn = vec![GeneralName::upn(ADA)];
    let request = request_of(&Device::new("ada"), ENTRA, "t1", "CN=Ada", upn).await;
    issued(authority.issue(request).await);
    assert_eq!(tenancy.intune.world().validated, Vec::<String>::new());
    assert_eq!(tenancy.intune.world().said, []);
}

#[tokio::test]
async fn a_tenant_speaks_for_its_own_endpoint_only() {
    let other = DirectoryId::from_bytes([0xD2; 16]);
    let theirs = ScriptedIntune::new(other);
    theirs.world().validations.push_back(Trouble::No(Code::BadTenantIdInChallenge));
    let tenancy = Tenancy::new();
    let mut settings = tethering();
    let endpoint = EndpointId::from_bytes([10; 16]);
    let mut second = settings.endpoints[1].clone();
    second.id = endpoint;
    second.follows = Follows::Intune(IntuneFollows::new(other));
    settings.endpoints.push(second);
    settings.directories.push(DirectorySettings::new(other, "Other"));
    let mut ports = tenancy.ports().await;
    ports.intune.push(theirs.clone());
    let authority = open_disturbed(settings, ports, Arc::new(Undisturbed)).await.unwrap();
    let request = Request { endpoint, ..laptops(&Device::new("laptop"), "t1").await };
    let refused = refusal(authority.issue(request).await);
    assert!(matches!(refused, Refusal::NotValidated(_)), "{refused:?}");
    assert_eq!(theirs.world().validated, ["t1"]);
    assert_eq!(tenancy.intune.world().validated, Vec::<String>::new());
    // Even if it said yes, what the request names is looked up in that tenant alone.
    let request = Request { endpoint, ..laptops(&Device::new("laptop"), "t2").await };
    let refused = refusal(authority.issue(request).await);
    assert_eq!(refused, Refusal::Unbound(Unbound::IntuneNotAsked), "it has no such device");
    assert_eq!(tethered(&authority).await, 0);
}

#[tokio::test]
async fn a_repeated_transaction_gets_the_same_certificate_and_intune_is_asked_and_told_once() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    let request = laptops(&device, "t1").await;
    let first = issued(authority.issue(request.clone()).await);
    let second = issued(authority.issue(request.clone()).await);
    assert_eq!(first.certificate, second.certificate);
    let polled = authority.poll(INTUNE, &device.transaction("t1"), None).await;
    assert_eq!(issued(polled).certificate, first.certificate);
    assert_eq!(tenancy.intune.world().validated, ["t1"]);
    assert_eq!(tenancy.intune.world().issued(), [first.serial]);
    let other = request_of(&device, INTUNE, "t1", "CN=other", vec![]).await;
    assert_eq!(refusal(authority.issue(other).await), Refusal::TransactionReused);
}

#[tokio::test]
async fn a_wiped_device_gets_nothing_and_intune_is_told_why() {
    let tenancy = Tenancy::new();
    let wiped = managed(ManagementState::WipePending, ComplianceState::Compliant);
    tenancy.directory.world().put(LAPTOP_ID, wiped);
    let authority = tenancy.open().await;
    let refused = refusal(authority.issue(laptops(&Device::new("laptop"), "t1").await).await);
    assert_eq!(refused, Refusal::Unbound(Unbound::NotGood(Rule::IntuneDeviceWiped)));
    authority.work_notices().await.unwrap();
    assert_eq!(tenancy.intune.world().said, [denied("t1", &refused)]);
}

/// What Intune is told of a refusal.
fn denied(transaction: &str, refusal: &Refusal) -> Said {
    let (transaction, reason) = (transaction.to_owned(), refusal.to_string());
    Said::Failed { transaction, result: -2_147_024_891, reason }
}

#[tokio::test]
async fn the_same_failure_is_told_once() {
    let tenancy = Tenancy::new();
    tenancy.directory.world().delete(ObjectKind::EntraUser, ADA_ID);
    let authority = tenancy.open().await;
    let upn = vec![GeneralName::upn(ADA)];
    let request = request_of(&Device::new("ada"), INTUNE, "t1", "CN=Ada", upn).await;
    for _ in 0..3 {
        let refused = refusal(authority.issue(request.clone()).await);
        assert!(matches!(refused, Refusal::Unbound(Unbound::NoSuchObject(_))), "{refused:?}");
        authority.work_notices().await.unwrap();
    }
    assert_eq!(tenancy.intune.world().said.len(), 1);
}

#[tokio::test]
async fn a_directory_that_does_not_answer_lets_the_client_try_again_and_intune_is_not_told() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    tenancy.directory.world().look_up_faults.push_back(Why::TimedOut);
    let uri = vec![GeneralName::Uri(format!("IntuneDeviceId://{LAPTOP}"))];
    let subject = format!("CN={LAPTOP}");
    let request = request_of(&device, INTUNE, "t1", &subject, uri).await;
    let refused = refusal(authority.issue(request.clone()).await);
    assert!(matches!(refused, Refusal::DirectorySilent { .. }), "{refused:?}");
    assert!(refused.is_passing());
    authority.work_notices().await.unwrap();
    assert_eq!(tenancy.intune.world().said, []);
    issued(authority.issue(request).await);
}

#[tokio::test]
async fn a_device_that_intune_vouches_for_may_be_new_to_its_directory() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let new = "IntuneDeviceId://00000000-0000-0000-0000-0000000000ff";
    let uri = vec![GeneralName::Uri(new.to_owned())];
    let request = request_of(&Device::new("new"), INTUNE, "t1", "CN=new", uri).await;
    let issued = issued(authority.issue(request).await);
    assert_eq!(record(&authority, &issued).await.binding.object.to_u128(), 0xff);
}

#[tokio::test]
async fn a_device_is_found_in_intune_first_and_then_in_entra_by_its_common_name() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    for (device, kind, id) in
        [(LAPTOP, Kind::IntuneDevice, LAPTOP_ID), (PHONE, Kind::EntraDevice, PHONE_ID)]
    {
        let subject = format!("CN=Profile,CN={}", device.to_uppercase());
        let request = request_of(&Device::new("one"), INTUNE, device, &subject, vec![]).await;
        let issued = issued(authority.issue(request).await);
        let record = record(&authority, &issued).await;
        assert_eq!((record.binding.kind, record.binding.object.to_u128()), (kind, id));
    }
    let nobody = "CN=00000000-0000-0000-0000-0000000000cc";
    let request = request_of(&Device::new("one"), INTUNE, "t3", nobody, vec![]).await;
    assert_eq!(refusal(authority.issue(request).await), Refusal::Unbound(Unbound::UnknownDevice));
}

#[tokio::test]
async fn two_devices_in_one_request_are_refused_and_an_id_of_no_device_is_passed_over() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let other = "00000000-0000-0000-0000-0000000000a2";
    tenancy.directory.world().put(0xa2, laptop());
    let subject = format!("CN={LAPTOP},CN={other}");
    let request = request_of(&Device::new("two"), INTUNE, "t1", &subject, vec![]).await;
    let refused = refusal(authority.issue(request).await);
    assert_eq!(refused, Refusal::Unbound(Unbound::SeveralDevices));
    let profile = "00000000-0000-0000-0000-0000000000cc";
    let subject = format!("CN={profile},CN={LAPTOP}");
    let request = request_of(&Device::new("one"), INTUNE, "t2", &subject, vec![]).await;
    let issued = issued(authority.issue(request).await);
    assert_eq!(record(&authority, &issued).await.binding.object.to_u128(), LAPTOP_ID);
}

#[tokio::test]
async fn where_devices_are_looked_up_is_the_endpoints_setting() {
    for (devices, kind) in [
        (DeviceDirectory::Entra, None),
        (DeviceDirectory::Intune, Some(Kind::IntuneDevice)),
        (DeviceDirectory::EntraAndIntune, Some(Kind::IntuneDevice)),
        (DeviceDirectory::EntraAndIntuneOpportunistic, Some(Kind::IntuneDevice)),
        (DeviceDirectory::EntraAndIntuneAndEndpointList, Some(Kind::IntuneDevice)),
    ] {
        let tenancy = Tenancy::new();
        let authority = tenancy.open_with(|settings| follows(settings).devices = devices).await;
        let subject = format!("CN={LAPTOP}");
        let request = request_of(&Device::new("one"), INTUNE, "t1", &subject, vec![]).await;
        match (authority.issue(request).await, kind) {
            (Ok(Outcome::Issued(issued)), Some(kind)) => {
                assert_eq!(record(&authority, &issued).await.binding.kind, kind, "{devices:?}");
            }
            (Err(Error::Refused(Refusal::Unbound(_))), None) => {}
            (outcome, _) => panic!("{devices:?}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_user_of_a_device_is_bound_by_name() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let upn = vec![GeneralName::upn(ADA)];
    let request = request_of(&Device::new("ada"), INTUNE, "t1", "CN=Ada", upn).await;
    let issued = issued(authority.issue(request).await);
    let record = record(&authority, &issued).await;
    assert_eq!(record.binding.kind, Kind::EntraUser);
    assert_eq!(record.binding.object.to_u128(), ADA_ID);
}

fn checking(newcomers: Newcomers) -> impl FnOnce(&mut Settings) {
    move |settings| {
        let grace = std::time::Duration::ZERO;
        settings.tether.rules.compliance = Some(Compliance { grace, newcomers });
    }
}

#[tokio::test]
async fn a_device_that_does_not_comply_yet_gets_nothing_or_a_short_certificate_as_set() {
    let unfit = managed(ManagementState::Managed, ComplianceState::Noncompliant);
    let rule = Rule::IntuneDeviceNotCompliant;
    let refused = |outcome| assert_eq!(refusal(outcome), Refusal::Unbound(Unbound::NotGood(rule)));

    let tenancy = Tenancy::new();
    tenancy.directory.world().put(LAPTOP_ID, unfit.clone());
    let authority = tenancy.open_with(checking(Newcomers::Refused)).await;
    refused(authority.issue(laptops(&Device::new("laptop"), "t1").await).await);

    let tenancy = Tenancy::new();
    tenancy.directory.world().put(LAPTOP_ID, unfit.clone());
    let bootstrapping = |settings: &mut Settings| {
        checking(Newcomers::Refused)(settings);
        follows(settings).bootstrap = Some(Bootstrap::default());
    };
    let authority = tenancy.open_with(bootstrapping).await;
    let issued = enrolled(&authority, &Device::new("laptop"), "t1").await;
    assert_eq!(record(&authority, &issued).await.binding.kind, Kind::IntuneBootstrap);
    assert_eq!(certificate(&issued).not_after(), START.plus(3 * 3_600));
    assert!(authority.status(&issued.serial).await.unwrap().verdict.good().is_ok());

    // One that complies gets what everybody gets.
    tenancy.directory.world().put(LAPTOP_ID, laptop());
    tenancy.later(61);
    let whole = enrolled(&authority, &Device::new("laptop"), "t2").await;
    assert_eq!(record(&authority, &whole).await.binding.kind, Kind::IntuneDevice);
    assert_eq!(certificate(&whole).not_after(), START.plus(61 + 730 * 86_400));

    // One that does not for long is no newcomer.
    tenancy.directory.world().put(LAPTOP_ID, unfit);
    tenancy.later(86_400);
    refused(authority.issue(laptops(&Device::new("laptop"), "t3").await).await);
}

#[tokio::test]
async fn the_directory_adds_ids_and_when_asked_to_the_security_identifier() {
    let tenancy = Tenancy::new();
    let authority = tenancy
        .open_with(|settings| settings.endpoints[1].additions.sid = DirectorySid::Added)
        .await;
    let uri = GeneralName::Uri(format!("IntuneDeviceId://{LAPTOP}"));
    let mapping = "tag:microsoft.com,2022-09-14:sid:S-1-5-21-9-9-9-999";
    let mut extensions = Extensions::none();
    let names = SubjectAltName(vec![uri, GeneralName::Uri(mapping.into())]);
    extensions.push(names.extension(Criticality::NonCritical));
    let spoofed = SecurityIdentifier("S-1-5-21-1-2-3-500".into());
    extensions.push(spoofed.extension(Criticality::NonCritical));
    let device = Device::new("laptop");
    let request = request_with(&device, INTUNE, "t1", "CN=laptop", extensions).await;
    let certificate = certificate(&issued(authority.issue(request).await));

    let all = certificate.extensions();
    let tenant = all.decode::<EntraTenantId>().unwrap().unwrap();
    assert_eq!(tenant.0, uuid::Uuid::from(TENANT).to_bytes_le());
    let id = all.decode::<EntraDeviceId>().unwrap().unwrap();
    assert_eq!(id.0, uuid::Uuid::from_u128(LAPTOP_IN_ENTRA).to_bytes_le());
    let sid = all.decode::<SecurityIdentifier>().unwrap().unwrap();
    assert_eq!(sid.0, "S-1-5-21-1-2-3-1101");
    let names = certificate.subject_alt_names().unwrap();
    assert!(names.contains(&GeneralName::Uri(mapping.into())), "it is left as it is");
}

#[tokio::test]
async fn a_requested_security_identifier_is_left_out_unless_that_is_set() {
    for (rule, carried) in [
        (lanyard_lifecycle::policy::RequestedSid::LeftOut, false),
        (lanyard_lifecycle::policy::RequestedSid::Carried, true),
    ] {
        let tenancy = Tenancy::new();
        let authority =
            tenancy.open_with(|settings| settings.endpoints[1].policy.requested_sid = rule).await;
        let mut extensions = Extensions::none();
        let uri = GeneralName::Uri(format!("IntuneDeviceId://{LAPTOP}"));
        extensions.push(SubjectAltName(vec![uri]).extension(Criticality::NonCritical));
        let sid = SecurityIdentifier("S-1-5-21-1-2-3-500".into());
        extensions.push(sid.extension(Criticality::NonCritical));
        let device = Device::new("laptop");
        let request = request_with(&device, INTUNE, "t1", "CN=laptop", extensions).await;
        let certificate = certificate(&issued(authority.issue(request).await));
        let found = certificate.extensions().iter().any(|one| one.oid == oid::MS_SID);
        assert_eq!(found, carried);
    }
}

#[tokio::test]
async fn the_requested_validity_counts_up_to_the_endpoints() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    let uri = GeneralName::Uri(format!("IntuneDeviceId://{LAPTOP}"));
    let mut extensions = Extensions::none();
    extensions.push(SubjectAltName(vec![uri]).extension(Criticality::NonCritical));
    let builder = RequestBuilder {
        challenge: Some(ChallengePassword::new(SECRET)),
        extensions,
        validity: Some(RequestedValidity { count: 30, unit: PeriodUnit::Days }),
        ..RequestBuilder::new(name("CN=laptop"), Signer::public_key(&device.key).clone())
    };
    let issued = issued(authority.issue(signed(&device, INTUNE, "t1", &builder).await).await);
    assert_eq!(certificate(&issued).not_after(), START.plus(30 * 86_400));
}

#[tokio::test]
async fn a_renewal_without_a_challenge_keeps_its_object_and_is_judged_anew() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    let first = enrolled(&authority, &device, "t1").await;
    let key = Signer::public_key(&device.key).clone();
    let renewal = async |transaction| {
        let builder = RequestBuilder::new(name("CN=laptop"), key.clone());
        let request = signed(&device, INTUNE, transaction, &builder).await;
        Request { proof: Proof::Renewal(certificate(&first)), ..request }
    };
    let second = issued(authority.issue(renewal("t2").await).await);
    assert_eq!(record(&authority, &second).await.binding.object.to_u128(), LAPTOP_ID);
    assert_eq!(tenancy.intune.world().validated, ["t1"], "Intune does not stand behind a renewal");

    let wiped = managed(ManagementState::WipeIssued, ComplianceState::Compliant);
    tenancy.directory.world().put(LAPTOP_ID, wiped);
    tenancy.later(61);
    let refused = refusal(authority.issue(renewal("t3").await).await);
    assert!(matches!(refused, Refusal::NotGoodAnymore(_)), "{refused:?}");
}

#[tokio::test]
async fn a_renewal_of_a_kind_that_is_not_listed_is_refused() {
    let tenancy = Tenancy::new();
    let authority = tenancy
        .open_with(|settings| settings.endpoints[1].policy.renewal = renewing(&[Kind::EntraUser]))
        .await;
    let device = Device::new("laptop");
    let first = enrolled(&authority, &device, "t1").await;
    let builder = RequestBuilder::new(name("CN=laptop"), Signer::public_key(&device.key).clone());
    let request = signed(&device, INTUNE, "t2", &builder).await;
    let request = Request { proof: Proof::RenewalOrChallenge(certificate(&first)), ..request };
    let kind = Kind::IntuneDevice;
    assert_eq!(refusal(authority.issue(request).await), Refusal::RenewalKindNotAllowed { kind });
}

#[tokio::test]
async fn a_challenge_goes_to_intune_whoever_has_signed_the_message() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    let first = enrolled(&authority, &device, "t1").await;
    tenancy.intune.world().validations.push_back(Trouble::No(Code::ChallengeExpired));
    let request = laptops(&device, "t2").await;
    let request = Request { proof: Proof::RenewalOrChallenge(certificate(&first)), ..request };
    let refused = refusal(authority.issue(request).await);
    assert!(matches!(refused, Refusal::NotValidated(_)), "{refused:?}");
    assert_eq!(tenancy.intune.world().validated, ["t1", "t2"]);
}
