//! Faults of the simulator in every call. That calls end within their deadlines is shown where time
//! stands still; here they end at all, in the truth or a clear error.

use futures_util::future::join_all;
use lanyard_directory::{Change, ChangesError, Ignorance, RoundEnd};
use lanyard_simulator::fault::{Kind, Service};

use super::*;

/// All but [`Kind::NotFound`], which is the documented "not found" of an object that is there: what
/// the connectors must believe, and what the grace for absences is for.
const FAULTS: [Kind; 12] = [
    Kind::Latency,
    Kind::Hang,
    Kind::Unauthorized,
    Kind::Forbidden,
    Kind::Throttled,
    Kind::ServerError,
    Kind::Html,
    Kind::Truncated,
    Kind::Reset,
    Kind::Stale,
    Kind::Flicker,
    Kind::Outage,
];

/// One call of a connector.
#[derive(Debug, Clone, Copy)]
enum Ask {
    /// For an object that is there.
    There(ObjectKind),
    /// For one that never was.
    Gone(ObjectKind),
    /// For both at once.
    Both(ObjectKind),
    /// For the first page of everything.
    Page(ObjectKind),
}

fn every_call() -> Vec<Ask> {
    let kinds = [ObjectKind::EntraUser, ObjectKind::EntraDevice, ObjectKind::IntuneDevice];
    let calls = |kind| [Ask::There(kind), Ask::Gone(kind), Ask::Both(kind), Ask::Page(kind)];
    kinds.into_iter().flat_map(calls).collect()
}

const NOBODY: Uuid = Uuid::from_u128(1);

fn there(rehearsal: &Rehearsal, kind: ObjectKind) -> Uuid {
    let examples = rehearsal.examples();
    match kind {
        ObjectKind::EntraUser => examples.user,
        ObjectKind::EntraDevice => examples.device,
        _ => examples.managed,
    }
}

/// Asks; an answer that is not the truth panics.
async fn ask(rehearsal: &Rehearsal, connectors: &Connectors, ask: Ask) -> Result<(), Ignorance> {
    let (kind, ids) = match ask {
        Ask::There(kind) => (kind, vec![there(rehearsal, kind)]),
        Ask::Gone(kind) => (kind, vec![NOBODY]),
        Ask::Both(kind) => (kind, vec![there(rehearsal, kind), NOBODY]),
        Ask::Page(kind) => return page(connectors.of(kind), kind).await,
    };
    let queries: Vec<Query> = ids.iter().map(|id| Query::id(kind, (*id).into())).collect();
    let answers = match queries.as_slice() {
        [query] => vec![connectors.of(kind).look_up(query).await],
        queries => connectors.of(kind).look_up_all(queries).await,
    };
    for (id, answer) in ids.into_iter().zip(answers) {
        let state = answer?.state().unwrap();
        assert_eq!(state.presence == Presence::Absent, id == NOBODY, "{ask:?}");
    }
    Ok(())
}

async fn page(connector: &dyn Connector, kind: ObjectKind) -> Result<(), Ignorance> {
    let batch = match connector.changes(kind, None).await {
        Ok(batch) => batch,
        Err(ChangesError::Unanswered(ignorance)) => return Err(ignorance),
        Err(ChangesError::Resync) => panic!("a first page is no resync"),
    };
    for change in batch.changes {
        let Change::State(state) = change else { panic!("{change:?}") };
        assert_ne!(state.presence, Presence::Absent);
    }
    Ok(())
}

/// Whether asking again is of use: what a service says of permissions and of a token that is new, and
/// pages of proxies, is said at once.
fn passes(kind: Kind) -> bool {
    !matches!(kind, Kind::Unauthorized | Kind::Forbidden | Kind::Html)
}

#[tokio::test]
async fn a_fault_that_passes_is_not_noticed() {
    let rehearsal = Rehearsal::start().await;
    let connectors = rehearsal.connect();
    for kind in FAULTS.into_iter().filter(|kind| passes(*kind)) {
        // Each of them waits for the end of an attempt.
        let calls = if kind == Kind::Hang { 2 } else { 12 };
        for call in every_call().into_iter().take(calls) {
            let fault = Fault { milliseconds: Some(5), ..Fault::of(kind).at(Service::Graph) };
            rehearsal.faults(vec![fault.times(1)]);
            let outcome = ask(&rehearsal, &connectors, call).await;
            assert_eq!(outcome, Ok(()), "{kind:?} {call:?}");
        }
    }
}

#[tokio::test]
async fn a_fault_that_passes_is_not_noticed_while_signing_in() {
    let rehearsal = Rehearsal::start().await;
    for kind in FAULTS.into_iter().filter(|kind| passes(*kind)) {
        let fault = Fault { milliseconds: Some(5), ..Fault::of(kind).at(Service::Entra) };
        rehearsal.faults(vec![fault.times(1)]);
        let call = Ask::There(ObjectKind::EntraUser);
        let outcome = ask(&rehearsal, &rehearsal.connect(), call).await;
        assert_eq!(outcome, Ok(()), "{kind:?}");
        let struck: Vec<u64> =
            rehearsal.simulator.shared().faults.all().into_iter().map(|(_, n)| n).collect();
        assert!(struck[0] >= 1, "{kind:?}");
    }
}

