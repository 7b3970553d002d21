//! What every command that touches the database stands on.

use std::{os::unix::fs::DirBuilderExt, sync::Arc};

use credentials::{KeyedHash, MasterKey, NewKeys, Passwords, Seal};
use domain::{
    Rules, Shop,
    clock::{Clock, Entropy},
};
use integrations::resilience::Dependencies;
use migration::{Migrator, MigratorTrait};
use persistence::Database;
use platform::{SystemClock, SystemEntropy};

use crate::{
    config::{Config, Secrets},
    telemetry::Counters,
};

/// The database, ready to use, and the domain on top of it.
pub(crate) struct Foundation {
    pub(crate) database: Database,
    pub(crate) shop: Shop,
    pub(crate) master: MasterKey,
    pub(crate) seal: Arc<Seal>,
    pub(crate) passwords: Arc<Passwords>,
    /// Everybody who is called, each once.
    pub(crate) dependencies: Arc<Dependencies>,
}

impl Foundation {
    /// Connects, and brings the schema up to date where the settings allow it.
    ///
    /// # Errors
    /// When the database does not answer, the schema is older than this version, or a key cannot be read.
    pub(crate) async fn open(config: &Config) -> Result<Self, Box<dyn std::error::Error>> {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let master = master_key(config, &*entropy)?;
        let database = connect(config).await?;
        if config.database.migrate {
            Migrator::up(database.migration_connection(), None).await?;
        }
        require_schema(&database).await?;
        let passwords = passwords(config)?;
        let seal = Arc::new(Seal::new(master.clone(), Arc::clone(&entropy)));
        let rules = Rules { assets: config.blobs.rules.clone(), ..config.shop.rules.clone() };
        let meter = Arc::new(Counters);
        let (timed, varied) = (Arc::clone(&clock), Arc::clone(&entropy));
        let dependencies = Arc::new(Dependencies::new(config.dependencies.clone(), timed, varied));
        let shop = Shop { store: database.store(), clock, entropy, meter, rules };
        Ok(Self { database, shop, master, seal, passwords, dependencies })
    }

    /// Makes keys that sign tokens.
    pub(crate) fn key_maker(&self) -> NewKeys {
        NewKeys::new(Arc::<Seal>::clone(&self.seal), Arc::clone(&self.shop.entropy))
    }

    /// A keyed hash for one purpose.
    pub(crate) fn mac(&self, purpose: &str) -> domain::Result<KeyedHash> {
        KeyedHash::new(&self.master, purpose)
    }
}

/// The hasher of passwords, with the cost and the number at once that the settings say.
pub(crate) fn passwords(config: &Config) -> domain::Result<Arc<Passwords>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let at_once = match config.identity.hashes_at_once {
        0 => cores,
        number => number,
    };
    let identity = &config.identity;
    let (waiting, wait) = (identity.hashes_waiting, identity.hash_wait);
    Ok(Arc::new(Passwords::new(identity.cost, at_once, waiting, wait, Arc::new(SystemEntropy))?))
}

/// Connects to the database; the folder of a SQLite file is made when it is not there.
pub(crate) async fn connect(config: &Config) -> Result<Database, Box<dyn std::error::Error>> {
    if let Some(folder) = config.database.folder() {
        // For its owner only: password hashes and sealed keys stand in it.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let connected = Database::connect(&config.database.settings).await;
    Ok(connected.map_err(|error| Unreachable(Box::new(error)))?)
}

/// The database did not answer at the start.
#[derive(Debug)]
struct Unreachable(Box<domain::Error>);

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cannot open the database; is it running, and is database.url (DATABASE_URL) right?")
    }
}

impl std::error::Error for Unreachable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.0.as_ref())
    }
}

fn master_key(config: &Config, entropy: &dyn Entropy) -> domain::Result<MasterKey> {
    match &config.secrets {
        Secrets::Key(key) => Ok(key.clone()),
        Secrets::File(path) => MasterKey::from_file(path, entropy),
    }
}

async fn require_schema(database: &Database) -> Result<(), Box<dyn std::error::Error>> {
    let pending = Migrator::get_pending_migrations_read_only(database.migration_connection()).await?;
    match pending.len() {
        0 => Ok(()),
        count => Err(format!("migrations that did not run yet: {count}; run `souk migrate up`").into()),
    }
}
