//! `souk migrate`: changes the schema of the database.

use std::time::Duration;

use clap::Subcommand;
use domain::health::Probe;
use migration::{MigrationStatus, Migrator, MigratorTrait};

use crate::{Outcome, config::Config, foundation::connect};

/// What to do with the schema.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the migrations that did not run yet.
    Up {
        /// How many; all when absent.
        #[arg(long)]
        steps: Option<u32>,
    },
    /// Takes migrations back, the newest first. What stood in the tables they made is lost.
    Down {
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: u32,
    },
    /// Lists the migrations; ends with status 1 when some did not run.
    Status,
}

pub(crate) async fn run(command: &Command, config: &Config) -> Outcome {
    let database = connect(config).await?;
    let connection = database.migration_connection();
    let outcome = match command {
        Command::Up { steps } => Migrator::up(connection, *steps).await.map_err(Into::into),
        Command::Down { steps } => Migrator::down(connection, Some(*steps)).await.map_err(Into::into),
        Command::Status => Ok(()),
    };
    let listed = match outcome {
        Ok(()) => status(&database, matches!(command, Command::Status)).await,
        Err(error) => Err(error),
    };
    database.close().await?;
    listed
}

async fn status(database: &persistence::Database, must_be_complete: bool) -> Outcome {
    let migrations = Migrator::get_migration_with_status_read_only(database.migration_connection()).await?;
    let mut pending = 0;
    for migration in &migrations {
        let applied = migration.status() == MigrationStatus::Applied;
        pending += u32::from(!applied);
        crate::print(&format!("{}  {}\n", if applied { "applied" } else { "pending" }, migration.name()))?;
    }
    if must_be_complete && pending > 0 {
        return Err(format!("migrations that did not run yet: {pending}").into());
    }
    Ok(())
}

/// Whether the schema is the one this version needs, for `/ready` (ruling R5).
pub(crate) struct SchemaProbe(persistence::Database);

impl SchemaProbe {
    pub(crate) fn new(database: persistence::Database) -> Self {
        Self(database)
    }
}

#[async_trait::async_trait]
impl Probe for SchemaProbe {
    fn name(&self) -> &'static str {
        "migrations"
    }

    fn required(&self) -> bool {
        true
    }

    async fn check(&self) -> bool {
        let asked = Migrator::get_pending_migrations_read_only(self.0.migration_connection());
        matches!(tokio::time::timeout(Duration::from_secs(1), asked).await, Ok(Ok(pending)) if pending.is_empty())
    }
}
