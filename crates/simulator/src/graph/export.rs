//! Export jobs: a report that is asked for, made, and fetched from a link that lives shortly.

use std::collections::HashMap;
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::error::GraphError;
use super::list::context;
use super::management::CONFIGURATION;
use crate::intune::{Issued, Status};
use crate::tenant::{Tenant, Time, World};

/// The columns of the report of certificates.
const COLUMNS: [&str; 14] = [
    "CertificateStatus",
    "DeviceId",
    "DeviceName",
    "EnhancedKeyUsage",
    "IssuerName",
    "KeyUsage",
    "PolicyId",
    "SerialNumber",
    "SubjectName",
    "Thumbprint",
    "UPN",
    "UserId",
    "ValidFrom",
    "ValidTo",
];

/// How long a job takes.
const WORK: Duration = Duration::from_secs(2);

/// How long the link to a report lives.
const LINK_LIFE: Duration = Duration::from_hours(1);

/// How long a job can be asked for.
const JOB_LIFE: Duration = Duration::from_hours(24 * 3);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Format {
    #[default]
    Csv,
    Json,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    report_name: String,
    #[serde(default)]
    format: Format,
    #[serde(default)]
    select: Vec<String>,
    #[serde(default)]
    filter: Option<String>,
    #[serde(default)]
    localization_type: Option<String>,
}

/// A job.
#[derive(Debug, Clone)]
pub(super) struct Job {
    order: Order,
    asked: Time,
    /// What the link carries in place of a signature.
    key: Uuid,
}

/// Jobs by the identifier that they are asked for by.
pub(super) type Jobs = HashMap<String, Job>;

/// `POST /deviceManagement/reports/exportJobs`
pub(super) fn order(world: &World, call: &Call) -> Result<(StatusCode, Value), GraphError> {
    call.needs(CONFIGURATION)?;
    let order: Order = call.json()?;
    if order.report_name != "AllDeviceCertificates" {
        let message = format!("Report '{}' is not known to the simulator.", order.report_name);
        return Err(GraphError::bad(message));
    }
    if let Some(unknown) = order.select.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        return Err(GraphError::bad(format!("Column '{unknown}' is not in the report.")));
    }
    if order.filter.as_ref().is_some_and(|filter| !filter.is_empty()) {
        return Err(GraphError::bad("The report AllDeviceCertificates has no filters."));
    }
    let id = format!("{}_{}", order.report_name, world.fresh_guid());
    let key = world.fresh_guid();
    let job = world.change(call.caller.tenant, |tenant, now| {
        tenant.graph.jobs.retain(|_, job| now < job.asked.plus(JOB_LIFE));
        let job = Job { order, asked: now, key };
        tenant.graph.jobs.insert(id.clone(), job.clone());
        job
    })?;
    Ok((StatusCode::CREATED, shown(world, call, &id, &job)))
}

/// `GET /deviceManagement/reports/exportJobs('{id}')`
pub(super) fn job(
    world: &World,
    call: &Call,
    tenant: &Tenant,
    id: &str,
) -> Result<Value, GraphError> {
    call.needs(CONFIGURATION)?;
    let job = tenant.graph.jobs.get(id).ok_or_else(|| GraphError::not_found(id))?;
    Ok(shown(world, call, id, job))
}

fn shown(world: &World, call: &Call, id: &str, job: &Job) -> Value {
    let age = world.now().since(job.asked);
    let done = age >= WORK;
    let status = match age {
        age if age * 2 < WORK => "notStarted",
        _ if !done => "inProgress",
        _ => "completed",
    };
    let tenant = call.caller.tenant;
    let url = format!("{}/graph/exports/{tenant}/{id}?sig={}", world.base_url(), job.key);
    json!({
        "@odata.context": context(world, call, "deviceManagement/reports/exportJobs/$entity"),
        "id": id,
        "reportName": job.order.report_name,
        "filter": job.order.filter,
        "select": job.order.select,
        "format": job.order.format,
        "snapshotId": null,
        "localizationType":
            job.order.localization_type.as_deref().unwrap_or("localizedValuesAsAdditionalColumn"),
        "status": status,
        "url": done.then_some(url),
        "requestDateTime": job.asked,
        "expirationDateTime": if done { job.asked.plus(LINK_LIFE) } else { Time::default() },
    })
}

/// A report, in a zip file as its name says.
pub(super) fn report(
    world: &World,
    tenant: &Tenant,
    id: &str,
    key: Option<Uuid>,
) -> Result<Vec<u8>, StatusCode> {
    let job = tenant.graph.jobs.get(id).ok_or(StatusCode::NOT_FOUND)?;
    let age = world.now().since(job.asked);
    if key != Some(job.key) || age >= LINK_LIFE {
        return Err(StatusCode::FORBIDDEN);
    }
    if age < WORK {
        return Err(StatusCode::NOT_FOUND);
    }
    let columns: Vec<&str> = match job.order.select.as_slice() {
        [] => COLUMNS.to_vec(),
        select => select.iter().map(String::as_str).collect(),
    };
    let rows: Vec<Vec<String>> = tenant
        .intune
        .certificates
        .issued()
        .map(|issued| columns.iter().map(|column| cell(tenant, issued, column)).collect())
        .collect();
    let (extension, content) = match job.order.format {
        Format::Csv => ("csv", csv(&columns, &rows)),
        Format::Json => {
            let object = |row: &Vec<String>| {
                let cells =
                    columns.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), json!(cell)));
                Value::Object(cells.collect())
            };
            ("json", json!({ "values": rows.iter().map(object).collect::<Vec<_>>() }).to_string())
        }
    };
    Ok(super::zip::stored(&format!("{id}.{extension}"), content.as_bytes()))
}

fn cell(tenant: &Tenant, issued: &Issued, column: &str) -> String {
    let user = || issued.user_id.and_then(|id| tenant.users.find(id));
    match column {
        "CertificateStatus" => match issued.status {
            Status::Active => "Issued".to_owned(),
            Status::RevocationRequested => "RevokePending".to_owned(),
        },
        "DeviceId" => issued.device_id.to_string(),
        "DeviceName" => tenant
            .managed_devices
            .find(issued.device_id)
            .map(|device| device.device_name.clone())
            .unwrap_or_default(),
        "EnhancedKeyUsage" => "1.3.6.1.5.5.7.3.2".to_owned(),
        "IssuerName" => issued.issuing_certificate_authority.clone(),
        "KeyUsage" => "160".to_owned(),
        "PolicyId" => issued.profile_id.to_string(),
        "SerialNumber" => issued.serial_number.clone(),
        "SubjectName" => issued.subject.clone(),
        "Thumbprint" => issued.thumbprint.clone(),
        "UPN" => user().map(|user| user.user_principal_name.clone()).unwrap_or_default(),
        "UserId" => issued.user_id.map(|id| id.to_string()).unwrap_or_default(),
        "ValidFrom" => issued.notified.to_string(),
        _ => issued.expires.to_string(),
    }
}

fn csv(columns: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = columns.join(",");
    for row in rows {
        text.push_str("\r\n");
        let cells = row.iter().map(|cell| {
            if cell.contains([',', '"', '\r', '\n']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.clone()
            }
        });
        text.push_str(&cells.collect::<Vec<_>>().join(","));
    }
    text.push_str("\r\n");
    text
}
