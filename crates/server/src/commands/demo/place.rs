//! Where a demo keeps its files: a temporary folder that goes with it, or one that stays.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use toml::{Table, Value};

use super::ready::Ready;
use super::{DemoArgs, HTTP, HTTPS};
use crate::config::unit::Span;
use crate::config::{Config, Origin, Sources};
use crate::exit::{ExitStatus, Failure, WithStatus as _};
use crate::file::{write_private, write_public};
use crate::open::World;
use crate::server::Server;

/// The file with the challenge; a folder that has it was made by a demo.
const CHALLENGE_FILE: &str = "demo-challenge";

/// The configuration with which `lanyard serve` goes on where the demo ended.
const SETTINGS_FILE: &str = "demo.toml";

/// Octets of the challenge that the demo makes up.
const CHALLENGE: usize = 12;

/// A demo's folder.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
    temporary: Option<TempDir>,
    challenge: String,
    settings: Option<PathBuf>,
}

impl Place {
    /// A temporary folder, or this one: new, empty or of an earlier demo. `settings` is a configuration file that the
    /// demo goes by.
    pub(super) fn open(kept: Option<&Path>, settings: Option<&Path>) -> Result<Self, Failure> {
        let temporary = if kept.is_none() {
            let private = fs::Permissions::from_mode(0o700);
            let mut builder = tempfile::Builder::new();
            Some(builder.prefix("lanyard-demo-").permissions(private).tempdir()?)
        } else {
            None
        };
        let folder = match (kept, &temporary) {
            (Some(folder), _) => made(folder)?,
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => return Err(io::Error::from(io::ErrorKind::NotFound).into()),
        };
        let challenge = challenge(&folder)?;
        Ok(Self { folder, temporary, challenge, settings: settings.map(Path::to_owned) })
    }

    /// A file of this folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The challenge with which devices enroll.
    pub(super) fn challenge(&self) -> &str {
        &self.challenge
    }

    /// The file that holds the challenge.
    pub(super) fn challenge_file(&self) -> PathBuf {
        self.file(CHALLENGE_FILE)
    }

    /// The configuration with which `lanyard serve` goes on where the demo ended.
    pub(super) fn settings_file(&self) -> PathBuf {
        self.file(SETTINGS_FILE)
    }

    /// Whether the folder goes with the demo.
    pub(super) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// The configuration of a demo here: defaults, the file that was named, flags. What the machine's own installation
    /// is configured to be does not count: a demo must not act on it.
    pub(super) fn configuration(&self, args: &DemoArgs) -> Result<Config, Failure> {
        let mut sources = Sources { file: self.settings.clone(), ..Sources::default() };
        let https = match args.listen_https {
            Some(address) => address.to_string(),
            None if args.listen.to_string() == HTTP => HTTPS.to_owned(),
            None => SocketAddr::new(args.listen.ip(), 0).to_string(),
        };
        sources.flag("--data", "data", self.folder.display().to_string());
        sources.flag("--listen", "listen.http", vec![args.listen.to_string()]);
        sources.flag("--listen-https", "listen.https", vec![https]);
        let challenge_file = self.challenge_file().display().to_string();
        sources.flag("--data", "endpoints.static.challenge_file", challenge_file);
        if let Some(key) = args.ca_key {
            sources.flag("--ca-key", "authority.key", Value::try_from(key)?);
        }
        let loaded = sources.load().or_exit(ExitStatus::Configuration)?;
        let mut config = loaded.config;
        if loaded.origins.of("authority.subject") == Origin::Default {
            config.authority.subject = "CN=Lanyard Demo CA,O=Lanyard".into();
        }
        if loaded.origins.of("listen.stop_timeout") == Origin::Default {
            config.listen.stop_timeout = Span::seconds(3);
        }
        if let Some(address) = args.listen_https
            && !address.ip().is_unspecified()
        {
            config.tls.names.push(address.ip().to_string());
        }
        Ok(config)
    }

