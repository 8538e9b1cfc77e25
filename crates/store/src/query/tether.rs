//! Which certificates follow an object, which are due, and how far changes of objects are judged.
//!
//! A binding says all that a certificate follows, so no table beside it leads back: an object's
//! certificates are found by its number, those of a device in Jamf Pro by a range (the device is the
//! upper half of its users' numbers), those of a user there by an index of lower halves.

use lanyard_lifecycle::{
    id::ObjectId,
    object::{ObjectKey, ObjectKind},
};
use lanyard_pki::Time;

use super::{
    lookup::status,
    ruled::{by_rule_columns, held_back_columns, with_rules},
};
use crate::{
    Store, StoreError,
    column::one_time,
    record::{BoundCertificate, Cursor, ObjectSequence, Page},
    sql::{Columns, Connection, Sql, Value, one_int, sql},
    transaction::{Question, Reads},
};

impl Store {
    /// The certificates whose binding names an object's number, or, of a device or user in Jamf
    /// Pro, that half of it: those that have not ended and are not revoked for good, in the order of
    /// issuance. What number means which object depends on the certificate's kind, which the caller
    /// looks at: computers and mobile devices are numbered alike.
    pub async fn certificates_bound_to(
        &self,
        object: ObjectKey,
        now: Time,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<BoundCertificate>, StoreError> {
        self.backend.read(Bound { object, now, after, limit: limit.max(1) }).await
    }

    /// The certificates that are due to be judged again, those that have not ended and are not
    /// revoked for good, the longest due first. Each leaves the list when
    /// [`record_rules`](Store::record_rules) records when it is due next.
    pub async fn certificates_due(
        &self,
        now: Time,
        limit: u32,
    ) -> Result<Vec<BoundCertificate>, StoreError> {
        self.backend.read(Due { now, limit }).await
    }

    /// When the first certificate is due; none if none ever is.
    pub async fn next_due(&self) -> Result<Option<Time>, StoreError> {
        self.backend.read(NextDue).await
    }

    /// Up to where changes of objects are judged; see
    /// [`RuleBatch::judged`](crate::RuleBatch::judged).
    pub async fn judged(&self) -> Result<ObjectSequence, StoreError> {
        self.backend.read(Judged).await
    }

    /// How many certificates that follow an object have not ended and are good. Counts: as much as a
    /// second for every million, so ask rarely.
    pub async fn tethered_in_force(&self, now: Time) -> Result<u64, StoreError> {
        self.backend.read(InForce { now }).await
    }
}

/// Plus signs keep SQLite and PostgreSQL from walking certificates in their order, or in that of
/// their ends, where an object leads to a few.
macro_rules! tethered {
    ($condition:literal) => {
        sql!(concat!(
            "SELECT c.id, c.serial, c.due, c.ca, c.kind, c.object, c.directory, c.source, \
             c.endpoint, c.organization, c.department, c.not_before, c.not_after, c.issued_at, \
             c.standing, c.reason, c.since, c.invalidity_date, ",
            by_rule_columns!(),
            ", ",
            held_back_columns!(),
            " FROM certificate c ",
            with_rules!(),
            " WHERE +c.not_after > $1 AND (c.standing <> 2 OR r.standing IS NOT NULL \
             AND r.hand_standing <> 2 AND (r.standing <> 2 OR r.lasting = 0)) ",
            $condition
        ))
    };
}

pub(crate) static BOUND: Sql = tethered!(
    "AND c.directory IS NOT NULL AND c.object >= $2 AND c.object <= $3 AND c.directory = $4 \
     AND +c.id > $5 ORDER BY +c.id LIMIT $6"
);
pub(crate) static OF_JAMF_USER: Sql = tethered!(
    "AND c.kind IN (9, 10) AND substr(c.object, 9) = $2 AND c.directory = $3 AND +c.id > $4 \
     ORDER BY +c.id LIMIT $5"
);
pub(crate) static DUE: Sql =
    tethered!("AND c.due IS NOT NULL AND c.due <= $2 ORDER BY c.due LIMIT $3");

fn bound(columns: &mut Columns<'_>) -> Result<(i64, BoundCertificate), StoreError> {
    let id = columns.int()?;
    let serial = columns.serial()?;
    let due = columns.optional_time()?;
    Ok((id, BoundCertificate { serial, due, status: status(columns)? }))
}

struct Bound {
    object: ObjectKey,
    now: Time,
    after: Option<Cursor>,
    limit: u32,
}

/// The numbers that name an object.
enum Numbers {
    Range([u8; 16], [u8; 16]),
    LowerHalf([u8; 8]),
}

impl Numbers {
    fn of(key: &ObjectKey) -> Self {
        match key.kind {
            ObjectKind::JamfComputer | ObjectKind::JamfMobileDevice => {
                let (device, _) = key.object.jamf_numbers();
                let last = ObjectId::jamf_user(device, u64::MAX);
                Self::Range(ObjectId::jamf_device(device).to_bytes(), last.to_bytes())
            }
            ObjectKind::JamfUser => Self::LowerHalf(key.object.jamf_numbers().1.to_be_bytes()),
            ObjectKind::EntraUser
            | ObjectKind::EntraDevice
            | ObjectKind::RiskyUser
            | ObjectKind::IntuneDevice => {
                let object = key.object.to_bytes();
                Self::Range(object, object)
            }
        }
    }
}

impl Question for Bound {
    type Answer = Page<BoundCertificate>;
    const NAME: &'static str = "certificates_bound_to";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let numbers = Numbers::of(&self.object);
        let directory = self.object.directory.to_bytes();
        let (sql, named): (_, Vec<Value<'_>>) = match &numbers {
            Numbers::Range(from, to) => (&BOUND, vec![from[..].into(), to[..].into()]),
            Numbers::LowerHalf(user) => (&OF_JAMF_USER, vec![user[..].into()]),
        };
        let mut values = vec![self.now.unix().into()];
        values.extend(named);
        values.extend::<[Value<'_>; 3]>([
            directory[..].into(),
            self.after.map_or(0, |cursor| cursor.0).into(),
            i64::from(self.limit).into(),
        ]);
        let found = connection.fetch(sql, &values, bound).await?;
        let full = found.len() >= self.limit as usize;
        let next = found.last().filter(|_| full).map(|(id, _)| Cursor(*id));
        Ok(Page { items: found.into_iter().map(|(_, one)| one).collect(), next })
    }
}

