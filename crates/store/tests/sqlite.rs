//! The conformance suite on SQLite.

use lanyard_store::{Options, Store, StoreUrl, conformance};

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
