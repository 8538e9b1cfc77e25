//! What a certificate says of its object beyond what its request asked for: ids in Entra ID, the security identifier.
//!
//! A request that brings such an extension itself is no source for it: see [`lanyard_lifecycle::policy::RequestedSid`].

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::id::DirectoryId;
use lanyard_lifecycle::kind::Kind;
use lanyard_lifecycle::object::{ObjectKey, ObjectKind, Presence, Properties};
use lanyard_pki::extension::{
    Criticality, EntraDeviceId, EntraTenantId, Extension, ExtensionValue as _, SecurityIdentifier,
};
use uuid::Uuid;

use super::bind::Bound;
use crate::mirror::{Answer, Need};
use crate::settings::{Additions, DirectoryIds, DirectorySid, Follows};
use crate::{Authority, Error};

impl Authority {
    /// The extensions that a certificate gets from its directory.
    pub(super) async fn additions(
        &self,
        follows: &Follows,
        additions: Additions,
        bound: &Bound,
    ) -> Result<Vec<Extension>, Error> {
        let (Follows::Intune(_) | Follows::Entra(_)) = follows else { return Ok(Vec::new()) };
        let Some(directory) = bound.binding.directory else { return Ok(Vec::new()) };
        let device = entra_device(bound);
        let mut added = Vec::new();
        if additions.ids == DirectoryIds::Added {
            let tenant = EntraTenantId(Uuid::from(directory).to_bytes_le());
            added.push(tenant.extension(Criticality::NonCritical));
            let device = device.map(|device| EntraDeviceId(device.to_bytes_le()));
            added.extend(device.map(|device| device.extension(Criticality::NonCritical)));
        }
        if additions.sid == DirectorySid::Added
            && let Some(sid) = self.sid(directory, device, bound).await?
        {
            added.push(SecurityIdentifier(sid).extension(Criticality::NonCritical));
        }
        Ok(added)
    }

    /// The security identifier in Active Directory; none for what is not synchronised with one.
    async fn sid(
        &self,
        directory: DirectoryId,
        device: Option<Uuid>,
        bound: &Bound,
    ) -> Result<Option<String>, Error> {
        let known = match bound.binding.kind {
            Kind::EntraUser => bound.properties(ObjectKind::EntraUser).cloned(),
            Kind::EntraDevice => bound.properties(ObjectKind::EntraDevice).cloned(),
            // Intune does not know it, but Entra ID does.
            _ => match device {
                Some(device) => self.entra_properties(directory, device).await?,
                None => None,
            },
        };
        let sid = match known {
            Some(Properties::EntraUser(user)) => user.on_premises_security_identifier,
            Some(Properties::EntraDevice(device)) => device.on_premises_security_identifier,
            _ => None,
        };
        Ok(sid.filter(|sid| is_sid(sid)))
    }

    /// What Entra ID says of a device. A certificate that was to have a security identifier and has none would be refused
    /// where it is used, with nobody knowing why: so not to know is a reason to try later.
    async fn entra_properties(
        &self,
        directory: DirectoryId,
        device: Uuid,
    ) -> Result<Option<Properties>, Error> {
        let kind = ObjectKind::EntraDevice;
        let key = ObjectKey { directory, kind, object: device.into() };
        match self.observe(key, Need::Current).await? {
            Answer::Observed(observed)
                if observed.trouble.is_none() || self.now() <= observed.current_until =>
            {
                Ok(match observed.state.presence {
                    Presence::Present(properties) => Some(properties),
                    Presence::Absent => None,
                })
            }
            Answer::NoSuch { .. } => Ok(None),
            Answer::Observed(_) | Answer::Unknown(_) => {
                Err(Refusal::DirectorySilent { kind }.into())
            }
        }
    }
}

/// The device's id in Entra ID, where the certificate follows a device that is registered there.
fn entra_device(bound: &Bound) -> Option<Uuid> {
    match (bound.binding.kind, bound.properties(ObjectKind::IntuneDevice)) {
        (Kind::EntraDevice, _) => Some(bound.binding.object.into()),
        (Kind::IntuneDevice | Kind::IntuneBootstrap, Some(Properties::IntuneDevice(device))) => {
            device.azure_ad_device_id
        }
        _ => None,
    }
}

/// The textual form of a security identifier (MS-DTYP, 2.4.2.1).
fn is_sid(text: &str) -> bool {
    let numbers = text.strip_prefix("S-1-");
    numbers.is_some_and(|numbers| {
        numbers.split('-').count() <= 16
            && numbers.split('-').all(|number| {
                (1..=15).contains(&number.len())
                    && number.bytes().all(|digit| digit.is_ascii_digit())
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_security_identifier_is_taken_for_one() {
        assert!(is_sid("S-1-5-21-666199682-1411342147-2938717855-1001"));
        for text in ["", "S-1-", "S-1-5-x", "S-1-5--7", "s-1-5-21", "S-1-5-21-\n", "S-2-5-21"] {
            assert!(!is_sid(text), "{text}");
        }
    }
}
