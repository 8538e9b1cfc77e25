//! Many certificates in few statements: the rows of all go in together, as arrays.
//!
//! This works when nothing is in the way of any of them, which is nearly always. If a serial
//! number or a transaction is taken, the caller starts over, one by one.

use super::connection::PostgresConnection;
use crate::{
    StoreError,
    query::{
        enrollment::{ENROLLMENT, EnrollmentRow},
        issue::{CERTIFICATE, CERTIFICATE_DER, CertificateRow, DerRow, Issue},
        notice::{NOTICE, NoticeRow},
    },
    record::Claim,
    sql::{Connection, Value},
    transaction::Transaction,
};

type Tx<'t, 'c> = Transaction<'t, PostgresConnection<'c>>;

/// Whether all went through together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Together {
    Yes,
    No,
}

pub(super) async fn issue(tx: &mut Tx<'_, '_>, acts: &[&Issue]) -> Result<Together, StoreError> {
    let mut certificates = Vec::with_capacity(acts.len());
    let mut ders = Vec::with_capacity(acts.len());
    let mut enrollments = Vec::with_capacity(acts.len());
    let mut notices = Vec::new();
    for act in acts {
        let id = tx.ids.next(act.certificate.issued_at);
        certificates.push(CertificateRow::new(&act.certificate, id));
        ders.push(DerRow::new(&act.certificate, id));
        if let Some(notice) = &act.certificate.notice {
            notices.push(NoticeRow::new(notice, tx.ids.next(notice.created_at)));
        }
        match &act.claim {
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
    let rows: Vec<_> = certificates.iter().map(CertificateRow::values).collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 23]>::as_slice).collect();
    if tx.connection.insert(&CERTIFICATE, &rows).await? != rows.len() as u64 {
        return Ok(Together::No);
    }
    let rows: Vec<_> = ders.iter().map(DerRow::values).collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 4]>::as_slice).collect();
    tx.connection.insert(&CERTIFICATE_DER, &rows).await?;
    let rows: Vec<_> = notices.iter().map(NoticeRow::values).collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 13]>::as_slice).collect();
    tx.connection.insert(&NOTICE, &rows).await?;
    for act in acts {
        act.note(tx);
    }
    Ok(Together::Yes)
}
