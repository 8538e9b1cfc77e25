//! The conformance suite on PostgreSQL, and what only a database server can do to a store: go
//! away, come back, and serve several processes at once.
//!
//! One server for all tests, each in a database of its own. Without PostgreSQL installed the tests
//! are passed over, visibly, unless `REQUIRE_POSTGRES=1`.

use std::{pin::Pin, process::ExitCode};

use futures_util::{
    future::{join_all, try_join_all},
    stream::{self, StreamExt},
};
use lanyard_store::{
    Access, AuditVerdict, Claim, Issuance, Options, Store, StoreError, StoreUrl, Within,
    conformance::{
        self,
        harness::Harness,
        sample,
        server::{Durability, Server, postgres_is_required},
    },
};
use sqlx::{Connection, Executor, PgConnection, Row};

type Failure = Box<dyn std::error::Error>;
type Test = fn(StoreUrl) -> Pin<Box<dyn Future<Output = Result<(), Failure>>>>;

macro_rules! on_postgres {
    ($($behaviour:ident,)+) => {
        /// The suite's behaviours by name.
        const BEHAVIOURS: &[(&str, Test)] = &[$((stringify!($behaviour), |url| {
            Box::pin(async move {
                let store = open(&url).await?;
                conformance::$behaviour(&store).await?;
                store.close().await;
                Ok(())
            })
        }),)+];
    };
}

lanyard_store::for_every_behaviour!(on_postgres);

macro_rules! tests {
    ($($test:ident,)+) => {
        &[$((stringify!($test), |url| Box::pin($test(url))),)+]
    };
}

const OTHERS: &[(&str, Test)] = tests![
    a_newer_schema_is_refused,
    a_changed_migration_is_refused,
    a_store_is_read_without_being_migrated,
    a_store_of_version_2_is_migrated_and_says_what_it_said,
    long_lists_walk_an_index,
    several_processes_migrate_one_database,
    several_processes_issue_into_one_database,
    a_lost_connection_is_replaced,
    a_database_that_cannot_be_written_says_so,
    a_full_queue_is_busy,
    a_closed_store_says_so,
];

async fn open(url: &StoreUrl) -> Result<Store, StoreError> {
    Store::open(url, Options::WRITING).await
}

fn main() -> ExitCode {
    const NAME: &str = "postgres";
    let Some(mut harness) = Harness::begin(NAME) else { return ExitCode::SUCCESS };
    match Server::start(Durability::Memory) {
        Ok(Some(server)) => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(run(&mut harness, server)),
                Err(error) => harness.ended(NAME, Err(error)),
            }
        }
        Ok(None) if postgres_is_required() => {
            harness.ended(NAME, Err("PostgreSQL is missing and REQUIRE_POSTGRES=1"));
        }
        Ok(None) => harness.pass_over(NAME, "PostgreSQL 15 or newer is not installed"),
        Err(error) => harness.ended(NAME, Err(format!("PostgreSQL does not start: {error}"))),
    }
    harness.end()
}

async fn run(harness: &mut Harness, mut server: Server) {
    let tests = BEHAVIOURS.iter().chain(OTHERS).filter(|(name, _)| harness.wants(name));
    let tests: Vec<_> = tests.enumerate().collect();
    let mut ends = stream::iter(tests)
        .map(|(number, (name, test))| {
            let server = &server;
            async move {
                let outcome = match server.database(&format!("test_{number}")).await {
                    Ok(url) => test(url).await,
                    Err(error) => Err(error.into()),
                };
                (*name, outcome)
            }
        })
        .buffer_unordered(4);
    while let Some((name, outcome)) = ends.next().await {
        harness.ended(name, outcome);
    }
    drop(ends);
    let name = "a_server_that_was_killed_is_found_again";
    if harness.wants(name) {
        harness.ended(name, a_server_that_was_killed_is_found_again(&mut server).await);
    }
}

fn demand(condition: bool, complaint: impl FnOnce() -> String) -> Result<(), Failure> {
    if condition { Ok(()) } else { Err(complaint().into()) }
}

async fn statement(url: &StoreUrl, text: &str) -> Result<(), Failure> {
    let StoreUrl::Postgres(url) = url else { return Err("no PostgreSQL".into()) };
    let mut connection = PgConnection::connect(url).await?;
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(text))).await?;
    connection.close().await?;
    Ok(())
}

async fn a_newer_schema_is_refused(url: StoreUrl) -> Result<(), Failure> {
    open(&url).await?.close().await;
    statement(&url, "INSERT INTO schema_migration VALUES (99, 'later', '')").await?;
    let refused = open(&url).await.map(|_| ()).err();
    demand(matches!(refused, Some(StoreError::SchemaTooNew { found: 99, .. })), || {
        format!("a newer schema is {refused:?}")
    })
}

async fn a_changed_migration_is_refused(url: StoreUrl) -> Result<(), Failure> {
    open(&url).await?.close().await;
    statement(&url, "UPDATE schema_migration SET checksum = '' WHERE version = 1").await?;
    let refused = open(&url).await.map(|_| ()).err();
    demand(refused == Some(StoreError::SchemaDiffers { version: 1 }), || {
        format!("a changed migration is {refused:?}")
    })
}

