//! Fills the store of an installation with certificates, to measure what their number costs.
//!
//! `cargo run --release -p lanyard-store --example fill -- STORE CERTIFICATES REVOKED SERIALS [DER [OBJECTS]]`
//!
//! STORE is the database file of a data folder whose server has run once and is stopped. Each
//! certificate goes the way that SCEP takes: recorded with its transaction and its audit entry. The
//! first REVOKED of them are then revoked. Their serial numbers go into the file SERIALS, one on each
//! line, in hexadecimal. The octets of the file DER stand for every certificate's: those of one that
//! was truly issued have a true size. With a file OBJECTS the certificates follow objects, one on each
//! of its lines in the same order: kind, directory and id, as in `EntraUser 72f9… 0b1c…`; else they
//! follow nothing.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use futures_util::future::try_join_all;
use lanyard_lifecycle::binding::Binding;
use lanyard_lifecycle::id::{DirectoryId, ObjectId};
use lanyard_lifecycle::kind::{Kind, Source};
use lanyard_lifecycle::revocation::{Change, RevocationReason};
use lanyard_lifecycle::{EndpointId, Scope};
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{
    AuditEntry, AuditOutcome, CaId, Claim, CrlPartition, Keep, Names, NewCertificate,
    NewEnrollment, Options, StandingChange, Store, StoreUrl,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Writes under way at once.
const AT_ONCE: usize = 512;

const DAY: i64 = 86_400;

/// An endpoint that no installation has.
const ENDPOINT: EndpointId = EndpointId::from_bytes(*b"filled:by:a:tool");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |name: &str| arguments.next().ok_or(format!("name {name}"));
    let path = PathBuf::from(next("STORE")?);
    let certificates: usize = next("CERTIFICATES")?.parse()?;
    let revoked: usize = next("REVOKED")?.parse()?;
    let mut list = BufWriter::new(File::create(next("SERIALS")?)?);
    let der = next("DER").map_or_else(|_| Ok(vec![7; 1024]), std::fs::read)?;
    let objects = next("OBJECTS").ok().map(std::fs::read_to_string).transpose()?;
    let objects = objects.map(|text| text.lines().map(followed).collect::<Outcome<Vec<_>>>());
    let objects = objects.transpose()?;
    if objects.as_ref().is_some_and(|objects| objects.len() < certificates) {
        return Err("fewer objects than certificates".into());
    }

    let store = Store::open(&StoreUrl::Sqlite(path), Options::WRITING).await?;
    let ca = store.cas().await?.first().ok_or("the installation has no CA yet")?.id;
    let began = Instant::now();
    let mut to_revoke = Vec::with_capacity(revoked);
    for from in (0..certificates).step_by(AT_ONCE) {
        let numbers = from..certificates.min(from + AT_ONCE);
        let followed = |number: usize| objects.as_ref().map(|objects| objects[number]);
        let issued = numbers.map(|number| issue(&store, ca, number, &der, followed(number)));
        for serial in try_join_all(issued).await? {
            writeln!(list, "{serial}")?;
            if to_revoke.len() < revoked {
                to_revoke.push(serial);
            }
        }
    }
    for some in to_revoke.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|serial| revoke(&store, serial))).await?;
    }
    list.flush()?;
    store.close().await;
    println!("{certificates} certificates, {revoked} of them revoked, in {:.1?}", began.elapsed());
    Ok(())
}

/// What a certificate follows, and the channel that such ones come through: a line of OBJECTS.
fn followed(line: &str) -> Outcome<(Binding, Source)> {
    let mut words = line.split_whitespace();
    let mut next = || words.next().ok_or_else(|| format!("{line}: kind, directory and id"));
    let kind = Kind::from_name(next()?).ok_or_else(|| format!("{line}: no such kind"))?;
    let directory: DirectoryId = next()?.parse()?;
    let object: ObjectId = next()?.parse()?;
    let source = match kind {
        Kind::IntuneDevice | Kind::IntuneBootstrap => Source::Intune,
        _ => Source::StaticAAD,
    };
    let binding = Binding::tethered(kind, object, directory);
    Ok((binding.ok_or_else(|| format!("{line}: such certificates follow nothing"))?, source))
}

async fn issue(
    store: &Store,
    ca: CaId,
    number: usize,
    der: &[u8],
    followed: Option<(Binding, Source)>,
) -> Outcome<SerialNumber> {
    let now = now()?;
    let name = format!("filled-{number}");
    // Spread as evenly as true ones are, and the same in every run.
    let hash = digest(&SHA256, name.as_bytes());
    let hash: &[u8; 32] = hash.as_ref().try_into()?;
    let mut octets: [u8; 20] = hash[..20].try_into()?;
    octets[0] = 0x4f;
    let serial = SerialNumber::from_bytes(&octets)?;
    let free =
        || Some((Binding::untethered(Kind::Static, hash[16..].try_into().ok()?)?, Source::Static));
    let (binding, source) = followed.or_else(free).ok_or("tethered")?;
    let certificate = NewCertificate {
        serial: serial.clone(),
        ca,
        crl_partition: CrlPartition::COMPLETE,
        scope: Scope::DEFAULT,
        binding,
        source,
        endpoint: ENDPOINT,
        profile: "device".to_owned(),
        names: Names {
            subject: Some(format!("CN={name}")),
            common_name: Some(name.clone()),
            ..Names::default()
        },
        spki_sha256: *hash,
        not_before: now,
        not_after: now.plus(365 * DAY),
        issued_at: now,
        // Another fingerprint for each, as certificates have.
        der: [der, hash.as_slice()].concat(),
        keep: Keep::Everything,
        due: None,
        notice: None,
    };
    let enrollment = NewEnrollment {
        endpoint: ENDPOINT,
        transaction_id: hex::encode(hash).into_bytes(),
        scope: Scope::DEFAULT,
        signer_sha256: *hash,
        csr_sha256: *hash,
        csr: None,
        context: None,
        subject: Some(format!("CN={name}")),
        renews: None,
        address: Some("192.0.2.1".to_owned()),
        received_at: now,
        expires_at: now.plus(DAY),
    };
    let audit = AuditEntry {
        at: now,
        scope: Scope::DEFAULT,
        actor: "endpoint filled".to_owned(),
        address: Some("192.0.2.1".to_owned()),
        action: "certificate.issue".to_owned(),
        target: Some(serial.to_string()),
        outcome: AuditOutcome::Done,
        detail: None,
    };
    store.issue_certificate(certificate, Claim::New(Box::new(enrollment)), Some(audit)).await?;
    Ok(serial)
}

async fn revoke(store: &Store, serial: &SerialNumber) -> Outcome<()> {
    let change = StandingChange {
        change: Change::Revoke(RevocationReason::Superseded),
        at: now()?,
        by: "fill".to_owned(),
        invalidity_date: None,
    };
    store.change_standing(serial.clone(), change, None).await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a tool beside the product, whose rows begin now")]
fn now() -> Outcome<Time> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(Time::from_unix(i64::try_from(since.as_secs())?))
}
