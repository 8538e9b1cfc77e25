//! The simulated tenant beside a demo, as the directories that the demo's authority follows.

use std::path::PathBuf;

use lanyard_simulator::Introduction;
use uuid::Uuid;

use super::place::Place;
use crate::config::unit::Span;
use crate::config::{AvailabilitySetting, Config, DirectorySection, DirectoryType, FollowSetting};
use crate::exit::{ExitStatus, Failure};
use crate::file::write_private;

/// Whose users and devices the demo's authority follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Following {
    /// The simulated tenant's.
    Simulated,
    /// Those of directories that the configuration names.
    Others,
}

/// Makes the authority follow the tenant and opens the endpoints for its devices and users, unless the configuration names
/// directories of its own.
pub(super) fn follow(
    config: &mut Config,
    place: &Place,
    tenant: &Introduction,
) -> Result<Following, Failure> {
    if !config.directory.is_empty() {
        return Ok(Following::Others);
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
        // Whoever tries something wants to see it at once, and this tenant is asked by nobody else.
        max_detection_delay: Span::seconds(2),
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
        // Whoever tries something wants to see it at once, and this tenant is asked by nobody else.
        max_detection_delay: Span::seconds(2),
        ..DirectorySection::default()
    });
    let endpoints = &mut config.endpoints;
    endpoints.intune.availability = AvailabilitySetting::Open;
    let challenge = || (Some(place.challenge_file()), Some(place.challenge().into()));
    (endpoints.static_aad.challenge_file, endpoints.static_aad.challenge) = challenge();
    (endpoints.jamf.challenge_file, endpoints.jamf.challenge) = challenge();
    Ok(Following::Simulated)
}

fn secret(place: &Place, name: &str, value: &str) -> Result<PathBuf, Failure> {
    let file = place.file(name);
    write_private(&file, value.as_bytes()).map_err(|error| {
        Failure::new(ExitStatus::Failed, format!("{}: {error}", file.display()))
    })?;
    Ok(file)
}
