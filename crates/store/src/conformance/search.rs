//! Lists of certificates.

use lanyard_lifecycle::{Change, Kind, Scope, Source};
use lanyard_pki::SerialNumber;

use super::{Outcome, demand, equal, sample};
use crate::{Cursor, Filter, SearchText, StandingChange, Standings, Store, StoreError, Within};

/// All pages of a search.
async fn all(store: &Store, filter: &Filter, limit: u32) -> Result<Vec<SerialNumber>, StoreError> {
    let (mut found, mut after) = (Vec::new(), None::<Cursor>);
    loop {
        let page = store.search_certificates(filter.clone(), after, limit).await?;
        found.extend(page.items.into_iter().map(|summary| summary.serial));
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

fn serials(seeds: impl IntoIterator<Item = u64>) -> Vec<SerialNumber> {
    seeds.into_iter().map(sample::serial).collect()
}

fn text(text: SearchText) -> Filter {
    Filter { text: Some(text), ..Filter::all(Within::Everywhere) }
}

fn starting(with: &str) -> Filter {
    text(SearchText::StartsWith(with.to_owned()))
}

fn containing(what: &str) -> Filter {
    text(SearchText::Contains(what.to_owned()))
}

/// Newest first, also while new ones come.
pub async fn a_search_pages_through_everything_once(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    for seed in 1..=10 {
        sample::issue(store, sample::certificate(ca, seed)).await?;
    }
    let filter = Filter::all(Within::Everywhere);
    for limit in [1, 3, 10, 100] {
        equal!(all(store, &filter, limit).await?, serials((1..=10).rev()));
    }
    let first = store.search_certificates(filter.clone(), None, 4).await?;
    sample::issue(store, sample::certificate(ca, 12)).await?;
    let second = store.search_certificates(filter, first.next, 100).await?;
    let listed: Vec<_> =
        first.items.into_iter().chain(second.items).map(|summary| summary.serial).collect();
    equal!(listed, serials((1..=10).rev()));
    Ok(())
}

/// Alone and together.
pub async fn a_search_finds_by_text_kind_object_and_standing(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    for seed in 1..=5 {
        let mut new = sample::certificate(ca, seed);
        if seed == 3 {
            new.binding.kind = Kind::EntraUser;
            new.source = Source::Static;
            new.not_after = sample::NOW.plus(5 * sample::DAY);
            new.issued_at = sample::NOW.plus(100);
        }
        sample::issue(store, new).await?;
    }
    let hold = StandingChange {
        change: Change::Hold,
        at: sample::NOW,
        by: "ada".to_owned(),
        invalidity_date: None,
    };
    store.change_standing(sample::serial(4), hold, None).await?;

    let hex = sample::serial(2).to_string();
    let everything = Filter::all(Within::Everywhere);
    let object = sample::certificate(ca, 5).binding.object;
    for (filter, found) in [
        (starting(&hex), vec![2]),
        (starting(&hex[..9].to_lowercase()), vec![2]),
        (starting("DEVICE-3"), vec![3]),
        (starting("device-"), vec![5, 4, 3, 2, 1]),
        (starting("user1@"), vec![1]),
        (starting("nobody"), vec![]),
        (starting(""), vec![5, 4, 3, 2, 1]),
        (containing("ice-2.exam"), vec![2]),
        (containing("EXAMPLE"), vec![5, 4, 3, 2, 1]),
        (containing("192.0.2.7"), vec![5, 4, 3, 2, 1]),
        (containing("nobody"), vec![]),
        (Filter { kind: Some(Kind::EntraUser), ..everything.clone() }, vec![3]),
        (Filter { source: Some(Source::Static), ..everything.clone() }, vec![3]),
        (Filter { object: Some(object), ..everything.clone() }, vec![5]),
        (
            Filter { endpoint: Some(sample::ENDPOINT), ca: Some(ca), ..starting("device-1") },
            vec![1],
        ),
        (Filter { standing: Standings::OnHold, ..everything.clone() }, vec![4]),
        (Filter { standing: Standings::NotGood, ..everything.clone() }, vec![4]),
        (Filter { standing: Standings::Revoked, ..everything.clone() }, vec![]),
        (Filter { standing: Standings::Good, ..everything.clone() }, vec![5, 3, 2, 1]),
        (Filter { kind: Some(Kind::EntraUser), ..starting("device-4") }, vec![]),
        (
            Filter { ends_until: Some(sample::NOW.plus(9 * sample::DAY)), ..everything.clone() },
            vec![3],
        ),
        (
            Filter { ends_from: Some(sample::NOW.plus(9 * sample::DAY)), ..everything.clone() },
            vec![5, 4, 2, 1],
        ),
        (Filter { until: Some(sample::NOW), ..everything.clone() }, vec![]),
        (Filter { from: Some(sample::NOW.plus(1)), ..everything.clone() }, vec![3]),
    ] {
        let mut listed = all(store, &filter, 2).await?;
        let mut expected = serials(found);
        // A later time of preparation than its neighbours' makes the third the newest.
        listed.sort_unstable();
        expected.sort_unstable();
        demand!(listed == expected, "{filter:?} finds {listed:?} and not {expected:?}");
    }
    Ok(())
}

/// Nobody sees others' certificates.
pub async fn a_search_stays_within_its_scope(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    for seed in 1..=4 {
        let mut new = sample::certificate(ca, seed);
        if seed > 2 {
            new.scope = sample::other_scope();
        }
        if seed > 3 {
            new.scope.department = None;
        }
        sample::issue(store, new).await?;
    }
    let organization = sample::other_scope().organization;
    for (within, found) in [
        (Within::from(Scope::DEFAULT), vec![2, 1]),
        (Within::Organization(organization), vec![4, 3]),
        (Within::from(sample::other_scope()), vec![3]),
        (Within::Everywhere, vec![4, 3, 2, 1]),
    ] {
        equal!(all(store, &Filter::all(within), 10).await?, serials(found.clone()));
        equal!(all(store, &Filter { within, ..starting("device") }, 10).await?, serials(found));
    }
    let whole = store.certificate(sample::serial(3)).await?;
    equal!(whole.map(|c| c.summary.scope), Some(sample::other_scope()));
    Ok(())
}

/// A percent sign finds a percent sign.
pub async fn signs_with_a_meaning_are_searched_as_they_are(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    for (seed, subject) in [(1, "CN=100%"), (2, "CN=1000"), (3, "CN=a_b"), (4, "CN=a\\b'")] {
        let mut new = sample::certificate(ca, seed);
        new.names.subject = Some(subject.to_owned());
        sample::issue(store, new).await?;
    }
    equal!(all(store, &containing("100%"), 10).await?, serials([1]));
    equal!(all(store, &containing("a_b"), 10).await?, serials([3]));
    equal!(all(store, &containing("a\\b'"), 10).await?, serials([4]));
    Ok(())
}

/// Those that are good and end soon, soonest first; pages fall between equal ends.
pub async fn expiring_certificates_come_in_order_of_their_end(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    for (seed, days) in [(1, 5), (2, 3), (3, 3), (4, 3), (5, 9), (6, 4), (7, 2)] {
        let mut new = sample::certificate(ca, seed);
        new.not_after = sample::NOW.plus(days * sample::DAY);
        sample::issue(store, new).await?;
    }
    let hold = StandingChange {
        change: Change::Hold,
        at: sample::NOW,
        by: "ada".to_owned(),
        invalidity_date: None,
    };
    store.change_standing(sample::serial(6), hold, None).await?;
    let (from, until) = (sample::NOW.plus(3 * sample::DAY), sample::NOW.plus(9 * sample::DAY));
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.expiring_certificates(Within::Everywhere, from, until, after, 2).await?;
        found.extend(page.items.into_iter().map(|summary| summary.serial));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    equal!(found, serials([2, 3, 4, 1]));
    let nobodys = Within::from(sample::other_scope());
    let page = store.expiring_certificates(nobodys, from, until, None, 9).await?;
    equal!(page.items, vec![]);
    Ok(())
}
