//! `[publication]`: the addresses that certificates carry.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// The addresses under which clients reach this installation; certificates carry them.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct PublicationSection {
    /// Where clients reach this installation by plain HTTP, for example `http://ca.example.com`. Certificates carry
    /// addresses below it for as long as they live, so choose a name that stays. Without it, the machine's name and the
    /// first HTTP port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<Url>,
    /// Whether certificates say where the CRL is (CRL distribution points).
    pub crl_pointers: CrlPointers,
    /// OCSP addresses in certificates instead of `base_url` + `/ocsp`. `{ca}` stands for the CA's key identifier.
    pub ocsp_urls: Vec<String>,
    /// CA certificate addresses in certificates instead of `base_url` + `/ca`. `{ca}` stands for the CA's key identifier.
    pub ca_issuer_urls: Vec<String>,
    /// CRL addresses in certificates instead of `base_url` + `/crl`. `{ca}` stands for the CA's key identifier.
    pub crl_urls: Vec<String>,
}

/// Whether certificates say where the CRL is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum CrlPointers {
    /// Certificates name OCSP alone.
    #[default]
    Omitted,
    /// Certificates carry the CRL's address.
    Included,
}
