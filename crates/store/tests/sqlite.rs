//! The conformance suite on SQLite.

use lanyard_store::{Options, Store, StoreError, StoreUrl, conformance};

macro_rules! on_sqlite {
    ($($behaviour:ident,)+) => {
        $(
            #[tokio::test]
            async fn $behaviour() {
                let folder = tempfile::tempdir().unwrap();
                let url = StoreUrl::Sqlite(folder.path().join("lanyard.db"));
                let store = Store::open(&url, Options::WRITING).await.unwrap();
                conformance::$behaviour(&store).await.unwrap();
                store.close().await;
            }
        )+
    };
}

lanyard_store::for_every_behaviour!(on_sqlite);

/// What SQLite does for a statement, in its words.
fn plan(connection: &rusqlite::Connection, statement: &str) -> rusqlite::Result<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}"))?;
    let mut rows = statement.raw_query();
    let mut steps = String::new();
    while let Some(row) = rows.next()? {
        steps += &row.get::<_, String>(3)?;
        steps += "; ";
    }
    Ok(steps)
}

#[tokio::test]
async fn long_lists_walk_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lanyard.db");
    let store = Store::open(&StoreUrl::Sqlite(path.clone()), Options::WRITING).await.unwrap();
    let connection = rusqlite::Connection::open(path).unwrap();
    for planned in conformance::plans::planned() {
        let plan = plan(&connection, planned.sqlite).unwrap();
        let walked = [format!("INDEX {} ", planned.index), format!("INDEX {};", planned.index)];
        let is_walked = walked.iter().any(|walked| plan.contains(walked));
        let is_scan =
            ["SCAN c;", "SCAN certificate;", "SCAN held_back;", "SCAN notice;", "SCAN h;"];
        assert!(is_walked, "{}: {plan}", planned.name);
        assert!(!is_scan.iter().any(|scan| plan.contains(scan)), "{}: {plan}", planned.name);
    }
    store.close().await;
}

#[tokio::test]
async fn a_store_of_version_2_is_migrated_and_says_what_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lanyard.db");
    let url = StoreUrl::Sqlite(path.clone());
    let store = Store::open(&url, Options::WRITING).await.unwrap();
    conformance::old::fill_version_2(&store).await.unwrap();
    store.close().await;
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch(conformance::old::BACK_TO_VERSION_2).unwrap();
    drop(connection);
    let old = Store::open(&url, Options::READING).await.map(|_| ()).unwrap_err();
    assert!(matches!(old, StoreError::SchemaTooOld { found: 2, .. }), "{old:?}");
    let store = Store::open(&url, Options::WRITING).await.unwrap();
    conformance::old::what_version_2_said_stands(&store).await.unwrap();
    store.close().await;
}
