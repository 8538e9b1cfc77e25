//! Questions for one object or many: their addresses, and what their answers say.

use lanyard_lifecycle::{ObjectId, ObjectKey, ObjectKind, ObjectState, Properties};
use url::Url;
use uuid::Uuid;

use super::wire::{GraphDevice, GraphRisky, GraphUser};
use super::{EntraId, UserRisk};
use crate::connector::{By, Found, Query};
use crate::graph::{Graph, Permission, Question, Workload, is_not_found};
use crate::http::Answer;
use crate::ignorance::{Ignorance, Why};

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

    pub(super) async fn ask(&self, query: &Query) -> Result<Found, Ignorance> {
        let (graph, question) = self.question(query).ok_or_else(|| self.not_askable(query))?;
        let operation = look_up_operation(query.kind);
        let answer = graph.get(operation, &question.url, question.permission).await?;
        self.found(query, &answer)
    }

    pub(super) async fn ask_all(&self, queries: &[Query]) -> Vec<Result<Found, Ignorance>> {
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
}

const ANOTHER: &str = "an answer about something else than was asked for";

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
