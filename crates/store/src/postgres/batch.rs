//! Many issuance steps in few statements: every step's rows go in together, as arrays.
//!
//! This works when nothing is in the way of any of them, which is nearly always. If a serial
//! number or a transaction is taken, the caller starts over, one by one.

use std::collections::HashMap;

use sqlx::Row as _;

use super::connection::PostgresConnection;
use crate::{
    StoreError,
    query::{
        enrollment::{ENROLLMENT, EnrollmentRow},
        issue::{CERTIFICATE, CERTIFICATE_DER, CertificateRow, Complete, Found, PREPARED, Prepare},
    },
    record::Claim,
    sql::{Columns, Connection, Value},
    transaction::Transaction,
};

type Tx<'t, 'c> = Transaction<'t, PostgresConnection<'c>>;

/// Whether all steps of a kind went through together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Together {
    Yes,
    No,
}

pub(super) async fn prepare(
    tx: &mut Tx<'_, '_>,
    steps: &[&Prepare],
) -> Result<Together, StoreError> {
    let mut certificates = Vec::with_capacity(steps.len());
    let mut enrollments = Vec::with_capacity(steps.len());
    for step in steps {
        let id = tx.ids.next(step.certificate.prepared_at);
        certificates.push((CertificateRow::new(&step.certificate, id), id));
        match &step.claim {
            Claim::None => {}
            Claim::New(new) => {
                let request = tx.ids.next(new.received_at);
                enrollments.push(EnrollmentRow::accepted(new, request, id));
            }
            Claim::Approve { .. } => return Ok(Together::No),
        }
    }
    let rows: Vec<_> = enrollments.iter().map(EnrollmentRow::values).collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 17]>::as_slice).collect();
    if tx.connection.insert(&ENROLLMENT, &rows).await? != rows.len() as u64 {
        return Ok(Together::No);
    }
    let rows: Vec<_> = certificates.iter().map(|(row, _)| row.values()).collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 23]>::as_slice).collect();
    if tx.connection.insert(&CERTIFICATE, &rows).await? != rows.len() as u64 {
        return Ok(Together::No);
    }
    let rows: Vec<[Value<'_>; 2]> = certificates
        .iter()
        .zip(steps)
        .map(|((_, id), step)| [(*id).into(), step.certificate.tbs.as_slice().into()])
        .collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 2]>::as_slice).collect();
    tx.connection.insert(&PREPARED, &rows).await?;
    for step in steps {
        tx.audit(step.audit.as_ref());
    }
    Ok(Together::Yes)
}

const COMPLETE: &str = "UPDATE certificate SET state = 1, issued_at = u.at \
     FROM UNNEST($1::bytea[], $2::int8[]) AS u (serial, at) \
     WHERE certificate.serial = u.serial AND certificate.state = 0 \
     RETURNING id, kind, organization, department, certificate_until, certificate.serial";
const DELETE_PREPARED: &str = "DELETE FROM prepared WHERE id = ANY($1)";

pub(super) async fn complete(
    tx: &mut Tx<'_, '_>,
    steps: &[&Complete],
) -> Result<Together, StoreError> {
    if steps.is_empty() {
        return Ok(Together::Yes);
    }
    let serials: Vec<&[u8]> = steps.iter().map(|step| step.serial.as_bytes()).collect();
    let times: Vec<i64> = steps.iter().map(|step| step.issued_at.unix()).collect();
    let rows =
        sqlx::query(COMPLETE).bind(&serials).bind(&times).fetch_all(tx.connection.raw()).await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        found.insert(row.try_get::<&[u8], _>(5)?, Found::read(&mut Columns::new(row))?);
    }
    // Fewer are found, too, where one serial number is completed twice at once.
    let found: Vec<Found> = serials.iter().filter_map(|serial| found.remove(serial)).collect();
    if found.len() != steps.len() {
        return Ok(Together::No);
    }
    let ids: Vec<i64> = found.iter().map(|found| found.id).collect();
    sqlx::query(DELETE_PREPARED).bind(&ids).execute(tx.connection.raw()).await?;
    let fingerprints: Vec<[u8; 32]> = steps.iter().map(|step| step.fingerprint()).collect();
    let rows: Vec<[Value<'_>; 4]> = steps
        .iter()
        .zip(&found)
        .zip(&fingerprints)
        .map(|((step, found), fingerprint)| step.der_values(found, fingerprint))
        .collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 4]>::as_slice).collect();
    tx.connection.insert(&CERTIFICATE_DER, &rows).await?;
    for (step, found) in steps.iter().zip(found) {
        tx.count(found.key, 1);
        tx.audit(step.audit.as_ref());
    }
    Ok(Together::Yes)
}
