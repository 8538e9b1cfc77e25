//! An authority that another one certifies: it waits, is given its certificate by command, and issues.

use lanyard_authority::Clock as _;
use lanyard_pki::profile::{AuthorityKey, CertificateInput, Issuer, Profile};
use lanyard_pki::{
    Certificate, CertificationRequest, Digest, KeyAlgorithm, Name, PublicKey, SerialNumber,
    SignatureAlgorithm, Time, pem,
};
use lanyard_server::config::CertifiedBySetting;
use lanyard_server::control::operations::ca::{ImportCa, ListCas};
use lanyard_signer::{Signer as _, SoftwareKey};

use crate::site::Site;

/// A root of a test's own.
struct Root {
    key: SoftwareKey,
    name: Name,
    now: Time,
}

impl Root {
    fn new(now: Time) -> Self {
        let key = SoftwareKey::generate(KeyAlgorithm::P256).unwrap();
        Self { key, name: "CN=Another Root".parse().unwrap(), now }
    }

    async fn certify(
        &self,
        profile: &Profile,
        subject: &Name,
        key: &PublicKey,
        serial: u8,
    ) -> Certificate {
        let identifier = self.key.public_key().key_identifier();
        let issuer = Issuer { subject: &self.name, key_identifier: &identifier };
        let serial = SerialNumber::from_bytes(&[0x40, serial]).unwrap();
        let validity = (self.now.plus(-86_400), self.now.plus(365 * 86_400));
        let algorithm = SignatureAlgorithm::Ecdsa(Digest::Sha256);
        let input =
            CertificateInput::new(issuer, serial, validity, subject.clone(), key, algorithm);
        let unsigned = profile.certificate(&input).unwrap();
        let signature = self.key.sign(algorithm, unsigned.tbs()).await.unwrap();
        Certificate::from_der(&unsigned.assemble(&signature)).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_waits_for_its_certificate_and_issues_once_it_has_it() {
    let site = Site::with(|config| {
        config.authority.certified_by = CertifiedBySetting::Another;
        config.listen.https = vec![std::net::SocketAddr::from(([127, 0, 0, 1], 0))];
    })
    .await;
    assert_eq!(site.get("/probe").await.status(), 503);
    assert_eq!(site.get("/static?operation=GetCACert").await.status(), 503);
    assert_eq!(site.get("/ca").await.status(), 404);

    let control = site.control().await;
    let waiting = control.run(ListCas {}).await.unwrap().remove(0);
    assert_eq!(waiting.state, "requested");
    let request = pem::decode(pem::CERTIFICATE_REQUEST, &waiting.request.unwrap()).unwrap();
    let request = CertificationRequest::from_der(&request).unwrap();
    let root = Root::new(site.clock.now());
    let key = AuthorityKey::Issues;
    let own =
        root.certify(&Profile::root_authority(key), &root.name, root.key.public_key(), 1).await;
    let profile = Profile::subordinate_authority(Some(0), key);
    let issued = root.certify(&profile, request.subject(), request.public_key(), 2).await;

    let certificates = vec![own.as_der().to_vec(), issued.as_der().to_vec()];
    let imported = control.run(ImportCa { id: None, certificates }).await.unwrap();
    assert_eq!(imported.state, "current");
    assert_eq!(site.get("/probe").await.status(), 200);
    assert_eq!(site.ca().await, issued);
    let (device, _) = site.device("CN=device-1").await;
    device.verify_signed_by(request.public_key()).unwrap();
    let chain = site.get("/ca/chain").await.text().await.unwrap();
    assert_eq!(pem::decode_all(&chain).unwrap().len(), 2, "the root is in the chain");
}
