//! The layers of settings, and which one each value came from.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use config::{File, FileFormat, Source, ValueKind};

use super::{
    NOT_USED_YET, Profile, Setting, all, family,
    report::{Faults, nearest},
};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The profile's default.
    Default(Profile),
    /// A file.
    File(String),
    /// A variable of the environment.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default(profile) => write!(f, "default of {}", profile.name()),
            Self::File(name) => f.write_str(name),
            Self::Variable(name) => write!(f, "${name}"),
        }
    }
}

/// What settings are made of, as values, so that tests need no environment.
#[derive(Debug, Default, Clone)]
pub(crate) struct Sources {
    /// The name and the text of a file.
    pub(crate) file: Option<(String, String)>,
    /// The environment.
    pub(crate) variables: BTreeMap<String, String>,
}

impl Sources {
    /// The environment of this process, and the given file, or `souk.toml` when it is there.
    ///
    /// # Errors
    /// When the given file cannot be read.
    pub(crate) fn of_process(file: Option<&Path>) -> std::io::Result<Self> {
        let path = file.unwrap_or(Path::new("souk.toml"));
        let file = match std::fs::read_to_string(path) {
            Ok(text) => Some((path.display().to_string(), text)),
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Ok(Self { file, variables })
    }
}

/// Every setting with its value and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    profile: Profile,
    values: BTreeMap<String, (String, Origin)>,
    /// What should be told but stops nothing.
    pub(crate) warnings: Vec<String>,
    /// Faults of the layers themselves, such as unknown names.
    pub(crate) faults: Faults,
}

impl Layers {
    /// Lays the sources over each other. An empty value counts as not set.
    pub(crate) fn new(sources: &Sources) -> Self {
        let mut layers = Self {
            profile: Profile::Development,
            values: BTreeMap::new(),
            warnings: Vec::new(),
            faults: Faults::default(),
        };
        if let Some((name, text)) = &sources.file {
            layers.add_file(name, text);
        }
        layers.add_variables(&sources.variables);
        layers.choose_profile();
        for setting in all() {
            let default = || (setting.default(layers.profile).to_owned(), Origin::Default(layers.profile));
            layers.values.entry(setting.key.to_owned()).or_insert_with(default);
        }
        let named: BTreeSet<_> = layers.keys().flat_map(family::defaults).collect();
        for (key, default) in named {
            layers.values.entry(key).or_insert_with(|| (default.to_owned(), Origin::Default(layers.profile)));
        }
        layers
    }

    pub(crate) fn profile(&self) -> Profile {
        self.profile
    }

    /// The value of a setting, and where it came from.
    pub(crate) fn value(&self, key: &str) -> Option<(&str, &Origin)> {
        self.values.get(key).map(|(text, origin)| (text.as_str(), origin))
    }

