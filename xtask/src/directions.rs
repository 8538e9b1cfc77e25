//! Dependencies point down: the picture of the rooms as a table, held against cargo's own view.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::tree;

/// Which rooms a room may use. A crate that is not here may not exist.
const ROOMS: &[(&str, &[&str])] = &[
    ("pki", &[]),
    ("scep", &["pki"]),
    ("lifecycle", &["pki"]),
    ("store", &["pki", "lifecycle"]),
    ("signer", &["pki"]),
    ("directory", &["pki", "lifecycle"]),
    ("authority", &["pki", "lifecycle", "store", "signer", "directory"]),
    ("web", &["pki", "lifecycle"]),
    (
        "server",
        &[
            "pki",
            "scep",
            "lifecycle",
            "store",
            "signer",
            "directory",
            "authority",
            "web",
            "simulator",
        ],
    ),
    ("agent", &["pki", "scep", "signer"]),
    ("simulator", &["pki", "scep"]),
];

/// Libraries that only some rooms may name as a dependency.
const RESERVED: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("libsqlite3-sys", &["store"]),
    ("sqlx", &["store"]),
    ("tokio-postgres", &["store"]),
    ("axum", &["server", "simulator"]),
    ("hyper", &["server", "simulator"]),
    ("tower-http", &["server", "simulator"]),
    ("clap", &["server", "agent"]),
    ("reqwest", &["server", "directory", "agent", "signer", "simulator"]),
    ("anyhow", &["server", "agent"]),
];

/// Rooms of decisions and formats: no async, no I/O, no clock, no randomness.
const PURE: &[&str] = &["pki", "scep", "lifecycle"];

/// What nothing below a pure room may bring in.
const NEVER_BELOW_PURE: &[&str] = &[
    "tokio",
    "mio",
    "async-std",
    "smol",
    "hyper",
    "reqwest",
    "axum",
    "rusqlite",
    "sqlx",
    "socket2",
    "tracing-subscriber",
    "tempfile",
];

/// What the sources of a pure room may not say outside tests.
const NEVER_IN_PURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "std::io::std",
    "async fn",
    ".await",
    "SystemTime",
    "Instant::now",
    "rand::",
    "println!",
    "eprintln!",
];

pub(crate) fn faults() -> Result<Vec<String>> {
    let graph = Graph::read()?;
    let mut faults = graph.rooms();
    faults.extend(graph.reserved());
    faults.extend(graph.pure());
    faults.extend(impure_sources()?);
    Ok(faults)
}

/// The resolved workspace without development dependencies.
struct Graph {
    /// Package id to package name.
    names: BTreeMap<String, String>,
    /// Package id to the ids it uses in a build.
    uses: BTreeMap<String, Vec<String>>,
    members: BTreeSet<String>,
}

impl Graph {
    fn read() -> Result<Self> {
        let metadata = Command::new("cargo")
            .args(["metadata", "--format-version", "1", "--locked", "--offline"])
            .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
            .current_dir(tree::root()?)
            .output()
            .context("cargo metadata")?;
        let said = String::from_utf8_lossy(&metadata.stderr);
        ensure!(metadata.status.success(), "cargo metadata: {}", said.trim());
        let metadata: Value = serde_json::from_slice(&metadata.stdout)?;
        let mut graph =
            Self { names: BTreeMap::new(), uses: BTreeMap::new(), members: BTreeSet::new() };
        for package in list(&metadata["packages"]) {
            graph.names.insert(text(&package["id"]), text(&package["name"]));
        }
        graph.members.extend(list(&metadata["workspace_members"]).iter().map(text));
        for node in list(&metadata["resolve"]["nodes"]) {
            let used = list(&node["deps"]).iter().filter(|dependency| in_a_build(dependency));
            graph.uses.insert(text(&node["id"]), used.map(|found| text(&found["pkg"])).collect());
        }
        Ok(graph)
    }

    fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.names.get(id).map_or(id, String::as_str)
    }

    /// The room of a workspace crate, `None` for xtask and for libraries.
    fn room<'a>(&'a self, id: &'a str) -> Option<&'a str> {
        self.members.contains(id).then(|| self.name(id).strip_prefix("lanyard-")).flatten()
    }

    fn rooms(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (id, used) in &self.uses {
            let Some(room) = self.room(id) else { continue };
            let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
                faults.push(format!("directions: `{room}` is no room of the house"));
                continue;
            };
            for other in used.iter().filter_map(|used| self.room(used)) {
                if !allowed.contains(&other) {
                    faults.push(format!("directions: `{room}` may not use `{other}`"));
                }
            }
        }
        faults
    }

    fn reserved(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (id, used) in &self.uses {
            let Some(room) = self.room(id) else { continue };
            for library in used.iter().map(|used| self.name(used)) {
                let rule = RESERVED.iter().find(|(reserved, _)| *reserved == library);
                if let Some((_, rooms)) = rule.filter(|(_, rooms)| !rooms.contains(&room)) {
                    let rooms = rooms.join(", ");
                    faults
                        .push(format!("directions: `{room}` uses {library}, which is for {rooms}"));
                }
            }
        }
        faults
    }

    fn pure(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for id in &self.members {
            let Some(room) = self.room(id).filter(|room| PURE.contains(room)) else { continue };
            let below = self.below(id);
            for library in NEVER_BELOW_PURE {
                if below.iter().any(|used| self.name(used) == *library) {
                    faults.push(format!("directions: the pure room `{room}` reaches {library}"));
                }
            }
        }
        faults
    }

    /// Everything that a package uses, directly or not.
    fn below<'a>(&'a self, id: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            for used in self.uses.get(id).into_iter().flatten() {
                if found.insert(used.as_str()) {
                    open.push(used);
                }
            }
        }
        found
    }
}

/// Whether a dependency is a normal one, neither for development nor for a build script.
fn in_a_build(dependency: &Value) -> bool {
    list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The standard library does I/O without any dependency, so pure rooms' sources are read too.
fn impure_sources() -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for file in tree::files()? {
        let pure = PURE.iter().any(|room| file.path.starts_with(&format!("crates/{room}/src/")));
        if !pure || !file.has_extension("rs") || file.path.contains("test") {
            continue;
        }
        let code = file.lines().take_while(|(_, line)| !line.contains("#[cfg(test)]"));
        for (number, line) in code.filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for word in NEVER_IN_PURE.iter().filter(|word| line.contains(**word)) {
                let place = &file.path;
                faults.push(format!("directions: {place}:{number}: `{word}` in a pure room"));
            }
        }
    }
    Ok(faults)
}
