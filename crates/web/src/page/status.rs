//! The status page at `/`: which authority this is, and where clients turn to.

use askama::Template;

use crate::asset::{ICON, STYLESHEET};

/// The status page.
#[derive(Debug, Clone, Template)]
#[template(path = "status.html")]
pub struct StatusPage {
    /// The program's version.
    pub version: String,
    /// What does not work at present, a sentence each; none when all is well.
    pub troubles: Vec<String>,
    /// The authorities, the current one first.
    pub authorities: Vec<AuthorityCard>,
    /// Where clients turn to, in the order they need it.
    pub addresses: Vec<Address>,
}

/// One authority.
#[derive(Debug, Clone)]
pub struct AuthorityCard {
    /// Its subject, as RFC 4514 writes it.
    pub subject: String,
    /// What it does now: `current`, `next`, `former`.
    pub state: String,
    /// Its key: `RSA 4096`.
    pub key: String,
    /// When its certificate begins.
    pub not_before: String,
    /// When its certificate ends.
    pub not_after: String,
    /// SHA-256 of its certificate, in groups, to compare by eye.
    pub sha256: String,
    /// SHA-1 of its certificate, which some device management calls its thumbprint.
    pub sha1: String,
}

/// Where clients turn to for something.
#[derive(Debug, Clone)]
pub struct Address {
    /// For what: `Enrollment by SCEP`.
    pub purpose: String,
    /// The address.
    pub url: String,
    /// Whether a browser gets something from it.
    pub link: Link,
}

/// Whether an address is of use to a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// A browser may follow it.
    Followed,
    /// It is for programs: shown as text.
    Text,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> StatusPage {
        StatusPage {
            version: "0.1.0".into(),
            troubles: Vec::new(),
            authorities: vec![AuthorityCard {
                subject: "CN=Example <Device> CA,O=Example".into(),
                state: "current".into(),
                key: "RSA 4096".into(),
                not_before: "2026-11-20 08:00 UTC".into(),
                not_after: "2036-11-18 08:00 UTC".into(),
                sha256: "00 11 22 33".into(),
                sha1: "44 55 66 77".into(),
            }],
            addresses: vec![
                Address {
                    purpose: "Enrollment by SCEP".into(),
                    url: "http://ca.example.com/static".into(),
                    link: Link::Text,
                },
                Address {
                    purpose: "CA certificate".into(),
                    url: "http://ca.example.com/ca".into(),
                    link: Link::Followed,
                },
            ],
        }
    }

    #[test]
    fn the_page_shows_what_it_is_told_and_escapes_it() {
        let html = page().render().unwrap();
        insta::assert_snapshot!(html);
        assert!(!html.contains("<Device>"));
    }

    #[test]
    fn trouble_is_said_first() {
        let page = StatusPage { troubles: vec!["The store cannot be reached.".into()], ..page() };
        let html = page.render().unwrap();
        assert!(html.find("cannot be reached").unwrap() < html.find("CN=Example").unwrap());
        assert!(!html.contains("answers requests"));
    }

    #[test]
    fn the_page_runs_no_script_and_loads_nothing_from_elsewhere() {
        let html = page().render().unwrap();
        for forbidden in ["<script", "style=", "onclick", "src=\"http", "url("] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        assert!(!STYLESHEET.content.contains("http"));
        assert!(!STYLESHEET.content.contains("@import"));
    }
}
