//! Secrets of the configuration: from a file, the environment or a systemd credential, never written in the file itself.

use secrecy::SecretString;

use super::Config;

/// A secret that an operator may set.
pub(super) struct Secret {
    /// Its path. The setting that names its file is this with `_file` after it.
    pub(super) path: &'static str,
    /// Where it goes.
    pub(super) slot: fn(&mut Config) -> &mut Option<SecretString>,
}

/// Every secret of the configuration.
pub(super) const SECRETS: [Secret; 7] = [
    Secret { path: "keys.passphrase", slot: |config| &mut config.keys.passphrase },
    Secret { path: "storage.password", slot: |config| &mut config.storage.password },
    Secret {
        path: "endpoints.static.challenge",
        slot: |config| &mut config.endpoints.r#static.challenge,
    },
    Secret {
        path: "endpoints.static_aad.challenge",
        slot: |config| &mut config.endpoints.static_aad.challenge,
    },
    Secret {
        path: "endpoints.jamf.challenge",
        slot: |config| &mut config.endpoints.jamf.challenge,
    },
    Secret { path: "endpoints.dc.challenge", slot: |config| &mut config.endpoints.dc.challenge },
    Secret { path: "crl.token", slot: |config| &mut config.crl.token },
];
