use std::collections::BTreeMap;

use lanyard_directory::{Batch, Change, ChangesError, Cursor, RoundEnd};

use super::*;

/// Reads to the end of a round, each cursor kept as text in between.
async fn round(
    connector: &dyn Connector,
    kind: ObjectKind,
    mut cursor: Option<Cursor>,
) -> (Vec<Change>, Cursor) {
    let mut changes = Vec::new();
    loop {
        let page = connector.changes(kind, cursor.as_ref()).await.unwrap();
        let Batch { changes: more, next, end, .. } = page;
        changes.extend(more);
        if end == RoundEnd::RoundComplete {
            return (changes, next);
        }
        cursor = Some(Cursor::new(next.as_str()));
    }
}

fn by_object(changes: Vec<Change>) -> BTreeMap<ObjectId, Presence> {
    let states = changes.into_iter().map(|change| match change {
        Change::State(state) => (state.key.object, state.presence),
        other => panic!("{other:?}"),
    });
    states.collect()
}

#[tokio::test]
async fn a_first_round_names_everything_there_is() {
    let rehearsal = Rehearsal::start().await;
    let count = |tenant: &lanyard_simulator::tenant::Tenant| {
        [
            (ObjectKind::EntraUser, tenant.users.count()),
            (ObjectKind::EntraDevice, tenant.devices.count()),
            (ObjectKind::IntuneDevice, tenant.managed_devices.count()),
            (ObjectKind::RiskyUser, tenant.risky_users.count()),
        ]
    };
    for (kind, expected) in rehearsal.simulator.world().read(rehearsal.id, count).unwrap() {
        let (changes, _) = round(rehearsal.connector(kind), kind, None).await;
        let named = by_object(changes);
        assert_eq!(named.len() as u64, expected, "{kind}");
        for (object, presence) in named {
            assert_eq!(rehearsal.presence(kind, object.into()).await, presence, "{kind} {object}");
            // One a second of them: two are enough.
            if kind == ObjectKind::RiskyUser {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_further_round_names_what_has_changed_and_what_was_removed() {
    let rehearsal = Rehearsal::start().await;
    let Examples { user, device, device_object, .. } = rehearsal.examples();
    let entra = &rehearsal.entra;
    let (_, users) = round(entra, ObjectKind::EntraUser, None).await;
    let (_, devices) = round(entra, ObjectKind::EntraDevice, None).await;
    let path = format!("devices/{device}");
    rehearsal.control("PATCH", &path, &json!({ "accountEnabled": false })).await;
    rehearsal.control("DELETE", &format!("users/{user}"), &json!({})).await;

    let (changes, users) = round(entra, ObjectKind::EntraUser, Some(users)).await;
    assert_eq!(by_object(changes), BTreeMap::from([(user.into(), Presence::Absent)]));
    let (changes, devices) = round(entra, ObjectKind::EntraDevice, Some(devices)).await;
    let named = by_object(changes);
    let Presence::Present(Properties::EntraDevice(seen)) = &named[&device.into()] else {
        panic!("{named:?}");
    };
    assert_eq!((named.len(), seen.account_enabled), (1, Some(false)));

    rehearsal.control("DELETE", &path, &json!({})).await;
    let (changes, _) = round(entra, ObjectKind::EntraDevice, Some(devices)).await;
    let removed = changes.iter().any(|change| {
        matches!(change, Change::RemovedByGraphId { graph_id, .. } if *graph_id == device_object)
    });
    assert!(removed, "{changes:?}");
    rehearsal.control("POST", &format!("users/{user}/restore"), &json!({})).await;
    let (changes, users) = round(entra, ObjectKind::EntraUser, Some(users)).await;
    assert!(matches!(by_object(changes)[&user.into()], Presence::Present(_)));
    let (changes, _) = round(entra, ObjectKind::EntraUser, Some(users)).await;
    assert!(changes.is_empty(), "{changes:?}");
}

#[tokio::test]
async fn a_round_that_was_lost_begins_again() {
    let rehearsal = Rehearsal::start().await;
    let (_, cursor) = round(&rehearsal.entra, ObjectKind::EntraUser, None).await;
    rehearsal.control("POST", "deltaTokens/expire", &json!({})).await;
    let lost = rehearsal.entra.changes(ObjectKind::EntraUser, Some(&cursor)).await;
    assert_eq!(lost.unwrap_err(), ChangesError::Resync);
}

#[tokio::test]
async fn a_sweep_does_not_name_what_is_gone() {
    let rehearsal = Rehearsal::start().await;
    let Examples { managed, .. } = rehearsal.examples();
    let kind = ObjectKind::IntuneDevice;
    let (before, cursor) = round(&rehearsal.intune, kind, None).await;
    rehearsal.control("DELETE", &format!("managedDevices/{managed}"), &json!({})).await;
    let (after, _) = round(&rehearsal.intune, kind, Some(cursor)).await;
    let (before, after) = (by_object(before), by_object(after));
    let gone: Vec<_> = before.keys().filter(|object| !after.contains_key(object)).collect();
    assert_eq!(gone, [&ObjectId::from(managed)]);
}
