//! Generated tenants: the same from the same seed, and sized as asked.

use lanyard_simulator::tenant::{Pace, TenantSpec, Time};
use lanyard_simulator::{Options, Simulator, StartError};
use reqwest::Method;
use serde_json::Value;

use crate::support::Bench;

#[tokio::test]
async fn the_same_seed_makes_the_same_tenant() {
    let (first, second) = (Bench::start().await, Bench::start().await);
    assert_eq!(first.tenant, second.tenant);
    assert_eq!((first.user(3), first.device(3)), (second.user(3), second.device(3)));
    let list = async |bench: &Bench| {
        bench.control(Method::GET, "managedDevices", Value::Null).await.good()["value"].clone()
    };
    assert_eq!(list(&first).await, list(&second).await);
}

#[tokio::test]
async fn a_tenant_of_a_million_devices_answers_at_once() {
    let bench = Bench::of_devices(1_000_000).await;
    let page = bench.graph("/devices?$top=999&$select=id").await.good();
    assert_eq!(page["value"].as_array().unwrap().len(), 999);
    let (id, device_id) = bench.device(999);
    let device = bench.graph(&format!("/devices(deviceId='{device_id}')")).await.good();
    assert_eq!(device["id"], serde_json::json!(id));
}

#[tokio::test]
async fn only_loopback_is_listened_to() {
    let options = Options { listen: "0.0.0.0:0".parse().unwrap(), ..Options::default() };
    assert!(matches!(Simulator::start(options).await, Err(StartError::NotLoopback(_))));
}

#[tokio::test]
async fn tenants_have_to_differ_and_to_be_of_a_bearable_size() {
    let start = |tenants| {
        let pace = Pace::Manual(Time::from_unix_seconds(0));
        Simulator::start(Options { tenants, pace, ..Options::default() })
    };
    let same = vec![TenantSpec::named("Contoso", 1), TenantSpec::named("contoso", 2)];
    assert!(matches!(start(same).await, Err(StartError::SameTenant(_))));
    assert!(matches!(start(Vec::new()).await, Err(StartError::NoTenant)));
    let large = vec![TenantSpec::named("Contoso", 1_000_001)];
    assert!(matches!(start(large).await, Err(StartError::TooLarge)));
}
