//! Settings, leases, and values with odd content.

use futures_util::future::try_join_all;
use lanyard_lifecycle::{OrganizationId, Scope};
use lanyard_pki::SerialNumber;

use super::{Outcome, demand, equal, sample};
use crate::{Fence, Issuance, Store, StoreError, StoredSetting};

fn setting(value: &str) -> StoredSetting {
    StoredSetting { value: value.to_owned(), updated_at: sample::NOW, updated_by: "ada".to_owned() }
}

/// Each organization has its own.
pub async fn a_setting_is_set_and_the_first_of_several_wins(store: &Store) -> Outcome {
    let here = OrganizationId::DEFAULT;
    let there = sample::other_scope().organization;
    equal!(store.setting(here, "name").await?, None);
    store.set_setting(here, "name", setting("1"), None).await?;
    store.set_setting(here, "name", setting("2"), None).await?;
    equal!(store.setting(here, "name").await?, Some(setting("2")));
    equal!(store.setting(there, "name").await?, None);
    equal!(store.setting_or(here, "name", setting("3")).await?, setting("2"));

    let each =
        (0..10).map(async |n: u64| store.setting_or(there, "first", setting(&n.to_string())).await);
    let all = try_join_all(each).await?;
    let stored = store.setting(there, "first").await?;
    demand!(
        all.iter().all(|one| Some(one) == stored.as_ref()),
        "several first ones: {all:?} {stored:?}"
    );
    Ok(())
}

/// Who lost it is told; a new holder has a higher fence.
pub async fn a_lease_is_held_by_one_and_fenced(store: &Store) -> Outcome {
    let (now, soon, later) = (sample::NOW, sample::NOW.plus(30), sample::NOW.plus(60));
    equal!(store.take_lease("crl", "a", now, soon).await?, Some(Fence(1)));
    equal!(store.take_lease("crl", "b", now, soon).await?, None);
    equal!(store.take_lease("ra", "b", now, soon).await?, Some(Fence(1)));
    equal!(store.renew_lease("crl", Fence(1), now, later).await?, true);
    equal!(store.take_lease("crl", "b", soon, later).await?, None);
    equal!(store.take_lease("crl", "b", later, later.plus(30)).await?, Some(Fence(2)));
    equal!(store.renew_lease("crl", Fence(1), later, later.plus(30)).await?, false);
    equal!(store.release_lease("crl", Fence(1)).await?, false);
    equal!(store.release_lease("crl", Fence(2)).await?, true);
    equal!(store.renew_lease("crl", Fence(2), later, later.plus(30)).await?, false);
    equal!(store.take_lease("crl", "a", later, later.plus(30)).await?, Some(Fence(3)));
    equal!(store.take_lease("crl", "a", later, later.plus(30)).await?, Some(Fence(4)));
    let leases = store.leases().await?;
    let told: Vec<_> = leases.iter().map(|l| (l.name.as_str(), l.owner.as_str())).collect();
    equal!(told, vec![("crl", "a"), ("ra", "b")]);
    Ok(())
}

/// The same, at the same time.
pub async fn one_of_many_takers_gets_a_lease(store: &Store) -> Outcome {
    let until = sample::NOW.plus(30);
    let each = (0..20)
        .map(async |n: u64| store.take_lease("job", &n.to_string(), sample::NOW, until).await);
    let fences: Vec<_> = try_join_all(each).await?.into_iter().flatten().collect();
    equal!(fences, vec![Fence(1)]);
    Ok(())
}

/// Long, empty and foreign texts; short serial numbers; ids of zeros.
pub async fn texts_and_bytes_come_back_as_they_were(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let mut new = sample::certificate(ca, 1);
    new.serial = short_serial()?;
    new.names.subject = Some("CN=Ünïcode 漢字 'quoted\" \\ % _ ;--".to_owned());
    new.names.common_name = Some(String::new());
    new.names.alternative_names = vec![String::new(), "x".repeat(10_000)];
    new.names.upn = None;
    new.scope = Scope { department: sample::other_scope().department, ..Scope::DEFAULT };
    new.binding.directory = None;
    new.der = Vec::new();
    let mut request = sample::enrollment(1);
    request.transaction_id = vec![0, 255, 0, 39];
    request.renews = Some(sample::serial(9));
    let claim = crate::Claim::New(Box::new(request.clone()));
    let prepared = store.issue_certificate(new.clone(), claim, None).await?;
    equal!(prepared, Issuance::Issued);
    let found = store.certificate(new.serial.clone()).await?;
    equal!(found.as_ref().map(|c| &c.summary.names), Some(&new.names));
    equal!(found.as_ref().map(|c| c.summary.scope), Some(new.scope));
    equal!(found.as_ref().map(|c| c.summary.binding), Some(new.binding));
    equal!(found.and_then(|c| c.der), Some(Vec::new()));
    let stored = store.enrollment(request.endpoint, &request.transaction_id).await?;
    equal!(stored.map(|e| e.request.renews), Some(Some(sample::serial(9))));
    Ok(())
}

fn short_serial() -> Result<SerialNumber, StoreError> {
    SerialNumber::from_bytes(&[5]).map_err(|error| StoreError::Conflict(error.to_string()))
}
