//! Lists of certificates, newest first, a page at a time.
//!
//! Every statement walks one index and is bounded: by an object's certificates, by what starts
//! with a text, by those not good, or by a window of [`WINDOW`] records a page. A full-text index
//! is not here: it would cost each enrollment more than everything else that is written for it.

use lanyard_pki::Time;

use super::lookup::{Owner, owner, summary, summary_columns};
use crate::{
    Store, StoreError,
    record::{
        Cursor, ExpiringPage, Filter, Page, SearchText, Standings, Summary, Within, serial_range,
    },
    sql::{Columns, Connection, Sql, Value, sql},
    transaction::{Ids, Question, Reads},
};

/// How many records a page of an unindexed search looks at.
pub(crate) const WINDOW: i64 = 20_000;

impl Store {
    /// The issued certificates that a filter lets through, newest first.
    pub async fn search_certificates(
        &self,
        filter: Filter,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<Summary>, StoreError> {
        self.backend.read(Search { filter, after, limit: limit.max(1) }).await
    }

    /// The certificates that are good and end within `[from, until)`, in that order.
    pub async fn expiring_certificates(
        &self,
        within: Within,
        from: Time,
        until: Time,
        after: Option<(Time, Cursor)>,
        limit: u32,
    ) -> Result<ExpiringPage<Summary>, StoreError> {
        let limit = limit.max(1);
        self.backend.read(Expiring { within, from, until, after, limit }).await
    }
}

struct Search {
    filter: Filter,
    after: Option<Cursor>,
    limit: u32,
}

macro_rules! search {
    ($from:literal, $condition:literal) => {
        sql!(concat!(
            "SELECT c.id, ",
            summary_columns!(),
            " FROM ",
            $from,
            " WHERE c.id < $1 AND c.id >= $2 ",
            "AND ($3 = 1 OR c.organization = $4) AND ($5 = 1 OR c.department = $6) ",
            "AND ($7 = -1 OR c.kind = $7) AND ($8 = -1 OR c.source = $8) ",
            "AND ($9 = 1 OR c.endpoint = $10) AND ($11 = -1 OR c.ca = $11) ",
            "AND c.standing >= $12 AND c.standing <= $13 ",
            "AND c.not_after >= $14 AND c.not_after < $15 ",
            "AND c.issued_at >= $16 AND c.issued_at < $17 ",
            $condition,
            " ORDER BY c.id DESC LIMIT $18"
        ))
    };
}

static IN_WINDOW: Sql = search!(
    "(SELECT * FROM certificate WHERE id < $1 AND id >= $2 ORDER BY id DESC LIMIT $19) c",
    ""
);
static CONTAINING: Sql = search!(
    "(SELECT * FROM certificate WHERE id < $1 AND id >= $2 ORDER BY id DESC LIMIT $19) c",
    "AND (lower(c.subject) LIKE $20 ESCAPE '\\' OR lower(c.alternative_names) LIKE $20 ESCAPE '\\' \
     OR lower(c.upn) LIKE $20 ESCAPE '\\' OR lower(c.requester) LIKE $20 ESCAPE '\\')"
);
static OF_OBJECT: Sql = search!("certificate c", "AND c.object = $19 AND c.directory IS NOT NULL");
static NOT_GOOD: Sql = search!("certificate c", "AND c.standing <> 0");
static STARTING: Sql = search!(
    "certificate c",
    "AND c.id IN (\
     SELECT id FROM certificate WHERE serial >= $19 AND serial <= $20 \
     UNION SELECT id FROM certificate WHERE common_name IS NOT NULL \
     AND lower(common_name) >= $21 AND lower(common_name) < $22 \
     UNION SELECT id FROM certificate WHERE upn IS NOT NULL \
     AND lower(upn) >= $21 AND lower(upn) < $22)"
);
static WINDOW_END: Sql = sql!(
    "SELECT MIN(id), COUNT(*) FROM \
     (SELECT id FROM certificate WHERE id < $1 AND id >= $2 ORDER BY id DESC LIMIT $3) w"
);

/// Which index a search walks, and what its statement needs beside the common values.
enum Walk {
    Window,
    Containing { pattern: String },
    OfObject { object: [u8; 16] },
    NotGood,
    Starting { serials: (Vec<u8>, Vec<u8>), low: String, high: String },
}

impl Walk {
    fn of(filter: &Filter) -> Self {
        match (&filter.text, filter.object, filter.standing) {
            (Some(SearchText::StartsWith(text)), ..) => {
                let low = text.trim().to_ascii_lowercase();
                let high = format!("{low}\u{10FFFF}");
                let serials = serial_range(text.trim()).unwrap_or((vec![1], vec![0]));
                Self::Starting { serials, low, high }
            }
            (Some(SearchText::Contains(text)), ..) => Self::Containing { pattern: pattern(text) },
            (None, Some(object), _) => Self::OfObject { object: object.to_bytes() },
            (None, None, Standings::OnHold | Standings::Revoked | Standings::NotGood) => {
                Self::NotGood
            }
            (None, None, Standings::Any | Standings::Good) => Self::Window,
        }
    }

    fn sql(&self) -> &'static Sql {
        match self {
            Self::Window => &IN_WINDOW,
            Self::Containing { .. } => &CONTAINING,
            Self::OfObject { .. } => &OF_OBJECT,
            Self::NotGood => &NOT_GOOD,
            Self::Starting { .. } => &STARTING,
        }
    }