async fn a_store_is_read_without_being_migrated(url: StoreUrl) -> Result<(), Failure> {
    let read = async || Store::open(&url, Options::READING).await;
    let missing = read().await.map(|_| ()).err();
    demand(matches!(missing, Some(StoreError::Missing(_))), || format!("empty: {missing:?}"))?;
    let writing = open(&url).await?;
    let ca = sample::with_ca(&writing).await?;
    let reading = read().await?;
    demand(reading.cas().await?.len() == 1, || "the CA is not read".to_owned())?;
    let new = sample::certificate(ca, 1);
    let refused = reading.issue_certificate(new, Claim::None, None).await;
    demand(matches!(refused, Err(StoreError::ReadOnly(_))), || format!("written: {refused:?}"))
}

async fn a_store_of_version_2_is_migrated_and_says_what_it_said(
    url: StoreUrl,
) -> Result<(), Failure> {
    let store = open(&url).await?;
    conformance::old::fill_version_2(&store).await?;
    store.close().await;
    statement(&url, conformance::old::BACK_TO_VERSION_2).await?;
    let old = Store::open(&url, Options::READING).await.map(|_| ()).err();
    demand(matches!(old, Some(StoreError::SchemaTooOld { found: 2, .. })), || format!("{old:?}"))?;
    let store = open(&url).await?;
    conformance::old::what_version_2_said_stands(&store).await?;
    store.close().await;
    Ok(())
}

/// Many rows of which a statement wants few, as in a store that has grown.
const MANY_ROWS: &str = "
INSERT INTO certificate (id, serial, ca, kind, object, directory, source, endpoint, organization,
    not_before, not_after, issued_at, crl_partition, profile, due, standing)
SELECT n, decode('41' || md5('serial' || n), 'hex'), (SELECT MIN(id) FROM ca),
    CASE WHEN n % 4 = 0 THEN 9 ELSE 5 END, decode(md5(n::text), 'hex'), '\\xd1', 1, '\\xe1', '',
    0, 2000000000 + n, 0, 0, 'device', CASE WHEN n % 50 = 0 THEN n END,
    CASE WHEN n % 20 = 0 THEN 2 ELSE 0 END FROM generate_series(1, 20000) n;
INSERT INTO certificate_rule (id, standing, since, rule, lasting, recorded_at, facts, hand_standing)
SELECT n, 2, n, 'intuneDeviceDeleted', 1, n, '[]', 0 FROM generate_series(20, 20000, 20) n;
INSERT INTO brake_batch (id, state, opened_at) SELECT n, 2, n FROM generate_series(1, 20) n;
INSERT INTO held_back (id, batch, held_at, standing, since, rule, lasting, facts)
SELECT n, 1 + n % 20, n, 2, n, 'intuneDeviceDeleted', 1, '[]' FROM generate_series(1, 9999) n;
INSERT INTO notice (number, id, endpoint, directory, organization, transaction_id, created_at,
    state, attempts, next_attempt, ended_at)
SELECT n, decode(md5(n::text), 'hex'), '\\xe1', '\\xd1', '', '\\x00', n,
    CASE WHEN n % 50 = 0 THEN 0 ELSE 1 END, 1, n, CASE WHEN n % 50 = 0 THEN NULL ELSE n END
    FROM generate_series(1, 10000) n;
ANALYZE;
";

async fn long_lists_walk_an_index(url: StoreUrl) -> Result<(), Failure> {
    let store = open(&url).await?;
    sample::with_ca(&store).await?;
    statement(&url, MANY_ROWS).await?;
    let StoreUrl::Postgres(url) = &url else { return Err("no PostgreSQL".into()) };
    let mut connection = PgConnection::connect(url).await?;
    connection.execute("SET plan_cache_mode = force_generic_plan").await?;
    for (number, planned) in conformance::plans::planned().into_iter().enumerate() {
        let prepare = format!("PREPARE s{number} AS {}", planned.postgres);
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(prepare))).await?;
        let values = (1..).take_while(|n| planned.postgres.contains(&format!("${n}")));
        let nulls = values.map(|_| "NULL").collect::<Vec<_>>().join(", ");
        let parameters = if nulls.is_empty() { nulls } else { format!("({nulls})") };
        let explain = format!("EXPLAIN EXECUTE s{number}{parameters}");
        let steps = sqlx::raw_sql(sqlx::AssertSqlSafe(explain)).fetch_all(&mut connection).await?;
        let steps: Vec<String> = steps.iter().map(|row| row.get(0)).collect();
        let plan = steps.join("\n");
        let is_walked = plan.contains(planned.index);
        let scans = ["Seq Scan on certificate ", "Seq Scan on held_back ", "Seq Scan on notice "];
        let is_scan = scans.iter().any(|scan| plan.contains(scan));
        demand(is_walked && !is_scan, || format!("{}:\n{plan}", planned.name))?;
    }
    connection.close().await?;
    Ok(())
}

async fn several_processes_migrate_one_database(url: StoreUrl) -> Result<(), Failure> {
    let stores = try_join_all((0..8).map(|_| open(&url))).await?;
    for store in &stores {
        store.check().await?;
    }
    Ok(())
}

