//! The addresses under which clients reach this installation.

use std::net::SocketAddr;

use crate::config::{Config, CrlAccess, CrlPointers};

/// Addresses below the base that clients know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    base: String,
}

/// What certificates are told about where to ask: `{ca}` stands for the CA's key identifier, `{token}` for the CRL's
/// token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Where OCSP is answered.
    pub ocsp: Vec<String>,
    /// Where the CA's certificate is.
    pub ca_issuers: Vec<String>,
    /// Where the CRL is; empty leaves the extension out.
    pub crl: Vec<String>,
}

impl Addresses {
    /// The configured base address, else this machine's name and the first HTTP port.
    pub fn new(config: &Config) -> Self {
        let base = match &config.publication.base_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => derived(&config.listen.http, &config.listen.https),
        };
        Self { base }
    }

    /// A base address that is known.
    pub fn at(base: impl Into<String>) -> Self {
        Self { base: base.into() }
    }

    /// The base, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// An address below the base; `path` begins with a slash.
    pub fn of(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The host of the base address.
    pub fn host(&self) -> Option<String> {
        url::Url::parse(&self.base)
            .ok()?
            .host_str()
            .map(|host| host.trim_matches(['[', ']']).to_owned())
    }

    /// What certificates are told.
    pub fn published(&self, config: &Config) -> Published {
        let section = &config.publication;
        let or_own = |configured: &[String], path: &str| match configured {
            [] => vec![self.of(path)],
            configured => configured.to_vec(),
        };
        let crl = match section.crl_pointers {
            CrlPointers::Omitted => Vec::new(),
            CrlPointers::Included => match config.crl.access {
                CrlAccess::Token => or_own(&section.crl_urls, "/crl/{token}/{ca}"),
                CrlAccess::Public => or_own(&section.crl_urls, "/crl/{ca}"),
            },
        };
        Published {
            ocsp: or_own(&section.ocsp_urls, "/ocsp"),
            ca_issuers: or_own(&section.ca_issuer_urls, "/ca/{ca}"),
            crl,
        }
    }
}

fn derived(http: &[SocketAddr], https: &[SocketAddr]) -> String {
    let (scheme, usual, address) = match (http.first(), https.first()) {
        (Some(address), _) => ("http", 80, Some(address)),
        (None, address) => ("https", 443, address),
    };
    let host = match address {
        Some(address) if !address.ip().is_unspecified() => match address.ip() {
            std::net::IpAddr::V6(v6) => format!("[{v6}]"),
            std::net::IpAddr::V4(v4) => v4.to_string(),
        },
        _ => machine_name(),
    };
    match address.map(SocketAddr::port) {
        Some(port) if port != usual => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    }
}

/// This machine's name, as the kernel knows it.
pub fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_follows_from_the_listener_where_nothing_is_configured() {
        let mut config = Config::default();
        config.listen.http = vec!["127.0.0.1:8080".parse().unwrap()];
        assert_eq!(Addresses::new(&config).base(), "http://127.0.0.1:8080");
        config.listen.http = vec!["[::1]:80".parse().unwrap()];
        assert_eq!(Addresses::new(&config).base(), "http://[::1]");
        config.listen.http.clear();
        config.listen.https = vec!["192.0.2.1:8443".parse().unwrap()];
        assert_eq!(Addresses::new(&config).base(), "https://192.0.2.1:8443");
    }

    #[test]
    fn certificates_are_told_configured_addresses_or_those_below_the_base() {
        let mut config = Config::default();
        config.publication.base_url = Some("http://ca.example.com/".parse().unwrap());
        let addresses = Addresses::new(&config);
        assert_eq!(addresses.of("/ocsp"), "http://ca.example.com/ocsp");
        assert_eq!(addresses.host().as_deref(), Some("ca.example.com"));
        let published = addresses.published(&config);
        assert_eq!(published.ca_issuers, ["http://ca.example.com/ca/{ca}"]);
        assert!(published.crl.is_empty(), "certificates name OCSP alone unless told otherwise");
        config.publication.ocsp_urls = vec!["http://ocsp.example.com".into()];
        config.publication.crl_pointers = CrlPointers::Included;
        let published = addresses.published(&config);
        assert_eq!(published.ocsp, ["http://ocsp.example.com"]);
        assert_eq!(published.crl.len(), 1);
    }
}
