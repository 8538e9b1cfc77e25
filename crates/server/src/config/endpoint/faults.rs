//! What is wrong with endpoints where each setting alone is right: directories that are not there, kinds that are never issued.

use secrecy::SecretString;

use super::{
    AvailabilitySetting, DcSection, DeviceDirectorySetting, EndpointsSection, IntuneSection,
    Issuing, JamfSection, KindSetting, StaticAadSection, StaticSection,
};
use crate::config::{DirectorySection, DirectoryType, FollowSetting};

/// A setting below `endpoints`, and what is wrong with it.
pub(in crate::config) type EndpointFault = (String, String);

impl EndpointsSection {
    /// Everything that is wrong.
    pub(in crate::config) fn faults(&self, directories: &[DirectorySection]) -> Vec<EndpointFault> {
        let mut faults = Vec::new();
        let sections = [
            ("static", self.r#static.issuing(), StaticSection::ISSUES),
            ("intune", self.intune.issuing(), IntuneSection::ISSUES),
            ("static_aad", self.static_aad.issuing(), StaticAadSection::ISSUES),
            ("jamf", self.jamf.issuing(), JamfSection::ISSUES),
            ("dc", self.dc.issuing(), DcSection::ISSUES),
        ];
        for (name, issuing, issues) in sections {
            faults.extend(issuing.faults(name, issues));
        }
        faults.extend(self.without_directory(directories));
        faults
    }

    /// The directories of those endpoints at which users of Entra ID enroll that do not follow their risk.
    pub(in crate::config) fn without_user_risk<'a>(
        &self,
        all: &'a [DirectorySection],
    ) -> Option<&'a str> {
        let used = [self.intune_directory(all), self.static_aad_directory(all)];
        let lacking = |one: &&DirectorySection| !one.follow.contains(&FollowSetting::UserRisk);
        used.into_iter().flatten().find(lacking).map(|one| one.name.as_str())
    }

    /// The directory of `/certsrv/mscep/mscep.dll`, when that is open.
    pub fn intune_directory<'a>(
        &self,
        all: &'a [DirectorySection],
    ) -> Option<&'a DirectorySection> {
        self.intune.is_open().then(|| self.intune.needs().choose(all).ok())?
    }

    /// The directory of `/static/aad`, when that is open.
    pub fn static_aad_directory<'a>(
        &self,
        all: &'a [DirectorySection],
    ) -> Option<&'a DirectorySection> {
        self.static_aad.is_open().then(|| self.static_aad.needs().choose(all).ok())?
    }

    /// The directory of `/jamf`, when that is open.
    pub fn jamf_directory<'a>(&self, all: &'a [DirectorySection]) -> Option<&'a DirectorySection> {
        self.jamf.is_open().then(|| self.jamf.needs().choose(all).ok())?
    }

    fn without_directory(&self, all: &[DirectorySection]) -> Vec<EndpointFault> {
        let needing = [
            ("intune", self.intune.is_open(), self.intune.needs()),
            ("static_aad", self.static_aad.is_open(), self.static_aad.needs()),
            ("jamf", self.jamf.is_open(), self.jamf.needs()),
        ];
        let open = needing.into_iter().filter(|(_, is_open, _)| *is_open);
        open.filter_map(|(name, _, needed)| {
            let fault = needed.choose(all).err()?;
            Some((format!("endpoints.{name}.directory"), fault))
        })
        .collect()
    }
}

impl Issuing {
    fn faults(&self, name: &str, issues: &[KindSetting]) -> Vec<EndpointFault> {
        let mut faults = Vec::new();
        if self.renewal_kinds.iter().any(|kind| !issues.contains(kind)) {
            let path = format!("endpoints.{name}.renewal_kinds");
            faults.push((path, "names a kind that this endpoint does not issue".to_owned()));
        }
        if self.key_usages.is_empty() {
            let path = format!("endpoints.{name}.key_usages");
            faults
                .push((path, "must name something: a key that may do nothing is of no use".into()));
        }
        faults
    }
}

