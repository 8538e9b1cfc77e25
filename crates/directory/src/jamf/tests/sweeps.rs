//! Rounds over whole collections.

use super::*;

#[tokio::test]
async fn a_sweep_names_every_computer_and_how_many_there_are() {
    let (_, jamf) = instance(|path| {
        if !path.starts_with("/api/v3/") {
            return not_found();
        }
        let (_, query) = path.split_once('?').unwrap();
        let pairs: std::collections::HashMap<_, _> =
            url::form_urlencoded::parse(query.as_bytes()).collect();
        let (page_number, size): (usize, usize) =
            (pairs["page"].parse().unwrap(), pairs["page-size"].parse().unwrap());
        let mut all: Vec<_> = (1..=5).map(computer).collect();
        all[2]["id"] = json!("not a number");
        page(5, all.chunks(size).nth(page_number).unwrap_or_default())
    });
    let mut cursor = None;
    let mut named = Vec::new();
    loop {
        let batch = jamf.changes(ObjectKind::JamfComputer, cursor.as_ref()).await.unwrap();
        assert_eq!(batch.total, Some(5));
        named.extend(batch.changes.into_iter().map(|change| match change {
            Change::State(state) => state.key.object,
            other => panic!("{other:?}"),
        }));
        // As after a restart.
        cursor = Some(Cursor::new(batch.next.as_str().to_owned()));
        if batch.end == RoundEnd::RoundComplete {
            break;
        }
    }
    assert_eq!(named, [1, 2, 4, 5].map(ObjectId::jamf_device), "one entry cannot be read");
    assert_eq!(cursor, Some(Place::Start.cursor()));
}

#[tokio::test]
async fn an_empty_page_in_the_middle_does_not_end_a_sweep() {
    let (_, jamf) = instance(|path| match path {
        path if path.contains("page-size=1&") => page(5, &[]),
        _ => page(5, &[]),
    });
    let error = jamf.changes(ObjectKind::JamfComputer, None).await.unwrap_err();
    assert!(matches!(error, ChangesError::Unanswered(_)), "{error:?}");
}

#[tokio::test]
async fn a_cursor_of_another_version_begins_anew() {
    let (_, jamf) = instance(|path| match path {
        path if path.starts_with("/api/v3/") => page(0, &[]),
        _ => not_found(),
    });
    for text in ["page/v2/2/1", "after/7", "nonsense", "page/v3/0/1"] {
        let cursor = Cursor::new(text);
        let error = jamf.changes(ObjectKind::JamfComputer, Some(&cursor)).await.unwrap_err();
        assert_eq!(error, ChangesError::Resync, "{text}");
    }
}

#[tokio::test]
async fn users_are_swept_by_their_list_which_only_says_that_they_are_there() {
    let (_, jamf) = instance(classic);
    let batch = jamf.changes(ObjectKind::JamfUser, None).await.unwrap();
    let seen: Vec<_> = batch
        .changes
        .iter()
        .map(|change| match change {
            Change::Seen { key, .. } => key.object,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(seen, [2, 4].map(|id| ObjectId::jamf_user(0, id)));
    assert_eq!((batch.end, batch.total), (RoundEnd::RoundComplete, Some(2)));
}
