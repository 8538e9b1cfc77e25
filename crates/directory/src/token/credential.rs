//! What an application proves its identity with.

use std::fmt;

use aws_lc_rs::signature::RsaKeyPair;
use aws_lc_rs::{digest, rand, signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lanyard_pki::Time;
use secrecy::SecretString;
use serde_json::json;
use url::Url;
use uuid::Uuid;

/// How the application signs in.
#[derive(Debug)]
pub enum Credential {
    /// By a secret of the application.
    Secret {
        /// The application's client id.
        client_id: String,
        /// The secret: its value, not its id.
        secret: SecretString,
    },
    /// By a certificate that is registered with the application.
    Certificate {
        /// The application's client id.
        client_id: String,
        /// The certificate and its key.
        certificate: ClientCertificate,
    },
    /// As the managed identity of the Azure machine that this runs on.
    ManagedIdentity(Identity),
    /// As the managed identity of the App Service or Function that this runs in.
    AppService {
        /// `IDENTITY_ENDPOINT`
        endpoint: Url,
        /// `IDENTITY_HEADER`
        header: SecretString,
        /// Which identity.
        identity: Identity,
    },
}

/// Which of a machine's managed identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The one assigned by the system, or the only one.
    System,
    /// The one with this client id.
    Client(String),
    /// The one with this object id.
    Object(String),
    /// The one with this resource id.
    Resource(String),
}

/// A certificate with its RSA key, to sign assertions with.
pub struct ClientCertificate {
    key: RsaKeyPair,
    thumbprint: String,
}

/// A key that cannot sign assertions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key of the client certificate is not an RSA key of 2048 bits or more in PKCS#8 form")]
pub struct ClientKeyError;

/// The assertion could not be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client certificate's key did not sign")]
pub(super) struct SigningError;

impl ClientCertificate {
    /// From a DER certificate and the PKCS#8 form of its key.
    ///
    /// # Errors
    /// When the key is no RSA key that can be used. Whether it is the certificate's is found out by
    /// the sign-in.
    pub fn new(certificate: &[u8], key: &[u8]) -> Result<Self, ClientKeyError> {
        let key = RsaKeyPair::from_pkcs8(key).map_err(|_| ClientKeyError)?;
        let thumbprint = digest::digest(&digest::SHA256, certificate);
        Ok(Self { key, thumbprint: URL_SAFE_NO_PAD.encode(thumbprint) })
    }

    /// The assertion (RFC 7523) that `client` is who it says, for `audience`, good for ten minutes
    /// from now and for two before: clocks differ.
    pub(super) fn assertion(
        &self,
        client: &str,
        audience: &Url,
        id: Uuid,
        now: Time,
    ) -> Result<String, SigningError> {
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let claims = json!({
            "aud": audience.as_str(),
            "iss": client,
            "sub": client,
            "jti": id,
            "nbf": now.plus(-120).unix(),
            "iat": now.unix(),
            "exp": now.plus(600).unix(),
        });
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let mut signature = vec![0; self.key.public_modulus_len()];
        let salt = rand::SystemRandom::new();
        self.key
            .sign(&signature::RSA_PSS_SHA256, &salt, signed.as_bytes(), &mut signature)
            .map_err(|_| SigningError)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}
