//! Microsoft's clouds: where each has its sign-in, Graph and Intune, and what their tokens are for.
//!
//! Every address can be replaced, which is how a simulated tenant is reached.

use serde::{Deserialize, Serialize};
use url::Url;

/// A cloud that is apart from the others: a tenant lives in one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cloud {
    /// The public cloud, GCC included.
    #[default]
    Global,
    /// GCC High of the US government.
    GccHigh,
    /// The US Department of Defense.
    Dod,
    /// China, operated by 21Vianet. It has no risky users.
    China,
}

/// The addresses and resources of a cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Before the tenant: `https://login.microsoftonline.com/`.
    pub login: Url,
    /// Before the version: `https://graph.microsoft.com/`.
    pub graph: Url,
    /// What a token for Graph is asked for: `https://graph.microsoft.com`.
    pub graph_resource: String,
    /// What a token for Intune's certificate services is asked for. Microsoft's own clients end it
    /// with a slash.
    pub intune_resource: String,
    /// The machine's own endpoint for managed identities.
    pub imds: Url,
}

impl Cloud {
    /// Its addresses.
    ///
    /// The Intune resource of `Dod` and `China` is not in Microsoft's documents; these are the
    /// likely ones, and a setting can replace them.
    pub fn endpoints(self) -> Endpoints {
        let (login, graph, intune) = match self {
            Self::Global => {
                ("login.microsoftonline.com", "graph.microsoft.com", "api.manage.microsoft.com")
            }
            Self::GccHigh => {
                ("login.microsoftonline.us", "graph.microsoft.us", "api.manage.microsoft.us")
            }
            Self::Dod => {
                ("login.microsoftonline.us", "dod-graph.microsoft.us", "api.manage.microsoft.us")
            }
            Self::China => (
                "login.partner.microsoftonline.cn",
                "microsoftgraph.chinacloudapi.cn",
                "api.manage.microsoft.cn",
            ),
        };
        Endpoints {
            login: known(&format!("https://{login}/")),
            graph: known(&format!("https://{graph}/")),
            graph_resource: format!("https://{graph}"),
            intune_resource: format!("https://{intune}/"),
            imds: known(IMDS),
        }
    }
}

impl Endpoints {
    /// Those of the public cloud, served under `base` as a simulated tenant serves them.
    ///
    /// # Errors
    /// When nothing can be appended to `base`, such as `mailto:`.
    pub fn under(base: &Url) -> Result<Self, url::ParseError> {
        let mut base = base.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self {
            login: base.join("login/")?,
            graph: base.join("graph/")?,
            imds: base.join("imds/metadata/identity/oauth2/token")?,
            ..Cloud::Global.endpoints()
        })
    }
}

const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

#[expect(clippy::expect_used, reason = "the addresses are written above and tested below")]
fn known(address: &str) -> Url {
    Url::parse(address).expect("an address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cloud_has_its_own_addresses() {
        for cloud in [Cloud::Global, Cloud::GccHigh, Cloud::Dod, Cloud::China] {
            let endpoints = cloud.endpoints();
            assert_eq!(endpoints.graph.as_str(), format!("{}/", endpoints.graph_resource));
            assert_eq!(endpoints.login.scheme(), "https");
        }
        assert_ne!(Cloud::GccHigh.endpoints().graph, Cloud::Dod.endpoints().graph);
        assert_eq!(Cloud::Global.endpoints().login.as_str(), "https://login.microsoftonline.com/");
    }

    #[test]
    fn a_simulated_tenant_is_under_one_base() {
        for base in ["http://127.0.0.1:9/x", "http://127.0.0.1:9/x/"] {
            let endpoints = Endpoints::under(&Url::parse(base).unwrap()).unwrap();
            assert_eq!(endpoints.login.as_str(), "http://127.0.0.1:9/x/login/");
            assert_eq!(endpoints.graph.as_str(), "http://127.0.0.1:9/x/graph/");
            assert_eq!(endpoints.graph_resource, "https://graph.microsoft.com");
        }
    }
}
