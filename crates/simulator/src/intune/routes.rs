//! The routes of Intune's services, and where discovery says that they are.

use super::{
    Code, UploadAnswer,
    revocation::MOST,
    validation,
    wire::{self, Download, Failure, Success, Upload, Validate},
};
use crate::{
    Shared,
    entra::{self, CallerKind},
    tenant::{Tenant, Time, app::INTUNE_API},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

const VALIDATION: &str =
    "/RACerts/ScepRequestValidationFEService/Gateway/StatelessScepRequestValidationService";
const CONNECTOR: &str =
    "/RACerts/StatelessPkiConnectorService/Gateway/StatelessPkiConnectorService";

/// The role that a certification authority's application needs.
const ROLE: &str = "scep_challenge_provider";

/// A service as the directory lists it under Intune's service principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// What it can do.
    pub capability: &'static str,
    /// By what it is found.
    pub provider_name: &'static str,
    /// Where it is.
    pub uri: String,
}

/// The services, of a simulator that answers at `base_url`.
pub fn services(base_url: &str) -> [Service; 2] {
    let service = |name, path| Service {
        capability: name,
        provider_name: name,
        uri: format!("{base_url}/manage{path}"),
    };
    [
        service("ScepRequestValidationFEService", VALIDATION),
        service("PkiConnectorFEService", CONNECTOR),
    ]
}

/// The routes of Intune's services, below their own prefix.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route(&format!("{VALIDATION}/ScepActions/{{action}}"), post(scep))
        .route(&format!("{CONNECTOR}/CertificateAuthorityRequests/{{action}}"), post(revocations))
}

/// A call that came in, past the door.
struct Call<'a> {
    shared: &'a Shared,
    tenant: Uuid,
    body: &'a Bytes,
    activity: String,
}

async fn scep(
    State(shared): State<Shared>,
    Path(action): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = match admitted(&shared, &headers, &body, "2018-02-20") {
        Ok(call) => call,
        Err(refusal) => return *refusal,
    };
    match action.as_str() {
        "validateRequest" => call.act(
            |told: &Validate| {
                let told = &told.request;
                present(&[&told.transaction_id, &told.certificate_request, &told.caller_info])
            },
            |tenant, told, now| validation::validate(tenant, &told.request, now),
        ),
        "successNotification" => call.act(
            |told: &Success| {
                let told = &told.notification;
                let thumbprint = told.certificate_thumbprint.len() == 40
                    && told.certificate_thumbprint.bytes().all(|byte| byte.is_ascii_hexdigit());
                present(&[
                    &told.transaction_id,
                    &told.certificate_request,
                    &told.certificate_serial_number,
                    &told.issuing_certificate_authority,
                    &told.caller_info,
                ])?;
                if thumbprint {
                    Ok(())
                } else {
                    Err("certificateThumbprint is no SHA-1 in hexadecimal")
                }
            },
            |tenant, told, now| validation::succeeded(tenant, &told.notification, now),
        ),
        "failureNotification" => call.act(
            |told: &Failure| {
                let told = &told.notification;
                present(&[&told.transaction_id, &told.certificate_request, &told.caller_info])?;
                if told.error_description.chars().count() > 255 {
                    return Err("errorDescription has more than 255 characters");
                }
                if i32::try_from(told.h_result).is_err() && u32::try_from(told.h_result).is_err() {
                    return Err("hResult is no number of 32 bits");
                }
                Ok(())
            },
            |tenant, told, now| validation::failed(tenant, &told.notification, now),
        ),
        _ => call.error(StatusCode::NOT_FOUND, "ResourceNotFound", "There is no such action."),
    }
}

async fn revocations(
    State(shared): State<Shared>,
    Path(action): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = match admitted(&shared, &headers, &body, "5019-05-05") {
        Ok(call) => call,
        Err(refusal) => return *refusal,
    };
    match action.as_str() {
        "downloadRevocationRequests" => call.download(),
        "uploadRevocationResults" => call.upload(),
        _ => call.error(StatusCode::NOT_FOUND, "ResourceNotFound", "There is no such action."),
    }
}

fn present(fields: &[&String]) -> Result<(), &'static str> {
    let empty = fields.iter().any(|field| field.is_empty());
    if empty { Err("only caConfiguration and certificateAuthority may be empty") } else { Ok(()) }
}

