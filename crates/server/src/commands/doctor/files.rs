//! The data folder, the key files, files with secrets, and the disk below them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use lanyard_signer::{KeyStore, Protection};
use secrecy::{ExposeSecret as _, SecretString};

use super::Finding;
use crate::config::{Config, Loaded, Origin};
use crate::control::ServerDescription;
use crate::control::description::KeyFiles;
use crate::open::{keys_folder, passphrase};
use crate::routes::scep::door::INTUNE;

/// Free space below which the disk is in trouble, in octets.
const NO_SPACE: u64 = 64 << 20;

/// Free space below which an operator should look, in octets.
const LITTLE_SPACE: u64 = 1 << 30;

/// The fewest characters of a challenge that guessing does not find.
const SHORT_CHALLENGE: usize = 16;

pub(super) fn look(loaded: &Loaded, running: Option<&ServerDescription>) -> Vec<Finding> {
    let config = &loaded.config;
    let mut findings = vec![data_folder(config)];
    if config.data.exists() {
        findings.push(disk(&config.data));
    }
    if keys_folder(config).exists() {
        findings.push(key_files(loaded, running));
    }
    findings.extend(enrollment(config, running));
    findings.extend(secret_files(loaded));
    findings
}

fn data_folder(config: &Config) -> Finding {
    let path = config.data.display();
    match fs::metadata(&config.data) {
        Err(error) => Finding::problem(
            "data folder",
            format!("{path}: {error}."),
            "`lanyard serve` makes it at its first start; name another with --data.",
        ),
        Ok(metadata) if !metadata.is_dir() => Finding::problem(
            "data folder",
            format!("{path} is not a folder."),
            "Name another with --data.",
        ),
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Finding::warning(
            "data folder",
            format!(
                "{path} may be entered by others (mode {:03o}).",
                metadata.permissions().mode() & 0o777
            ),
            format!("chmod 700 {path}"),
        ),
        Ok(_) => Finding::well("data folder", format!("{path} is its owner's alone.")),
    }
}

fn disk(data: &Path) -> Finding {
    let free = match rustix::fs::statvfs(data) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => {
            return Finding::warning(
                "disk",
                format!("Its free space is not known: {error}."),
                "Look at it by hand.",
            );
        }
    };
    let text = format!("{} MiB are free below {}.", free >> 20, data.display());
    match free {
        NO_SPACE..LITTLE_SPACE => {
            Finding::warning("disk", text, "Make room before certificates cannot be recorded.")
        }
        0..NO_SPACE => {
            Finding::problem("disk", text, "Make room: certificates cannot be recorded without it.")
        }
        _ => Finding::well("disk", text),
    }
}

fn key_files(loaded: &Loaded, running: Option<&ServerDescription>) -> Finding {
    let source = match loaded.origins.of("keys.passphrase") {
        Origin::Default => None,
        origin => Some(origin),
    };
    let opened =
        passphrase(&loaded.config).map_err(|error| error.to_string()).and_then(|passphrase| {
            KeyStore::open(&keys_folder(&loaded.config), passphrase).map_err(|e| e.to_string())
        });
    let keys = match opened {
        Ok(keys) => keys,
        Err(error) => {
            return Finding::problem("keys", error, "Look at keys.passphrase and the key folder.");
        }
    };
    let names = match keys.names() {
        Ok(names) => names,
        Err(error) => {
            return Finding::problem("keys", error.to_string(), "Look at the key folder.");
        }
    };
    let mut bare = 0;
    for name in &names {
        match keys.protection(name) {
            Ok(Protection::Passphrase) => {}
            Ok(Protection::Permissions) => bare += 1,
            Err(error) => {
                return Finding::problem(
                    "keys",
                    error.to_string(),
                    "Restore the file from a back-up.",
                );
            }
        }
    }
    let count = names.len();
    let has_server_passphrase = running.is_some_and(|server| server.keys == KeyFiles::Encrypted);
    match (source, bare) {
        (None, 0) if count > 0 && has_server_passphrase => Finding::well(
            "keys",
            format!(
                "{count} key files are encrypted; the running server has their passphrase, this command has not."
            ),
        ),
        (None, 0) if count > 0 => Finding::problem(
            "keys",
            format!("{count} key files are encrypted, and no passphrase is set."),
            "Set keys.passphrase_file, LANYARD_KEYS_PASSPHRASE or the systemd credential keys.passphrase.",
        ),
        (None, _) => Finding::warning(
            "keys",
            format!("{count} key files are protected by their permissions alone."),
            "Set keys.passphrase_file, LANYARD_KEYS_PASSPHRASE or the systemd credential keys.passphrase to encrypt them.",
        ),
        (Some(source), 0) => Finding::well(
            "keys",
            format!("{count} key files are encrypted; the passphrase comes from: {source}."),
        ),
        (Some(source), bare) => Finding::warning(
            "keys",
            format!(
                "{bare} of {count} key files are not encrypted though a passphrase is set ({source})."
            ),
            "Restart the server: it encrypts them.",
        ),
    }
}

