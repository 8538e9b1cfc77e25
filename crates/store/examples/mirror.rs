//! Loads objects of a directory into a store as the mirror does, to measure what their number costs.
//!
//! `cargo run --release -p lanyard-store --example mirror -- STORE USERS DEVICES [PAGE]`
//!
//! STORE is a file to make, or the address of a PostgreSQL database. Users and devices in Intune
//! come in pages of PAGE objects (999 unless told), in random order of their ids as from a
//! directory. Then all devices are swept again, of which one in a hundred has changed, and objects
//! are looked up by id and by name.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use lanyard_lifecycle::object::{
    ComplianceState, EntraUser, IntuneDevice, ManagementState, ObjectKind, ObjectState, OwnerType,
    Properties,
};
use lanyard_lifecycle::{DirectoryId, ObjectId, Scope};
use lanyard_pki::Time;
use lanyard_store::{
    Applied, Cursor, Directory, FeedKey, FeedProgress, ObjectBatch, ObjectChange, ObjectName,
    Options, Store, StoreUrl, Sweep,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const DIRECTORY: DirectoryId = DirectoryId::from_bytes(*b"a tenant, filled");
const NOW: Time = Time::from_unix(1_800_000_000);
const LOOK_UPS: u64 = 20_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |name: &str| arguments.next().ok_or(format!("name {name}"));
    let place = next("STORE")?;
    let users: u64 = next("USERS")?.parse()?;
    let devices: u64 = next("DEVICES")?.parse()?;
    let page: u64 = next("PAGE").map_or(Ok(999), |page| page.parse())?;

    let url = if place.contains("://") {
        StoreUrl::from_str(&place)?
    } else {
        StoreUrl::Sqlite(PathBuf::from(&place))
    };
    let store = Store::open(&url, Options::WRITING).await?;
    let name = "filled".to_owned();
    let directory = Directory { id: DIRECTORY, scope: Scope::DEFAULT, name, added_at: NOW };
    store.record_directory(directory).await?;

    load(&store, "users loaded", users, page, Sweep(1), user).await?;
    load(&store, "devices loaded", devices, page, Sweep(1), |n| device(n, false)).await?;
    load(&store, "devices swept", devices, page, Sweep(2), |n| device(n, n % 100 == 0)).await?;

    let began = Instant::now();
    let feed = FeedKey { directory: DIRECTORY, kind: ObjectKind::IntuneDevice };
    let missing = store.unseen_objects(feed, Sweep(2), Cursor(0), 1_000).await?;
    println!("missing found: {} in {:.2?}", missing.items.len(), began.elapsed());
    let began = Instant::now();
    println!("counted: {:?} in {:.2?}", store.object_counts().await?, began.elapsed());

    let began = Instant::now();
    for n in 0..LOOK_UPS {
        let key = device(spread(n, devices), false).key;
        store.object(key).await?.ok_or("a device is not found")?;
    }
    println!("by id: {:.1} µs each", micros(began, LOOK_UPS));
    let users_feed = FeedKey { directory: DIRECTORY, kind: ObjectKind::EntraUser };
    let began = Instant::now();
    for n in 0..LOOK_UPS {
        let name = ObjectName::UserPrincipalName(upn(spread(n, users)));
        store.objects_named(users_feed, name).await?.pop().ok_or("a user is not found")?;
    }
    println!("by name: {:.1} µs each", micros(began, LOOK_UPS));
    store.close().await;
    println!("memory at most: {}", peak());
    Ok(())
}

async fn load(
    store: &Store,
    what: &str,
    count: u64,
    page: u64,
    sweep: Sweep,
    make: impl Fn(u64) -> ObjectState,
) -> Outcome<()> {
    let began = Instant::now();
    let (mut changed, mut slowest) = (0, std::time::Duration::ZERO);
    let mut seen = 0;
    while seen < count {
        let end = count.min(seen + page);
        let told: Vec<_> = (seen..end).map(|n| ObjectChange::State(make(n))).collect();
        let key = FeedKey { directory: DIRECTORY, kind: make(seen).key.kind };
        let progress = FeedProgress {
            cursor: Some(format!("after {end}")),
            seen: end,
            total: Some(count),
            sweep,
            ..FeedProgress::new(key)
        };
        let batch = ObjectBatch {
            directory: DIRECTORY,
            changes: told,
            sweep,
            progress: Some(progress),
            lease: None,
            now: NOW,
        };
        let written = Instant::now();
        match store.apply_objects(batch).await? {
            Applied::Recorded(keys) => changed += keys.len(),
            Applied::LeaseLost => return Err("no lease was needed".into()),
        }
        slowest = slowest.max(written.elapsed());
        seen = end;
    }
    let took = began.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = count as f64 / took.as_secs_f64();
    println!(
        "{what}: {count} in {took:.2?}, {rate:.0} a second, {changed} changed, slowest page {slowest:.2?}; {}",
        peak()
    );
    Ok(())
}

fn id(what: &str, number: u64) -> ObjectId {
    let hash = digest(&SHA256, format!("{what} {number}").as_bytes());
    let bytes = hash.as_ref().iter().take(16);
    ObjectId::from_u128(bytes.fold(0, |id, byte| (id << 8) | u128::from(*byte)))
}

fn upn(number: u64) -> String {
    format!("person.{number}@example.com")
}

fn user(number: u64) -> ObjectState {
    let properties = Properties::EntraUser(EntraUser {
        user_principal_name: Some(upn(number)),
        mail: Some(format!("person.{number}@mail.example.com")),
        account_enabled: Some(true),
        on_premises_security_identifier: Some(format!("S-1-5-21-1004336348-1177238915-{number}")),
    });
    ObjectState::present(DIRECTORY, id("user", number), properties, NOW)
}

fn device(number: u64, is_wiped: bool) -> ObjectState {
    let state = if is_wiped { ManagementState::WipePending } else { ManagementState::Managed };
    let properties = Properties::IntuneDevice(IntuneDevice {
        device_name: Some(format!("LAPTOP-{number}")),
        azure_ad_device_id: Some(id("entra", number).into()),
        user_id: Some(id("user", number / 2).into()),
        user_principal_name: Some(upn(number / 2)),
        serial_number: Some(format!("5CG{number:07}")),
        operating_system: Some("Windows".to_owned()),
        enrolled: Some(NOW.plus(-86_400)),
        compliance_state: Some(ComplianceState::Compliant),
        compliance_grace_period_expiration: None,
        management_state: Some(state),
        owner_type: Some(OwnerType::Company),
    });
    ObjectState::present(DIRECTORY, id("device", number), properties, NOW)
}

/// A number below `count`, all over the place.
fn spread(number: u64, count: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % count.max(1)
}

fn micros(began: Instant, count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let count = count as f64;
    began.elapsed().as_secs_f64() * 1e6 / count
}

/// What the kernel says of this process's memory.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.map_or_else(
        || "unknown".to_owned(),
        |line| line.split_whitespace().collect::<Vec<_>>().join(" "),
    )
}
