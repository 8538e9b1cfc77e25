//! The repository speaks of itself alone: no unfinished work, no foreign machine, no private host.

use anyhow::Result;

use crate::tree::{self, File};

/// Where packages come from, and nowhere else.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Hosts that an address in the tree may name; their subdomains too.
const HOSTS: &[&str] = &[
    "127.0.0.1",
    "169.254.169.254",
    "apache.org",
    "chinacloudapi.cn",
    "chromium.org",
    "crates.io",
    "debian.org",
    "docs.rs",
    "example.com",
    "example.net",
    "example.org",
    "example.test",
    "github.com",
    "gnu.org",
    "htmx.org",
    "iana.org",
    "ietf.org",
    "itu.int",
    "jamf.com",
    "jamfcloud.com",
    "json-schema.org",
    "keepachangelog.com",
    "localhost",
    "microsoft.cn",
    "microsoft.com",
    "microsoft.us",
    "microsoftonline.com",
    "mozilla.org",
    "nist.gov",
    "openapis.org",
    "opensource.org",
    "openssl.org",
    "postgresql.org",
    "pypi.org",
    "rfc-editor.org",
    "rust-lang.org",
    "rustsec.org",
    "semver.org",
    "sqlite.org",
    "strongswan.org",
    "systemd.io",
    "w3.org",
    "windows.net",
];

/// Marks of work that is not done. Split, so that this list does not find itself.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];

/// Folders of whoever built this, not of the product.
const FOREIGN_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

pub(crate) fn faults() -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for file in tree::files()? {
        if file.path == "Cargo.lock" || file.path.ends_with("/Cargo.lock") {
            faults.extend(foreign_sources(&file));
            continue;
        }
        for (number, line) in file.lines() {
            for fault in line_faults(&file, line) {
                faults.push(format!("words: {}:{number}: {fault}", file.path));
            }
        }
    }
    Ok(faults)
}

fn foreign_sources(lock: &File) -> Vec<String> {
    let sources = lock.lines().filter_map(|(number, line)| {
        let source = line.strip_prefix("source = \"")?.strip_suffix('"')?;
        (source != REGISTRY).then(|| format!("words: {}:{number}: source {source}", lock.path))
    });
    sources.collect()
}

fn line_faults(file: &File, line: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
        faults.push(format!("`{word}`: finish it or leave it out"));
    }
    for path in FOREIGN_PATHS.iter().filter(|path| names_path(line, path)) {
        faults.push(format!("`{path}`: a path of some machine"));
    }
    for host in hosts(line).filter(|host| !is_known(host)) {
        faults.push(format!("`{host}`: a host that is not in xtask/src/words.rs"));
    }
    if let Some(number) = issue_number(file, line) {
        faults.push(format!("`#{number}`: a number that only a tracker can explain"));
    }
    if file.has_extension("rs") && line.contains(concat!("#[al", "low(")) {
        faults.push("`allow`: use `expect` with a reason".to_owned());
    }
    faults
}

/// Whether an absolute path starts here, rather than a folder inside another path or address.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '>' | '$'))
    })
}

/// The host of every address in a line.
fn hosts(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("://").filter_map(|(at, mark)| {
        let scheme = line.get(..at)?;
        if !(scheme.ends_with("http") || scheme.ends_with("https")) {
            return None;
        }
        let rest = line.get(at + mark.len()..)?;
        let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')));
        let host = rest.get(..end.unwrap_or(rest.len()))?.trim_end_matches('.');
        host.contains('.').then_some(host)
    })
}

fn is_known(host: &str) -> bool {
    let ends = |known: &str| {
        host.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let documentation = [".example", ".test", ".invalid", ".local"];
    HOSTS.iter().any(|known| ends(known))
        || documentation.iter().any(|end| host.ends_with(end))
        || is_private_address(host)
}

/// Loopback, private and documentation addresses may stand in tests and examples.
fn is_private_address(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| {
        address.is_loopback()
            || address.is_private()
            || address.is_documentation()
            || address.is_unspecified()
    })
}

/// A bare `#12` in prose or a comment; `owner/project#12` names its tracker, `PKCS #1` a standard.
fn issue_number<'a>(file: &File, line: &'a str) -> Option<&'a str> {
    let prose = file.has_extension("md");
    let comment = line.trim_start().starts_with("//") || line.trim_start().starts_with("# ");
    if !prose && !comment {
        return None;
    }
    line.match_indices('#').find_map(|(at, _)| {
        let before = line.get(..at)?;
        let last = before.chars().next_back();
        let free = last.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '['))
            && !before.ends_with("PKCS ");
        let rest = line.get(at + 1..)?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number = rest.get(..digits).filter(|number| !number.is_empty())?;
        let ends = !rest.get(digits..)?.starts_with(|c: char| c.is_alphanumeric());
        (free && ends).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, line: &str) -> usize {
        let file = File { path: path.to_owned(), text: String::new() };
        line_faults(&file, line).len()
    }

    #[test]
    fn a_host_must_be_known_and_a_lookalike_is_not() {
        assert_eq!(
            found("a.md", "see https://docs.rs/der and http://www.rfc-editor.org/rfc/rfc8894"),
            0
        );
        assert_eq!(found("a.md", concat!("https:/", "/registry.corp.internal/index")), 1);
        assert_eq!(found("a.md", concat!("https:/", "/notdocs.rs/")), 1);
        assert_eq!(
            found(
                "a.rs",
                "let url = \"http://127.0.0.1:80\"; // http://{host}/ and http://device/"
            ),
            0
        );
    }

    #[test]
    fn a_bare_number_needs_its_tracker() {
        assert_eq!(found("a.md", "fixes #12"), 1);
        assert_eq!(found("a.md", "RustCrypto/formats#2389 and colour #12ab34"), 0);
        assert_eq!(found("a.rs", "let dn = \"#12\";"), 0);
        assert_eq!(found("a.rs", "// as in (#7)"), 1);
    }

    #[test]
    fn a_machine_s_folder_is_found_where_a_path_starts() {
        assert_eq!(found("a.sh", concat!("cd /wo", "rk/main")), 1);
        assert_eq!(found("a.sh", concat!("cd $base/wo", "rk/x; ls target/wo", "rk/")), 0);
    }
}
