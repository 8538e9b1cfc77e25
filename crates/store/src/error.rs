//! What can go wrong between a caller and the store; decisions ("serial taken") are not here,
//! they are outcomes of the operation that found them.

/// Why an operation on the store did not happen.
///
/// Whatever the error, nothing of the operation was kept: every operation is one transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// More writes wait than the queue may hold.
    #[error("the store has more to write than it can take; try again in a moment")]
    Busy,
    /// The disk or the quota that holds the store has no room left.
    #[error("the disk that holds the store is full ({0})")]
    DiskFull(String),
    /// The store, or its disk, does not accept writes.
    #[error("the store cannot be written ({0})")]
    ReadOnly(String),
    /// Another process holds the store.
    #[error("the store is in use by another process ({0})")]
    Locked(String),
    /// The store's content contradicts itself.
    #[error("the store is damaged ({0}); restore it from a back-up")]
    Corrupt(String),
    /// The database cannot be reached, or its disk cannot be read.
    #[error("the store cannot be reached ({0})")]
    Unavailable(String),
    /// A constraint was violated.
    #[error("the record contradicts one that is stored ({0})")]
    Conflict(String),
    /// A concurrent transaction won, and did so again on every retry.
    #[error("other writers kept getting in the way; try again in a moment")]
    Contended,
    /// The store was written by a newer program.
    #[error(
        "the store has schema version {found}, this program knows versions up to {known}; \
         use the newer program that wrote it"
    )]
    SchemaTooNew {
        /// The version that the store has.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The store was opened for reading and lacks migrations.
    #[error(
        "the store has schema version {found}, this program needs {needed}; \
         start the server once so that it brings the store up to date"
    )]
    SchemaTooOld {
        /// The version that the store has.
        found: i64,
        /// The version that this program needs.
        needed: i64,
    },
    /// A migration was applied with a text other than this program's.
    #[error("migration {version} of the store is not the one that this program knows")]
    SchemaDiffers {
        /// The migration whose checksum differs.
        version: i64,
    },
    /// There is no store where one should be opened for reading.
    #[error("there is no store at {0}")]
    Missing(String),
    /// The store was closed while the operation waited.
    #[error("the store is closed")]
    Closed,
    /// The address of the store cannot be understood.
    #[error(
        "{0:?} is no store address; write sqlite:<path> or postgres://<user>@<host>/<database>"
    )]
    Address(String),
    /// The database refused a statement: a fault of this program.
    #[error("the database refused a statement of this program ({0})")]
    Statement(String),
}

impl StoreError {
    /// True if the same operation may succeed later without anybody changing the program or data.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::DiskFull(_)
                | Self::ReadOnly(_)
                | Self::Locked(_)
                | Self::Unavailable(_)
                | Self::Contended
        )
    }

    /// A stored value that no version of this program writes.
    pub(crate) fn unreadable(what: &str) -> Self {
        Self::Corrupt(format!("a stored {what} cannot be understood"))
    }
}