    /// Every key that has a value, or a default.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    fn add_file(&mut self, name: &str, text: &str) {
        let table = match File::from_str(text, FileFormat::Toml).collect() {
            Ok(table) => table,
            Err(error) => return self.faults.add(name, error.to_string().trim().replace('\n', "\n    ")),
        };
        for (section, value) in table {
            match value.kind {
                ValueKind::Table(entries) => {
                    for (key, value) in entries {
                        self.add_deep(name, &format!("{section}.{key}"), &value.kind);
                    }
                }
                value => self.add_entry(name, &section, &value),
            }
        }
    }

    /// Adds what stands in tables of tables under its long name.
    fn add_deep(&mut self, file: &str, key: &str, value: &ValueKind) {
        match value {
            ValueKind::Table(entries) => {
                for (under, value) in entries {
                    self.add_deep(file, &format!("{key}.{under}"), &value.kind);
                }
            }
            value => self.add_entry(file, key, value),
        }
    }

    fn add_entry(&mut self, file: &str, key: &str, value: &ValueKind) {
        if let Some(variable) = family::variable_of_secret(key) {
            let message = format!("is a secret and must not stand in a file; set {variable}");
            return self.faults.add(format!("{key} in {file}"), message);
        }
        if family::holds(key) {
            return self.add_text(file, key, value);
        }
        let Some(setting) = all().find(|setting| setting.key == key) else {
            if let Some(near) = family::near(key) {
                return self.faults.add(format!("{key} in {file}"), format!("is unknown; did you mean {near}?"));
            }
            return self.unknown(format!("{key} in {file}"), key, all().map(|setting| setting.key));
        };
        if setting.secret {
            let name = setting.alias.map_or_else(|| setting.variable(), str::to_owned);
            return self
                .faults
                .add(format!("{key} in {file}"), format!("is a secret and must not stand in a file; set {name}"));
        }
        self.add_text(file, key, value);
    }

    fn add_text(&mut self, file: &str, key: &str, value: &ValueKind) {
        match text_of(value) {
            Some(text) => self.set(key, &text, Origin::File(file.to_owned())),
            None => self
                .faults
                .add(format!("{key} in {file}"), "must be a text, a number, true or false, or a list of these"),
        }
    }

    fn add_variables(&mut self, variables: &BTreeMap<String, String>) {
        for setting in all() {
            let names = setting.alias.map(str::to_owned).into_iter().chain([setting.variable()]);
            for name in names {
                if let Some(value) = variables.get(&name) {
                    self.set(setting.key, value, Origin::Variable(name));
                }
            }
        }
        for (name, value) in variables {
            if let Some(key) = family::key_of(name) {
                self.set(&key, value, Origin::Variable(name.clone()));
            }
        }
        let known: Vec<String> = known_variables().collect();
        let is_known = |name: &String| known.contains(name) || family::key_of(name).is_some();
        for name in variables.keys().filter(|name| name.starts_with("SOUK_") && !is_known(name)) {
            let plain = || known.iter().map(String::as_str).filter(|known| known.starts_with("SOUK_"));
            // Names with one underscore may belong to others, such as scripts; only one that is nearly ours is a slip.
            if name.starts_with("SOUK__") || nearest(name, plain().filter(|known| !known.contains("__"))).is_some() {
                self.unknown(format!("${name}"), name, plain());
            }
        }
        for name in NOT_USED_YET {
            if variables.get(*name).is_some_and(|value| !value.is_empty()) {
                self.warnings.push(format!("{name} is not used yet by this version"));
            }
        }
    }

    fn set(&mut self, key: &str, text: &str, origin: Origin) {
        if !text.trim().is_empty() {
            self.values.insert(key.to_owned(), (text.trim().to_owned(), origin));
        }
    }

    fn unknown<'a>(&mut self, name: String, typed: &str, known: impl Iterator<Item = &'a str>) {
        let message = match nearest(typed, known) {
            Some(near) => format!("is unknown; did you mean {near}?"),
            None => "is unknown; `souk config print` shows every setting".to_owned(),
        };
        self.faults.add(name, message);
    }

    fn choose_profile(&mut self) {
        let Some((text, origin)) = self.values.get("profile") else { return };
        match (text.as_str(), origin) {
            ("production", _) => self.profile = Profile::Production,
            ("development", _) => {}
            // Programs of the Node world also say `test` and `staging` here; only production means something to us.
            (_, Origin::Variable(name)) if name == "NODE_ENV" => {}
            (other, origin) => self
                .faults
                .add(format!("profile ({origin})"), format!("must be development or production, is {other:?}")),
        }
        let name = self.profile.name().to_owned();
        self.values.entry("profile".to_owned()).and_modify(|(text, _)| *text = name);
    }
}

/// Every name of the environment that is read.
pub(crate) fn known_variables() -> impl Iterator<Item = String> {
    let aliases = all().filter_map(|setting| setting.alias).map(str::to_owned);
    aliases.chain(all().map(Setting::variable)).chain(NOT_USED_YET.iter().map(|name| (*name).to_owned()))
}

fn text_of(value: &ValueKind) -> Option<String> {
    match value {
        ValueKind::Array(items) => {
            Some(items.iter().map(|item| text_of(&item.kind)).collect::<Option<Vec<_>>>()?.join(","))
        }
        ValueKind::Nil | ValueKind::Table(_) => None,
        plain => Some(plain.to_string()),
    }
}
