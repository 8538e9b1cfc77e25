//! Writes a certificate of every profile, and a CRL of every kind, signed with new keys, for foreign
//! linters to read: `cargo run -p lanyard-signer --example one_of_each -- <folder> [rsa|ec]`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use lanyard_pki::crl::{CrlBuilder, CrlNumber, Entry};
use lanyard_pki::extension::{IssuingDistributionPoint, Scope};
use lanyard_pki::profile::{AuthorityKey, CertificateInput, Issuer, NameKind, Profile};
use lanyard_pki::unsigned::Frame;
use lanyard_pki::{
    CrlReason, GeneralName, KeyAlgorithm, Name, SerialNumber, Time, Unsigned, oid, pem,
};
use lanyard_signer::{Signer, SoftwareKey};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// 21 November 2026, so that what is written differs only by its keys.
const NOW: Time = Time::from_unix(1_795_219_200);
const DAY: i64 = 86_400;
const OCSP: &str = "http://ca.example.com/ocsp";
const CA: &str = "http://ca.example.com/ca";
/// How Intune names a device in its certificate.
const INTUNE_DEVICE: &str = "IntuneDeviceId://2f6b8f1c-3f3e-4c5a-9f3e-0d6a2a1b3c4d";
const CRL: &str = "http://ca.example.com/crl/token";

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let kind = arguments.next().unwrap_or_default();
    let algorithms = match kind.as_str() {
        "ec" => (KeyAlgorithm::P384, KeyAlgorithm::P256),
        _ => (KeyAlgorithm::Rsa { bits: 2048 }, KeyAlgorithm::Rsa { bits: 2048 }),
    };
    let authority = SoftwareKey::generate(algorithms.0)?;
    let subject = SoftwareKey::generate(algorithms.1)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(write_all(&Writer { folder, authority, subject }))
}

struct Writer {
    folder: PathBuf,
    authority: SoftwareKey,
    subject: SoftwareKey,
}

async fn write_all(writer: &Writer) -> Outcome<()> {
    fs::create_dir_all(&writer.folder)?;
    for role in [AuthorityKey::Issues, AuthorityKey::IssuesAndEnrolls] {
        let name = format!("root-{role:?}").to_lowercase();
        writer.root(&name, &Profile::root_authority(role)).await?;
    }
    for profile in [
        Profile::subordinate_authority(Some(0), AuthorityKey::Issues),
        Profile::tls_inspection_authority(),
        Profile::ocsp_responder(),
        Profile::scep_registration_authority(),
        Profile::tls_server(),
        Profile::client(),
        Profile::device(),
        Profile::user(),
        Profile::smart_card_user(),
        Profile::domain_controller(),
        Profile::radius_server(),
        Profile::code_signing(),
        Profile::document_signing(),
    ] {
        let name = profile.name.to_lowercase().replace(' ', "-");
        writer.issued(&name, &profile, "CN=One of each,O=Example,C=DE".parse()?).await?;
    }
    writer.issued("device-without-subject", &Profile::device(), Name::empty()).await?;
    writer.crls().await
}

impl Writer {
    fn authority_name() -> Outcome<Name> {
        Ok("CN=Example Authority,O=Example,C=DE".parse()?)
    }

    async fn root(&self, name: &str, profile: &Profile) -> Outcome<()> {
        let subject = Self::authority_name()?;
        let key_identifier = self.authority.public_key().key_identifier();
        let issuer = Issuer { subject: &subject, key_identifier: &key_identifier };
        let input = CertificateInput::new(
            issuer,
            serial(name)?,
            (NOW, NOW.plus(3650 * DAY)),
            subject.clone(),
            self.authority.public_key(),
            self.authority.preferred_algorithm().ok_or("cannot sign")?,
        );
        self.sign(profile.certificate(&input)?, name, pem::CERTIFICATE, "crt").await
    }

    async fn issued(&self, name: &str, profile: &Profile, subject: Name) -> Outcome<()> {
        let issuer_name = Self::authority_name()?;
        let key_identifier = self.authority.public_key().key_identifier();
        let mut input = CertificateInput::new(
            Issuer { subject: &issuer_name, key_identifier: &key_identifier },
            serial(name)?,
            (NOW.plus(-DAY), NOW.plus(365 * DAY)),
            subject,
            self.subject.public_key(),
            self.authority.preferred_algorithm().ok_or("cannot sign")?,
        );
        for kind in &profile.alt_names {
            input.subject_alt_names.push(example(*kind)?);
        }
        if *profile == Profile::device() {
            input.subject_alt_names.push(GeneralName::Uri(INTUNE_DEVICE.to_owned()));
        }
        if profile.status == lanyard_pki::profile::StatusCheck::Checked {
            input.ocsp_urls = vec![OCSP.to_owned()];
            input.crl_urls = vec![CRL.to_owned()];
        }
        input.ca_issuer_urls = vec![CA.to_owned()];
        self.sign(profile.certificate(&input)?, name, pem::CERTIFICATE, "crt").await
    }

