//! Jamf Pro: computers, mobile devices and users by the Pro and the Classic API, tokens, webhooks.
//!
//! A [`Jamf`] answers whole HTTP messages; which one is asked, and what breaks on the way, is decided outside.

pub mod access;
mod classic;
mod control;
mod event;
pub mod object;
mod pro;
mod reply;
mod routes;
pub mod rsql;
mod shape;
pub mod shelf;
pub mod tree;
pub mod webhook;

use crate::tenant::{Blueprint, Time, View};
use access::{Access, Arrival, Credential, Holder, Privilege};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use object::{Computer, MobileDevice, Person};
pub use reply::Reply;
pub(crate) use reply::page;
use reply::{forbidden, unauthorized};
use serde::{Deserialize, Serialize};
use shelf::Shelf;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use webhook::Webhooks;

pub use control::control_routes;
pub use routes::{routes, run};

/// The cookie that keeps a caller at one node.
const STICKY: &str = "jpro-ingress";

/// A Jamf Pro instance.
#[derive(Debug)]
pub struct Jamf {
    /// What it says its version is.
    pub version: String,
    /// Who may come in.
    pub access: Access,
    /// Macs.
    pub computers: Shelf<Computer>,
    /// Phones and tablets.
    pub mobile_devices: Shelf<MobileDevice>,
    /// People that they are assigned to.
    pub people: Shelf<Person>,
    /// Who is told of events.
    pub webhooks: Webhooks,
    /// Of how many machines it consists.
    pub cluster: Cluster,
    /// Which collections of the Pro API it has.
    pub offers: Offers,
    turn: AtomicUsize,
}

/// The machines of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// How many there are; a caller without their cookie gets to each in turn.
    pub nodes: usize,
    /// How long they take to learn of a token that another one issued.
    pub replication_seconds: u64,
}

impl Default for Cluster {
    fn default() -> Self {
        Self { nodes: 1, replication_seconds: 5 }
    }
}

/// The collections of the Pro API that an instance has: older ones lack some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Offers {
    /// Versions of `computers-inventory`, of `v1`, `v2` and `v3`.
    pub computers_inventory: BTreeSet<String>,
    /// Whether there is version 2 of `mobile-devices`.
    pub mobile_devices: bool,
}

impl Default for Offers {
    fn default() -> Self {
        let computers_inventory = ["v1", "v2", "v3"].map(str::to_owned).into();
        Self { computers_inventory, mobile_devices: true }
    }
}

impl Offers {
    fn computers(&self, version: &str) -> bool {
        self.computers_inventory.contains(version)
    }
}

/// A call that arrived.
#[derive(Debug)]
pub struct Call<'a> {
    method: &'a Method,
    request: &'a Request<Bytes>,
    at: Arrival,
    view: View,
}

impl Jamf {
    /// The instance that belongs to a tenant, with an account and an API client that may read.
    pub fn new(blueprint: &Arc<Blueprint>) -> Self {
        let mut access = Access::default();
        let (client, secret) = Self::first_client(blueprint);
        access.clients.insert(client, Credential::reader(secret));
        let (account, password) = Self::first_account(blueprint);
        access.accounts.insert(account, Credential::reader(password));
        Self {
            version: "11.17.1-t1751000000".to_owned(),
            access,
            computers: Shelf::new(blueprint),
            mobile_devices: Shelf::new(blueprint),
            people: Shelf::new(blueprint),
            webhooks: Webhooks::default(),
            cluster: Cluster::default(),
            offers: Offers::default(),
            turn: AtomicUsize::new(0),
        }
    }

    /// Id and secret of the API client that an instance is generated with.
    pub fn first_client(blueprint: &Blueprint) -> (String, String) {
        let id = blueprint.seed.guid(crate::tenant::seed::Space::Jamf, u64::from(u32::MAX) << 10);
        (id.to_string(), format!("{:016x}", blueprint.seed.draw(0, "jamf.secret")))
    }

    /// Name and password of the account that an instance is generated with.
    pub fn first_account(blueprint: &Blueprint) -> (String, String) {
        ("reader".to_owned(), format!("{:016x}", blueprint.seed.draw(0, "jamf.password")))
    }

