//! Texts made from the types: the annotated example, the JSON schema, the reference page, and what `config show` prints.

use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use serde_json::Value as Json;
use toml::{Table, Value};

use super::directory::{DIRECTORY_SECRETS, secret_path};
use super::load::{Loaded, join, variable_of};
use super::origin::Origin;
use super::secret::SECRETS;
use super::{Config, DirectorySection};

/// One setting, as its type describes it.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its path: `listen.http`.
    pub path: String,
    /// What it means.
    pub description: String,
    /// Its default in TOML; none where it is off until set.
    pub default: Option<String>,
    schema: Json,
}

/// A section of settings.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its path; empty for the settings before the first section.
    pub path: String,
    /// How often it may be written.
    pub times: Times,
    /// What it is about.
    pub description: String,
    /// Its settings, in the order of the type.
    pub settings: Vec<Setting>,
}

/// How often a section may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Once: `[section]`.
    Once,
    /// Once for each thing that it is about: `[[section]]`.
    Many,
}

impl Section {
    /// The line that begins it.
    fn header(&self) -> String {
        match self.times {
            Times::Once => format!("[{}]", self.path),
            Times::Many => format!("[[{}]]", self.path),
        }
    }
}

/// Every section, in the order of the types.
///
/// # Panics
///
/// When the defaults cannot be written as TOML, which a test rules out.
pub fn sections() -> Vec<Section> {
    let schema = schema();
    // One of each that may be written many times, to see its defaults.
    let directory = vec![DirectorySection::default()];
    let defaults = Config { directory, ..Config::default() };
    let order = toml::to_string(&defaults).expect("the defaults can be written as TOML");
    let mut sections = Vec::new();
    collect(&schema, "", Times::Once, &order, &mut sections);
    let position = |path: &str| {
        order.find(&format!("[{path}]")).filter(|_| !path.is_empty()).map_or(0, |at| at + 1)
    };
    sections.sort_by_key(|section| position(&section.path));
    sections
}

/// Every setting of the sections that are written once.
///
/// # Panics
///
/// As [`sections`].
pub fn settings() -> Vec<Setting> {
    let once = sections().into_iter().filter(|section| section.times == Times::Once);
    once.flat_map(|section| section.settings).collect()
}

/// The JSON schema of the configuration file.
pub fn schema() -> Json {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Config>().to_value()
}

/// The configuration file with every setting, its meaning and its default, all commented out.
pub fn example() -> String {
    let mut text = String::from(
        "# Lanyard's configuration. Every setting is shown with its default; a setting without one is off until set.\n\
         # An environment variable LANYARD_<SECTION>_<SETTING> goes before this file. `lanyard config check` reads it all.\n",
    );
    for section in sections() {
        text.push('\n');
        if !section.path.is_empty() {
            comment(&mut text, &section.description);
            let off = if section.times == Times::Many { "# " } else { "" };
            let _ = writeln!(text, "{off}{}", section.header());
        }
        let off = if section.times == Times::Many { "# " } else { "#" };
        for setting in &section.settings {
            comment(&mut text, &setting.description);
            if let Some(choices) = setting.choices() {
                let _ = writeln!(text, "# One of: {}.", choices.join(", "));
            }
            let key = setting.path.rsplit('.').next().unwrap_or(&setting.path);
            let _ = match &setting.default {
                Some(default) => writeln!(text, "{off}{key} = {default}"),
                None => writeln!(text, "{off}{key} ="),
            };
        }
    }
    text
}

