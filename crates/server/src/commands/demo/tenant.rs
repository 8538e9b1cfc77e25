//! The simulated tenant beside a demo, as the directories that the demo's authority follows.

use std::path::PathBuf;

use lanyard_simulator::Introduction;
use uuid::Uuid;

use super::place::Place;
use crate::config::unit::Span;
use crate::config::{Config, DirectorySection, DirectoryType, FollowSetting};
use crate::exit::{ExitStatus, Failure};
use crate::file::write_private;

/// Makes the authority follow the tenant, unless the configuration names directories of its own.
pub(super) fn follow(
    config: &mut Config,
    place: &Place,
    tenant: &Introduction,
) -> Result<(), Failure> {
    if !config.directory.is_empty() {
        return Ok(());
    }
    let name = tenant.tenant_name.to_lowercase();
    config.directory.push(DirectorySection {
        name: name.clone(),
        tenant_id: Some(tenant.tenant_id.to_string()),
        follow: vec![FollowSetting::Entra, FollowSetting::UserRisk, FollowSetting::Intune],
        url: Some(tenant.simulator_url.parse()?),
        client_id: tenant.client_id.map(|id| id.to_string()),
        secret_file: Some(secret(place, "demo-tenant-secret", tenant.client_secret)?),
        change_interval: Span::seconds(5),
        sweep_interval: Span::seconds(30),
        ..DirectorySection::default()
    });
    config.directory.push(DirectorySection {
        name: format!("{name}-jamf"),
        r#type: DirectoryType::Jamf,
        // The port may be another one the next time, and the instance is still the same.
        id: Some(Uuid::from_u128(tenant.tenant_id.as_u128() ^ 1).to_string()),
        url: Some(tenant.jamf_url.parse()?),
        client_id: Some(tenant.jamf_client_id.clone()),
        secret_file: Some(secret(place, "demo-jamf-secret", &tenant.jamf_client_secret)?),
        sweep_interval: Span::seconds(30),
        ..DirectorySection::default()
    });
    Ok(())
}

fn secret(place: &Place, name: &str, value: &str) -> Result<PathBuf, Failure> {
    let file = place.file(name);
    write_private(&file, value.as_bytes()).map_err(|error| {
        Failure::new(ExitStatus::Failed, format!("{}: {error}", file.display()))
    })?;
    Ok(file)
}
