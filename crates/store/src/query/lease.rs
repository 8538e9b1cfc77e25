//! Leases: see [`Lease`].

use lanyard_pki::Time;

use crate::{
    Store, StoreError,
    record::{Fence, Lease},
    sql::{Connection, Sql, one_int, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

impl Store {
    /// Takes a lease that is free or has run out; `None` while somebody else holds it. Whoever
    /// holds it already may take it again, and gets a new fence.
    pub async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        now: Time,
        until: Time,
    ) -> Result<Option<Fence>, StoreError> {
        let (name, owner) = (name.to_owned(), owner.to_owned());
        self.backend.write(Take { name, owner, now, until }).await
    }

    /// Holds a lease longer. False if it was lost: the work must stop.
    pub async fn renew_lease(
        &self,
        name: &str,
        fence: Fence,
        now: Time,
        until: Time,
    ) -> Result<bool, StoreError> {
        self.backend.write(Renew { name: name.to_owned(), fence, now, until }).await
    }

    /// Gives a lease back. False if it was lost before.
    pub async fn release_lease(&self, name: &str, fence: Fence) -> Result<bool, StoreError> {
        let (now, until) = (Time::from_unix(i64::MIN / 2), Time::from_unix(0));
        self.backend.write(Renew { name: name.to_owned(), fence, now, until }).await
    }

    /// All leases, held or not.
    pub async fn leases(&self) -> Result<Vec<Lease>, StoreError> {
        self.backend.read(List).await
    }
}

struct Take {
    name: String,
    owner: String,
    now: Time,
    until: Time,
}

static TAKE: Sql = sql!(
    "INSERT INTO lease (name, owner, fence, held_until) VALUES ($1, $2, 1, $3) \
     ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = lease.fence + 1, \
     held_until = excluded.held_until \
     WHERE lease.held_until <= $4 OR lease.owner = excluded.owner RETURNING fence"
);

impl Act for Take {
    type Outcome = Option<Fence>;
    const NAME: &'static str = "take_lease";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<Option<Fence>>, StoreError> {
        let values = [
            self.name.as_str().into(),
            self.owner.as_str().into(),
            self.until.unix().into(),
            self.now.unix().into(),
        ];
        let fence = tx.connection.fetch_optional(&TAKE, &values, one_int).await?;
        Ok(Done::Keep(fence.map(Fence)))
    }
}

struct Renew {
    name: String,
    fence: Fence,
    now: Time,
    until: Time,
}

static RENEW: Sql =
    sql!("UPDATE lease SET held_until = $3 WHERE name = $1 AND fence = $2 AND held_until > $4");

impl Act for Renew {
    type Outcome = bool;
    const NAME: &'static str = "renew_lease";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<bool>, StoreError> {
        let values = [
            self.name.as_str().into(),
            self.fence.0.into(),
            self.until.unix().into(),
            self.now.unix().into(),
        ];
        Ok(Done::Keep(tx.connection.execute(&RENEW, &values).await? == 1))
    }
}

struct List;

static LIST: Sql = sql!("SELECT name, owner, fence, held_until FROM lease ORDER BY name");

impl Question for List {
    type Answer = Vec<Lease>;
    const NAME: &'static str = "leases";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection
            .fetch(&LIST, &[], |columns| {
                Ok(Lease {
                    name: columns.string()?,
                    owner: columns.string()?,
                    fence: Fence(columns.int()?),
                    until: columns.time()?,
                })
            })
            .await
    }
}