/// The reference page.
pub fn reference() -> String {
    let mut text = String::from(
        "# Configuration\n\nMade from the types by `lanyard config reference`; do not edit.\n\n\
         Values come from the file (`--config`, `LANYARD_CONFIG`, else `/etc/lanyard/lanyard.toml`), then the environment,\n\
         then flags; the later goes before the earlier. `lanyard config show` says where each value comes from,\n\
         `lanyard config check` names every fault at once, unknown settings included.\n\n\
         Spans of time are written `10s`, `5min`, `12h`, `7d`; sizes `512B`, `64KiB`, `16MiB`.\n\n\
         ## Secrets\n\n\
         A secret is never written in the file. Each comes from its environment variable, else from a systemd credential\n\
         of its name (`LoadCredential=`), else from the file that its `…_file` setting names.\n\n\
         | secret | environment | systemd credential | setting |\n|---|---|---|---|\n",
    );
    for secret in &SECRETS {
        let path = secret.path;
        let _ = writeln!(text, "| {path} | `{}` | `{path}` | `{path}_file` |", variable_of(path));
    }
    for secret in &DIRECTORY_SECRETS {
        let path = secret_path("<name>", secret);
        let (variable, name) = (variable_of(&path), secret.name);
        let _ = writeln!(text, "| {path} | `{variable}` | `{path}` | `{name}_file` |");
    }
    for section in sections() {
        if section.path.is_empty() {
            text.push_str("\n## Before the first section\n");
        } else {
            let _ = write!(text, "\n## {}\n\n{}\n", section.header(), section.description);
        }
        for setting in &section.settings {
            let _ = write!(text, "\n### {}\n\n{}\n\n", setting.path, setting.description);
            for (choice, meaning) in setting.choice_meanings() {
                let _ = writeln!(text, "- `\"{choice}\"`: {meaning}");
            }
            if !setting.choice_meanings().is_empty() {
                text.push('\n');
            }
            let default =
                setting.default.as_ref().map_or("off".to_owned(), |default| format!("`{default}`"));
            let _ = write!(text, "Default: {default}. Kind: {}.", setting.kind());
            let _ = match section.times {
                Times::Once => writeln!(text, " Environment: `{}`.", variable_of(&setting.path)),
                Times::Many => writeln!(text, " In the file only."),
            };
        }
    }
    text
}

/// Every value in use, where it came from, secrets redacted: path, value in TOML, origin.
///
/// # Panics
///
/// As [`sections`].
pub fn shown(loaded: &Loaded) -> Vec<(String, String, Origin)> {
    let values = Table::try_from(&loaded.config).expect("a configuration can be written as TOML");
    let mut rows = Vec::new();
    for setting in settings() {
        let text =
            find(&values, &setting.path).map_or_else(|| "(off)".to_owned(), ToString::to_string);
        rows.push((setting.path.clone(), text, loaded.origins.of(&setting.path)));
    }
    for section in sections().iter().filter(|section| section.times == Times::Many) {
        let written = values.get(&section.path).and_then(Value::as_array);
        for (index, one) in written.into_iter().flatten().enumerate() {
            for setting in &section.settings {
                let key = setting.path.rsplit('.').next().unwrap_or(&setting.path);
                let text = one.get(key).map_or_else(|| "(off)".to_owned(), ToString::to_string);
                let path = format!("{}[{index}].{key}", section.path);
                let origin = loaded.origins.of(&path);
                rows.push((path, text, origin));
            }
        }
    }
    let mut config = loaded.config.clone();
    let shown = |is_set: bool| if is_set { "(set, not shown)" } else { "(off)" }.to_owned();
    for (index, section) in config.directory.iter_mut().enumerate() {
        for secret in &DIRECTORY_SECRETS {
            let path = format!("directory[{index}].{}", secret.name);
            let origin = loaded.origins.of(&path);
            rows.push((path, shown((secret.slot)(section).is_some()), origin));
        }
    }
    for secret in &SECRETS {
        let text = shown((secret.slot)(&mut config).is_some());
        rows.push((secret.path.to_owned(), text, loaded.origins.of(secret.path)));
    }
    rows
}

fn find<'a>(values: &'a Table, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => values.get(path),
        Some((section, rest)) => find(values.get(section)?.as_table()?, rest),
    }
}

