//! Lists of notices, for people and for whoever waits for the next one.

use lanyard_pki::Time;

use super::{
    lookup::{Owner, owner},
    notice::{notice, notice_columns},
};
use crate::{
    Store, StoreError,
    column::one_time,
    record::{Cursor, Notice, NoticeCount, NoticeId, NoticeState, Page, Within},
    sql::{Connection, Sql, sql},
    transaction::{Question, Reads},
};

impl Store {
    /// A notice.
    pub async fn notice(&self, id: NoticeId) -> Result<Option<Notice>, StoreError> {
        self.backend.read(Find(id)).await
    }

    /// Notices of a state, newest first, with or without those of other states.
    pub async fn notices(
        &self,
        within: Within,
        state: Option<NoticeState>,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<Notice>, StoreError> {
        self.backend.read(List { within, state, after, limit: limit.max(1) }).await
    }

    /// How many notices there are in each state.
    pub async fn count_notices(&self) -> Result<Vec<NoticeCount>, StoreError> {
        self.backend.read(Count).await
    }

    /// When the first notice is due; none if none waits.
    pub async fn next_notice(&self) -> Result<Option<Time>, StoreError> {
        self.backend.read(Next).await
    }
}

struct Find(NoticeId);

static FIND: Sql = sql!(concat!("SELECT ", notice_columns!(), " FROM notice WHERE id = $1"));

impl Question for Find {
    type Answer = Option<Notice>;
    const NAME: &'static str = "notice";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let id = self.0.to_bytes();
        let found = connection.fetch_optional(&FIND, &[id[..].into()], notice).await?;
        Ok(found.map(|(_, notice)| notice))
    }
}

struct List {
    within: Within,
    state: Option<NoticeState>,
    after: Option<Cursor>,
    limit: u32,
}

static LIST: Sql = sql!(concat!(
    "SELECT ",
    notice_columns!(),
    " FROM notice WHERE number < $1 AND ($2 = 1 OR organization = $3) \
     AND ($4 = 1 OR department = $5) AND ($6 = -1 OR state = $6) \
     ORDER BY number DESC LIMIT $7"
));

impl Question for List {
    type Answer = Page<Notice>;
    const NAME: &'static str = "notices";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let Owner { any_organization, organization, any_department, department } =
            owner(self.within);
        let values = [
            self.after.map_or(i64::MAX, |cursor| cursor.0).into(),
            any_organization.into(),
            organization.as_slice().into(),
            any_department.into(),
            department[..].into(),
            self.state.map_or(-1, NoticeState::code).into(),
            i64::from(self.limit).into(),
        ];
        let found = connection.fetch(&LIST, &values, notice).await?;
        let full = found.len() >= self.limit as usize;
        let next = found.last().filter(|_| full).map(|(number, _)| Cursor(*number));
        Ok(Page { items: found.into_iter().map(|(_, notice)| notice).collect(), next })
    }
}

struct Count;

static COUNT: Sql =
    sql!("SELECT state, COUNT(*), MIN(created_at) FROM notice GROUP BY state ORDER BY state");

impl Question for Count {
    type Answer = Vec<NoticeCount>;
    const NAME: &'static str = "count_notices";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection
            .fetch(&COUNT, &[], |columns| {
                Ok(NoticeCount {
                    state: NoticeState::from_code(columns.int()?)?,
                    notices: u64::try_from(columns.int()?).unwrap_or_default(),
                    oldest: columns.time()?,
                })
            })
            .await
    }
}

struct Next;

pub(crate) static NEXT: Sql =
    sql!("SELECT next_attempt FROM notice WHERE state = 0 ORDER BY next_attempt LIMIT 1");

impl Question for Next {
    type Answer = Option<Time>;
    const NAME: &'static str = "next_notice";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection.fetch_optional(&NEXT, &[], one_time).await
    }
}
