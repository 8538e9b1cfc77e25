//! What the configuration means to the authority.

mod endpoint;
mod tether;

use std::num::{NonZeroU16, NonZeroU32};

use lanyard_authority::Settings;
use lanyard_authority::settings::{
    CertifiedBy, IntuneSettings, NewCa, Publication, ScepIdentityChoice, ScepSettings,
};
use lanyard_authority::status::settings::{
    CrlSettings, MemorySettings, ResponderKey, ResponderSettings, ResponderSigner, StatusSettings,
};
use lanyard_lifecycle::policy::Limits;
use lanyard_lifecycle::verdict::Freshness;
use lanyard_pki::Name;

use crate::address::Published;
use crate::config::{CertifiedBySetting, Config, Responder, ScepIdentity};

pub use endpoint::{
    DC_ENDPOINT, INTUNE_ENDPOINT, JAMF_ENDPOINT, LISTENER_ENDPOINT, STATIC_AAD_ENDPOINT,
    STATIC_ENDPOINT, endpoints,
};

/// The configuration names no CA.
#[derive(Debug, thiserror::Error)]
#[error("authority.subject: {0}")]
pub struct NoName(#[from] lanyard_pki::name::ParseNameError);

/// What the authority is told when it opens; its directories and endpoints are added by whoever opens it.
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
    settings.tether = tether::tether(config);
    settings.intune = IntuneSettings {
        queue_interval: config.endpoints.intune.revocation_interval.into(),
        list_interval: config.endpoints.intune.list_interval.into(),
    };
    Ok(settings)
}

/// What a responder without the store is told: it issues nothing, so that it needs no name.
pub fn detached(config: &Config) -> Result<Settings, NoName> {
    let mut settings = Settings::new("CN=responder".parse()?);
    settings.limits.clock_skew = config.authority.clock_skew.into();
    settings.status = status(config);
    settings.tether = tether::tether(config);
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
