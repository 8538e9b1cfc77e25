//! Finds the configuration: defaults, then the file, then the environment, then flags; and all faults at once.
//!
//! What a value means is its section's affair. This is the one place that reads the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use garde::Validate as _;
use secrecy::SecretString;
use serde_path_to_error::Segment;
use toml::{Table, Value};
use url::Url;

use super::directory::{DIRECTORY_SECRETS, secret_path};
use super::origin::{Origin, Origins};
use super::secret::SECRETS;
use super::{AppService, CheckSetting, Config, document};

/// Where the configuration is looked for when nothing names it.
pub const DEFAULT_FILE: &str = "/etc/lanyard/lanyard.toml";

/// Variables of the environment that are the command line's, not the configuration's.
const COMMAND_LINE_VARIABLES: [&str; 1] = ["LANYARD_CONFIG"];

/// Everything that a configuration is made from.
#[derive(Debug, Default)]
pub struct Sources {
    /// The configuration file. One that was named must exist.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// Values from flags: path, value and the flag.
    pub flags: Vec<(String, Value, &'static str)>,
}

impl Sources {
    /// The process's own environment, and the file that it or a flag names, else the default file where there is one.
    #[expect(clippy::disallowed_methods, reason = "configuration is what reads the environment")]
    pub fn of_process(file: Option<PathBuf>) -> Self {
        let environment: BTreeMap<_, _> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let file = file
            .or_else(|| std::env::var_os("LANYARD_CONFIG").map(PathBuf::from))
            .or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()));
        Self { file, environment, flags: Vec::new() }
    }

    /// Sets a value as if by this flag, over file and environment.
    pub fn flag(&mut self, flag: &'static str, path: &str, value: impl Into<Value>) {
        self.flags.push((path.to_owned(), value.into(), flag));
    }

    /// Merges everything.
    pub fn load(&self) -> Result<Loaded, Faults> {
        Loader::default().load(self)
    }
}

/// A configuration without faults.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// Where each came from.
    pub origins: Origins,
}

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The setting: `listen.http[0]`. Empty for a fault of the whole file.
    pub path: String,
    /// Where its value came from.
    pub origin: Origin,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(f, "{}: {}", self.origin, self.text)
        } else {
            write!(f, "{}: {} ({})", self.path, self.text, self.origin)
        }
    }
}

/// Every fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

#[derive(Default)]
struct Loader {
    values: Table,
    origins: Origins,
    faults: Vec<Fault>,
}

impl Loader {
    fn load(mut self, sources: &Sources) -> Result<Loaded, Faults> {
        if let Some(file) = &sources.file {
            self.file(file);
        }
        self.environment(&sources.environment);
        for (path, value, flag) in &sources.flags {
            insert(&mut self.values, path, value.clone());
            self.origins.note(path, Origin::Flag(flag));
        }
        let mut config = self.typed();
        self.secrets(&mut config, &sources.environment);
        self.directories(&mut config, &sources.environment);
        self.validate(&config);
        if self.faults.is_empty() {
            Ok(Loaded { config, origins: self.origins })
        } else {
            Err(Faults(self.faults))
        }
    }

    fn fault(&mut self, path: &str, text: impl Into<String>) {
        let origin = self.origins.of(path);
        self.faults.push(Fault { path: path.to_owned(), origin, text: text.into() });
    }