fn comment(text: &mut String, description: &str) {
    for line in wrap(description, 110) {
        let _ = writeln!(text, "# {line}");
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Settings of the object that `schema` describes, then of the objects in it. `order` is the defaults in TOML.
fn collect(schema: &Json, path: &str, times: Times, order: &str, sections: &mut Vec<Section>) {
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return };
    let defaults = defaults_of(order, path);
    let mut settings = Vec::new();
    for (name, property) in properties {
        let inner = join(path, name);
        if property.get("properties").is_some() {
            collect(property, &inner, times, order, sections);
        } else if let Some(items) = property.get("items").filter(|i| i.get("properties").is_some())
        {
            collect(items, &inner, Times::Many, order, sections);
        } else {
            settings.push(Setting {
                description: description(property),
                default: defaults
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.clone()),
                schema: property.clone(),
                path: inner,
            });
        }
    }
    let position = |setting: &Setting| {
        let name = setting.path.rsplit('.').next().unwrap_or_default().to_owned();
        defaults.iter().position(|(key, _)| *key == name).unwrap_or(usize::MAX)
    };
    settings.sort_by_key(position);
    if !settings.is_empty() {
        sections.push(Section {
            path: path.to_owned(),
            times,
            description: description(schema),
            settings,
        });
    }
}

/// Keys and values of one section of a TOML text, in their order.
fn defaults_of(text: &str, path: &str) -> Vec<(String, String)> {
    let headers = [format!("[{path}]"), format!("[[{path}]]")];
    let mut inside = path.is_empty();
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            inside = headers.iter().any(|header| line == header);
        } else if inside && let Some((key, value)) = line.split_once(" = ") {
            found.push((key.to_owned(), value.to_owned()));
        }
    }
    found
}

fn description(schema: &Json) -> String {
    let text = schema.get("description").and_then(Json::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Setting {
    /// The value that this text in the environment stands for.
    pub(super) fn parse(&self, text: &str) -> Result<Value, String> {
        let types = self.types();
        let is = |name: &str| types.iter().any(|of| of == name);
        if is("array") {
            if text.trim_start().starts_with('[') {
                return toml_value(text);
            }
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            return Ok(Value::Array(parts.map(|part| Value::String(part.to_owned())).collect()));
        }
        if is("integer") {
            return text
                .trim()
                .parse()
                .map(Value::Integer)
                .map_err(|_| format!("`{text}` is not a number"));
        }
        if is("boolean") {
            return text
                .trim()
                .parse()
                .map(Value::Boolean)
                .map_err(|_| format!("`{text}` is not true or false"));
        }
        Ok(Value::String(text.to_owned()))
    }

    fn types(&self) -> Vec<String> {
        match self.schema.get("type") {
            Some(Json::String(one)) => vec![one.clone()],
            Some(Json::Array(several)) => {
                several.iter().filter_map(Json::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }

    fn kind(&self) -> String {
        if self.choices().is_some() {
            return "one of the above".into();
        }
        let item = self.schema.get("items");
        let kind = |schema: &Json| schema.get("x-kind").and_then(Json::as_str).map(str::to_owned);
        if let Some(kind) = kind(&self.schema) {
            return kind;
        }
        let types = self.types();
        let is = |name: &str| types.iter().any(|of| of == name);
        match () {
            () if is("array") => match item.and_then(kind) {
                Some(kind) => format!("list of {kind}"),
                None => "list of text".into(),
            },
            () if is("integer") => "whole number".into(),
            () if is("boolean") => "true or false".into(),
            () => "text".into(),
        }
    }

    /// The values to choose from, where there are such.
    fn choices(&self) -> Option<Vec<String>> {
        let choices: Vec<_> =
            self.choice_meanings().into_iter().map(|(choice, _)| format!("{choice:?}")).collect();
        (!choices.is_empty()).then_some(choices)
    }

    fn choice_meanings(&self) -> Vec<(String, String)> {
        let Some(choices) = self.schema.get("oneOf").and_then(Json::as_array) else {
            return Vec::new();
        };
        choices
            .iter()
            .filter_map(|choice| {
                Some((choice.get("const")?.as_str()?.to_owned(), description(choice)))
            })
            .collect()
    }
}

fn toml_value(text: &str) -> Result<Value, String> {
    let mut table: Table = toml::from_str(&format!("value = {text}"))
        .map_err(|_| format!("`{text}` is not a list"))?;
    table.remove("value").ok_or_else(|| format!("`{text}` is not a list"))
}
