//! The Pro API: tokens, computers and mobile devices as JSON.

use super::{
    Call, Jamf,
    access::{Grant, Holder, Privilege},
    event,
    object::{Computer, MobileDevice},
    reply::{Reply, empty, error, json_reply, no_such_object, unauthorized},
    rsql::{self, Filter},
    shape::{self, Section, date},
    shelf::{Direction, Selection, Shelf},
    webhook::Event,
};
use crate::tenant::table::Record;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How many objects a page has when nothing is said, and at most.
const PAGE: usize = 100;
const LARGEST_PAGE: usize = 2000;

impl Jamf {
    /// Answers a call below `/api` that only looks, whose path is given in pieces.
    pub(super) fn pro_look(&self, call: &Call<'_>, path: &[&str]) -> Reply {
        match path {
            ["v1", "jamf-pro-version"] => match self.holder(call) {
                Some(_) => json_reply(StatusCode::OK, &json!({ "version": self.version })),
                None => unauthorized(),
            },
            ["v1", "auth"] => self.authorization(call),
            [version, "computers-inventory", rest @ ..] if self.offers.computers(version) => {
                self.computers(call, rest)
            }
            ["v2", "mobile-devices", rest @ ..] if self.offers.mobile_devices => {
                self.mobile_devices(call, rest)
            }
            _ => self.nothing_here(call),
        }
    }

    /// Answers any other call below `/api`.
    pub(super) fn pro_change(&mut self, call: &Call<'_>, path: &[&str]) -> Reply {
        match (call.method, path) {
            (&Method::POST, ["v1", "auth", "token"]) => self.sign_in(call),
            (&Method::POST, ["v1", "oauth", "token"] | ["oauth", "token"]) => self.oauth(call),
            (&Method::POST, ["v1", "auth", "keep-alive"]) => {
                let grant = call.bearer().and_then(|token| self.access.keep_alive(token, call.at));
                grant.map_or_else(unauthorized, |grant| granted(&grant))
            }
            (&Method::POST, ["v1", "auth", "invalidate-token"]) => {
                let ended = call.bearer().is_some_and(|t| self.access.invalidate(t, call.at));
                if ended { empty() } else { unauthorized() }
            }
            (&Method::DELETE, [version, "computers-inventory", id])
                if self.offers.computers(version) =>
            {
                self.delete_computer(call, id)
            }
            _ => self.nothing_here(call),
        }
    }

    /// What an account may see: everything, since there are no sites here.
    fn authorization(&self, call: &Call<'_>) -> Reply {
        let Some(Holder::Account(username)) = self.holder(call) else {
            return self.nothing_here(call);
        };
        let account = json!({ "username": username, "accessLevel": "FullAccess" });
        json_reply(StatusCode::OK, &json!({ "account": account, "sites": [] }))
    }

    fn nothing_here(&self, call: &Call<'_>) -> Reply {
        match self.holder(call) {
            Some(_) => error(StatusCode::NOT_FOUND, "NOT_FOUND", None, "Resource not found"),
            None => unauthorized(),
        }
    }

    fn sign_in(&mut self, call: &Call<'_>) -> Reply {
        let grant = call
            .basic()
            .and_then(|(name, password)| self.access.sign_in(&name, &password, call.at));
        grant.map_or_else(unauthorized, |grant| granted(&grant))
    }