    /// Reads the file and notes the line of every value in it.
    fn file(&mut self, file: &Path) {
        let whole = |text: String| Fault {
            path: String::new(),
            origin: Origin::File { path: file.to_owned(), line: None },
            text,
        };
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => return self.faults.push(whole(format!("cannot be read: {error}"))),
        };
        match toml::from_str(&text) {
            Ok(values) => self.values = values,
            Err(error) => return self.faults.push(whole(format!("is not TOML: {error}"))),
        }
        let mut lines = Vec::new();
        if let Ok(table) = toml::de::DeTable::parse(&text) {
            note_lines(table.get_ref(), "", &text, &mut lines);
        }
        for (path, line) in lines {
            self.origins.note(path, Origin::File { path: file.to_owned(), line: Some(line) });
        }
        for secret in &SECRETS {
            if remove(&mut self.values, secret.path).is_some() {
                let text = format!(
                    "a secret is never written in the configuration: set {path}_file, the environment variable \
                     {variable}, or a systemd credential named {path}",
                    path = secret.path,
                    variable = variable_of(secret.path)
                );
                self.fault(secret.path, text);
            }
        }
    }

    /// Lays the environment over the file: `LANYARD_` and the setting's path in capitals, dots as underscores.
    fn environment(&mut self, environment: &BTreeMap<String, String>) {
        let settings: BTreeMap<String, document::Setting> =
            document::settings().into_iter().map(|s| (variable_of(&s.path), s)).collect();
        let mut known: BTreeSet<String> = COMMAND_LINE_VARIABLES.map(str::to_owned).into();
        known.extend(SECRETS.iter().map(|secret| variable_of(secret.path)));
        known.extend(self.directory_secrets());
        for (name, text) in environment.iter().filter(|(name, _)| name.starts_with("LANYARD_")) {
            let Some(setting) = settings.get(name) else {
                if !known.contains(name) {
                    self.faults.push(Fault {
                        path: String::new(),
                        origin: Origin::Environment(name.clone()),
                        text: "no setting has this name".into(),
                    });
                }
                continue;
            };
            self.origins.note(&setting.path, Origin::Environment(name.clone()));
            match setting.parse(text) {
                Ok(value) => insert(&mut self.values, &setting.path, value),
                Err(fault) => self.fault(&setting.path, fault),
            }
        }
    }

    /// Gives values their types. What does not fit is noted, taken out and asked for no more, until the rest fits.
    fn typed(&mut self) -> Config {
        loop {
            let error = match serde_path_to_error::deserialize(self.values.clone()) {
                Ok(config) => return config,
                Err(error) => error,
            };
            let path = error.path().clone();
            self.fault(&path_text(&path), without_place(&error.into_inner().to_string()));
            let mut segments: Vec<_> = path.iter().cloned().collect();
            while remove_at(&mut self.values, &segments).is_none() {
                if segments.pop().is_none() {
                    return Config::default();
                }
            }
        }
    }

    /// Finds each secret: the environment, then a systemd credential, then its file.
    fn secrets(&mut self, config: &mut Config, environment: &BTreeMap<String, String>) {
        let credentials = environment.get("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        for secret in &SECRETS {
            let variable = variable_of(secret.path);
            let file_setting = format!("{}_file", secret.path);
            let credential = credentials.as_ref().map(|folder| folder.join(secret.path));
            let (text, origin) = if let Some(text) = environment.get(&variable) {
                (Ok(text.clone()), Origin::Environment(variable))
            } else if let Some(file) = credential.filter(|file| file.exists()) {
                (std::fs::read_to_string(file), Origin::Credential(secret.path.to_owned()))
            } else if let Some(file) = lookup(&self.values, &file_setting).and_then(Value::as_str) {
                (std::fs::read_to_string(file), Origin::SecretFile(PathBuf::from(file)))
            } else {
                continue;
            };
            self.origins.note(secret.path, origin);
            match text.as_deref().map(|text| text.trim_end_matches(['\n', '\r'])) {
                Ok("") => self.fault(secret.path, "is empty"),
                Ok(text) => *(secret.slot)(config) = Some(SecretString::from(text)),
                Err(error) => {
                    let text = format!("cannot be read: {error}");
                    self.fault(secret.path, text);
                }
            }
        }
    }

    /// The variables of the environment that hold secrets of the directories.
    fn directory_secrets(&self) -> Vec<String> {
        let sections = self.values.get("directory").and_then(Value::as_array);
        let names = sections.into_iter().flatten().filter_map(|one| one.get("name")?.as_str());
        let paths = names
            .flat_map(|name| DIRECTORY_SECRETS.iter().map(move |secret| secret_path(name, secret)));
        paths.map(|path| variable_of(&path)).collect()
    }

    /// Finds the secrets of each directory (the environment, then a systemd credential; its file is read when it is
    /// connected) and the identity of where this runs.
    fn directories(&mut self, config: &mut Config, environment: &BTreeMap<String, String>) {
        let credentials = environment.get("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        for (index, section) in config.directory.iter_mut().enumerate() {
            for secret in &DIRECTORY_SECRETS {
                let path = secret_path(&section.name, secret);
                let shown = format!("directory[{index}].{}", secret.name);
                let variable = variable_of(&path);
                let credential = credentials.as_ref().map(|folder| folder.join(&path));
                let (text, origin) = if let Some(text) = environment.get(&variable) {
                    (Ok(text.clone()), Origin::Environment(variable))
                } else if let Some(file) = credential.filter(|file| file.exists()) {
                    (std::fs::read_to_string(file), Origin::Credential(path))
                } else {
                    continue;
                };
                self.origins.note(&shown, origin);
                match text.as_deref().map(|text| text.trim_end_matches(['\n', '\r'])) {
                    Ok("") => self.fault(&shown, "is empty"),
                    Ok(text) => *(secret.slot)(section) = Some(SecretString::from(text)),
                    Err(error) => {
                        let text = format!("cannot be read: {error}");
                        self.fault(&shown, text);
                    }
                }
            }
        }
        let (endpoint, header) = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER");
        if let (Some(endpoint), Some(header)) = (environment.get(endpoint), environment.get(header))
            && let Ok(endpoint) = Url::parse(endpoint)
        {
            let app_service = AppService { endpoint, header: SecretString::from(header.as_str()) };
            for section in &mut config.directory {
                section.app_service = Some(app_service.clone());
            }
        }
    }

    /// What no single value shows.
    fn validate(&mut self, config: &Config) {
        if let Err(report) = config.validate() {
            for (path, error) in report.iter() {
                self.fault(&path.to_string().replace("r#", ""), error.message().to_owned());
            }
        }
        for (index, directory) in config.directory.iter().enumerate() {
            for (setting, text) in directory.faults() {
                self.fault(&format!("directory[{index}].{setting}"), text);
            }
            if config.directory.iter().take(index).any(|other| other.name == directory.name) {
                self.fault(&format!("directory[{index}].name"), "is another directory's name");
            }
        }
        for (path, text) in config.endpoints.faults(&config.directory) {
            self.fault(&path, text);
        }
        if config.tether.user_risk_check == CheckSetting::Always
            && let Some(name) = config.endpoints.without_user_risk(&config.directory)
        {
            let text =
                format!("the directory {name:?} must follow user_risk, or nothing is known of it");
            self.fault("tether.user_risk_check", text);
        }
        if config.listen.http.is_empty() && config.listen.https.is_empty() {
            self.fault("listen", "the server would listen nowhere: give http or https an address");
        }
        if config.tls.certificate_file.is_some() != config.tls.key_file.is_some() {
            self.fault("tls", "certificate_file and key_file belong together: set both or neither");
        }
        if config.crl.interval > config.crl.validity {
            self.fault(
                "crl.interval",
                "a new CRL must be made before the last one ends: keep it below crl.validity",
            );
        }
        if let Some(url) = &config.publication.base_url
            && (!matches!(url.scheme(), "http" | "https") || url.host().is_none())
        {
            self.fault("publication.base_url", "must be an address such as http://ca.example.com");
        }
    }
}

