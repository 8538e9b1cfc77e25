//! Managed devices of Intune, read through Graph.
//!
//! Graph keeps no log of their changes: every round reads them all, and a device that a round did
//! not name is gone only when a look-up proves it. What proves it is in
//! [`crate::graph::is_not_found`].

use lanyard_lifecycle::object::IntuneDevice;
use lanyard_lifecycle::{DirectoryId, ObjectKey, ObjectKind, ObjectState, Properties};
use lanyard_pki::Time;
use serde::Deserialize;
use uuid::Uuid;

use crate::change::{Batch, Change, ChangesError, Cursor};
use crate::check::Check;
use crate::connector::{BoxFuture, By, Connector, Feed, FeedKind, Found, Query};
use crate::graph::cursor::Place;
use crate::graph::walk::{Collection, Ends, Read};
use crate::graph::{Graph, Page, Permission, Probe, Question, Workload, is_not_found};
use crate::http::Answer;
use crate::ignorance::{Ignorance, Why};
use crate::rfc3339;
use crate::tenant::Tenant;
use crate::token::SignIn;

/// The managed devices of a tenant.
#[derive(Debug)]
pub struct Intune {
    directory: DirectoryId,
    graph: Graph,
    sign_in: SignIn,
}

impl Intune {
    /// The managed devices of `tenant`.
    pub fn new(tenant: &Tenant) -> Self {
        Self {
            directory: tenant.directory(),
            graph: tenant.graph("Microsoft Graph (Intune)"),
            sign_in: tenant.sign_in().clone(),
        }
    }

    fn question(&self, query: &Query) -> Option<Question> {
        let url = match (query.kind, &query.by) {
            (ObjectKind::IntuneDevice, By::Id(id)) => {
                let id = Uuid::from(*id).to_string();
                let path = ["deviceManagement", "managedDevices", id.as_str()];
                self.graph.query(&path, &[("$select", SELECT)])
            }
            (ObjectKind::IntuneDevice, By::EntraDeviceId(id)) => {
                let filter = format!("azureADDeviceId eq '{id}'");
                let query = [("$filter", filter.as_str()), ("$select", SELECT)];
                self.graph.query(&COLLECTION, &query)
            }
            _ => return None,
        };
        Some(Question { url, permission: Permission::MANAGED_DEVICES.name })
    }

    fn found(&self, query: &Query, answer: &Answer) -> Result<Found, Ignorance> {
        match query.by {
            By::Id(object) if is_not_found(answer, Workload::DeviceManagement) => {
                let key = ObjectKey { directory: self.directory, kind: query.kind, object };
                Ok(Found::State(ObjectState::absent(key, answer.asked)))
            }
            By::Id(object) => {
                let device: GraphManagedDevice = answer.json()?;
                if Uuid::from(object) != device.id {
                    return Err(answer.unreadable("an answer about another device"));
                }
                Ok(Found::State(self.state(device, answer.asked)))
            }
            By::EntraDeviceId(id) => {
                let page: Page<GraphManagedDevice> = answer.json()?;
                if page.next_link.is_some() || page.value.iter().any(|d| !d.is_registered_as(id)) {
                    let detail = "devices that were not asked for: the filter does nothing";
                    return Err(answer.unreadable(detail));
                }
                let newest = page.value.into_iter().max_by_key(GraphManagedDevice::enrolled);
                Ok(newest
                    .map_or(Found::NoSuch, |device| Found::State(self.state(device, answer.asked))))
            }
            _ => Err(self.not_askable(query)),
        }
    }

    fn state(&self, device: GraphManagedDevice, learnt: Time) -> ObjectState {
        let object = device.id.into();
        let properties = Properties::IntuneDevice(device.properties());
        ObjectState::present(self.directory, object, properties, learnt)
    }

    fn not_askable(&self, query: &Query) -> Ignorance {
        let detail = format!("a {} by this property", query.kind.text());
        Ignorance::new(self.graph.service().name(), LOOK_UP, Why::NotAskable, detail)
    }

    async fn ask(&self, query: &Query) -> Result<Found, Ignorance> {
        let question = self.question(query).ok_or_else(|| self.not_askable(query))?;
        let answer = self.graph.get(LOOK_UP, &question.url, question.permission).await?;
        self.found(query, &answer)
    }

    async fn ask_all(&self, queries: &[Query]) -> Vec<Result<Found, Ignorance>> {
        let questions: Vec<Option<Question>> =
            queries.iter().map(|query| self.question(query)).collect();
        let askable: Vec<Question> = questions.iter().flatten().cloned().collect();
        let mut answers = match askable.as_slice() {
            [question] => {
                vec![self.graph.get(LOOK_UP, &question.url, question.permission).await]
            }
            questions => self.graph.get_all(LOOK_UP, questions).await,
        }
        .into_iter();
        queries
            .iter()
            .zip(questions)
            .map(|(query, question)| {
                let answer = question.and_then(|_| answers.next());
                self.found(query, &answer.ok_or_else(|| self.not_askable(query))??)
            })
            .collect()
    }

