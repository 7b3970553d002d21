//! A database for one proof: beside the configured one, and gone afterwards.

use std::path::PathBuf;

use domain::clock::Entropy;
use persistence::{Database, Engine, Settings};
use platform::SystemEntropy;

use crate::Outcome;

/// An empty database that nobody else knows.
pub(super) struct Scratch {
    pub(super) database: Database,
    place: Place,
}

enum Place {
    Folder(PathBuf),
    Server { maintenance: Database, name: String },
}

impl Scratch {
    /// Makes one on the same engine as the configured database, which is not touched.
    pub(super) async fn new(configured: &Settings) -> Result<Self, Box<dyn std::error::Error>> {
        let mut random = [0; 8];
        SystemEntropy.fill(&mut random);
        let name = format!("souk_verify_{:016x}", u64::from_be_bytes(random));
        if Engine::of_url(&configured.url) == Some(Engine::Postgres) {
            let maintenance = Database::connect(configured).await?;
            maintenance.maintain(&format!("CREATE DATABASE {name}")).await.map_err(|error| {
                format!("cannot make the scratch database {name}; the user of database.url needs CREATEDB: {error:?}")
            })?;
            let place = Place::Server { maintenance, name: name.clone() };
            return Self::at(named(&configured.url, &name), configured, place).await;
        }
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let url = format!("sqlite:{}", folder.join("scratch.db").display());
        Self::at(url, configured, Place::Folder(folder)).await
    }

    async fn at(url: String, configured: &Settings, place: Place) -> Result<Self, Box<dyn std::error::Error>> {
        match Database::connect(&Settings { url, ..configured.clone() }).await {
            Ok(database) => Ok(Self { database, place }),
            Err(error) => {
                place.clear().await?;
                Err(error.into())
            }
        }
    }

    /// Closes it and leaves nothing behind.
    pub(super) async fn close(self) -> Outcome {
        self.database.close().await?;
        self.place.clear().await
    }
}

impl Place {
    async fn clear(self) -> Outcome {
        match self {
            Self::Folder(folder) => std::fs::remove_dir_all(&folder)?,
            Self::Server { maintenance, name } => {
                maintenance.maintain(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
                maintenance.close().await?;
            }
        }
        Ok(())
    }
}

/// The URL with another database in it.
fn named(url: &str, name: &str) -> String {
    let (whole, query) = url.split_once('?').map_or((url, None), |(whole, query)| (whole, Some(query)));
    let after_scheme = whole.find("://").map_or(0, |at| at + 3);
    let server = match whole.get(after_scheme..).and_then(|rest| rest.find('/')) {
        Some(slash) => whole.get(..after_scheme + slash).unwrap_or(whole),
        None => whole,
    };
    match query {
        Some(query) => format!("{server}/{name}?{query}"),
        None => format!("{server}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_the_database_changes() {
        for (url, expected) in [
            ("postgres://a:b@host:5432/shop?sslmode=require", "postgres://a:b@host:5432/x?sslmode=require"),
            ("postgres://host", "postgres://host/x"),
            ("postgres://localhost/shop?host=/run/pg", "postgres://localhost/x?host=/run/pg"),
        ] {
            assert_eq!(named(url, "x"), expected);
        }
    }
}