/// The directory that an endpoint needs.
struct Needed<'a> {
    named: Option<&'a str>,
    kind: DirectoryType,
    follows: Vec<FollowSetting>,
}

impl Needed<'_> {
    /// The one that is named, or the only one there is; else what is wrong.
    fn choose<'a>(&self, all: &'a [DirectorySection]) -> Result<&'a DirectorySection, String> {
        let (article, kind) = match self.kind {
            DirectoryType::EntraIntune => ("a tenant", "entra_intune"),
            DirectoryType::Jamf => ("an instance of Jamf Pro", "jamf"),
        };
        let fitting: Vec<_> = all.iter().filter(|one| one.r#type == self.kind).collect();
        let chosen = match (self.named, fitting.as_slice()) {
            (Some(name), _) => {
                fitting.iter().find(|one| one.name == name).copied().ok_or_else(|| {
                    format!("{name:?} is the name of no `[[directory]]` of type {kind:?}")
                })?
            }
            (None, [only]) => only,
            (None, []) => {
                return Err(format!(
                    "the endpoint needs {article}: write a `[[directory]]` of type {kind:?}"
                ));
            }
            (None, several) => {
                let names: Vec<_> = several.iter().map(|one| one.name.as_str()).collect();
                return Err(format!("names one of {}: set it", names.join(", ")));
            }
        };
        let missing: Vec<_> = self
            .follows
            .iter()
            .filter(|one| !chosen.follow.contains(one))
            .map(|one| one.name())
            .collect();
        if !missing.is_empty() {
            return Err(format!(
                "the directory {:?} must follow {} for this endpoint",
                chosen.name,
                missing.join(" and ")
            ));
        }
        Ok(chosen)
    }
}

fn is_open(availability: AvailabilitySetting, challenge: Option<&SecretString>) -> bool {
    availability == AvailabilitySetting::Open && challenge.is_some()
}

impl StaticSection {
    /// Whether it takes requests.
    pub fn is_open(&self) -> bool {
        is_open(self.availability, self.challenge.as_ref())
    }
}

impl IntuneSection {
    /// Whether it takes requests.
    pub fn is_open(&self) -> bool {
        self.availability == AvailabilitySetting::Open
    }

    fn needs(&self) -> Needed<'_> {
        let follows = match self.device_directory {
            DeviceDirectorySetting::Entra | DeviceDirectorySetting::EntraAndIntuneOpportunistic => {
                vec![FollowSetting::Entra]
            }
            DeviceDirectorySetting::Intune
            | DeviceDirectorySetting::EntraAndIntune
            | DeviceDirectorySetting::EntraAndIntuneAndEndpointList => {
                // Users are Entra ID's wherever their devices are looked for.
                vec![FollowSetting::Entra, FollowSetting::Intune]
            }
        };
        Needed { named: self.directory.as_deref(), kind: DirectoryType::EntraIntune, follows }
    }
}

impl StaticAadSection {
    /// Whether it takes requests.
    pub fn is_open(&self) -> bool {
        is_open(self.availability, self.challenge.as_ref())
    }

    fn needs(&self) -> Needed<'_> {
        let follows = vec![FollowSetting::Entra];
        Needed { named: self.directory.as_deref(), kind: DirectoryType::EntraIntune, follows }
    }
}

impl JamfSection {
    /// Whether it takes requests.
    pub fn is_open(&self) -> bool {
        is_open(self.availability, self.challenge.as_ref())
    }

    fn needs(&self) -> Needed<'_> {
        Needed { named: self.directory.as_deref(), kind: DirectoryType::Jamf, follows: Vec::new() }
    }
}

impl DcSection {
    /// Whether it takes requests.
    pub fn is_open(&self) -> bool {
        is_open(self.availability, self.challenge.as_ref())
    }
}