    async fn crls(&self) -> Outcome<()> {
        let issuer_name = Self::authority_name()?;
        let key_identifier = self.authority.public_key().key_identifier();
        let full = CrlBuilder {
            issuer: Issuer { subject: &issuer_name, key_identifier: &key_identifier },
            number: CrlNumber(7),
            this_update: NOW,
            next_update: NOW.plus(7 * DAY),
            base: None,
            distribution_point: None,
            freshest_urls: Vec::new(),
            freshest_from: 0,
            expired_since: None,
            signature_algorithm: self.authority.preferred_algorithm().ok_or("cannot sign")?,
        };
        let delta = CrlBuilder { number: CrlNumber(8), base: Some(CrlNumber(7)), ..full.clone() };
        let fresh = CrlBuilder { freshest_urls: vec![format!("{CRL}/delta")], ..full.clone() };
        let part = IssuingDistributionPoint {
            full_name: vec![GeneralName::Uri(format!("{CRL}/part/1"))],
            scope: Scope::All,
            some_reasons: false,
            indirect: false,
        };
        let part = CrlBuilder { distribution_point: Some(part), ..full.clone() };
        self.sign(full.build([])?, "empty", pem::CRL, "crl").await?;
        self.sign(full.build(entries()?)?, "full", pem::CRL, "crl").await?;
        self.sign(fresh.build(entries()?)?, "full-with-delta", pem::CRL, "crl").await?;
        self.sign(part.build(entries()?)?, "partition", pem::CRL, "crl").await?;
        self.sign(delta.build(entries()?)?, "delta", pem::CRL, "crl").await
    }

    async fn sign<T: Frame>(
        &self,
        unsigned: Unsigned<T>,
        name: &str,
        label: &str,
        extension: &str,
    ) -> Outcome<()> {
        let algorithm = self.authority.preferred_algorithm().ok_or("cannot sign")?;
        let signature = self.authority.sign(algorithm, unsigned.tbs()).await?;
        let text = pem::encode(label, &unsigned.assemble(&signature));
        Ok(fs::write(self.folder.join(Path::new(name).with_extension(extension)), text)?)
    }
}

/// Twenty octets that begin as Lanyard's do, different for each name.
fn serial(name: &str) -> Outcome<SerialNumber> {
    let digest = lanyard_pki::Digest::Sha256.of(name.as_bytes());
    let mut octets = digest.get(..20).ok_or("a short digest")?.to_vec();
    octets[0] = 0x40 | octets[0] & 0x3f;
    Ok(SerialNumber::from_bytes(&octets)?)
}

/// Every reason once.
fn entries() -> Outcome<Vec<Entry>> {
    (0..=10_u8)
        .filter_map(|number| Some((number, CrlReason::from_number(number)?)))
        .filter(|(_, reason)| *reason != CrlReason::REMOVE_FROM_CRL)
        .map(|(number, reason)| {
            let revoked_at = NOW.plus(-i64::from(number) * DAY);
            let invalid_since = (number == 1).then_some(revoked_at.plus(-DAY));
            let serial = serial(&number.to_string())?;
            Ok(Entry { serial, revoked_at, reason: Some(reason), invalid_since })
        })
        .collect()
}

fn example(kind: NameKind) -> Outcome<GeneralName> {
    Ok(match kind {
        NameKind::Dns => GeneralName::Dns("device-1.example.com".to_owned()),
        NameKind::Email => GeneralName::Email("device@example.com".to_owned()),
        NameKind::Uri => GeneralName::Uri("https://example.com/device/1".to_owned()),
        NameKind::Ip => GeneralName::Ip([192, 0, 2, 1].into()),
        NameKind::Upn => GeneralName::upn("person@example.com"),
        NameKind::DirectoryName => GeneralName::DirectoryName("CN=other,C=DE".parse()?),
        NameKind::OtherName => GeneralName::OtherName {
            // The GUID of a domain controller's account (MS-ADTS): an OCTET STRING of 16 octets.
            oid: oid::MS_NTDS_REPLICATION,
            value: [&[0x04, 0x10][..], &[0x11; 16]].concat(),
        },
        NameKind::RegisteredId => GeneralName::RegisteredId(oid::CLIENT_AUTH),
    })
}