async fn several_processes_issue_into_one_database(url: StoreUrl) -> Result<(), Failure> {
    let stores = try_join_all((0..4).map(|_| open(&url))).await?;
    let ca = sample::with_ca(&stores[0]).await?;
    // Every serial number and transaction is wanted by all of them at once.
    let each = (0..800).map(async |n: u64| {
        let store = &stores[usize::try_from(n % 4).unwrap_or(0)];
        let seed = n / 4;
        let entry = Some(sample::audit("certificate.issue", "x"));
        let new = sample::certificate(ca, seed);
        store.issue_certificate(new, sample::claim(seed), entry).await
    });
    let outcomes: Vec<_> = join_all(each).await.into_iter().collect::<Result<_, _>>()?;
    let issued = outcomes.iter().filter(|outcome| **outcome == Issuance::Issued).count();
    demand(issued == 200, || format!("{issued} of 200 were issued"))?;
    let counts = stores[1].counts(Within::Everywhere).await?;
    let counted: u64 = counts.iter().map(|count| count.good).sum();
    demand(counted == 200, || format!("{counted} counted"))?;
    let verdict = stores[2].verify_audit().await?;
    demand(matches!(verdict, AuditVerdict::Intact { entries: 200, .. }), || {
        format!("200 acts, and the audit trail is {verdict:?}")
    })
}

async fn a_lost_connection_is_replaced(url: StoreUrl) -> Result<(), Failure> {
    let store = open(&url).await?;
    let ca = sample::with_ca(&store).await?;
    for seed in 0..5 {
        statement(
            &url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await?;
        let new = sample::certificate(ca, seed);
        let issued = store.issue_certificate(new, sample::claim(seed), None).await?;
        demand(issued == Issuance::Issued, || format!("{seed}: {issued:?}"))?;
        store.check().await?;
        store.setting_or(sample::other_scope().organization, "a", setting()).await?;
    }
    Ok(())
}

fn setting() -> lanyard_store::StoredSetting {
    let updated_by = "ada".to_owned();
    lanyard_store::StoredSetting { value: "1".to_owned(), updated_at: sample::NOW, updated_by }
}

async fn a_database_that_cannot_be_written_says_so(url: StoreUrl) -> Result<(), Failure> {
    open(&url).await?.close().await;
    statement(
        &url,
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', \
         current_database()); END $$",
    )
    .await?;
    let store = open(&url).await?;
    let refused = sample::with_ca(&store).await;
    demand(matches!(refused, Err(StoreError::ReadOnly(_))), || format!("written: {refused:?}"))
}

async fn a_full_queue_is_busy(url: StoreUrl) -> Result<(), Failure> {
    let options = Options { queue: 2, batch: 1, access: Access::Writing, readers: 1 };
    let store = Store::open(&url, options).await?;
    let ca = sample::with_ca(&store).await?;
    let each =
        (0..50).map(|n| store.issue_certificate(sample::certificate(ca, n), Claim::None, None));
    let outcomes = join_all(each).await;
    let busy = outcomes.iter().filter(|o| **o == Err(StoreError::Busy)).count();
    let issued = outcomes.iter().filter(|o| **o == Ok(Issuance::Issued)).count();
    demand(busy > 0 && issued > 0 && busy + issued == 50, || format!("{outcomes:?}"))?;
    let counts = store.counts(Within::Everywhere).await?;
    let recorded: u64 = counts.iter().map(|count| count.good).sum();
    demand(recorded == issued as u64, || format!("{recorded} are recorded, {issued} told"))
}

async fn a_closed_store_says_so(url: StoreUrl) -> Result<(), Failure> {
    let store = open(&url).await?;
    let ca = sample::with_ca(&store).await?;
    store.close().await;
    let issued = store.issue_certificate(sample::certificate(ca, 1), Claim::None, None).await;
    demand(issued == Err(StoreError::Closed), || format!("issued: {issued:?}"))?;
    let checked = store.check().await;
    demand(checked == Err(StoreError::Closed), || format!("checked: {checked:?}"))
}

async fn a_server_that_was_killed_is_found_again(server: &mut Server) -> Result<(), Failure> {
    let url = server.database("killed").await?;
    let store = open(&url).await?;
    let ca = sample::with_ca(&store).await?;
    sample::issue(&store, sample::certificate(ca, 1)).await?;
    server.kill()?;
    let new = sample::certificate(ca, 2);
    let down = store.issue_certificate(new.clone(), Claim::None, None).await;
    demand(matches!(down, Err(StoreError::Unavailable(_))), || format!("down: {down:?}"))?;
    let down = store.certificate_status(sample::serial(1)).await;
    demand(matches!(down, Err(StoreError::Unavailable(_))), || format!("down: {down:?}"))?;
    server.go_on()?;
    let up = store.issue_certificate(new, Claim::None, None).await?;
    demand(up == Issuance::Issued, || format!("up: {up:?}"))?;
    let der = store.certificate_der(sample::serial(1)).await?;
    demand(der.is_some(), || "an acknowledged certificate is gone".to_owned())
}
