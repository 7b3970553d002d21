//! One setting: its names, its defaults, what it is for.

/// How strict an installation is (ruling R38).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// The default: this machine only, made ready by itself, with a demo shop.
    Development,
    /// Must be chosen; refuses to start on anything unsafe.
    Production,
}

impl Profile {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

/// A setting. Every value is text until its section reads it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// `section.key`, as in `souk.toml`.
    pub(crate) key: &'static str,
    /// The plain name in the environment.
    pub(crate) alias: Option<&'static str>,
    /// The default of the development profile; empty for none.
    pub(crate) development: &'static str,
    /// The default of the production profile.
    pub(crate) production: &'static str,
    /// Never printed, and refused in files.
    pub(crate) secret: bool,
    /// What it is for, in one line.
    pub(crate) about: &'static str,
}

impl Setting {
    pub(crate) const fn new(key: &'static str, default: &'static str, about: &'static str) -> Self {
        Self { key, alias: None, development: default, production: default, secret: false, about }
    }

    /// With another default in production.
    pub(crate) const fn production(self, default: &'static str) -> Self {
        Self { production: default, ..self }
    }

    /// With a plain name in the environment.
    pub(crate) const fn alias(self, name: &'static str) -> Self {
        Self { alias: Some(name), ..self }
    }

    /// Never printed, and refused in files.
    pub(crate) const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    pub(crate) fn default(&self, profile: Profile) -> &'static str {
        match profile {
            Profile::Development => self.development,
            Profile::Production => self.production,
        }
    }

    /// Its long name in the environment, such as `SOUK__HTTP__PORT`.
    pub(crate) fn variable(&self) -> String {
        format!("SOUK__{}", self.key.to_uppercase().replace('.', "__"))
    }
}

/// The setting that chooses the defaults of all others.
pub(crate) const PROFILE: [Setting; 1] =
    [Setting::new("profile", "development", "development, or production: strict, nothing by itself.")
        .production("production")
        .alias("NODE_ENV")];