/// Looks at token and headers.
fn admitted<'a>(
    shared: &'a Shared,
    headers: &HeaderMap,
    body: &'a Bytes,
    version: &str,
) -> Result<Call<'a>, Box<Response>> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let activity = header("client-request-id").map(str::to_owned);
    let activity = activity.unwrap_or_else(|| shared.world.fresh_guid().to_string());
    let refuse = |status, code, message: &str| {
        Box::new((status, Json(wire::error(code, message, &activity))).into_response())
    };
    let Some(tenant) = caller(shared, headers) else {
        let message = "The token is not accepted, or lacks the role scep_challenge_provider.";
        return Err(refuse(StatusCode::UNAUTHORIZED, "Unauthorized", message));
    };
    if header("api-version") != Some(version) {
        let message = format!("The api-version is to be {version}.");
        return Err(refuse(StatusCode::BAD_REQUEST, "BadRequest", &message));
    }
    Ok(Call { shared, tenant, body, activity })
}

/// The tenant of an application that may ask.
fn caller(shared: &Shared, headers: &HeaderMap) -> Option<Uuid> {
    let caller = entra::bearer(&shared.world, headers, INTUNE_API).ok()?;
    let may = caller.kind == CallerKind::App && caller.may(&[ROLE]);
    may.then_some(caller.tenant)
}

impl Call<'_> {
    fn act<T: DeserializeOwned>(
        &self,
        check: impl FnOnce(&T) -> Result<(), &'static str>,
        how: impl FnOnce(&mut Tenant, &T, Time) -> Result<(), Code>,
    ) -> Response {
        let told: T = match serde_json::from_slice(self.body) {
            Ok(told) => told,
            Err(fault) => return self.bad(&fault.to_string()),
        };
        if let Err(message) = check(&told) {
            return self.bad(message);
        }
        let outcome = self.shared.world.change(self.tenant, |tenant, now| {
            if let Some(code) = &tenant.intune.oddities.code {
                return (code.clone(), String::new());
            }
            let code = how(tenant, &told, now).err().unwrap_or(Code::Success);
            (code.name().to_owned(), code.description().to_owned())
        });
        match outcome {
            Ok((code, text)) => Json(wire::action_result(&code, &text)).into_response(),
            Err(fault) => self.bad(&fault.to_string()),
        }
    }

    fn download(&self) -> Response {
        let asked: Download = match serde_json::from_slice(self.body) {
            Ok(asked) => asked,
            Err(fault) => return self.bad(&fault.to_string()),
        };
        let asked = asked.download_parameters;
        if !MOST.contains(&asked.max_requests) {
            return self.bad("maxRequests is to be from 1 to 500.");
        }
        let handed = self.shared.world.change(self.tenant, |tenant, now| {
            wire::revocation_requests(&tenant.intune.queue.download(&asked, now))
        });
        handed.map_or_else(|fault| self.bad(&fault.to_string()), |body| Json(body).into_response())
    }

    fn upload(&self) -> Response {
        let told: Upload = match serde_json::from_slice(self.body) {
            Ok(told) => told,
            Err(fault) => return self.bad(&fault.to_string()),
        };
        let taken = self.shared.world.change(self.tenant, |tenant, _| {
            let answer = tenant.intune.oddities.upload_answer;
            let taken = match answer {
                UploadAnswer::Refusal => Ok(false),
                _ => tenant.intune.queue.upload(&told.results),
            };
            taken.map(|taken| match answer {
                UploadAnswer::Text => Value::from(taken.to_string()),
                _ => Value::from(taken),
            })
        });
        match taken {
            Ok(Ok(value)) => {
                let context = "https://manage.microsoft.com/$metadata#Edm.Boolean";
                Json(json!({ "@odata.context": context, "value": value })).into_response()
            }
            Ok(Err(fault)) => self.bad(&fault.to_string()),
            Err(fault) => self.bad(&fault.to_string()),
        }
    }

    fn bad(&self, message: &str) -> Response {
        self.error(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    fn error(&self, status: StatusCode, code: &str, message: &str) -> Response {
        (status, Json(wire::error(code, message, &self.activity))).into_response()
    }
}
