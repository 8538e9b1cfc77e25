//! Entra ID: users, devices and risky users.
//!
//! Devices are known by their `deviceId`, which certificates carry; notices of their removal name
//! the directory object, whose id is another ([`crate::Change::RemovedByGraphId`]). What proves an
//! absence is in [`crate::graph::is_not_found`]. Managed devices are [`crate::intune`]'s.

mod changes;
pub mod notification;
mod subscriptions;
mod wire;

use std::time::Duration;

use lanyard_lifecycle::{DirectoryId, ObjectId, ObjectKey, ObjectKind, ObjectState, Properties};
use url::Url;
use uuid::Uuid;

use crate::change::{Batch, ChangesError, Cursor};
use crate::check::Check;
use crate::connector::{BoxFuture, By, Connector, Feed, FeedKind, Found, Query};
use crate::graph::{Graph, Page, Permission, Probe, Question, Workload, is_not_found};
use crate::http::Answer;
use crate::ignorance::{Ignorance, Why};
use crate::tenant::Tenant;
use crate::token::SignIn;
use wire::{GraphDevice, GraphRisky, GraphUser, Related};

/// The users and devices of a tenant.
#[derive(Debug)]
pub struct EntraId {
    directory: DirectoryId,
    graph: Graph,
    /// Risky users may be asked for once a second only, by all applications of the tenant together.
    protection: Graph,
    sign_in: SignIn,
    risk: UserRisk,
}

/// Whether risky users are followed. It takes a permission and a licence, and not every cloud has
/// them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UserRisk {
    /// They are not asked for.
    #[default]
    Ignored,
    /// They are read all at once, round by round.
    Followed,
}

/// The tenant takes one a second, counted where they arrive: they may come closer together than
/// they were sent.
const BETWEEN_RISKY_REQUESTS: Duration = Duration::from_millis(1100);

impl EntraId {
    /// The users and devices of `tenant`.
    pub fn new(tenant: &Tenant, risk: UserRisk) -> Self {
        let protection = "Microsoft Graph (risky users)";
        Self {
            directory: tenant.directory(),
            graph: tenant.graph("Microsoft Graph"),
            protection: tenant.graph_at_most_every(protection, BETWEEN_RISKY_REQUESTS),
            sign_in: tenant.sign_in().clone(),
            risk,
        }
    }

    /// The people registered as owners of a device, by its `deviceId`; none when there is no such
    /// device.
    ///
    /// # Errors
    /// Whenever Graph neither listed them nor proved that it has no such device.
    pub async fn owners(&self, device: ObjectId) -> Result<Option<Vec<ObjectId>>, Ignorance> {
        let segment = device_segment(device.into());
        let path = [segment.as_str(), "registeredOwners"];
        let mut url = self.graph.query(&path, &[("$select", "id")]);
        let mut owners = Vec::new();
        for _ in 0..MOST_OWNER_PAGES {
            let answer =
                self.graph.get("list a device's owners", &url, Permission::DIRECTORY.name).await?;
            if is_not_found(&answer, Workload::Directory) {
                return Ok(None);
            }
            let page: Page<Related> = answer.json()?;
            let people = page.value.into_iter().filter(|related| {
                related.kind.as_deref().is_none_or(|kind| kind == "#microsoft.graph.user")
            });
            owners.extend(people.map(|related| ObjectId::from(related.id)));
            let Some(next) = page.next_link else { return Ok(Some(owners)) };
            url = self.graph.link(&next).ok_or_else(|| {
                answer.unreadable("a link that leads to another service, which is not followed")
            })?;
        }
        let detail = "more pages of owners than a device can have";
        Err(Ignorance::new(
            self.graph.service().name(),
            "list a device's owners",
            Why::Unreadable,
            detail,
        ))
    }

