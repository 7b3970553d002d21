//! `[secrets]`: the one master key (ruling R24, SEC-07).

use std::path::PathBuf;

use credentials::MasterKey;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("secrets.key", "", "The master key, at least 32 bytes; keep it, or tokens and sealed data are lost.")
        .alias("SOUK_SECRET_KEY")
        .secret(),
    Setting::new(
        "secrets.file",
        "data/secret.key",
        "Without a key, the file it is read from, made in development when it is not there.",
    )
    .production(""),
];

/// Where the master key comes from.
#[derive(Debug, Clone)]
pub(crate) enum Secrets {
    /// It was given.
    Key(MasterKey),
    /// It stands in this file, or is to be made there.
    File(PathBuf),
}

impl Secrets {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (key, file) = (reader.text("secrets.key"), reader.text("secrets.file"));
        if key.is_empty() {
            if reader.strict() || file.is_empty() {
                reader.fault("secrets.key", "must be set: SOUK_SECRET_KEY, made with `openssl rand -base64 48`");
                return None;
            }
            return Some(Self::File(file.into()));
        }
        match MasterKey::parse(&key) {
            Ok(key) => Some(Self::Key(key)),
            Err(weak) => {
                reader.fault("secrets.key", weak.to_string());
                None
            }
        }
    }
}
