//! What can be wrong with a SQLite store's files, queue and callers. Full disks and crashes have
//! tests of their own.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use futures_util::future::{join_all, poll_immediate, try_join_all};
use lanyard_store::{
    Access, AuditVerdict, Claim, CrlPartition, Issuance, Options, Store, StoreError, StoreUrl,
    Within, conformance::sample,
};
use rusqlite::Connection;
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("lanyard.db")
    }

    async fn open(&self, options: Options) -> Result<Store, StoreError> {
        Store::open(&StoreUrl::Sqlite(self.path()), options).await
    }

    fn raw(&self) -> Connection {
        Connection::open(self.path()).expect("a database")
    }
}

fn names(folder: &Path) -> Vec<(String, u32)> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .flatten()
        .map(|entry| {
            let mode = entry.metadata().map_or(0, |data| data.permissions().mode() & 0o777);
            (entry.file_name().to_string_lossy().into_owned(), mode)
        })
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_second_server_on_a_data_folder_is_told_why_it_must_not() {
    let folder = Folder::new();
    let first = folder.open(Options::WRITING).await.unwrap();
    let second = folder.open(Options::WRITING).await.unwrap_err();
    assert!(matches!(second, StoreError::Locked(_)), "{second:?}");
    assert!(second.to_string().contains("a server runs on this data folder"), "{second}");
    first.close().await;
    folder.open(Options::WRITING).await.unwrap().close().await;
}

#[tokio::test]
async fn a_command_reads_beside_the_server_and_cannot_write() {
    let folder = Folder::new();
    let server = folder.open(Options::WRITING).await.unwrap();
    let ca = sample::with_ca(&server).await.unwrap();
    let command = folder.open(Options::READING).await.unwrap();
    sample::issue(&server, sample::certificate(ca, 1)).await.unwrap();
    let der = command.certificate_der(sample::serial(1)).await.unwrap();
    assert_eq!(der, Some(sample::der(1)));
    let written = command.issue_certificate(sample::certificate(ca, 2), Claim::None, None).await;
    assert!(matches!(written, Err(StoreError::ReadOnly(_))), "{written:?}");
    server.close().await;
    assert_eq!(command.cas().await.unwrap().len(), 1);
}

#[tokio::test]
async fn reading_makes_no_store() {
    let folder = Folder::new();
    let missing = folder.open(Options::READING).await.unwrap_err();
    assert!(matches!(missing, StoreError::Missing(_)), "{missing:?}");
    assert_eq!(names(folder.0.path()), vec![]);
}