    fn oauth(&mut self, call: &Call<'_>) -> Reply {
        let form = call.form();
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if field("grant_type") != "client_credentials" {
            let body = json!({ "error": "unsupported_grant_type" });
            return json_reply(StatusCode::BAD_REQUEST, &body);
        }
        let id = field("client_id");
        match self.access.client_token(id, field("client_secret"), call.at) {
            None => json_reply(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_client" })),
            Some(grant) => {
                let body = json!({
                    "access_token": grant.token,
                    "scope": format!("api-role:{id}"),
                    "token_type": "Bearer",
                    "expires_in": grant.life.as_secs(),
                });
                json_reply(StatusCode::OK, &body)
            }
        }
    }

    fn computers(&self, call: &Call<'_>, path: &[&str]) -> Reply {
        if let Err(refusal) = self.allowed(call, Privilege::ReadComputers) {
            return refusal;
        }
        match path {
            [] => self.list_computers(call),
            [id] => {
                let found = id.parse().ok().and_then(|id| self.computers.seen(call.view).find(id));
                match (found, sections(call)) {
                    (_, Err(refusal)) => refusal,
                    (None, _) => no_such_object(id),
                    (Some(computer), Ok(sections)) => {
                        json_reply(StatusCode::OK, &shape::computer(&computer, &sections))
                    }
                }
            }
            _ => self.nothing_here(call),
        }
    }

    fn delete_computer(&mut self, call: &Call<'_>, id: &str) -> Reply {
        if let Err(refusal) = self.allowed(call, Privilege::DeleteComputers) {
            return refusal;
        }
        let removed = id.parse().ok().and_then(|id| self.computers.remove(id, call.at.now));
        let Some(computer) = removed else { return no_such_object(id) };
        let event = event::operation("Computer", computer.id, &computer.name, &self.name_of(call));
        self.webhooks.happened(Event::RestAPIOperation, &event, call.at.now);
        empty()
    }

    fn list_computers(&self, call: &Call<'_>) -> Reply {
        let sections = match sections(call) {
            Ok(sections) => sections,
            Err(refusal) => return refusal,
        };
        let all = Section::ALL.into();
        let whole = |computer: &Computer| shape::computer(computer, &all);
        list(&self.computers, call, "id", whole, |one| shape::computer(one, &sections))
    }

    fn mobile_devices(&self, call: &Call<'_>, path: &[&str]) -> Reply {
        if let Err(refusal) = self.allowed(call, Privilege::ReadMobileDevices) {
            return refusal;
        }
        let one = |id: &str, show: fn(&MobileDevice) -> Value| {
            let found = id.parse().ok().and_then(|id| self.mobile_devices.seen(call.view).find(id));
            found.map_or_else(
                || no_such_object(id),
                |device| json_reply(StatusCode::OK, &show(&device)),
            )
        };
        match path {
            [] => {
                let summary = shape::mobile_summary;
                list(&self.mobile_devices, call, "id", summary, summary)
            }
            ["detail"] => match sections(call) {
                Err(refusal) => refusal,
                Ok(sections) => {
                    let all = Section::ALL.into();
                    let whole = |one: &MobileDevice| shape::mobile_inventory(one, &all);
                    let shown = |one: &MobileDevice| shape::mobile_inventory(one, &sections);
                    list(&self.mobile_devices, call, "mobileDeviceId", whole, shown)
                }
            },
            [id] => one(id, shape::mobile_summary),
            [id, "detail"] => one(id, shape::mobile_detail),
            _ => self.nothing_here(call),
        }
    }
}

fn granted(grant: &Grant) -> Reply {
    let body = json!({ "token": grant.token, "expires": date(grant.expires) });
    json_reply(StatusCode::OK, &body)
}

fn sections(call: &Call<'_>) -> Result<BTreeSet<Section>, Reply> {
    let mut sections = BTreeSet::new();
    for value in call.query("section").iter().flat_map(|value| value.split(',')) {
        let section = Section::parse(value).ok_or_else(|| {
            let description = format!("{value} is not a section");
            error(StatusCode::BAD_REQUEST, "INVALID_SECTION", Some("section"), &description)
        })?;
        sections.insert(section);
    }
    if sections.is_empty() {
        sections.insert(Section::General);
    }
    Ok(sections)
}

fn list<R: Record<Id = u32>>(
    shelf: &Shelf<R>,
    call: &Call<'_>,
    id: &'static str,
    whole: impl Fn(&R) -> Value,
    shown: impl Fn(&R) -> Value,
) -> Reply {
    let known = whole(&shelf.sample());
    let selection = match selection(call, id, &known) {
        Ok(selection) => selection,
        Err(refusal) => return refusal,
    };
    let (total, records) = shelf.seen(call.view).list(&selection, whole);
    let results: Vec<Value> = records.iter().map(|record| shown(record)).collect();
    json_reply(StatusCode::OK, &json!({ "totalCount": total, "results": results }))
}

/// Reads the query of a list of objects that look like `known` and have their number in `id`.
fn selection(call: &Call<'_>, id: &'static str, known: &Value) -> Result<Selection, Reply> {
    let number = |name: &str, otherwise: usize| match call.query(name).first() {
        None => Ok(otherwise),
        Some(text) => text.parse::<usize>().map_err(|_| {
            let description = format!("{text} is no number");
            error(StatusCode::BAD_REQUEST, "INVALID_PARAMETER", Some(name), &description)
        }),
    };
    let bad = |field: &str, description: &str| {
        error(StatusCode::BAD_REQUEST, "INVALID_PARAMETER", Some(field), description)
    };
    let filter = match call.query("filter").first().filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => Some(Filter::parse(text).map_err(|fault| bad("filter", &fault.to_string()))?),
    };
    let sort = match call.query("sort").first().map(|text| text.split_once(':')) {
        None => None,
        Some(Some((path, "asc"))) if path == id => None,
        Some(Some((path, "asc"))) => Some((path.to_owned(), Direction::Ascending)),
        Some(Some((path, "desc"))) => Some((path.to_owned(), Direction::Descending)),
        Some(_) => return Err(bad("sort", "a sort is property:asc or property:desc")),
    };
    let unknown = |path: &&str| rsql::property(known, path).is_none();
    let filtered = filter.iter().flat_map(Filter::properties);
    let sorted = sort.iter().map(|(path, _)| path.as_str());
    if let Some(path) = filtered.chain(sorted).find(unknown) {
        return Err(bad("filter", &format!("there is no property {path}")));
    }
    let size = number("page-size", PAGE)?;
    if !(1..=LARGEST_PAGE).contains(&size) {
        return Err(bad("page-size", "a page has 1 to 2000 objects"));
    }
    Ok(Selection { page: number("page", 0)?, size, id, filter, sort })
}
