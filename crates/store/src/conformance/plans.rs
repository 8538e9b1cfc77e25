//! Statements whose answers may be long, and the index that each of them walks: in both databases,
//! whatever the number of rows.

use crate::{
    query::{brake, notice, notices, tether},
    sql::Sql,
};

/// A statement and the index that it walks.
#[derive(Debug, Clone, Copy)]
pub struct Planned {
    /// What it is for.
    pub name: &'static str,
    /// The statement in SQLite.
    pub sqlite: &'static str,
    /// The statement in PostgreSQL.
    pub postgres: &'static str,
    /// The index.
    pub index: &'static str,
}

/// All of them.
pub fn planned() -> Vec<Planned> {
    let planned = |name, sql: &Sql, index| {
        let (sqlite, postgres) = (sql.sqlite, sql.postgres);
        Planned { name, sqlite, postgres, index }
    };
    vec![
        planned("certificates of an object", &tether::BOUND, "certificate_object"),
        planned("certificates of a user in Jamf", &tether::OF_JAMF_USER, "certificate_jamf_user"),
        planned("certificates due", &tether::DUE, "certificate_due"),
        planned("the first that is due", &tether::NEXT_DUE, "certificate_due"),
        planned("those due that have ended", &tether::ENDED, "certificate_due"),
        planned("held back with a batch", &brake::OF_BATCH, "held_back_batch"),
        planned("held back and confirmed", &brake::TO_CARRY_OUT, "held_back_batch"),
        planned("notices that are due", &notice::CLAIM, "notice_due"),
        planned("the first notice that is due", &notices::NEXT, "notice_due"),
    ]
}
