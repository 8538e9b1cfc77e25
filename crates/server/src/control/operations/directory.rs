//! Operations on the directories that certificates follow.

use lanyard_authority::mirror::{Answer, DirectoryReport, FeedHealth, FeedReport, Need, Observed};
use lanyard_authority::{Actor, Authority, Error};
use lanyard_directory::{Check, FeedKind};
use lanyard_lifecycle::id::{DirectoryId, ObjectId};
use lanyard_lifecycle::object::{ObjectKey, ObjectKind, Presence};
use lanyard_store::{FeedKey, FeedPhase, ObjectName};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::control::{Operation, OperationError};

/// A directory and how well it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryView {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// By kind of object.
    pub feeds: Vec<FeedView>,
}

/// How well a kind of object is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedView {
    /// The kind.
    pub kind: ObjectKind,
    /// Who tells of them: "Intune".
    pub service: String,
    /// How their changes are learnt: `changes`, `sweep` or `on-demand`.
    pub how: String,
    /// `on-demand`, `loading`, `current`, `behind` or `stale`.
    pub health: String,
    /// `resting`, `reading-all` or `reading-changes`.
    pub phase: String,
    /// Objects that the present round has shown so far, or the last one in all.
    pub seen: u64,
    /// Objects that the directory says there are, where it does.
    pub total: Option<u64>,
    /// Objects known to be there.
    pub present: u64,
    /// Objects known to be absent.
    pub absent: u64,
    /// Whether absences wait to be proved.
    pub proving: bool,
    /// Whether somebody has demanded a round that has not begun.
    pub demanded: bool,
    /// Up to when changes are known.
    pub as_of: Option<String>,
    /// How long ago that is, in seconds.
    pub staleness_seconds: Option<i64>,
    /// What keeps the feed from being read.
    pub trouble: Option<String>,
    /// Since when.
    pub trouble_since: Option<String>,
}

impl From<DirectoryReport> for DirectoryView {
    fn from(report: DirectoryReport) -> Self {
        Self {
            name: report.name,
            id: report.id.to_string(),
            feeds: report.feeds.into_iter().map(FeedView::from).collect(),
        }
    }
}

impl From<FeedReport> for FeedView {
    fn from(report: FeedReport) -> Self {
        let how = match report.how {
            FeedKind::Delta => "changes",
            FeedKind::Sweep => "sweep",
            FeedKind::LookupOnly => "on-demand",
        };
        let phase = match report.phase {
            FeedPhase::Resting => "resting",
            FeedPhase::ReadingAll => "reading-all",
            FeedPhase::ReadingChanges => "reading-changes",
        };
        let (trouble, trouble_since) =
            report.trouble.map(|t| (t.text, t.since.to_string())).unzip();
        Self {
            kind: report.kind,
            service: report.service.to_owned(),
            how: how.to_owned(),
            health: health_name(report.health).to_owned(),
            phase: phase.to_owned(),
            seen: report.seen,
            total: report.total,
            present: report.present,
            absent: report.absent,
            proving: report.is_proving,
            demanded: report.is_demanded,
            as_of: report.as_of.map(|at| at.to_string()),
            staleness_seconds: report.staleness,
            trouble,
            trouble_since,
        }
    }
}

const fn health_name(health: FeedHealth) -> &'static str {
    match health {
        FeedHealth::OnDemand => "on-demand",
        FeedHealth::Loading => "loading",
        FeedHealth::Current => "current",
        FeedHealth::Behind => "behind",
        FeedHealth::Stale => "stale",
    }
}

/// The directories and how well each is known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListDirectories {}

impl Operation for ListDirectories {
    const NAME: &'static str = "directory-list";
    type Answer = Vec<DirectoryView>;

    async fn run(self, authority: &Authority, _: &Actor) -> Result<Self::Answer, OperationError> {
        let reports = authority.directories().await.map_err(Error::Fault)?;
        Ok(reports.into_iter().map(DirectoryView::from).collect())
    }
}

/// Has directories read at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SyncDirectories {
    /// Which one, by name or id; none is all.
    pub directory: Option<String>,
    /// Which kind of object; none is all.
    pub kind: Option<ObjectKind>,
}

impl Operation for SyncDirectories {
    const NAME: &'static str = "directory-sync";
    type Answer = Vec<DirectoryView>;