    /// Where a query is asked, by which way to Graph; none when it cannot be.
    fn question(&self, query: &Query) -> Option<(&Graph, Question)> {
        let (graph, url, permission) = match (query.kind, &query.by) {
            (ObjectKind::EntraUser, By::Id(id)) => {
                (&self.graph, self.user_url(&Uuid::from(*id).to_string()), Permission::DIRECTORY)
            }
            (ObjectKind::EntraUser, By::GraphId(id)) => {
                (&self.graph, self.user_url(&id.to_string()), Permission::DIRECTORY)
            }
            (ObjectKind::EntraUser, By::UserPrincipalName(name)) => {
                (&self.graph, self.named_user_url(name)?, Permission::DIRECTORY)
            }
            (ObjectKind::EntraDevice, By::Id(id)) => {
                let segment = device_segment(Uuid::from(*id));
                let select = [("$select", GraphDevice::SELECT)];
                (&self.graph, self.graph.query(&[&segment], &select), Permission::DIRECTORY)
            }
            (ObjectKind::EntraDevice, By::GraphId(id)) => {
                let select = [("$select", GraphDevice::SELECT)];
                let id = id.to_string();
                (&self.graph, self.graph.query(&["devices", &id], &select), Permission::DIRECTORY)
            }
            (ObjectKind::RiskyUser, By::Id(id)) if self.risk == UserRisk::Followed => {
                let id = Uuid::from(*id).to_string();
                let path = ["identityProtection", "riskyUsers", id.as_str()];
                let url = self.protection.query(&path, &[("$select", GraphRisky::SELECT)]);
                (&self.protection, url, Permission::RISKY_USERS)
            }
            _ => return None,
        };
        Some((graph, Question { url, permission: permission.name }))
    }

    fn user_url(&self, id: &str) -> Url {
        self.graph.query(&["users", id], &[("$select", GraphUser::SELECT)])
    }

    /// A name that begins with `$` would be taken for an option, and is written as a key. A name
    /// that would lead elsewhere in the interface is none.
    fn named_user_url(&self, name: &str) -> Option<Url> {
        let steers = matches!(name, "" | "." | "..")
            || name.contains(['/', '\\', '?'])
            || name.chars().any(char::is_control);
        let local_part = name.split_once('@').map(|(local, _)| local);
        if steers || local_part.is_none_or(str::is_empty) {
            return None;
        }
        let select = [("$select", GraphUser::SELECT)];
        Some(if name.starts_with('$') {
            let segment = format!("users('{}')", name.replace('\'', "''"));
            self.graph.query(&[&segment], &select)
        } else {
            self.graph.query(&["users", name], &select)
        })
    }

    /// What an answer says to a query.
    fn found(&self, query: &Query, answer: &Answer) -> Result<Found, Ignorance> {
        let workload = match query.kind {
            ObjectKind::RiskyUser => Workload::Protection,
            _ => Workload::Directory,
        };
        if is_not_found(answer, workload) {
            return Ok(match query.by {
                By::Id(object) => {
                    let key = ObjectKey { directory: self.directory, kind: query.kind, object };
                    Found::State(ObjectState::absent(key, answer.asked))
                }
                _ => Found::NoSuch,
            });
        }
        let state = match query.kind {
            ObjectKind::EntraUser => {
                let user: GraphUser = answer.json()?;
                let right = match &query.by {
                    By::Id(id) => ObjectId::from(user.id) == *id,
                    By::GraphId(id) => user.id == *id,
                    By::UserPrincipalName(name) => user.is_called(name),
                    _ => false,
                };
                right.then(|| (user.id.into(), Properties::EntraUser(user.properties())))
            }
            ObjectKind::EntraDevice => {
                let device: GraphDevice = answer.json()?;
                let id = device.device_id.map(ObjectId::from);
                let right = match query.by {
                    By::Id(asked) => id == Some(asked),
                    By::GraphId(asked) => device.id == asked,
                    _ => false,
                };
                id.filter(|_| right).map(|id| (id, Properties::EntraDevice(device.properties())))
            }
            ObjectKind::RiskyUser => {
                let user: GraphRisky = answer.json()?;
                let right = query.by == By::Id(user.id.into());
                right.then(|| (user.id.into(), Properties::RiskyUser(user.properties())))
            }
            _ => None,
        };
        let (object, properties) = state.ok_or_else(|| answer.unreadable(ANOTHER))?;
        Ok(Found::State(ObjectState::present(self.directory, object, properties, answer.asked)))
    }

    fn not_askable(&self, query: &Query) -> Ignorance {
        let detail = format!("a {} by this property", query.kind.text());
        Ignorance::new(
            self.graph.service().name(),
            look_up_operation(query.kind),
            Why::NotAskable,
            detail,
        )
    }