    /// Writes what people and scripts look for: the authority's certificates, and the configuration in use.
    pub(super) fn settle(&self, server: &Server, ready: &Ready) -> Result<(), Failure> {
        write_public(&ready.ca_file, ready.ca_pem().as_bytes())?;
        let header = "# The configuration of a demo. `lanyard serve --config` with this file goes on where it ended.\n";
        let settings = toml::to_string(&changed(&server.app().config)?)?;
        write_private(&self.settings_file(), format!("{header}{settings}").as_bytes())?;
        Ok(())
    }

    /// Removes what is temporary.
    pub(super) fn leave(self) -> Result<(), Failure> {
        let Some(temporary) = self.temporary else { return Ok(()) };
        temporary.close().map_err(|error| {
            let text = format!("{} could not be removed: {error}", self.folder.display());
            Failure::new(ExitStatus::Failed, text)
        })
    }
}

/// Makes the folder, its owner's alone, and refuses one with somebody else's files in it.
fn made(folder: &Path) -> Result<PathBuf, Failure> {
    let failed = |error: io::Error| {
        Failure::new(ExitStatus::Failed, format!("{}: {error}", folder.display()))
    };
    let folder = std::path::absolute(folder).map_err(failed)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
    let is_empty = fs::read_dir(&folder).map_err(failed)?.next().is_none();
    if is_empty || folder.join(CHALLENGE_FILE).exists() {
        return Ok(folder);
    }
    let text = format!(
        "{} holds files, and no demo made them: name a folder that is empty or not there yet",
        folder.display()
    );
    Err(Failure::new(ExitStatus::Usage, text))
}

/// The challenge of a folder that is used again, else a new one.
fn challenge(folder: &Path) -> Result<String, Failure> {
    let file = folder.join(CHALLENGE_FILE);
    match fs::read_to_string(&file) {
        Ok(text) => return Ok(text.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            let text = format!("{}: {error}", file.display());
            return Err(Failure::new(ExitStatus::Failed, text));
        }
    }
    let octets: [u8; CHALLENGE] = lanyard_authority::entropy::random(&*World::real().entropy);
    let text = hex::encode(octets);
    write_private(&file, format!("{text}\n").as_bytes())?;
    Ok(text)
}

/// The settings that are not as they are by default.
fn changed(config: &Config) -> Result<Table, toml::ser::Error> {
    let mut values = Table::try_from(config)?;
    retain_changed(&mut values, &Table::try_from(Config::default())?);
    Ok(values)
}

fn retain_changed(values: &mut Table, defaults: &Table) {
    for (key, default) in defaults {
        match (values.get_mut(key), default) {
            (Some(Value::Table(inner)), Value::Table(default)) => {
                retain_changed(inner, default);
                if inner.is_empty() {
                    values.remove(key);
                }
            }
            (Some(value), default) if value == default => {
                values.remove(key);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_is_its_owners_alone_and_goes_with_the_demo() {
        let place = Place::open(None, None).unwrap();
        let folder = place.folder().to_owned();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(place.is_temporary());
        fs::write(place.file("something"), "made by the server").unwrap();
        place.leave().unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn a_folder_is_used_again_with_its_challenge() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("new");
        let first = Place::open(Some(&folder), None).unwrap();
        let challenge = first.challenge().to_owned();
        assert_eq!(challenge.len(), 2 * CHALLENGE);
        first.leave().unwrap();
        assert!(folder.exists());
        assert_eq!(Place::open(Some(&folder), None).unwrap().challenge(), challenge);
    }

    #[test]
    fn a_folder_with_files_of_others_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lanyard.db"), "an installation").unwrap();
        let refused = Place::open(Some(folder.path()), None).unwrap_err();
        assert_eq!(refused.status(), ExitStatus::Usage);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_what_differs_from_the_defaults_is_written_down() {
        let mut config = Config::default();
        assert!(changed(&config).unwrap().is_empty());
        config.listen.http = vec!["127.0.0.1:7480".parse().unwrap()];
        let text = toml::to_string(&changed(&config).unwrap()).unwrap();
        assert_eq!(text, "[listen]\nhttp = [\"127.0.0.1:7480\"]\n");
    }
}
