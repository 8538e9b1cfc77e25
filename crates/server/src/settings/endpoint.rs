//! What the endpoints of the configuration are to the authority.

use std::time::Duration;

use lanyard_authority::settings::{
    Additions, Bootstrap, DirectoryIds, DirectorySid, Endpoint, Follows, IntuneFollows, Keeping,
    NoticeOrder,
};
use lanyard_lifecycle::binding::DeviceDirectory;
use lanyard_lifecycle::id::{EndpointId, Scope};
use lanyard_lifecycle::kind::{Kind, Source};
use lanyard_lifecycle::policy::{
    self, Availability, ChallengeRule, EndpointPolicy, KeyReuse, OldDigests, RenewalFrom,
    RenewalRules, RequestedSid, RequestedUsages, UsageRules, Usages,
};
use lanyard_pki::extension::KeyUsages;
use lanyard_pki::oid;
use lanyard_pki::profile::Profile;

use crate::config::{
    Approval, AvailabilitySetting, BootstrapSetting, BrokenAlgorithms, Config,
    DeviceDirectorySetting, DirectoryIdsSetting, DirectorySidSetting, Issuing, KeepSetting,
    KeyUsageSetting, NotificationSetting, RenewalSetting, RequestedSidSetting,
    RequestedUsagesSetting, UsageSetting,
};
use crate::directories::{self, DirectoryError};

/// The endpoint `/static`.
pub const STATIC_ENDPOINT: EndpointId = EndpointId::from_bytes(*b"lanyard:static:1");

/// The endpoint `/certsrv/mscep/mscep.dll`.
pub const INTUNE_ENDPOINT: EndpointId = EndpointId::from_bytes(*b"lanyard:intune:1");

/// The endpoint `/static/aad`.
pub const STATIC_AAD_ENDPOINT: EndpointId = EndpointId::from_bytes(*b"lanyard:saad:001");

/// The endpoint `/jamf`.
pub const JAMF_ENDPOINT: EndpointId = EndpointId::from_bytes(*b"lanyard:jamf:001");

/// The endpoint `/dc`.
pub const DC_ENDPOINT: EndpointId = EndpointId::from_bytes(*b"lanyard:dc:00001");

/// Where the HTTPS listener gets its certificate.
pub const LISTENER_ENDPOINT: EndpointId = EndpointId::from_bytes(*b"lanyard:listener");

/// Every endpoint that is open.
pub fn endpoints(config: &Config) -> Result<Vec<Endpoint>, DirectoryError> {
    let configured = [
        static_endpoint(config),
        intune_endpoint(config)?,
        static_aad_endpoint(config)?,
        jamf_endpoint(config)?,
        dc_endpoint(config),
    ];
    Ok(configured.into_iter().flatten().chain([listener(config)]).collect())
}

fn static_endpoint(config: &Config) -> Option<Endpoint> {
    let section = &config.endpoints.r#static;
    section.is_open().then(|| Endpoint {
        id: STATIC_ENDPOINT,
        name: "static".into(),
        scope: Scope::DEFAULT,
        follows: Follows::Nothing(Kind::Static),
        additions: Additions::default(),
        source: Source::Static,
        profile: Profile::device(),
        keep: keeping(section.keep),
        policy: policy(config, &section.issuing(), section.approval),
        challenge: section.challenge.clone(),
    })
}

fn intune_endpoint(config: &Config) -> Result<Option<Endpoint>, DirectoryError> {
    let section = &config.endpoints.intune;
    let Some(directory) = config.endpoints.intune_directory(&config.directory) else {
        return Ok(None);
    };
    let follows = IntuneFollows {
        directory: directories::id(directory)?,
        devices: match section.device_directory {
            DeviceDirectorySetting::Entra => DeviceDirectory::Entra,
            DeviceDirectorySetting::Intune => DeviceDirectory::Intune,
            DeviceDirectorySetting::EntraAndIntune => DeviceDirectory::EntraAndIntune,
            DeviceDirectorySetting::EntraAndIntuneOpportunistic => {
                DeviceDirectory::EntraAndIntuneOpportunistic
            }
            DeviceDirectorySetting::EntraAndIntuneAndEndpointList => {
                DeviceDirectory::EntraAndIntuneAndEndpointList
            }
        },
        notice: match section.notification {
            NotificationSetting::BeforeAnswer => NoticeOrder::BeforeAnswer,
            NotificationSetting::AfterAnswer => NoticeOrder::AfterAnswer,
        },
        bootstrap: match section.bootstrap {
            BootstrapSetting::Refused => None,
            BootstrapSetting::Issued => Some(Bootstrap {
                validity: section.bootstrap_validity.into(),
                within: section.bootstrap_within.into(),
            }),
        },
    };
    Ok(Some(Endpoint {
        id: INTUNE_ENDPOINT,
        name: "intune".into(),
        scope: Scope::DEFAULT,
        follows: Follows::Intune(follows),
        additions: additions(section.directory_ids, section.directory_sid),
        source: Source::Intune,
        profile: Profile::device(),
        keep: keeping(section.keep),
        // Intune does not work with requests that wait.
        policy: policy(config, &section.issuing(), Approval::Automatic),
        challenge: None,
    }))
}