    fn values(&self) -> Vec<Value<'_>> {
        match self {
            Self::Window => vec![WINDOW.into()],
            Self::Containing { pattern } => vec![WINDOW.into(), pattern.as_str().into()],
            Self::OfObject { object } => vec![object[..].into()],
            Self::NotGood => Vec::new(),
            Self::Starting { serials: (from, to), low, high } => {
                vec![
                    from.as_slice().into(),
                    to.as_slice().into(),
                    low.as_str().into(),
                    high.as_str().into(),
                ]
            }
        }
    }

    /// True if a page may end because it looked at enough.
    fn is_windowed(&self) -> bool {
        matches!(self, Self::Window | Self::Containing { .. })
    }
}

/// The text as a LIKE pattern that finds it anywhere.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.trim().to_ascii_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn standings(standings: Standings) -> (i64, i64) {
    match standings {
        Standings::Any => (0, 2),
        Standings::Good => (0, 0),
        Standings::OnHold => (1, 1),
        Standings::Revoked => (2, 2),
        Standings::NotGood => (1, 2),
    }
}

const NONE: i64 = -1;

impl Question for Search {
    type Answer = Page<Summary>;
    const NAME: &'static str = "search_certificates";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let filter = &self.filter;
        let Owner { any_organization, organization, any_department, department } =
            owner(filter.within);
        let after = self.after.map_or(i64::MAX, |cursor| cursor.0);
        let until = filter.until.map_or(i64::MAX, Ids::first_at);
        let (upper, lower) = (after.min(until), filter.from.map_or(0, Ids::first_at));
        let walk = Walk::of(filter);
        let endpoint = filter.endpoint.map_or([0; 16], lanyard_lifecycle::EndpointId::to_bytes);
        let (standing_from, standing_to) = standings(filter.standing);
        let mut values: Vec<Value<'_>> = vec![
            upper.into(),
            lower.into(),
            any_organization.into(),
            organization.as_slice().into(),
            any_department.into(),
            department[..].into(),
            filter.kind.map_or(NONE, |kind| i64::from(kind.code())).into(),
            filter.source.map_or(NONE, |source| i64::from(source.code())).into(),
            i64::from(filter.endpoint.is_none()).into(),
            endpoint[..].into(),
            filter.ca.map_or(NONE, |ca| ca.0).into(),
            standing_from.into(),
            standing_to.into(),
            filter.ends_from.map_or(i64::MIN, Time::unix).into(),
            filter.ends_until.map_or(i64::MAX, Time::unix).into(),
            filter.from.map_or(i64::MIN, Time::unix).into(),
            filter.until.map_or(i64::MAX, Time::unix).into(),
            i64::from(self.limit).into(),
        ];
        values.extend(walk.values());
        let rows = connection
            .fetch(walk.sql(), &values, |columns| Ok((columns.int()?, summary(columns)?)))
            .await?;
        let full = rows.len() >= self.limit as usize;
        let mut next = rows.last().filter(|_| full).map(|(id, _)| Cursor(*id));
        if !full && walk.is_windowed() {
            next = window_end(connection, upper, lower).await?;
        }
        Ok(Page { items: rows.into_iter().map(|(_, summary)| summary).collect(), next })
    }
}

/// Where the next window begins, unless this one reached the end.
async fn window_end<C: Connection>(
    connection: &mut C,
    upper: i64,
    lower: i64,
) -> Result<Option<Cursor>, StoreError> {
    let values = [upper.into(), lower.into(), WINDOW.into()];
    let end = connection
        .fetch_optional(&WINDOW_END, &values, |columns: &mut Columns<'_>| {
            Ok((columns.optional_int()?, columns.int()?))
        })
        .await?;
    Ok(end.and_then(|(lowest, n)| lowest.filter(|_| n >= WINDOW)).map(Cursor))
}

struct Expiring {
    within: Within,
    from: Time,
    until: Time,
    after: Option<(Time, Cursor)>,
    limit: u32,
}

static EXPIRING: Sql = sql!(concat!(
    "SELECT c.id, ",
    summary_columns!(),
    " FROM certificate c WHERE c.not_after >= $1 AND c.not_after < $2 \
     AND (c.not_after > $1 OR c.id > $3) AND c.standing = 0 \
     AND ($4 = 1 OR c.organization = $5) AND ($6 = 1 OR c.department = $7) \
     ORDER BY c.not_after, c.id LIMIT $8"
));

impl Question for Expiring {
    type Answer = ExpiringPage<Summary>;
    const NAME: &'static str = "expiring_certificates";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let Owner { any_organization, organization, any_department, department } =
            owner(self.within);
        let (from, after) = self.after.map_or((self.from, 0), |(time, Cursor(id))| (time, id));
        let values = [
            from.unix().into(),
            self.until.unix().into(),
            after.into(),
            any_organization.into(),
            organization.as_slice().into(),
            any_department.into(),
            department[..].into(),
            i64::from(self.limit).into(),
        ];
        let rows = connection
            .fetch(&EXPIRING, &values, |columns| Ok((columns.int()?, summary(columns)?)))
            .await?;
        let full = rows.len() >= self.limit as usize;
        let next = rows.last().filter(|_| full).map(|(id, last)| (last.not_after, Cursor(*id)));
        Ok(ExpiringPage { items: rows.into_iter().map(|(_, summary)| summary).collect(), next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_with_a_meaning_in_patterns_are_searched_as_they_are() {
        assert_eq!(pattern(" 100%_A\\b "), "%100\\%\\_a\\\\b%");
    }
}