struct Due {
    now: Time,
    limit: u32,
}

impl Question for Due {
    type Answer = Vec<BoundCertificate>;
    const NAME: &'static str = "certificates_due";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let now = self.now.unix();
        let values = [now.into(), now.into(), i64::from(self.limit).into()];
        let found = connection.fetch(&DUE, &values, bound).await?;
        Ok(found.into_iter().map(|(_, one)| one).collect())
    }
}

struct NextDue;

pub(crate) static NEXT_DUE: Sql =
    sql!("SELECT due FROM certificate WHERE due IS NOT NULL ORDER BY due LIMIT 1");

impl Question for NextDue {
    type Answer = Option<Time>;
    const NAME: &'static str = "next_due";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection.fetch_optional(&NEXT_DUE, &[], one_time).await
    }
}

struct Judged;

static JUDGED: Sql = sql!("SELECT value FROM counter WHERE name = 'tether'");

impl Question for Judged {
    type Answer = ObjectSequence;
    const NAME: &'static str = "judged";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let value = connection.fetch_optional(&JUDGED, &[], one_int).await?;
        value.map(ObjectSequence).ok_or_else(|| StoreError::unreadable("counter"))
    }
}

static MOVE: Sql = sql!("UPDATE counter SET value = $1 WHERE name = 'tether' AND value < $1");
/// What has ended while nobody judged is due no more.
pub(crate) static ENDED: Sql = sql!(
    "UPDATE certificate SET due = NULL \
     WHERE due IS NOT NULL AND due <= $1 AND +not_after <= $2"
);

/// Changes of objects are judged up to here. It never goes back.
pub(super) async fn move_cursor<C: Connection>(
    connection: &mut C,
    judged: ObjectSequence,
    now: Time,
) -> Result<(), StoreError> {
    connection.execute(&MOVE, &[judged.0.into()]).await?;
    let now = now.unix();
    connection.execute(&ENDED, &[now.into(), now.into()]).await?;
    Ok(())
}

struct InForce {
    now: Time,
}

static IN_FORCE: Sql = sql!(
    "SELECT COUNT(*) FROM certificate \
     WHERE directory IS NOT NULL AND standing = 0 AND not_after > $1"
);

impl Question for InForce {
    type Answer = u64;
    const NAME: &'static str = "tethered_in_force";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let n = connection.fetch_optional(&IN_FORCE, &[self.now.unix().into()], one_int).await?;
        Ok(n.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
    }
}