/// The environment variable of a setting.
pub fn variable_of(path: &str) -> String {
    format!("LANYARD_{}", path.to_uppercase().replace(['.', '-'], "_"))
}

fn note_lines(
    table: &toml::de::DeTable<'_>,
    prefix: &str,
    text: &str,
    lines: &mut Vec<(String, usize)>,
) {
    for (key, value) in table {
        let path = join(prefix, key.get_ref());
        let line = text[..key.span().start.min(text.len())].matches('\n').count() + 1;
        lines.push((path.clone(), line));
        match value.get_ref() {
            toml::de::DeValue::Table(inner) => note_lines(inner, &path, text, lines),
            toml::de::DeValue::Array(list) => {
                for (index, one) in list.iter().enumerate() {
                    if let toml::de::DeValue::Table(inner) = one.get_ref() {
                        note_lines(inner, &format!("{path}[{index}]"), text, lines);
                    }
                }
            }
            _ => {}
        }
    }
}

pub(super) fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

fn lookup<'a>(values: &'a Table, path: &str) -> Option<&'a Value> {
    let mut segments = path.split('.');
    let mut value = values.get(segments.next()?)?;
    for segment in segments {
        value = value.get(segment)?;
    }
    Some(value)
}

fn insert(values: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            values.insert(path.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = values.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if !inner.is_table() {
                *inner = Value::Table(Table::new());
            }
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

fn remove(values: &mut Table, path: &str) -> Option<Value> {
    match path.split_once('.') {
        None => values.remove(path),
        Some((section, rest)) => remove(values.get_mut(section)?.as_table_mut()?, rest),
    }
}

/// Takes out the value that the segments lead to, or the list that holds it.
fn remove_at(values: &mut Table, segments: &[Segment]) -> Option<()> {
    let keys: Vec<&str> = segments
        .iter()
        .map_while(|segment| match segment {
            Segment::Map { key } => Some(key.as_str()),
            _ => None,
        })
        .collect();
    let (last, sections) = keys.split_last()?;
    let mut table = values;
    for section in sections {
        table = table.get_mut(*section)?.as_table_mut()?;
    }
    table.remove(*last).map(|_| ())
}

/// The text of a TOML error without its lines about the place, which the fault has better.
fn without_place(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("in `")).collect::<Vec<_>>().join(" ")
}

fn path_text(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    if text == "." { String::new() } else { text }
}