    async fn read_changes(
        &self,
        kind: ObjectKind,
        cursor: Option<&Cursor>,
    ) -> Result<Batch, ChangesError> {
        let operation = "read managed devices";
        if kind != ObjectKind::IntuneDevice {
            let service = self.graph.service().name();
            let detail = format!("changes of a {}", kind.text());
            return Err(Ignorance::new(service, operation, Why::NotAskable, detail).into());
        }
        let place = Place::parse(cursor, kind).ok_or(ChangesError::Resync)?;
        let collection = Collection {
            operation,
            permission: Permission::MANAGED_DEVICES.name,
            first: self.graph.query(&COLLECTION, &[("$top", PAGE), ("$select", SELECT)]),
            ends: Ends::Bare,
        };
        let read: Read<GraphManagedDevice> = self.graph.read(&collection, place).await?;
        let state = |device| Change::State(self.state(device, read.asked));
        let changes = read.page.value.into_iter().map(state).collect();
        let looked_up = Vec::new();
        Ok(Batch { changes, looked_up, next: read.next, end: read.end, total: read.page.count })
    }
}

impl Connector for Intune {
    fn directory(&self) -> DirectoryId {
        self.directory
    }

    fn name(&self) -> &'static str {
        "Intune"
    }

    fn feeds(&self) -> &[Feed] {
        &[Feed { kind: ObjectKind::IntuneDevice, how: FeedKind::Sweep }]
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
        Box::pin(async {
            let probe = Probe {
                permission: Permission::MANAGED_DEVICES,
                url: self.graph.query(&COLLECTION, &[("$top", "1"), ("$select", "id")]),
                disables: "certificates of devices cannot follow Intune: neither a wipe nor a \
                           deletion there revokes.",
                licence: Some("Intune"),
            };
            self.graph.check(&self.sign_in, &[probe]).await
        })
    }
}

const LOOK_UP: &str = "look up a managed device";
const COLLECTION: [&str; 2] = ["deviceManagement", "managedDevices"];
const PAGE: &str = "500";
const SELECT: &str = "id,azureADDeviceId,userId,userPrincipalName,deviceName,serialNumber,\
                      operatingSystem,enrolledDateTime,complianceState,\
                      complianceGracePeriodExpirationDateTime,managementState,\
                      managedDeviceOwnerType";

/// A managed device as Graph writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphManagedDevice {
    id: Uuid,
    #[serde(rename = "azureADDeviceId")]
    azure_ad_device_id: Option<String>,
    user_id: Option<String>,
    user_principal_name: Option<String>,
    device_name: Option<String>,
    serial_number: Option<String>,
    operating_system: Option<String>,
    enrolled_date_time: Option<String>,
    compliance_state: Option<String>,
    compliance_grace_period_expiration_date_time: Option<String>,
    management_state: Option<String>,
    managed_device_owner_type: Option<String>,
}

impl GraphManagedDevice {
    fn is_registered_as(&self, device: Uuid) -> bool {
        guid(self.azure_ad_device_id.as_deref()) == Some(device)
    }

    fn enrolled(&self) -> Option<Time> {
        instant(self.enrolled_date_time.as_deref())
    }

    fn properties(self) -> IntuneDevice {
        IntuneDevice {
            enrolled: self.enrolled(),
            azure_ad_device_id: guid(self.azure_ad_device_id.as_deref()),
            user_id: guid(self.user_id.as_deref()),
            compliance_grace_period_expiration: instant(
                self.compliance_grace_period_expiration_date_time.as_deref(),
            ),
            user_principal_name: text(self.user_principal_name),
            device_name: text(self.device_name),
            serial_number: text(self.serial_number),
            operating_system: text(self.operating_system),
            compliance_state: self.compliance_state.as_deref().map(Into::into),
            management_state: self.management_state.as_deref().map(Into::into),
            owner_type: self.managed_device_owner_type.as_deref().map(Into::into),
        }
    }
}

/// Intune writes "" and the zero GUID where there is none.
fn guid(text: Option<&str>) -> Option<Uuid> {
    Uuid::try_parse(text?).ok().filter(|guid| !guid.is_nil())
}

/// Intune writes the year 1 where there is no time.
fn instant(text: Option<&str>) -> Option<Time> {
    rfc3339::time(text?).filter(|at| at.unix() > 0)
}

/// Intune writes "" where there is none.
fn text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
