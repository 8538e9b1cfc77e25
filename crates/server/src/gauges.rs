//! Gauges of what is so at the moment: read when the metrics are asked for, not kept up to date in between.

use lanyard_authority::detached::DetachedResponder;
use metrics::{describe_gauge, gauge};

use crate::app::App;
use crate::observe;

const CA_NOT_AFTER: &str = "lanyard_ca_not_after_timestamp_seconds";
const RESPONDER_NOT_AFTER: &str = "lanyard_responder_not_after_timestamp_seconds";
const CRL_NUMBER: &str = "lanyard_crl_number";
const CRL_NEXT_UPDATE: &str = "lanyard_crl_next_update_timestamp_seconds";
const REQUESTS_PENDING: &str = "lanyard_requests_pending";
const OCSP_ANSWERS_BYTES: &str = "lanyard_ocsp_answers_kept_bytes";
const DIRECTORY_OBJECTS: &str = "lanyard_directory_objects";
const DIRECTORY_STALENESS: &str = "lanyard_directory_staleness_seconds";
const RECORDS: &str = "lanyard_status_records_kept";
const RECORDS_BYTES: &str = "lanyard_status_records_kept_bytes";

/// Says what each one is.
pub(crate) fn describe() {
    describe_gauge!(CA_NOT_AFTER, "End of a CA's certificate in seconds since 1970, by CA");
    describe_gauge!(
        RESPONDER_NOT_AFTER,
        "End of the certificate of a responder without the store in seconds since 1970, by CA"
    );
    describe_gauge!(CRL_NUMBER, "Number of the complete CRL that is served, by CA");
    describe_gauge!(
        CRL_NEXT_UPDATE,
        "Until when the complete CRL that is served may be relied on, in seconds since 1970, by CA"
    );
    describe_gauge!(
        REQUESTS_PENDING,
        "Requests that wait for a person; NaN when the store does not tell"
    );
    describe_gauge!(OCSP_ANSWERS_BYTES, "Memory that signed OCSP answers take");
    describe_gauge!(DIRECTORY_OBJECTS, "Objects of a directory that are there, by kind");
    describe_gauge!(
        DIRECTORY_STALENESS,
        "How long ago the changes at a directory were last known, by kind; NaN before the first"
    );
    describe_gauge!(RECORDS, "Certificates whose status is kept in memory");
    describe_gauge!(RECORDS_BYTES, "Memory that the status of certificates takes");
}

/// Sets them to what is so now. One count is asked of the store; the rest is at hand.
pub(crate) async fn read(app: &App) {
    for ca in app.authority.cas().iter() {
        let id = hex::encode(ca.key_identifier);
        gauge!(CA_NOT_AFTER, "ca" => id.clone()).set(figure(ca.certificate.not_after().unix()));
        if let Some(crl) = app.authority.complete_crl(ca.id) {
            gauge!(CRL_NUMBER, "ca" => id.clone()).set(figure(crl.number().0));
            gauge!(CRL_NEXT_UPDATE, "ca" => id).set(figure(crl.next_update().unix()));
        }
    }
    for ca in app.responder.iter().flat_map(DetachedResponder::authorities) {
        if let Some((_, end)) = ca.responder_validity {
            let id = hex::encode(ca.key_identifier);
            gauge!(RESPONDER_NOT_AFTER, "ca" => id).set(figure(end.unix()));
        }
    }
    let kept = app.authority.memory_use();
    gauge!(OCSP_ANSWERS_BYTES).set(figure(kept.answers_octets));
    gauge!(RECORDS).set(figure(kept.records));
    gauge!(RECORDS_BYTES).set(figure(kept.records_octets));
    read_directories(app).await;
    let pending = match app.authority.count_pending_requests().await {
        Ok(pending) => figure(pending),
        Err(fault) => {
            observe::fault("metrics");
            tracing::error!(fault.id = %fault.id(), "The metrics are not whole: {}", fault.report());
            f64::NAN
        }
    };
    gauge!(REQUESTS_PENDING).set(pending);
}

async fn read_directories(app: &App) {
    let directories = match app.authority.directories().await {
        Ok(directories) => directories,
        Err(fault) => {
            observe::fault("metrics");
            tracing::error!(fault.id = %fault.id(), "The metrics are not whole: {}", fault.report());
            return;
        }
    };
    for directory in directories {
        for feed in directory.feeds {
            let labels = [("directory", directory.name.clone()), ("kind", feed.kind.name().into())];
            gauge!(DIRECTORY_OBJECTS, &labels).set(figure(feed.present));
            gauge!(DIRECTORY_STALENESS, &labels).set(feed.staleness.map_or(f64::NAN, figure));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53: no time or count comes near")]
fn figure(number: impl TryInto<i64>) -> f64 {
    number.try_into().unwrap_or(i64::MAX) as f64
}