/// Whether devices can enroll: as the running server says, else as it is configured.
fn enrollment(config: &Config, running: Option<&ServerDescription>) -> Vec<Finding> {
    let endpoints = &config.endpoints;
    let configured = [
        ("/static", endpoints.r#static.is_open(), endpoints.r#static.challenge.as_ref()),
        (INTUNE, endpoints.intune.is_open(), None),
        ("/static/aad", endpoints.static_aad.is_open(), endpoints.static_aad.challenge.as_ref()),
        ("/jamf", endpoints.jamf.is_open(), endpoints.jamf.challenge.as_ref()),
        ("/dc", endpoints.dc.is_open(), endpoints.dc.challenge.as_ref()),
    ];
    let is_open = |path: &str, is_configured: bool| {
        running.map_or(is_configured, |server| server.enrollment.iter().any(|one| one.path == path))
    };
    let open =
        configured.into_iter().filter(|(path, is_configured, _)| is_open(path, *is_configured));
    let findings: Vec<_> =
        open.map(|(path, _, challenge)| open_endpoint(path, challenge)).collect();
    if findings.is_empty() {
        return vec![Finding::warning(
            "enrollment",
            "No endpoint is configured: nobody can enroll.",
            "Set endpoints.static.challenge_file, or open another endpoint.",
        )];
    }
    findings
}

fn open_endpoint(path: &str, challenge: Option<&SecretString>) -> Finding {
    let length = challenge.map(|challenge| challenge.expose_secret().chars().count());
    match length {
        Some(length) if length < SHORT_CHALLENGE => Finding::warning(
            "enrollment",
            format!("The challenge of {path} has {length} characters."),
            "Choose one of 16 or more: whoever guesses it gets a certificate.",
        ),
        _ if path == INTUNE => Finding::well(
            "enrollment",
            format!("{path} takes requests with a challenge of Intune."),
        ),
        _ => Finding::well("enrollment", format!("{path} takes requests with a challenge.")),
    }
}

/// Files with secrets that others may read.
fn secret_files(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let files = [
        &config.keys.passphrase_file,
        &config.storage.password_file,
        &config.endpoints.r#static.challenge_file,
        &config.endpoints.static_aad.challenge_file,
        &config.endpoints.jamf.challenge_file,
        &config.endpoints.dc.challenge_file,
        &config.crl.token_file,
        &config.tls.key_file,
    ];
    let open_to_others = |file: &&std::path::PathBuf| {
        fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0)
    };
    files
        .into_iter()
        .flatten()
        .filter(open_to_others)
        .map(|file| {
            let text = format!("{} may be read by everyone on this machine.", file.display());
            Finding::warning("secrets", text, format!("chmod o= {}", file.display()))
        })
        .collect()
}
