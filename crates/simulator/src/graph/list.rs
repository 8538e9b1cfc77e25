//! Lists: parts of them, conditions on them, and the links that lead on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::call::Call;
use super::error::GraphError;
use super::filter::Filter;
use super::shape::{Kind, Shown, projected};
use crate::tenant::table::Page;
use crate::tenant::{Record, Table, World};

/// How many objects one request looks at: beyond that it answers what it has, even if that is
/// nothing, with a link that leads on.
const LOOKED_AT: u64 = 20_000;

/// How large the parts of a list are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) default: usize,
    pub(super) most: usize,
}

/// Where the path of a call is, without its query.
pub(super) fn address(world: &World, call: &Call, path: &str) -> String {
    format!("{}/graph/{}/{path}", world.base_url(), call.version.name())
}

/// The context that a list of such objects has.
pub(super) fn context(world: &World, call: &Call, what: &str) -> String {
    format!("{}/graph/{}/$metadata#{what}", world.base_url(), call.version.name())
}

/// A part of all objects of a table. `found` is what the filter leads to without looking at all.
pub(super) fn list<R: Record + Shown>(
    world: &World,
    call: &Call,
    path: &str,
    size: Size,
    table: &Table<R>,
    found: impl FnOnce(&Filter) -> Option<Vec<std::sync::Arc<R>>>,
) -> Result<Value, GraphError> {
    for refused in ["$expand", "$orderby", "$search", "$skip"] {
        if call.options.find(refused).is_some() {
            let message = format!("The simulator does not know the query option '{refused}'.");
            return Err(GraphError::bad_request(message));
        }
    }
    let top = call.options.top(size.default, size.most)?;
    let select = call.options.select();
    let filter = call.options.find("$filter").map(Filter::parse).transpose()?;
    if let Some(filter) = &filter {
        known(R::KIND, filter, table)?;
    }
    let start = match call.options.find("$skiptoken") {
        None => 0,
        Some(token) => place(token).ok_or_else(|| {
            GraphError::bad_request("The skip token is not one that this service made.")
        })?,
    };
    let meets = |record: &R| filter.as_ref().is_none_or(|filter| filter.meets(&record.whole()));
    let page = if let Some(found) = filter.as_ref().and_then(found) {
        Page { records: found.into_iter().filter(|record| meets(record)).collect(), next: None }
    } else {
        table.page_until(call.view, start, LOOKED_AT, top, meets)
    };
    let value: Vec<Value> = page
        .records
        .iter()
        .map(|record| projected(&**record, select.as_deref()))
        .collect::<Result<_, _>>()?;
    let mut body = json!({ "@odata.context": context(world, call, path), "value": value });
    if call.options.find("$count") == Some("true") {
        body["@odata.count"] = json!(match &filter {
            None => table.count(),
            Some(_) => table.page_where(call.view, 0, usize::MAX, meets).records.len() as u64,
        });
    }
    if let Some(next) = page.next {
        let token = URL_SAFE_NO_PAD.encode(format!("place:{next}"));
        let query = call.options.with("$skiptoken", &token, &["$count"]);
        body["@odata.nextLink"] = format!("{}?{query}", address(world, call, path)).into();
    }
    Ok(body)
}

/// `GET …/$count`: how many objects there are, as text. It is an advanced query, which says so.
pub(super) fn count<R: Record + Shown>(
    call: &Call,
    permissions: &[&str],
    table: &Table<R>,
) -> Result<Value, GraphError> {
    call.needs(permissions)?;
    let level = call.headers.get("consistencylevel").and_then(|level| level.to_str().ok());
    if !level.is_some_and(|level| level.eq_ignore_ascii_case("eventual")) {
        let message = "$count is not currently supported.";
        return Err(GraphError::bad_request(message));
    }
    if call.options.find("$filter").is_some() {
        let message = "The simulator counts all objects, and none by '$filter'.";
        return Err(GraphError::bad_request(message));
    }
    Ok(table.count().into())
}

fn place(token: &str) -> Option<u64> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix("place:")?.parse().ok()
}

/// Refuses a filter on properties that such objects do not have.
fn known<R: Record + Shown>(
    kind: Kind,
    filter: &Filter,
    table: &Table<R>,
) -> Result<(), GraphError> {
    let Some(example) = table.example() else { return Ok(()) };
    let whole = example.whole();
    let has = |name: &str| {
        let names = whole.as_object().into_iter().flat_map(|object| object.keys());
        names.into_iter().any(|own| own.eq_ignore_ascii_case(name))
    };
    match filter.properties().into_iter().find(|name| !has(name)) {
        None => Ok(()),
        Some(name) => {
            let kind = kind.name();
            Err(GraphError::bad_request(format!(
                "Could not find a property named '{name}' on type '{kind}'."
            )))
        }
    }
}