    async fn run(self, authority: &Authority, _: &Actor) -> Result<Self::Answer, OperationError> {
        let reports = authority.directories().await.map_err(Error::Fault)?;
        let chosen = chosen(&reports, self.directory.as_deref())?;
        let mut any = false;
        for report in chosen {
            any |= authority.demand_directory(report.id, self.kind).await.map_err(Error::Fault)?;
        }
        if !any {
            let text = "no directory that is configured serves this kind of object";
            return Err(OperationError::NotFound(text.to_owned()));
        }
        let reports = authority.directories().await.map_err(Error::Fault)?;
        Ok(reports.into_iter().map(DirectoryView::from).collect())
    }
}

fn chosen<'r>(
    reports: &'r [DirectoryReport],
    wanted: Option<&str>,
) -> Result<Vec<&'r DirectoryReport>, OperationError> {
    let is_wanted = |report: &&DirectoryReport| {
        wanted.is_none_or(|wanted| report.name == wanted || report.id.to_string() == wanted)
    };
    let chosen: Vec<_> = reports.iter().filter(is_wanted).collect();
    if chosen.is_empty() {
        return Err(OperationError::NotFound(match wanted {
            Some(wanted) => format!("no directory is called {wanted}"),
            None => "no directory is configured".to_owned(),
        }));
    }
    Ok(chosen)
}

/// Looks an object up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LookUpObject {
    /// In which directory, by name or id; none where there is one only.
    pub directory: Option<String>,
    /// Its kind.
    pub kind: ObjectKind,
    /// What it is known by.
    pub by: KnownBy,
    /// How new the answer has to be.
    pub freshness: Freshness,
}

/// What an object is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownBy {
    /// Its id: a GUID, or a number of Jamf Pro.
    Id(String),
    /// The user principal name.
    UserPrincipalName(String),
    /// The user name.
    Username(String),
    /// The address.
    Email(String),
    /// Of a device in Intune, its id in Entra ID.
    EntraDeviceId(Uuid),
}

/// How new an answer has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Freshness {
    /// What is known.
    Known,
    /// What the directory says now.
    Now,
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectView {
    /// `present`, `absent`, `no-such-name` or `unknown`.
    pub presence: String,
    /// Its kind.
    pub kind: ObjectKind,
    /// Its id.
    pub object: Option<String>,
    /// Who said so: "Intune".
    pub service: Option<String>,
    /// What was said, by the names of the service.
    pub facts: Vec<FactView>,
    /// The last instant at which it is known to have been so.
    pub learnt: Option<String>,
    /// When its directory was first heard to have it.
    pub first_seen: Option<String>,
    /// Since when it is known to be absent.
    pub absent_since: Option<String>,
    /// Why nothing newer is known.
    pub trouble: Option<String>,
}

/// Something that a directory said of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactView {
    /// The property.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Operation for LookUpObject {
    const NAME: &'static str = "directory-look-up";
    type Answer = ObjectView;

    async fn run(self, authority: &Authority, _: &Actor) -> Result<Self::Answer, OperationError> {
        let reports = authority.directories().await.map_err(Error::Fault)?;
        let serving =
            |report: &&&DirectoryReport| report.feeds.iter().any(|feed| feed.kind == self.kind);
        let chosen = chosen(&reports, self.directory.as_deref())?;
        let directory = match chosen.iter().filter(serving).collect::<Vec<_>>().as_slice() {
            [one] => one.id,
            [] => {
                let text = format!("no such directory serves a {}", self.kind.text());
                return Err(OperationError::NotFound(text));
            }
            _ => {
                return Err(OperationError::Invalid("name the directory: several would do".into()));
            }
        };
        let need = match self.freshness {
            Freshness::Known => Need::Known,
            Freshness::Now => Need::Now,
        };
        let answer = match name(&self.by) {
            None => {
                let object = object(self.kind, &self.by)?;
                let key = ObjectKey { directory, kind: self.kind, object };
                Box::pin(authority.observe(key, need)).await
            }
            Some(name) => {
                Box::pin(authority.observe_named(feed(directory, self.kind), name, need)).await
            }
        };
        Ok(view(self.kind, answer.map_err(Error::Fault)?))
    }
}

const fn feed(directory: DirectoryId, kind: ObjectKind) -> FeedKey {
    FeedKey { directory, kind }
}

