//! SCEP as a load: keys and requests made beforehand, each reply read and its signature verified, every so many opened.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::{StatusCode, Uri};
use lanyard_authority::clock::{Clock as _, SystemClock};
use lanyard_pki::csr::ChallengePassword;
use lanyard_pki::extension::Extensions;
use lanyard_pki::oid;
use lanyard_pki::{KeyAlgorithm, Name};
use lanyard_scep::client::{CaCertificates, Reply};
use lanyard_scep::operation::{Operation, content_type};
use lanyard_signer::SoftwareKey;
use tokio::runtime::Handle;

use super::load::{Exchange, Traffic};
use super::{LoadArgs, random};
use crate::client::scep::{Order, PreparedMessage, ScepServer};

/// Enroll certificates by SCEP as fast as the server can.
#[derive(Debug, Args)]
pub struct ScepArgs {
    /// The SCEP address
    #[arg(long, value_name = "URL")]
    url: Uri,
    /// A file with the challenge password
    #[arg(long, value_name = "FILE")]
    challenge_file: Option<PathBuf>,
    /// The clients' keys
    #[arg(long, value_enum, default_value_t = ClientKey::Rsa2048)]
    key: ClientKey,
    /// How many client keys to make beforehand
    #[arg(long, value_name = "N", default_value_t = 8)]
    keys: usize,
    /// How many requests to make beforehand; the load ends when they are used up
    #[arg(long, value_name = "N", default_value_t = 5000)]
    requests: usize,
    /// Open one reply in so many and look for the certificate; of the others the signature is verified
    #[arg(long, value_name = "N", default_value_t = 10)]
    open_every: u64,
    /// How the load is made
    #[command(flatten)]
    pub(super) load: LoadArgs,
}

/// Which keys the clients have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClientKey {
    /// RSA, 2048 bits
    #[value(name = "rsa-2048")]
    Rsa2048,
    /// RSA, 4096 bits
    #[value(name = "rsa-4096")]
    Rsa4096,
    /// ECDSA on P-256; replies are under the challenge password
    #[value(name = "p-256")]
    P256,
}

impl ClientKey {
    fn algorithm(self) -> KeyAlgorithm {
        match self {
            Self::Rsa2048 => KeyAlgorithm::Rsa { bits: 2048 },
            Self::Rsa4096 => KeyAlgorithm::Rsa { bits: 4096 },
            Self::P256 => KeyAlgorithm::P256,
        }
    }
}

impl ScepArgs {
    /// The SCEP address.
    pub(super) fn url(&self) -> &Uri {
        &self.url
    }

    /// The load in words.
    pub(super) fn what(&self) -> String {
        format!("SCEP enrollment, {} client keys", self.key.algorithm())
    }

    /// Discovers the authority, makes keys and requests.
    pub(super) async fn traffic(&self) -> Result<Arc<dyn Traffic>> {
        let http = self.load.http()?;
        let url = self.url.to_string().parse().context("the URL cannot be used")?;
        let server = ScepServer::discover(http, url, None).await?;
        let challenge = match &self.challenge_file {
            None => None,
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                Some(ChallengePassword::new(text.trim_end()))
            }
        };
        if self.keys == 0 || self.requests == 0 {
            bail!("a load needs a key and a request at least");
        }
        let (algorithm, count) = (self.key.algorithm(), self.keys);
        let keys = tokio::task::spawn_blocking(move || {
            (0..count).map(|_| SoftwareKey::generate(algorithm)).collect::<Result<Vec<_>, _>>()
        });
        let keys = keys.await??;
        let now = SystemClock.now();
        let load = hex::encode(random::octets::<4>()?);
        let mut messages = Vec::with_capacity(self.requests);
        for (n, key) in (0..self.requests).zip(keys.iter().cycle()) {
            let name = format!("bench-{load}-{n}");
            let order = Order {
                key,
                subject: Name::from_attributes([(oid::COMMON_NAME, name.as_str())])?,
                extensions: Extensions::none(),
                challenge: challenge.as_ref(),
                validity: None,
                renews: None,
                now,
            };
            messages.push(server.prepare(&order).await?);
        }
        let path = self.url.path();
        Ok(Arc::new(Enrolling {
            path: format!("{path}?{}", Operation::PkiOperation.query()),
            bodies: messages.iter().map(|message| message.octets.clone().into()).collect(),
            messages,
            authority: server.authority().clone(),
            open_every: self.open_every.max(1),
        }))
    }
}

struct Enrolling {
    path: String,
    bodies: Vec<Bytes>,
    messages: Vec<PreparedMessage>,
    authority: CaCertificates,
    open_every: u64,
}

impl Enrolling {
    fn message(&self, n: u64) -> Option<&PreparedMessage> {
        self.messages.get(usize::try_from(n).ok()?)
    }
}

impl Traffic for Enrolling {
    fn request(&self, n: u64) -> Option<Exchange> {
        let body = self.bodies.get(usize::try_from(n).ok()?)?.clone();
        Some(Exchange { path: self.path.clone(), body: Some((body, content_type::PKI_MESSAGE)) })
    }

    fn judge(&self, n: u64, status: StatusCode, body: &Bytes) -> Result<(), String> {
        if status != StatusCode::OK {
            return Err(format!("HTTP {status}"));
        }
        let message = self.message(n).ok_or("an answer to nothing")?;
        match message.reply(body, &self.authority).map_err(|error| error.to_string())? {
            Reply::Pending => Err("the authority wants to decide first".into()),
            Reply::Failure { fail_info, text } => {
                Err(format!("refused: {fail_info} {}", text.unwrap_or_default()))
            }
            Reply::Success(sealed) if n.is_multiple_of(self.open_every) => {
                let opening = async { message.open(*sealed).await };
                let issued = tokio::task::block_in_place(|| Handle::current().block_on(opening))
                    .map_err(|error| error.to_string())?;
                if issued.certificates.is_empty() {
                    return Err("a reply without a certificate".into());
                }
                Ok(())
            }
            Reply::Success(_) => Ok(()),
        }
    }
}