    async fn ask(&self, query: &Query) -> Result<Found, Ignorance> {
        let (graph, question) = self.question(query).ok_or_else(|| self.not_askable(query))?;
        let operation = look_up_operation(query.kind);
        let answer = graph.get(operation, &question.url, question.permission).await?;
        self.found(query, &answer)
    }

    async fn ask_all(&self, queries: &[Query]) -> Vec<Result<Found, Ignorance>> {
        let questions = self.batch(queries);
        let Some((operation, questions)) = questions else {
            let mut answers = Vec::with_capacity(queries.len());
            for query in queries {
                answers.push(self.ask(query).await);
            }
            return answers;
        };
        let answers = self.graph.get_all(operation, &questions).await;
        let read = |(query, answer): (&Query, Result<Answer, _>)| self.found(query, &answer?);
        queries.iter().zip(answers).map(read).collect()
    }

    /// The questions as a batch, where that is worth it and allowed: risky users count singly.
    fn batch(&self, queries: &[Query]) -> Option<(&'static str, Vec<Question>)> {
        let kind = queries.first()?.kind;
        let worth_it = queries.len() > 1
            && kind != ObjectKind::RiskyUser
            && queries.iter().all(|query| query.kind == kind);
        let questions = queries.iter().map(|query| Some(self.question(query)?.1));
        Some((look_up_operation(kind), worth_it.then(|| questions.collect()).flatten()?))
    }

    async fn try_out(&self) -> Vec<Check> {
        let one = [("$top", "1"), ("$select", "id")];
        let directory = |collection, disables| Probe {
            permission: Permission::DIRECTORY,
            url: self.graph.query(&[collection], &one),
            disables,
            licence: None,
        };
        let probes = [
            directory("users", "certificates of users cannot follow their users."),
            directory("devices", "certificates of devices cannot follow Entra ID."),
        ];
        let mut checks = self.graph.check(&self.sign_in, &probes).await;
        if self.risk == UserRisk::Followed
            && let Ok(token) = self.protection.tokens().token().await
        {
            let risky = Probe {
                permission: Permission::RISKY_USERS,
                url: self.protection.query(&["identityProtection", "riskyUsers"], &one),
                disables: "users at risk keep their certificates.",
                licence: Some("Entra ID P2"),
            };
            let mut risky = self.protection.check_permissions(&token, &[risky]).await;
            // The clock was told already.
            risky.truncate(1);
            checks.append(&mut risky);
        }
        checks
    }
}

const ANOTHER: &str = "an answer about something else than was asked for";
const USERS: Feed = Feed { kind: ObjectKind::EntraUser, how: FeedKind::Delta };
const DEVICES: Feed = Feed { kind: ObjectKind::EntraDevice, how: FeedKind::Delta };
const RISKY_USERS: Feed = Feed { kind: ObjectKind::RiskyUser, how: FeedKind::Sweep };
const MOST_OWNER_PAGES: usize = 8;

fn device_segment(id: Uuid) -> String {
    format!("devices(deviceId='{id}')")
}

const fn look_up_operation(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::EntraUser => "look up a user",
        ObjectKind::EntraDevice => "look up a device",
        ObjectKind::RiskyUser => "look up a risky user",
        _ => "look up an object",
    }
}

impl Connector for EntraId {
    fn directory(&self) -> DirectoryId {
        self.directory
    }

    fn name(&self) -> &'static str {
        "Entra ID"
    }

    fn feeds(&self) -> &[Feed] {
        match self.risk {
            UserRisk::Ignored => const { &[USERS, DEVICES] },
            UserRisk::Followed => const { &[USERS, DEVICES, RISKY_USERS] },
        }
    }

    fn look_up<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Found, Ignorance>> {
        Box::pin(self.ask(query))
    }

    fn look_up_all<'a>(
        &'a self,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Found, Ignorance>>> {
        Box::pin(self.ask_all(queries))
    }

    fn changes<'a>(
        &'a self,
        kind: ObjectKind,
        cursor: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Batch, ChangesError>> {
        Box::pin(self.read_changes(kind, cursor))
    }

    fn check(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(self.try_out())
    }
}

#[cfg(test)]
pub(crate) mod tests;
