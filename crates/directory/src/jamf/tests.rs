use ::http::Request;
use bytes::Bytes;
use lanyard_lifecycle::Presence;
use lanyard_lifecycle::object::{JamfDevice, JamfUser};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::canned::{Canned, Reply, line};

mod check;
mod faults;
mod look_up;
mod people;
mod signing_in;
mod sweeps;

const TOKEN: &str = "POST /api/v1/oauth/token";

fn settings() -> Settings {
    Settings {
        directory: DirectoryId::from(Uuid::from_u128(1)),
        url: "https://jamf.example.org/".parse().unwrap(),
        credential: Credential::Client { id: "lanyard".into(), secret: "s3cret".into() },
        page_size: 2,
    }
}

/// An instance that answers like this, and gives tokens.
fn instance(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> (Arc<Canned>, JamfPro) {
    let wire = Canned::new(move |request| {
        let asked = line(request);
        if asked == TOKEN {
            return Reply::json(200, &json!({"access_token": "t", "expires_in": 1199}));
        }
        answer(asked.split_once(' ').unwrap().1)
    });
    let jamf = JamfPro::new(wire.service(JamfPro::NAME, limits()), &settings());
    (wire, jamf)
}

fn computer(id: u64) -> serde_json::Value {
    json!({
        "id": id.to_string(), "udid": "U",
        "general": {"name": format!("mac-{id}"), "remoteManagement": {"managed": true}},
        "hardware": {"serialNumber": "S"},
        "userAndLocation": {"username": "ada", "email": "ada@example.org"},
    })
}

fn not_found() -> Reply {
    let errors = json!([{"code": "INVALID_ID", "field": "id", "description": "x", "id": "0"}]);
    Reply::json(404, &json!({"httpStatus": 404, "errors": errors}))
}

fn page(total: u64, results: &[serde_json::Value]) -> Reply {
    Reply::json(200, &json!({"totalCount": total, "results": results}))
}

fn status_page() -> Reply {
    let page = "<html><head><title>Status page</title></head><body><p>Not Found</p></body></html>";
    Reply::text(404, "text/html;charset=UTF-8", page)
}

fn by_id(kind: ObjectKind, id: u64) -> Query {
    Query::id(
        kind,
        match kind {
            ObjectKind::JamfUser => ObjectId::jamf_user(0, id),
            _ => ObjectId::jamf_device(id),
        },
    )
}

async fn look_up(jamf: &JamfPro, query: &Query) -> Result<Presence, Ignorance> {
    jamf.look_up(query).await.map(|found| found.state().unwrap().presence)
}

fn classic(path: &str) -> Reply {
    match path {
        "/JSSResource/users" => Reply::json(
            200,
            &json!({"users": [
                {"id": 4, "name": "bob"}, {"id": 2, "name": "ada"},
            ]}),
        ),
        "/JSSResource/computers" => {
            Reply::json(200, &json!({"computers": [{"id": 3, "name": "m"}]}))
        }
        "/JSSResource/mobiledevices" => Reply::json(200, &json!({"mobile_devices": []})),
        "/JSSResource/computers/id/3" => Reply::json(
            200,
            &json!({"computer": {
                "general": {"id": 3, "name": "m", "remote_management": {"managed": true}},
            }}),
        ),
        "/JSSResource/users/id/2" | "/JSSResource/users/name/ada" => {
            Reply::json(200, &json!({"user": {"id": 2, "name": "ada", "email": "ada@example.org"}}))
        }
        "/JSSResource/users/email/ada@example.org" => Reply::json(
            200,
            &json!({"users": [
                {"id": 2, "name": "ada", "email": "ADA@example.org"},
                {"id": 4, "name": "bob", "email": "bob@example.org"},
            ]}),
        ),
        "/JSSResource/users/email/shared@example.org" => Reply::json(
            200,
            &json!({"users": [
                {"id": 2, "email": "shared@example.org"}, {"id": 4, "email": "shared@example.org"},
            ]}),
        ),
        "/JSSResource/users/email/none@example.org" => Reply::json(200, &json!({"users": []})),
        _ => status_page(),
    }
}
