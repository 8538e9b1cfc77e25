use std::collections::HashSet;
use std::time::Duration;

use super::*;

fn tenant(devices: u64) -> Tenant {
    let spec = TenantSpec::named("Contoso", devices);
    Tenant::new(&spec, Seed::new(3), Time::from_unix_seconds(1_800_000_000))
}

fn later(seconds: u64) -> Time {
    Time::from_unix_seconds(1_800_000_000).plus(Duration::from_secs(seconds))
}

#[test]
fn generated_objects_are_found_by_every_key_and_fit_together() {
    let tenant = tenant(100);
    let page = tenant.managed_devices.page(View::Current, 0, 1_000);
    assert_eq!((page.records.len(), page.next), (100, None));
    let ids: HashSet<_> = page.records.iter().map(|device| device.id).collect();
    assert_eq!(ids.len(), 100);
    for managed in page.records {
        let device = tenant.devices.find_by(&managed.azure_ad_device_id.unwrap()).unwrap();
        assert_ne!(device.id, device.device_id);
        assert_eq!(device.display_name, managed.device_name);
        let user = tenant.users.find(managed.user_id.unwrap()).unwrap();
        let upn = user.user_principal_name.to_lowercase();
        assert_eq!(tenant.users.find_by(&upn).unwrap().id, user.id);
        assert_eq!(device.registered_owner, Some(user.id));
        assert_eq!(tenant.managed_devices.find(managed.id).unwrap(), managed);
    }
}

#[test]
fn two_tenants_of_one_seed_share_no_object() {
    let options = crate::Options::default();
    let world = World::new(&options, "http://127.0.0.1:1");
    let [first, second]: [Uuid; 2] = world.tenants().collect::<Vec<_>>().try_into().unwrap();
    let id =
        world.read(first, |tenant| tenant.devices.page(View::Current, 0, 1).records[0].id).unwrap();
    assert!(world.read(second, |tenant| tenant.devices.find(id).is_none()).unwrap());
}

#[test]
fn a_changed_key_leads_to_the_object_and_the_old_one_nowhere() {
    let mut tenant = tenant(10);
    let user = tenant.users.page(View::Current, 0, 1).records[0].clone();
    let old = user.user_principal_name.to_lowercase();
    let new = "renamed@contoso.example".to_owned();
    tenant.users.change(user.id, later(1), |user| user.user_principal_name.clone_from(&new));
    assert!(tenant.users.find_by(&old).is_none());
    assert_eq!(tenant.users.find_by(&new).unwrap().id, user.id);
    tenant.users.change(user.id, later(2), |user| user.user_principal_name.clone_from(&old));
    assert!(tenant.users.find_by(&new).is_none());
    assert_eq!(tenant.users.find_by(&old).unwrap().id, user.id);
}

#[test]
fn a_removed_user_can_be_restored_until_it_is_purged() {
    let mut tenant = tenant(10);
    let id = tenant.users.page(View::Current, 0, 1).records[0].id;
    let count = tenant.users.count();
    tenant.users.remove(id, Removal::Soft, later(1));
    assert!(tenant.users.find(id).is_none());
    assert_eq!(tenant.users.count(), count - 1);
    assert_eq!(tenant.users.page(View::Current, 0, 100).records.len() as u64, count - 1);
    tenant.users.restore(id, later(2)).unwrap();
    assert_eq!(tenant.users.count(), count);
    assert_eq!(tenant.users.page(View::Current, 0, 100).records.len() as u64, count);
    tenant.users.remove(id, Removal::Soft, later(3));
    tenant.users.purge(id, later(4)).unwrap();
    assert!(tenant.users.restore(id, later(5)).is_none());
    assert_eq!(tenant.users.count(), count - 1);
}

#[test]
fn a_lagging_replica_shows_what_was() {
    let mut tenant = tenant(10);
    let device = tenant.devices.page(View::Current, 0, 1).records[0].clone();
    tenant.devices.change(device.id, later(10), |device| device.account_enabled = false);
    tenant.devices.remove(device.id, Removal::Permanent, later(20));
    let made =
        Device { id: Uuid::from_u128(1), device_id: Uuid::from_u128(2), ..(*device).clone() };
    tenant.devices.put(made, later(30));

    let enabled = |at: u64| {
        tenant
            .devices
            .find_in(View::AsOf(later(at)), device.id)
            .map(|device| device.account_enabled)
    };
    assert_eq!([enabled(5), enabled(15), enabled(25)], [Some(true), Some(false), None]);
    let new = |at: u64| tenant.devices.find_in(View::AsOf(later(at)), Uuid::from_u128(1)).is_some();
    assert_eq!([new(29), new(30)], [false, true]);
}

#[test]
fn changes_come_in_order_and_say_what_became_of_each_object() {
    let mut tenant = tenant(10);
    let users = tenant.users.page(View::Current, 0, 2).records;
    let start = tenant.users.position();
    tenant.users.change(users[0].id, later(1), |user| user.account_enabled = false);
    tenant.users.remove(users[1].id, Removal::Soft, later(2));

    let first = tenant.users.changes(View::Current, start, 1).unwrap();
    assert!(first.more);
    let Changed::Present(user) = &first.changed[0] else { panic!("{:?}", first.changed) };
    assert!(!user.account_enabled);
    let second = tenant.users.changes(View::Current, first.next, 10).unwrap();
    assert_eq!(second.changed, [Changed::Removed(users[1].id, Removal::Soft)]);
    assert!(!second.more);
}

#[test]
fn changes_older_than_a_week_are_not_kept() {
    let mut tenant = tenant(10);
    let id = tenant.users.page(View::Current, 0, 1).records[0].id;
    let start = tenant.users.position();
    tenant.users.change(id, later(0), |user| user.account_enabled = false);
    tenant.users.change(id, later(8 * 86_400), |user| user.account_enabled = true);
    assert_eq!(tenant.users.changes(View::Current, start, 10).unwrap_err(), table::TooOld);
}

#[test]
fn a_million_devices_take_no_memory_until_they_change() {
    let mut tenant = tenant(MOST_DEVICES);
    let page = tenant.managed_devices.page(View::Current, MOST_DEVICES - 3, 1_000);
    assert_eq!(page.records.len(), 3);
    let last = page.records[2].clone();
    assert!(!tenant.managed_devices.is_touched(last.id));
    tenant.managed_devices.change(last.id, later(1), |device| {
        device.management_state = ManagementState::WipePending;
    });
    assert!(tenant.managed_devices.is_touched(last.id));
    assert_eq!(tenant.managed_devices.count(), MOST_DEVICES);
}

#[test]
fn a_users_devices_are_known_without_looking_at_all_of_them() {
    let mut tenant = tenant(25);
    let users = tenant.users.page(View::Current, 0, 2).records;
    let devices = tenant.devices.page(View::Current, 0, 100).records;
    let owned: HashSet<_> = devices
        .iter()
        .filter(|device| device.registered_owner == Some(users[0].id))
        .map(|device| device.id)
        .collect();
    let of = |tenant: &Tenant, user: &User| {
        let all = tenant.devices_of(View::Current, user.id);
        all.iter().map(|device| device.id).collect::<HashSet<_>>()
    };
    assert_eq!(owned.len(), 2);
    assert_eq!(of(&tenant, &users[0]), owned);
    let given = *owned.iter().next().unwrap();
    tenant.devices.change(given, later(1), |device| device.registered_owner = Some(users[1].id));
    assert!(!of(&tenant, &users[0]).contains(&given));
    assert!(of(&tenant, &users[1]).contains(&given));
}