fn static_aad_endpoint(config: &Config) -> Result<Option<Endpoint>, DirectoryError> {
    let section = &config.endpoints.static_aad;
    let Some(directory) = config.endpoints.static_aad_directory(&config.directory) else {
        return Ok(None);
    };
    Ok(Some(Endpoint {
        id: STATIC_AAD_ENDPOINT,
        name: "static-aad".into(),
        scope: Scope::DEFAULT,
        follows: Follows::Entra(directories::id(directory)?),
        additions: additions(section.directory_ids, section.directory_sid),
        source: Source::StaticAAD,
        profile: Profile::device(),
        keep: keeping(section.keep),
        policy: policy(config, &section.issuing(), section.approval),
        challenge: section.challenge.clone(),
    }))
}

fn jamf_endpoint(config: &Config) -> Result<Option<Endpoint>, DirectoryError> {
    let section = &config.endpoints.jamf;
    let Some(directory) = config.endpoints.jamf_directory(&config.directory) else {
        return Ok(None);
    };
    Ok(Some(Endpoint {
        id: JAMF_ENDPOINT,
        name: "jamf".into(),
        scope: Scope::DEFAULT,
        follows: Follows::Jamf(directories::id(directory)?),
        additions: Additions::default(),
        source: Source::Jamf,
        profile: Profile::device(),
        keep: keeping(section.keep),
        policy: policy(config, &section.issuing(), section.approval),
        challenge: section.challenge.clone(),
    }))
}

fn dc_endpoint(config: &Config) -> Option<Endpoint> {
    let section = &config.endpoints.dc;
    section.is_open().then(|| Endpoint {
        id: DC_ENDPOINT,
        name: "dc".into(),
        scope: Scope::DEFAULT,
        follows: Follows::Nothing(Kind::DomainController),
        additions: Additions::default(),
        source: Source::DomainController,
        profile: Profile::domain_controller(),
        keep: keeping(section.keep),
        policy: policy(config, &section.issuing(), section.approval),
        challenge: section.challenge.clone(),
    })
}

/// The endpoint at which the HTTPS listener gets its certificate. No door leads to it.
fn listener(config: &Config) -> Endpoint {
    let policy = EndpointPolicy {
        challenge: ChallengeRule::NotAsked,
        usages: UsageRules {
            default: Usages { key: KeyUsages::DIGITAL_SIGNATURE, extended: vec![oid::SERVER_AUTH] },
            requested: RequestedUsages::Ignored,
        },
        longest: config.tls.validity.into(),
        ..EndpointPolicy::default()
    };
    Endpoint {
        id: LISTENER_ENDPOINT,
        name: "listener".into(),
        scope: Scope::DEFAULT,
        follows: Follows::Nothing(Kind::Static),
        additions: Additions::default(),
        source: Source::CertificateMaster,
        profile: Profile::tls_server(),
        keep: Keeping::Everything,
        policy,
        challenge: None,
    }
}

fn additions(ids: DirectoryIdsSetting, sid: DirectorySidSetting) -> Additions {
    Additions {
        ids: match ids {
            DirectoryIdsSetting::Added => DirectoryIds::Added,
            DirectoryIdsSetting::LeftOut => DirectoryIds::LeftOut,
        },
        sid: match sid {
            DirectorySidSetting::Added => DirectorySid::Added,
            DirectorySidSetting::LeftOut => DirectorySid::LeftOut,
        },
    }
}

/// What an endpoint's section says about who may enroll and what they get.
fn policy(config: &Config, issuing: &Issuing, approval: Approval) -> EndpointPolicy {
    EndpointPolicy {
        availability: match issuing.availability {
            AvailabilitySetting::Open => Availability::Open,
            AvailabilitySetting::Closed => Availability::Closed,
        },
        approval: match approval {
            Approval::Automatic => policy::Approval::Automatic,
            Approval::Manual => policy::Approval::Manual,
        },
        usages: usages(issuing),
        longest: Duration::from(issuing.maximum_validity),
        renewal: match issuing.renewals {
            RenewalSetting::Allowed => RenewalRules::On {
                kinds: issuing.renewal_kinds.iter().copied().map(Kind::from).collect(),
                key: KeyReuse::Allowed,
                from: RenewalFrom::ThisEndpoint,
            },
            RenewalSetting::Refused => RenewalRules::Off,
        },
        requested_sid: match issuing.requested_sid {
            RequestedSidSetting::LeftOut => RequestedSid::LeftOut,
            RequestedSidSetting::Carried => RequestedSid::Carried,
        },
        old_digests: match config.scep.broken_algorithms {
            BrokenAlgorithms::Refused => OldDigests::Refused,
            BrokenAlgorithms::Accepted => OldDigests::Allowed,
        },
        ..EndpointPolicy::default()
    }
}

fn usages(issuing: &Issuing) -> UsageRules {
    let of = |keys: &[KeyUsageSetting], usages: &[UsageSetting]| Usages {
        key: KeyUsageSetting::together(keys),
        extended: usages.iter().copied().map(Into::into).collect(),
    };
    UsageRules {
        default: of(&issuing.key_usages, &issuing.usages),
        requested: match issuing.requested_usages {
            RequestedUsagesSetting::Ignored => RequestedUsages::Ignored,
            RequestedUsagesSetting::Granted => RequestedUsages::Granted(of(
                &issuing.grantable_key_usages,
                &issuing.grantable_usages,
            )),
        },
    }
}

fn keeping(keep: KeepSetting) -> Keeping {
    match keep {
        KeepSetting::Everything => Keeping::Everything,
        KeepSetting::RevocationOnly => Keeping::RevocationOnly,
    }
}