fn name(by: &KnownBy) -> Option<ObjectName> {
    match by {
        KnownBy::Id(_) => None,
        KnownBy::UserPrincipalName(name) => Some(ObjectName::UserPrincipalName(name.clone())),
        KnownBy::Username(name) => Some(ObjectName::Username(name.clone())),
        KnownBy::Email(address) => Some(ObjectName::Email(address.clone())),
        KnownBy::EntraDeviceId(id) => Some(ObjectName::EntraDeviceId(*id)),
    }
}

fn object(kind: ObjectKind, by: &KnownBy) -> Result<ObjectId, OperationError> {
    let text = match by {
        KnownBy::Id(text) => text.trim(),
        _ => "",
    };
    let number = text.parse::<u64>().ok();
    let object = match (kind, number) {
        (ObjectKind::JamfComputer | ObjectKind::JamfMobileDevice, Some(number)) => {
            Some(ObjectId::jamf_device(number))
        }
        (ObjectKind::JamfUser, Some(number)) => Some(ObjectId::jamf_user(0, number)),
        _ => text.parse().ok(),
    };
    object.ok_or_else(|| {
        OperationError::Invalid(format!("{text:?} is no id: a GUID, or a number of Jamf Pro"))
    })
}

fn view(kind: ObjectKind, answer: Answer) -> ObjectView {
    let nothing = ObjectView {
        presence: String::new(),
        kind,
        object: None,
        service: None,
        facts: Vec::new(),
        learnt: None,
        first_seen: None,
        absent_since: None,
        trouble: None,
    };
    match answer {
        Answer::Observed(observed) => observed_view(observed),
        Answer::NoSuch { learnt } => ObjectView {
            presence: "no-such-name".to_owned(),
            learnt: Some(learnt.to_string()),
            ..nothing
        },
        Answer::Unknown(ignorance) => ObjectView {
            presence: "unknown".to_owned(),
            trouble: Some(ignorance.to_string()),
            ..nothing
        },
    }
}

fn observed_view(observed: Observed) -> ObjectView {
    let Observed { service, state, first_seen, absent_since, trouble, .. } = observed;
    let is_present = state.presence != Presence::Absent;
    let facts = if is_present { state.facts(service) } else { Vec::new() };
    let fact = |fact: lanyard_lifecycle::fact::Fact| FactView {
        name: fact.name.into_owned(),
        value: fact.value.into_owned(),
    };
    ObjectView {
        presence: if is_present { "present" } else { "absent" }.to_owned(),
        kind: state.key.kind,
        object: Some(object_text(state.key)),
        service: Some(service.to_owned()),
        facts: facts.into_iter().map(fact).collect(),
        learnt: Some(state.learnt.to_string()),
        first_seen: first_seen.map(|at| at.to_string()),
        absent_since: absent_since.map(|at| at.to_string()),
        trouble: trouble.map(|ignorance| ignorance.to_string()),
    }
}

/// An id as its directory writes it.
fn object_text(key: ObjectKey) -> String {
    let (device, user) = key.object.jamf_numbers();
    match key.kind {
        ObjectKind::JamfComputer | ObjectKind::JamfMobileDevice => device.to_string(),
        ObjectKind::JamfUser => user.to_string(),
        _ => key.object.to_string(),
    }
}

/// Has every connector try itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckDirectories {}

/// How one thing went that a connector tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckView {
    /// The directory's name.
    pub directory: String,
    /// The service: "Intune".
    pub service: String,
    /// What was tried.
    pub what: String,
    /// `ok`, `warning` or `problem`.
    pub outcome: String,
    /// What was found, in a sentence.
    pub found: String,
    /// What does not work because of it.
    pub disables: Option<String>,
    /// What mends it.
    pub remedy: Option<String>,
}

impl Operation for CheckDirectories {
    const NAME: &'static str = "directory-check";
    type Answer = Vec<CheckView>;

    async fn run(self, authority: &Authority, _: &Actor) -> Result<Self::Answer, OperationError> {
        let checks = authority.check_directories().await;
        let view = |directory: &String, service: &str, check: Check| CheckView {
            directory: directory.clone(),
            service: service.to_owned(),
            what: check.what,
            outcome: check.outcome.to_string(),
            found: check.found,
            disables: check.disables,
            remedy: check.remedy,
        };
        let of_one = |(directory, service, checks): (String, &'static str, Vec<Check>)| {
            let views = checks.into_iter().map(|check| view(&directory, service, check));
            views.collect::<Vec<_>>()
        };
        Ok(checks.into_iter().flat_map(of_one).collect())
    }
}