    /// Answers a call that only looks, whose path starts at the instance's own root.
    pub fn look(&self, request: &Request<Bytes>, view: View, now: Time) -> Reply {
        let (arrival, kept) = self.arrival(request, now);
        let call = Call { method: request.method(), request, at: arrival, view };
        let path = pieces(request.uri().path());
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let reply = match path.as_slice() {
            ["api", path @ ..] => self.pro_look(&call, path),
            ["JSSResource", path @ ..] => self.classic_look(&call, path),
            _ => nothing_here(),
        };
        with_cookie(reply, arrival.node, kept)
    }

    /// Answers any other call, whose path starts at the instance's own root.
    pub fn change(&mut self, request: &Request<Bytes>, now: Time) -> Reply {
        let (arrival, kept) = self.arrival(request, now);
        let view = View::Current;
        let call = Call { method: request.method(), request, at: arrival, view };
        let path = pieces(request.uri().path());
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let reply = match path.as_slice() {
            ["api", path @ ..] => self.pro_change(&call, path),
            ["JSSResource", path @ ..] => self.classic_change(&call, path),
            _ => nothing_here(),
        };
        with_cookie(reply, arrival.node, kept)
    }

    /// At which node the call arrives, and whether its caller was there before.
    fn arrival(&self, request: &Request<Bytes>, now: Time) -> (Arrival, Caller) {
        let nodes = self.cluster.nodes.max(1);
        let replication = Duration::from_secs(self.cluster.replication_seconds);
        let kept = cookie(request).filter(|node| *node < nodes);
        let node = kept.unwrap_or_else(|| self.turn.fetch_add(1, Ordering::Relaxed) % nodes);
        let caller = if kept.is_some() { Caller::Known } else { Caller::New };
        (Arrival { node, now, replication }, caller)
    }

    fn holder(&self, call: &Call<'_>) -> Option<Holder> {
        self.access.holder(call.bearer()?, call.at)
    }

    fn name_of(&self, call: &Call<'_>) -> String {
        match self.holder(call) {
            Some(Holder::Account(name) | Holder::Client(name)) => name,
            None => String::new(),
        }
    }

    fn allowed(&self, call: &Call<'_>, needed: Privilege) -> Result<(), Reply> {
        let holder = self.holder(call).ok_or_else(unauthorized)?;
        if self.access.privileges(&holder).contains(&needed) { Ok(()) } else { Err(forbidden()) }
    }
}

impl Call<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header(header::AUTHORIZATION.as_str())?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }

    fn basic(&self) -> Option<(String, String)> {
        let (scheme, pair) = self.header(header::AUTHORIZATION.as_str())?.split_once(' ')?;
        let pair = STANDARD.decode(pair).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let pair = String::from_utf8(pair).ok()?;
        pair.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
    }

    fn form(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(self.request.body()).into_owned().collect()
    }

    fn query(&self, name: &str) -> Vec<String> {
        let query = self.request.uri().query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
    }
}

/// Whether a caller brought a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    New,
    Known,
}

fn with_cookie(reply: Reply, node: usize, caller: Caller) -> Reply {
    match caller {
        Caller::New => reply.with_cookie(format!("{STICKY}={node:08x}; Path=/; HttpOnly")),
        Caller::Known => reply,
    }
}

fn nothing_here() -> Reply {
    page(StatusCode::NOT_FOUND, "The page that you asked for is not here.")
}

/// The node that the caller's cookie names.
fn cookie(request: &Request<Bytes>) -> Option<usize> {
    let all = request.headers().get_all(header::COOKIE);
    let mut pairs = all.iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(';'));
    let value = pairs.find_map(|pair| pair.trim().strip_prefix(STICKY)?.strip_prefix('='))?;
    usize::from_str_radix(value, 16).ok()
}

/// The pieces of a path, decoded.
fn pieces(path: &str) -> Vec<String> {
    let pieces = path.split('/').filter(|piece| !piece.is_empty());
    pieces.map(percent_decoded).collect()
}

fn percent_decoded(piece: &str) -> String {
    let form = format!("p={}", piece.replace('+', "%2B").replace('&', "%26"));
    let decoded = url::form_urlencoded::parse(form.as_bytes()).next();
    decoded.map(|(_, value)| value.into_owned()).unwrap_or_default()
}
