//! Pages of collections.

use serde::Deserialize;

/// One page. It may be empty and yet not be the last.
#[derive(Debug, Deserialize)]
pub struct Page<T> {
    /// What is on it. A page without this is none.
    pub value: Vec<T>,
    /// Where the next page is.
    #[serde(rename = "@odata.nextLink")]
    pub next_link: Option<String>,
    /// Where the changes after this round will be; on the last page of a delta.
    #[serde(rename = "@odata.deltaLink")]
    pub delta_link: Option<String>,
    /// How many there are in all, where asked for.
    #[serde(rename = "@odata.count")]
    pub count: Option<u64>,
}
