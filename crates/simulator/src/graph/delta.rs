//! Delta queries of users and devices: everything first, then what changed, then a link to come back with.
//!
//! Positions die after seven days, or when they are told to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::directory::{DEVICES, USERS};
use super::error::GraphError;
use super::filter::Filter;
use super::list::{address, context};
use super::shape::{Shown, projected};
use crate::tenant::table::LOG_LIFE;
use crate::tenant::{Changed, Position, Record, Removal, Table, Tenant, Time, World};

/// How many objects one request looks at.
const LOOKED_AT: u64 = 20_000;

/// How many objects a page has where the client has no preference.
const PAGE: usize = 200;

/// How many it may prefer.
const MOST: usize = 999;

/// Where a delta query stands; the client sees it as an opaque text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Token {
    /// `users` or `devices`.
    set: String,
    tenant: Uuid,
    issued: Time,
    /// Where the log stood when the query began, or where it was read to.
    since: u64,
    /// While everything is listed for the first time: the place in the list.
    place: Option<u64>,
    select: Option<String>,
    filter: Option<String>,
    page: usize,
}

/// `GET /users/delta`
pub(super) fn users(world: &World, call: &Call, tenant: &Tenant) -> Result<Value, GraphError> {
    call.needs(USERS)?;
    delta(world, call, tenant, "users", &tenant.users)
}

/// `GET /devices/delta`
pub(super) fn devices(world: &World, call: &Call, tenant: &Tenant) -> Result<Value, GraphError> {
    call.needs(DEVICES)?;
    delta(world, call, tenant, "devices", &tenant.devices)
}

/// A delta query of one set.
struct Round<'a, R: Record> {
    world: &'a World,
    call: &'a Call,
    set: &'a str,
    table: &'a Table<R>,
    /// The address of the query, without its options.
    here: String,
}

fn delta<R: Record<Id = Uuid> + Shown>(
    world: &World,
    call: &Call,
    tenant: &Tenant,
    set: &str,
    table: &Table<R>,
) -> Result<Value, GraphError> {
    for refused in ["$top", "$orderby", "$expand", "$search"] {
        if call.options.find(refused).is_some() {
            let message =
                format!("The query option '{refused}' is not supported by delta queries.");
            return Err(GraphError::bad_request(message));
        }
    }
    let here = address(world, call, &format!("{set}/delta"));
    let round = Round { world, call, set, table, here };
    let given = call.options.find("$skiptoken").or(call.options.find("$deltatoken"));
    let token = match given {
        Some("latest") => {
            let begun = begin(call, tenant, set, table, world.now())?;
            return Ok(round.page(&[], &Token { place: None, ..begun }, End::Complete));
        }
        // Where a client is sent back to after its position was lost.
        None | Some("") => begin(call, tenant, set, table, world.now())?,
        Some(text) => {
            let token = read(text).filter(|token| token.set == set && token.tenant == tenant.id);
            let token = token.ok_or_else(|| {
                GraphError::bad_request("The delta token is not one that this service made.")
            })?;
            let alive = token.issued.plus(LOG_LIFE) > world.now()
                && token.issued >= tenant.graph.positions_from;
            if !alive {
                return Err(round.lost());
            }
            token
        }
    };
    let filter = token.filter.as_deref().map(Filter::parse).transpose()?;
    match token.place {
        Some(place) => round.initial(&token, place, filter.as_ref()),
        None => round.changes(&token, filter.as_ref()),
    }
}

fn begin<R: Record>(
    call: &Call,
    tenant: &Tenant,
    set: &str,
    table: &Table<R>,
    now: Time,
) -> Result<Token, GraphError> {
    let filter = call.options.find("$filter").map(str::to_owned);
    if let Some(text) = &filter {
        let names_ids_only = Filter::parse(text)?.properties().iter().all(|name| *name == "id");
        if !names_ids_only {
            return Err(GraphError::bad_request("Delta queries can be filtered by id only."));
        }
    }
    let preferred = call.preference("odata.maxpagesize").and_then(|size| size.parse().ok());
    Ok(Token {
        set: set.to_owned(),
        tenant: tenant.id,
        issued: now,
        since: table.position().0,
        place: Some(0),
        select: call.options.find("$select").map(str::to_owned),
        filter,
        page: preferred.unwrap_or(PAGE).clamp(1, MOST),
    })
}

impl<R: Record<Id = Uuid> + Shown> Round<'_, R> {
    /// A page of everything there is.
    fn initial(
        &self,
        token: &Token,
        place: u64,
        filter: Option<&Filter>,
    ) -> Result<Value, GraphError> {
        let meets = |record: &R| filter.is_none_or(|filter| filter.meets(&record.whole()));
        let found = self.table.page_until(self.call.view, place, LOOKED_AT, token.page, meets);
        let select = selection(token);
        let value = found
            .records
            .iter()
            .map(|record| projected(&**record, select.as_deref()))
            .collect::<Result<Vec<_>, _>>()?;
        let end = if found.next.is_some() { End::More } else { End::Complete };
        let next = Token { place: found.next, issued: self.world.now(), ..token.clone() };
        Ok(self.page(&value, &next, end))
    }

    /// A page of what changed.
    fn changes(&self, token: &Token, filter: Option<&Filter>) -> Result<Value, GraphError> {
        let since = Position(token.since);
        let changes =
            self.table.changes(self.call.view, since, token.page).map_err(|_| self.lost())?;
        let select = selection(token);
        let mut value = Vec::new();
        for changed in changes.changed {
            let (whole, item) = match changed {
                Changed::Present(record) => {
                    (record.whole(), projected(&*record, select.as_deref())?)
                }
                Changed::Removed(id, removal) => {
                    let reason = match removal {
                        Removal::Soft => "changed",
                        Removal::Permanent => "deleted",
                    };
                    let item = json!({ "id": id, "@removed": { "reason": reason } });
                    (item.clone(), item)
                }
            };
            if filter.is_none_or(|filter| filter.meets(&whole)) {
                value.push(item);
            }
        }
        let next = Token { since: changes.next.0, issued: self.world.now(), ..token.clone() };
        let end = if changes.more { End::More } else { End::Complete };
        Ok(self.page(&value, &next, end))
    }

    fn page(&self, value: &[Value], next: &Token, end: End) -> Value {
        let text = URL_SAFE_NO_PAD.encode(json!(next).to_string());
        let (link, name) = match end {
            End::More => ("@odata.nextLink", "$skiptoken"),
            End::Complete => ("@odata.deltaLink", "$deltatoken"),
        };
        json!({
            "@odata.context": context(self.world, self.call, self.set),
            "value": value,
            link: format!("{}?{name}={text}", self.here),
        })
    }

    fn lost(&self) -> GraphError {
        GraphError::resync(format!("{}?$deltatoken=", self.here))
    }
}

/// What is selected; the id always is.
fn selection(token: &Token) -> Option<Vec<&str>> {
    let list = token.select.as_deref()?;
    let mut names: Vec<&str> = list.split(',').map(str::trim).collect();
    names.retain(|name| !name.is_empty());
    if !names.contains(&"id") {
        names.push("id");
    }
    Some(names)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    More,
    Complete,
}

fn read(text: &str) -> Option<Token> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
