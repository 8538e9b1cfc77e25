//! Questions for one object or many: their addresses, and what their answers say.

use lanyard_lifecycle::{ObjectId, ObjectKey, ObjectKind, ObjectState, Properties};
use url::Url;
use uuid::Uuid;

use super::EntraId;
use super::wire::{GraphDevice, GraphRisky, GraphUser};
use crate::connector::{By, Found, Query};
use crate::graph::{Graph, Permission, Question, Workload, is_described, is_not_found};
use crate::http::Answer;
use crate::ignorance::{Ignorance, Why};

/// What an answer says of the object that was asked for.
#[expect(clippy::large_enum_variant, reason = "nearly every answer is a state, and short-lived")]
pub(super) enum Told {
    /// How it is, or that it is not.
    Found(Found),
    /// It is a device without a `deviceId`: it is there, and no certificate can name it.
    Nameless(Ignorance),
    /// Graph itself refuses to tell of it, which asking again will not mend.
    Refused(Ignorance),
}

impl Told {
    /// As an answer to who asked for this one object.
    fn found(self) -> Result<Found, Ignorance> {
        match self {
            Self::Found(found) => Ok(found),
            Self::Nameless(ignorance) | Self::Refused(ignorance) => Err(ignorance),
        }
    }
}

impl EntraId {
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
            (ObjectKind::RiskyUser, By::Id(id)) if self.risk.is_followed() => {
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
    fn told(&self, query: &Query, answer: &Answer) -> Result<Told, Ignorance> {
        let workload = match query.kind {
            ObjectKind::RiskyUser => Workload::Protection,
            _ => Workload::Directory,
        };
        if is_not_found(answer, workload) {
            return Ok(Told::Found(match query.by {
                By::Id(object) => {
                    let key = ObjectKey { directory: self.directory, kind: query.kind, object };
                    Found::State(ObjectState::absent(key, answer.asked))
                }
                _ => Found::NoSuch,
            }));
        }
        if answer.status.is_client_error() && is_described(answer) {
            return Ok(Told::Refused(answer.refusal()));
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
                let id = device.device_id.flatten().map(ObjectId::from);
                if id.is_none() && query.by == By::GraphId(device.id) {
                    return Ok(Told::Nameless(answer.unreadable(NAMELESS)));
                }
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
        let state = ObjectState::present(self.directory, object, properties, answer.asked);
        Ok(Told::Found(Found::State(state)))
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

    pub(super) async fn ask(&self, query: &Query) -> Result<Found, Ignorance> {
        self.ask_one(query).await?.found()
    }

    pub(super) async fn ask_all(&self, queries: &[Query]) -> Vec<Result<Found, Ignorance>> {
        self.ask_each(queries).await.into_iter().map(|told| told?.found()).collect()
    }

    async fn ask_one(&self, query: &Query) -> Result<Told, Ignorance> {
        let (graph, question) = self.question(query).ok_or_else(|| self.not_askable(query))?;
        let operation = look_up_operation(query.kind);
        let answer = graph.get(operation, &question.url, question.permission).await?;
        self.told(query, &answer)
    }

    /// As many answers as queries, in that order, each with what it says beside its object's state.
    pub(super) async fn ask_each(&self, queries: &[Query]) -> Vec<Result<Told, Ignorance>> {
        let questions = self.batch(queries);
        let Some((operation, questions)) = questions else {
            let mut answers = Vec::with_capacity(queries.len());
            for query in queries {
                answers.push(self.ask_one(query).await);
            }
            return answers;
        };
        let answers = self.graph.get_all(operation, &questions).await;
        let read = |(query, answer): (&Query, Result<Answer, _>)| self.told(query, &answer?);
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
}

const ANOTHER: &str = "an answer about something else than was asked for";

const NAMELESS: &str = "a device without a deviceId, which no certificate can name";

pub(super) fn device_segment(id: Uuid) -> String {
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