#[tokio::test]
async fn a_fault_that_lasts_ends_in_a_clear_error() {
    let rehearsal = Rehearsal::start().await;
    let lasting = |kind: &Kind| !matches!(kind, Kind::Stale | Kind::Flicker | Kind::Latency);
    for kind in FAULTS.into_iter().filter(lasting) {
        for service in [Service::Graph, Service::Entra] {
            rehearsal.faults(vec![Fault::of(kind).at(service)]);
            let connectors = rehearsal.connect();
            let calls = every_call();
            let calls = calls.into_iter().map(|call| ask(&rehearsal, &connectors, call));
            let outcomes = join_all(calls).await;
            let labels: Vec<&str> =
                outcomes.into_iter().map(|outcome| outcome.unwrap_err().why.label()).collect();
            let expected = match (kind, service) {
                (Kind::Hang, _) => "timed_out",
                (Kind::Forbidden, Service::Graph) => "forbidden",
                (Kind::Unauthorized | Kind::Forbidden, _) => "unauthorized",
                (Kind::Throttled, _) => "throttled",
                (Kind::ServerError, _) => "failing",
                (Kind::Html, _) => "unreadable",
                _ => "unreachable",
            };
            let all = labels.iter().all(|label| *label == expected);
            assert!(all, "{kind:?} at {service:?}: {labels:?}");
        }
    }
}

#[tokio::test]
async fn a_chance_of_every_fault_at_once_never_makes_an_object_absent() {
    let rehearsal = Rehearsal::start().await;
    let faults = FAULTS.into_iter().filter(|kind| *kind != Kind::Hang).map(|kind| Fault {
        probability: Some(0.08),
        milliseconds: Some(5),
        retry_after: Some(0.05),
        ..Fault::of(kind)
    });
    rehearsal.faults(faults.collect());
    let mut answered = 0;
    for _ in 0..20 {
        let connectors = rehearsal.connect();
        let calls = every_call();
        let calls = calls.into_iter().map(|call| ask(&rehearsal, &connectors, call));
        answered += join_all(calls).await.into_iter().flatten().count();
    }
    assert!(answered > 0, "of 240 calls some find no fault");
}

/// Objects that were made just now: a user, a device and a managed device.
async fn newcomers(rehearsal: &Rehearsal) -> [(ObjectKind, Uuid); 3] {
    let made = async |path: &str, body: Value, id: &str| {
        let url = format!("{}/_control/{path}", rehearsal.simulator.base_url());
        let answer = rehearsal.control.post(url).json(&body).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let made: Value = serde_json::from_str(&text).unwrap();
        made[id].as_str().unwrap_or_else(|| panic!("{text}")).parse().unwrap()
    };
    let upn = json!({ "userPrincipalName": format!("{}@contoso.example", Uuid::from_u128(5)) });
    [
        (ObjectKind::EntraUser, made("users", upn, "id").await),
        (ObjectKind::EntraDevice, made("devices", json!({}), "deviceId").await),
        (ObjectKind::IntuneDevice, made("managedDevices", json!({}), "id").await),
    ]
}

/// A replica that lags may say of a new object that it is not there, in the documented words: that is one
/// look-up, which is asked again. A log of changes or a sweep never says it.
#[tokio::test]
async fn a_replica_that_lags_never_makes_a_round_tell_of_a_new_object_that_it_is_gone() {
    for fault in [Kind::Stale, Kind::Flicker] {
        let rehearsal = Rehearsal::start().await;
        let mut cursors = Vec::new();
        for kind in KINDS {
            let mut cursor = None;
            loop {
                let connector = rehearsal.connector(kind);
                let page = connector.changes(kind, cursor.as_ref()).await.unwrap();
                cursor = Some(page.next);
                if page.end == RoundEnd::RoundComplete {
                    break;
                }
            }
            cursors.push(cursor);
        }
        let newcomers = newcomers(&rehearsal).await;
        rehearsal.faults(vec![Fault::of(fault).at(Service::Graph)]);
        for _ in 0..4 {
            for ((kind, id), cursor) in newcomers.iter().zip(&mut cursors) {
                let connector = rehearsal.connector(*kind);
                if let Ok(page) = connector.changes(*kind, cursor.as_ref()).await {
                    for change in page.changes.iter().chain(&page.looked_up) {
                        let Change::State(state) = change else { panic!("{fault:?}: {change:?}") };
                        assert_ne!(state.presence, Presence::Absent, "{fault:?}: {state:?}");
                    }
                    *cursor = Some(page.next);
                }
                // Whatever a look-up says, it says of this object and of no other.
                let query = Query::id(*kind, (*id).into());
                let found = connector.look_up(&query).await.unwrap().state().unwrap();
                assert_eq!(found.key.object, (*id).into());
            }
        }
        rehearsal.faults(Vec::new());
        for (kind, id) in newcomers {
            assert_ne!(rehearsal.presence(kind, id).await, Presence::Absent, "{fault:?} {kind}");
        }
    }
}

const KINDS: [ObjectKind; 3] =
    [ObjectKind::EntraUser, ObjectKind::EntraDevice, ObjectKind::IntuneDevice];
