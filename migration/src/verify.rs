//! The proof that every step goes down and up again without a trace: for a database that nobody uses.

mod rows;
mod schema;

use std::collections::BTreeSet;

use sea_orm_migration::{
    MigratorTrait,
    sea_orm::{DatabaseConnection, DbErr},
};

use self::{rows::Rows, schema::schema};

/// Why the proof failed.
#[derive(Debug)]
pub enum Fault {
    /// A step, or a look at what it left, failed.
    Database(DbErr),
    /// The rows to prove it with could not be written.
    Seed(Box<dyn std::error::Error>),
    /// A step left something else than it should; every difference is told.
    Differs {
        /// The step.
        step: String,
        /// What was run, such as `down`.
        run: &'static str,
        /// What is there and should not be (`+`), and what should be and is not (`-`).
        differences: Vec<String>,
    },
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(error) => write!(f, "{error}"),
            Self::Seed(error) => write!(f, "the rows to verify with could not be written: {error}"),
            Self::Differs { step, run, differences } => {
                write!(f, "{step}: {run} left another schema or other rows than it should:")?;
                differences.iter().try_for_each(|line| write!(f, "\n  {line}"))
            }
        }
    }
}

impl std::error::Error for Fault {}

impl From<DbErr> for Fault {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

/// Runs every step of `M` up, one at a time; fills the tables by `seed`; then, from the newest step on, runs it down, up
/// and down again. After each run the schema must be the one of that level. What a step takes away may be lost; the rows
/// of the tables and columns that stay must be as they were. `told` gets the name of each step that holds.
///
/// MUST be given an empty database: everything in it is dropped.
///
/// # Errors
/// The first [`Fault`].
pub async fn verify<M: MigratorTrait>(
    on: &DatabaseConnection,
    seed: impl AsyncFnOnce() -> Result<(), Box<dyn std::error::Error>>,
    mut told: impl FnMut(&str),
) -> Result<usize, Fault> {
    let names: Vec<String> = M::migrations().iter().map(|step| step.name().to_owned()).collect();
    // The table that remembers which steps ran is part of every level.
    M::install(on).await?;
    let mut levels = vec![schema(on).await?];
    for _ in &names {
        M::up(on, Some(1)).await?;
        levels.push(schema(on).await?);
    }
    seed().await.map_err(Fault::Seed)?;
    for (name, level) in names.iter().zip(levels.windows(2)).rev() {
        let [below, above] = level else { continue };
        for run in ["down", "up", "down again"] {
            let before = Rows::read(on).await?;
            let expected = if run == "up" {
                M::up(on, Some(1)).await?;
                above
            } else {
                M::down(on, Some(1)).await?;
                below
            };
            let mut differences = compared(expected, &schema(on).await?);
            differences.extend(before.changed_in(&Rows::read(on).await?));
            if !differences.is_empty() {
                return Err(Fault::Differs { step: name.clone(), run, differences });
            }
        }
        told(name);
    }
    Ok(names.len())
}

fn compared(expected: &BTreeSet<String>, found: &BTreeSet<String>) -> Vec<String> {
    let missing = expected.difference(found).map(|line| format!("- {line}"));
    missing.chain(found.difference(expected).map(|line| format!("+ {line}"))).collect()
}
