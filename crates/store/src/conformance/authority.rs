//! CAs and RA certificates.

use super::{Outcome, demand, equal, sample};
use crate::{Ca, CaId, CaState, NewRaCertificate, RaState, Store, StoreError};

async fn states(store: &Store) -> Result<Vec<(CaId, CaState)>, StoreError> {
    Ok(store.cas().await?.iter().map(|ca| (ca.id, ca.record.state)).collect())
}

/// Requested, next, current, retired; never two current ones.
pub async fn a_ca_goes_from_request_to_retirement(store: &Store) -> Outcome {
    let first = store.add_ca(sample::ca(CaState::Current, 1), None).await?;
    let second = store.add_ca(sample::ca(CaState::Requested, 2), None).await?;
    equal!(states(store).await?, vec![(first, CaState::Current), (second, CaState::Requested)]);
    let at = sample::NOW.plus(5);
    equal!(store.activate_ca(second, at, None).await?, false);
    equal!(states(store).await?, vec![(first, CaState::Current), (second, CaState::Requested)]);

    equal!(store.install_ca_material(second, sample::material(2), None).await?, true);
    equal!(store.install_ca_material(CaId(9), sample::material(2), None).await?, false);
    equal!(states(store).await?, vec![(first, CaState::Current), (second, CaState::Next)]);
    equal!(store.activate_ca(second, at, None).await?, true);
    equal!(states(store).await?, vec![(first, CaState::Retired), (second, CaState::Current)]);
    equal!(store.activate_ca(CaId(9), at, None).await?, false);

    let third = store.add_ca(sample::ca(CaState::Current, 3), None).await?;
    let cas = store.cas().await?;
    let current: Vec<&Ca> = cas.iter().filter(|c| c.record.state == CaState::Current).collect();
    equal!(current.iter().map(|ca| ca.id).collect::<Vec<_>>(), vec![third]);
    equal!(cas[1].record.material, Some(sample::material(2)));
    equal!(cas[1].record.key_identifier, sample::ca(CaState::Next, 2).key_identifier);
    equal!(cas[1].record.request, Some(vec![1, 2, 3]));
    equal!((cas[1].activated_at, cas[1].retired_at), (Some(at), Some(sample::NOW)));
    // Another organization has a current one of its own.
    let mut other = sample::ca(CaState::Current, 4);
    other.scope = sample::other_scope();
    store.add_ca(other, None).await?;
    equal!(states(store).await?[2], (third, CaState::Current));
    Ok(())
}

/// Two CAs with one key could not be told apart by what they sign.
pub async fn a_key_makes_one_ca(store: &Store) -> Outcome {
    store.add_ca(sample::ca(CaState::Current, 1), None).await?;
    let again = store.add_ca(sample::ca(CaState::Next, 1), None).await;
    demand!(matches!(again, Err(StoreError::Conflict(_))), "a second CA of one key: {again:?}");
    equal!(store.cas().await?.len(), 1);
    Ok(())
}

/// Messages to the one before are still opened.
pub async fn a_new_ra_certificate_retires_the_one_before(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let ra = |seed: u64, days: i64| NewRaCertificate {
        ca,
        scope: lanyard_lifecycle::Scope::DEFAULT,
        certificate: sample::bytes("ra", seed).to_vec(),
        key_reference: format!("ra-{seed}"),
        not_before: sample::NOW,
        not_after: sample::NOW.plus(days * sample::DAY),
        created_at: sample::NOW,
    };
    let first = store.add_ra_certificate(ra(1, 10), None).await?;
    let second = store.add_ra_certificate(ra(2, 20), None).await?;
    let all = store.ra_certificates(sample::NOW).await?;
    let told: Vec<_> = all.iter().map(|ra| (ra.id, ra.state)).collect();
    equal!(told, vec![(first, RaState::Retired), (second, RaState::Current)]);
    equal!(all[1].record, ra(2, 20));
    let later = store.ra_certificates(sample::NOW.plus(11 * sample::DAY)).await?;
    equal!(later.iter().map(|ra| ra.id).collect::<Vec<_>>(), vec![second]);
    Ok(())
}
