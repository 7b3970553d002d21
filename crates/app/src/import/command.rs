//! The words of `souk import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::identity::Selling;

use super::{Options, Overrides};
use crate::{Outcome, config::Config, foundation::Foundation};

/// What to bring in.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Products: NDJSON or CSV, plain or gzip. Found by sku: new ones are created, changed ones updated, equal ones
    /// left alone. May be run again at any time, also after it was cut off.
    Catalogue(Catalogue),
}

/// A file of products.
#[derive(Debug, Args)]
pub(crate) struct Catalogue {
    /// The file; `-` reads the standard input.
    file: PathBuf,
    /// The seller account they belong to, by its slug or by the address of its member. Without it: the only account
    /// there is, or a house account when there is none.
    #[arg(long, value_name = "EMAIL|SLUG")]
    seller: Option<String>,
    /// Which column is which field, such as `name=title`; may be given several times.
    #[arg(long = "column", value_name = "FIELD=COLUMN")]
    columns: Vec<String>,
    /// Shows what would happen and keeps nothing.
    #[arg(long)]
    dry_run: bool,
    /// Where refused rows are told of; made only when there are any.
    #[arg(long, value_name = "FILE", default_value = Options::ERRORS)]
    errors: PathBuf,
    /// Rows per transaction.
    #[arg(long, default_value_t = Options::BATCH, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    batch: usize,
}

pub(crate) async fn run(command: Command, config: &Config) -> Outcome {
    let Command::Catalogue(asked) = command;
    let options = Options {
        columns: Overrides::parse(asked.columns.iter().map(String::as_str)).map_err(plain)?,
        file: asked.file,
        seller: asked.seller.map_or(Selling::TheOnly, Selling::Named),
        dry_run: asked.dry_run,
        errors: asked.errors,
        batch: asked.batch,
    };
    let foundation = Foundation::open(config).await?;
    foundation.database.expect_bulk().await?;
    let done = super::import(&foundation.shop, &options, &mut std::io::stdout()).await;
    foundation.database.close().await?;
    done.map_err(plain)?;
    Ok(())
}

/// The error of work that may run on any thread, as a command answers it.
fn plain(failure: super::Failure) -> Box<dyn std::error::Error> {
    failure
}
