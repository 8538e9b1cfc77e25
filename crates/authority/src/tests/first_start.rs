//! The first start, whole and interrupted.

use lanyard_pki::certificate::Certificate;
use lanyard_pki::extension::BasicConstraints;
use lanyard_store::CaState;

use super::*;
use crate::clock::Clock as _;
use crate::settings::CertifiedBy;

#[tokio::test]
async fn the_first_start_makes_a_root_that_later_starts_find() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let made = authority.cas().current(Scope::DEFAULT.organization).unwrap().clone();
    assert!(made.certificate.is_self_signed());
    assert_eq!(made.certificate.subject(), &name("CN=Test CA,O=Example"));
    assert_eq!(
        made.certificate.basic_constraints(),
        Ok(BasicConstraints::Authority { path_len: None })
    );
    assert_eq!(made.certificate.not_before(), START.plus(-86_400));
    assert_eq!(made.certificate.not_after(), START.plus(3650 * 86_400));
    assert_eq!(made.certificate.serial().as_bytes().len(), 20);
    authority.store().close().await;
    drop(authority);

    let again = installation.open(settings()).await;
    assert_eq!(again.cas().iter().count(), 1);
    assert_eq!(again.cas().iter().next().unwrap().certificate, made.certificate);
}

#[tokio::test]
async fn a_first_start_killed_at_any_step_leaves_one_ca() {
    for step in [Step::CaKeyMade, Step::CaStored] {
        let installation = Installation::new();
        installation.killed_at(step, settings(), async |_| {}).await;
        let keys = KeyStore::open(&installation.path().join("keys"), None).unwrap();
        let left = keys.names().unwrap();

        let authority = installation.open(settings()).await;
        assert_eq!(authority.cas().iter().count(), 1, "{step:?}");
        assert_eq!(keys.names().unwrap(), left, "{step:?}: no second key was made");
        let ca = authority.cas().iter().next().unwrap().clone();
        assert_eq!(ca.state, CaState::Current);
        let device = Device::new("laptop");
        let issued = issued(authority.issue(device.request("t1").await).await);
        let signed = certificate(&issued).check_issued_by(&ca.certificate, 0, START);
        assert_eq!(signed, Ok(()), "{step:?}");
    }
}

#[tokio::test]
async fn of_several_nodes_that_start_at_once_one_makes_the_ca() {
    let installation = Installation::new();
    let ports = installation.ports().await;
    let nodes =
        (10..14).map(|seed| Ports { entropy: Arc::new(SeededEntropy::new(seed)), ..ports.clone() });
    let starts = nodes.map(async |ports| {
        let node = crate::open::unopened(settings(), ports).await.unwrap();
        crate::open::first_of_many(&node).await.map_err(|error| error.to_string())
    });
    let outcomes = futures_util::future::join_all(starts).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(ports.store.cas().await.unwrap().len(), 1);
    let later = installation.clock.now().plus(1);
    let free = ports.store.take_lease("first CA", "somebody else", later, later.plus(1)).await;
    assert!(free.unwrap().is_some(), "it was given back");
}

#[tokio::test]
async fn another_key_setting_after_an_interrupted_first_start_counts() {
    let installation = Installation::new();
    installation.killed_at(Step::CaKeyMade, settings(), async |_| {}).await;
    let mut changed = settings();
    changed.first.key = KeyAlgorithm::P384;
    let authority = installation.open(changed).await;
    let ca = authority.cas().iter().next().unwrap().clone();
    assert_eq!(ca.signer.public_key().algorithm(), KeyAlgorithm::P384);
}

#[tokio::test]
async fn serial_numbers_lead_to_the_binding_after_a_restart() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let issued = issued(authority.issue(Device::new("laptop").request("t1").await).await);
    let record = authority.store().certificate_status(issued.serial.clone()).await.unwrap();
    authority.store().close().await;
    drop(authority);

    let again = installation.open(settings()).await;
    let decoded = again.serials().decode(&issued.serial, &issued.ca.key_identifier).unwrap();
    assert_eq!(decoded.object, record.unwrap().binding.object);
    assert_eq!(decoded.kind, Kind::Static);
}

#[tokio::test]
async fn an_installation_below_another_ca_issues_once_its_certificate_is_imported() {
    let (above, below) = (Installation::new(), Installation::new());
    let root = above.open(settings()).await;
    let mut requested = settings();
    requested.first.name = name("CN=Device CA,O=Example");
    requested.first.certified_by = CertifiedBy::Another;
    let authority = below.open(requested).await;
    let device = Device::new("laptop");
    let refused = refusal(authority.issue(device.request("t1").await).await);
    assert_eq!(refused, lanyard_lifecycle::Refusal::AuthorityNotValid);

    let shown = authority.show_cas().await.unwrap().remove(0);
    assert_eq!(shown.state, CaState::Requested);
    let certificate = certify_below(&root, shown.request.as_deref().unwrap()).await;
    let root_der = root.cas().iter().next().unwrap().certificate.as_der().to_vec();
    let given = [root_der, certificate];
    let operator = Actor::Operator("root".into());
    let imported = authority.import_ca(shown.id, &given, &operator).await.unwrap();
    assert_eq!(imported, crate::ca::Imported::Current);

    let issued = issued(authority.issue(device.request("t2").await).await);
    assert_eq!(issued.ca.chain.len(), 1);
    assert!(issued.ca.chain[0].is_self_signed());
}

/// What an operator of another CA does with our request: certifies it with path length 0.
pub(super) async fn certify_below(root: &Authority, request: &[u8]) -> Vec<u8> {
    use lanyard_pki::profile::{AuthorityKey, CertificateInput};
    let request = CertificationRequest::from_der(request).unwrap();
    request.verify().unwrap();
    let ca = root.cas().iter().next().unwrap().clone();
    let input = CertificateInput::new(
        ca.issuer(),
        "4001".parse().unwrap(),
        (START.plus(-60), START.plus(1000 * 86_400)),
        request.subject().clone(),
        request.public_key(),
        ca.signature_algorithm,
    );
    let profile = Profile::subordinate_authority(Some(0), AuthorityKey::Issues);
    let unsigned = profile.certificate(&input).unwrap();
    let signature = ca.signer.sign(unsigned.algorithm(), unsigned.tbs()).await.unwrap();
    let der = unsigned.assemble(&signature);
    assert!(Certificate::from_der(&der).unwrap().is_authority());
    der
}
