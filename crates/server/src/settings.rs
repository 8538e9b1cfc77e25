//! What the configuration means to the authority.

use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use lanyard_authority::Settings;
use lanyard_authority::settings::{
    Additions, CertifiedBy, Endpoint, Follows, Keeping, NewCa, Publication, ScepIdentityChoice,
    ScepSettings,
};
use lanyard_authority::status::settings::{
    CrlSettings, MemorySettings, ResponderKey, ResponderSettings, ResponderSigner, StatusSettings,
};
use lanyard_lifecycle::id::{EndpointId, Scope};
use lanyard_lifecycle::kind::{Kind, Source};
use lanyard_lifecycle::policy::{
    self, ChallengeRule, EndpointPolicy, KeyReuse, Limits, OldDigests, RenewalFrom, RenewalRules,
    RequestedUsages, UsageRules, Usages,
};
use lanyard_lifecycle::verdict::Freshness;
use lanyard_pki::extension::KeyUsages;
use lanyard_pki::profile::Profile;
use lanyard_pki::{Name, Oid, oid};

use crate::address::Published;
use crate::config::{
    Approval, BrokenAlgorithms, CertifiedBySetting, Config, RenewalSetting, RequestedUsagesSetting,
    Responder, ScepIdentity,
};

/// The endpoint `/static`.
pub const STATIC_ENDPOINT: EndpointId = EndpointId::from_bytes(*b"lanyard:static:1");

/// Where the HTTPS listener gets its certificate.
pub const LISTENER_ENDPOINT: EndpointId = EndpointId::from_bytes(*b"lanyard:listener");

/// The configuration names no CA.
#[derive(Debug, thiserror::Error)]
#[error("authority.subject: {0}")]
pub struct NoName(#[from] lanyard_pki::name::ParseNameError);

/// What the authority is told when it opens.
pub fn settings(config: &Config, published: Published) -> Result<Settings, NoName> {
    let name: Name = config.authority.subject.parse()?;
    let mut settings = Settings::new(name.clone());
    settings.first = NewCa {
        name,
        key: config.authority.key.into(),
        certified_by: match config.authority.certified_by {
            CertifiedBySetting::Itself => CertifiedBy::Itself,
            CertifiedBySetting::Another => CertifiedBy::Another,
        },
        validity: config.authority.validity.into(),
        path_length: config.authority.path_length,
    };
    settings.limits = Limits {
        longest: config.authority.maximum_validity.into(),
        clock_skew: config.authority.clock_skew.into(),
    };
    settings.publication =
        Publication { ocsp: published.ocsp, ca_issuers: published.ca_issuers, crl: published.crl };
    settings.scep = ScepSettings {
        identity: match config.scep.identity {
            ScepIdentity::Automatic => ScepIdentityChoice::Automatic,
            ScepIdentity::Ca => ScepIdentityChoice::Ca,
            ScepIdentity::Ra => ScepIdentityChoice::Ra,
        },
        ra_key_bits: config.scep.ra_key_bits,
        ra_validity: config.scep.ra_validity.into(),
    };
    settings.status = status(config);
    settings.endpoints = static_endpoint(config).into_iter().collect();
    settings.endpoints.push(listener_endpoint(config));
    Ok(settings)
}

fn status(config: &Config) -> StatusSettings {
    let ocsp = &config.ocsp;
    StatusSettings {
        freshness: Freshness {
            good: ocsp.good_for.into(),
            on_hold: ocsp.hold_for.into(),
            permanent: ocsp.revoked_for.into(),
        },
        responder: ResponderSettings {
            signer: match (ocsp.responder, ocsp.key.algorithm()) {
                (Responder::Ca, _) => ResponderSigner::Ca,
                (Responder::Delegated, None) => ResponderSigner::Delegated(ResponderKey::Automatic),
                (Responder::Delegated, Some(key)) => {
                    ResponderSigner::Delegated(ResponderKey::Is(key))
                }
            },
            validity: ocsp.responder_validity.into(),
        },
        memory: MemorySettings {
            answers: ocsp.answer_memory.octets() as u64,
            records: ocsp.record_memory.octets() as u64,
        },
        crl: CrlSettings {
            validity: config.crl.validity.into(),
            interval: config.crl.interval.into(),
            delta_from: NonZeroU32::new(config.crl.delta_from),
            partitions: NonZeroU16::new(config.crl.partitions),
        },
        answers_under_way: config.limits.ocsp_under_way,
    }
}

/// The endpoint `/static`, when it has a challenge.
fn static_endpoint(config: &Config) -> Option<Endpoint> {
    let section = &config.endpoints.r#static;
    let challenge = section.challenge.clone()?;
    let policy = EndpointPolicy {
        approval: match section.approval {
            Approval::Automatic => policy::Approval::Automatic,
            Approval::Manual => policy::Approval::Manual,
        },
        usages: usages(config),
        longest: Duration::from(section.maximum_validity),
        renewal: match section.renewals {
            RenewalSetting::Allowed => RenewalRules::On {
                kinds: vec![Kind::Static],
                key: KeyReuse::Allowed,
                from: RenewalFrom::ThisEndpoint,
            },
            RenewalSetting::Refused => RenewalRules::Off,
        },
        old_digests: match config.scep.broken_algorithms {
            BrokenAlgorithms::Refused => OldDigests::Refused,
            BrokenAlgorithms::Accepted => OldDigests::Allowed,
        },
        ..EndpointPolicy::default()
    };
    Some(Endpoint {
        id: STATIC_ENDPOINT,
        name: "static".into(),
        scope: Scope::DEFAULT,
        follows: Follows::Nothing(Kind::Static),
        additions: Additions::default(),
        source: Source::Static,
        profile: Profile::device(),
        keep: Keeping::Everything,
        policy,
        challenge: Some(challenge),
    })
}

/// The endpoint at which the HTTPS listener gets its certificate. No door leads to it.
fn listener_endpoint(config: &Config) -> Endpoint {
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

fn usages(config: &Config) -> UsageRules {
    let section = &config.endpoints.r#static;
    let key = UsageRules::default().default.key;
    let of = |usages: &[crate::config::UsageSetting]| Usages {
        key,
        extended: usages.iter().copied().map(Oid::from).collect(),
    };
    UsageRules {
        default: of(&section.usages),
        requested: match section.requested_usages {
            RequestedUsagesSetting::Ignored => RequestedUsages::Ignored,
            RequestedUsagesSetting::Granted => {
                RequestedUsages::Granted(of(&section.grantable_usages))
            }
        },
    }
}