#[tokio::test]
async fn every_file_is_for_the_owner_alone() {
    let folder = Folder::new();
    let store = folder.open(Options::WRITING).await.unwrap();
    sample::with_ca(&store).await.unwrap();
    let found = names(folder.0.path());
    let files: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(files, ["lanyard.db", "lanyard.db-shm", "lanyard.db-wal", "lanyard.db.lock"]);
    assert!(found.iter().all(|(_, mode)| *mode == 0o600), "{found:?}");
    store.close().await;
    drop(store);
    let left: Vec<String> = names(folder.0.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(left, ["lanyard.db", "lanyard.db.lock"], "the log is moved into the file");
}

#[tokio::test]
async fn a_newer_or_changed_schema_is_refused() {
    let folder = Folder::new();
    folder.open(Options::WRITING).await.unwrap().close().await;
    let newer = "INSERT INTO schema_migration VALUES (99, 'later', x'')";
    folder.raw().execute(newer, ()).unwrap();
    for options in [Options::WRITING, Options::READING] {
        let refused = folder.open(options).await.unwrap_err();
        assert!(matches!(refused, StoreError::SchemaTooNew { found: 99, .. }), "{refused:?}");
    }
    folder.raw().execute("DELETE FROM schema_migration WHERE version = 99", ()).unwrap();
    folder.raw().execute("UPDATE schema_migration SET checksum = x'00'", ()).unwrap();
    let refused = folder.open(Options::WRITING).await.unwrap_err();
    assert_eq!(refused, StoreError::SchemaDiffers { version: 1 });
}

#[tokio::test]
async fn an_empty_file_is_too_old_to_read_and_fit_to_become_a_store() {
    let folder = Folder::new();
    fs::write(folder.path(), b"").unwrap();
    let refused = folder.open(Options::READING).await.unwrap_err();
    assert!(matches!(refused, StoreError::SchemaTooOld { found: 0, .. }), "{refused:?}");
    folder.open(Options::WRITING).await.unwrap().close().await;
}

#[tokio::test]
async fn a_file_that_is_no_store_is_called_damaged() {
    let folder = Folder::new();
    fs::write(folder.path(), b"certificates ".repeat(1000)).unwrap();
    for options in [Options::WRITING, Options::READING] {
        let refused = folder.open(options).await.unwrap_err();
        assert!(matches!(refused, StoreError::Corrupt(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_damaged_page_is_an_error_and_no_wrong_answer() {
    let folder = Folder::new();
    let store = folder.open(Options::WRITING).await.unwrap();
    let ca = sample::with_ca(&store).await.unwrap();
    sample::issue_all(&store, (0..500).map(|n| sample::certificate(ca, n))).await.unwrap();
    store.close().await;
    // The first page, with the schema, stays; of the others the headers go.
    let mut file = fs::OpenOptions::new().write(true).open(folder.path()).unwrap();
    let pages = file.metadata().unwrap().len() / 4096;
    for page in 1..pages {
        file.seek(SeekFrom::Start(page * 4096)).unwrap();
        file.write_all(&[0xFF; 64]).unwrap();
    }
    drop(file);
    let reading = folder.open(Options::READING).await;
    let status = match reading {
        Ok(store) => store.certificate_status(sample::serial(1)).await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(matches!(status, Err(StoreError::Corrupt(_))), "{status:?}");
}

async fn counted(store: &Store) -> usize {
    let counts = store.counts(Within::Everywhere).await.expect("the counts are read");
    counts.iter().map(|count| usize::try_from(count.good).unwrap_or(usize::MAX)).sum()
}

#[tokio::test]
async fn more_than_the_queue_holds_is_busy_and_nothing_of_it_is_kept() {
    let folder = Folder::new();
    let options = Options { access: Access::Writing, queue: 2, batch: 1, readers: 1 };
    let store = folder.open(options).await.unwrap();
    let ca = sample::with_ca(&store).await.unwrap();
    let each =
        (0..50).map(|n| store.issue_certificate(sample::certificate(ca, n), Claim::None, None));
    let outcomes = join_all(each).await;
    let busy = outcomes.iter().filter(|o| **o == Err(StoreError::Busy)).count();
    let issued = outcomes.iter().filter(|o| **o == Ok(Issuance::Issued)).count();
    assert!(busy > 0 && issued > 0 && busy + issued == 50, "{busy} {issued}");
    assert_eq!(counted(&store).await, issued);
    store.close().await;
}

#[tokio::test]
async fn who_stops_waiting_disturbs_nobody() {
    let folder = Folder::new();
    let store = folder.open(Options::WRITING).await.unwrap();
    let ca = sample::with_ca(&store).await.unwrap();
    for seed in 0..100 {
        let new = sample::certificate(ca, seed);
        let impatient = store.issue_certificate(new, sample::claim(seed), None);
        poll_immediate(impatient).await;
    }
    sample::issue(&store, sample::certificate(ca, 1000)).await.unwrap();
    // Each of them happened as a whole or not at all.
    let issued = counted(&store).await - 1;
    let claimed = join_all((0..100).map(async |seed| {
        let request = sample::enrollment(seed);
        store.enrollment(request.endpoint, &request.transaction_id).await.unwrap().is_some()
    }));
    let claimed = claimed.await.into_iter().filter(|claimed| *claimed).count();
    assert_eq!(issued, claimed);
    store.close().await;
}

#[tokio::test]
async fn closing_waits_for_what_was_accepted() {
    let folder = Folder::new();
    let store = folder.open(Options::WRITING).await.unwrap();
    let ca = sample::with_ca(&store).await.unwrap();
    let writes =
        (0..200).map(|n| store.issue_certificate(sample::certificate(ca, n), Claim::None, None));
    let (outcomes, ()) = futures_util::future::join(join_all(writes), store.close()).await;
    let issued = outcomes.iter().filter(|o| **o == Ok(Issuance::Issued)).count();
    assert!(outcomes.iter().all(|o| matches!(o, Ok(_) | Err(StoreError::Closed))));
    let late = store.check().await;
    assert_eq!(late, Err(StoreError::Closed));
    let store = folder.open(Options::WRITING).await.unwrap();
    assert_eq!(counted(&store).await, issued);
    store.close().await;
}

#[tokio::test]
async fn tampering_with_the_audit_trail_is_found_where_it_was_done() {
    let folder = Folder::new();
    for (tampering, number) in [
        ("UPDATE audit SET actor = 'eve' WHERE number = 5", 5),
        ("DELETE FROM audit WHERE number = 5", 5),
        ("DELETE FROM audit WHERE number = 10", 10),
        ("UPDATE audit SET hash = randomblob(32) WHERE number = 10", 10),
        ("UPDATE audit SET detail = NULL WHERE number = 1", 1),
        (
            "INSERT INTO audit SELECT 11, hash, at, organization, department, actor, address, \
             action, target, outcome, detail FROM audit WHERE number = 10",
            11,
        ),
    ] {
        let _ = fs::remove_file(folder.path());
        let store = folder.open(Options::WRITING).await.unwrap();
        for n in 0..10 {
            store.audit(sample::audit("sign-in", &n.to_string())).await.unwrap();
        }
        assert!(matches!(
            store.verify_audit().await.unwrap(),
            AuditVerdict::Intact { entries: 10, .. }
        ));
        store.close().await;
        folder.raw().execute(tampering, ()).unwrap();
        let store = folder.open(Options::WRITING).await.unwrap();
        let verdict = store.verify_audit().await.unwrap();
        assert_eq!(verdict, AuditVerdict::Broken { number }, "{tampering}");
        store.close().await;
    }
}

#[tokio::test]
async fn statements_of_the_hot_paths_use_their_indexes() {
    let folder = Folder::new();
    folder.open(Options::WRITING).await.unwrap().close().await;
    let raw = folder.raw();
    for (statement, plan) in [
        (
            "SELECT ca, standing FROM certificate WHERE serial = x'01'",
            "SEARCH certificate USING INDEX certificate_serial (serial=?)",
        ),
        (
            "SELECT serial, crl_partition, standing, reason, since, invalidity_date, not_after \
             FROM certificate WHERE standing <> 0 AND ca = 1 AND not_after >= 5 \
             AND (0 = 0 OR crl_partition = 0) ORDER BY not_after, serial",
            "SEARCH certificate USING COVERING INDEX certificate_revoked (ca=? AND not_after>?)",
        ),
        (
            "SELECT serial FROM certificate WHERE status_sequence IS NOT NULL \
             AND status_sequence > 5 ORDER BY status_sequence LIMIT 10",
            "SEARCH certificate USING INDEX certificate_changed (status_sequence>?)",
        ),
        (
            "SELECT id FROM certificate c WHERE c.standing <> 0 AND c.id < 9 ORDER BY c.id DESC",
            "SEARCH c USING INDEX certificate_not_good (id<?)",
        ),
        (
            "SELECT id FROM certificate WHERE common_name IS NOT NULL \
             AND lower(common_name) >= 'a' AND lower(common_name) < 'b'",
            "SEARCH certificate USING INDEX certificate_common_name (<expr>>? AND <expr><?)",
        ),
        (
            "SELECT id FROM enrollment WHERE endpoint = x'01' AND transaction_id = x'02'",
            "SEARCH enrollment USING COVERING INDEX enrollment_transaction \
             (endpoint=? AND transaction_id=?)",
        ),
    ] {
        let explain = format!("EXPLAIN QUERY PLAN {statement}");
        let told: Vec<String> = raw
            .prepare(&explain)
            .unwrap()
            .query_map((), |row| row.get(3))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(told, [plan], "{statement}");
    }
}

#[tokio::test]
async fn readers_go_on_while_a_list_is_read_and_certificates_are_issued() {
    let folder = Folder::new();
    let store = folder.open(Options { readers: 2, ..Options::WRITING }).await.unwrap();
    let ca = sample::with_ca(&store).await.unwrap();
    sample::issue_all(&store, (0..300).map(|n| sample::certificate(ca, n))).await.unwrap();
    // Lists that nobody reads hold every connection that lists may have.
    let lists = (0..2).map(|_| store.revoked(ca, CrlPartition::COMPLETE, sample::NOW));
    let lists = try_join_all(lists).await.unwrap();
    sample::issue(&store, sample::certificate(ca, 999)).await.unwrap();
    let status = store.certificate_status(sample::serial(999)).await.unwrap();
    assert!(status.is_some());
    drop(lists);
    store.close().await;
}
