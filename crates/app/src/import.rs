//! `souk import catalogue <file>`: brings the products of a file in.
//!
//! One thread reads, parses and checks while the database stores the batch before. What is held in memory is a few
//! batches, whatever the size of the file.

mod columns;
mod command;
mod fields;
mod pipeline;
mod progress;
mod report;
mod source;

use std::{io::Write, path::PathBuf, time::Instant};

use domain::{
    Shop,
    catalog::{ImportMode, Imported, KnownCategories, import_products},
    identity::{Selling, seller_for},
};
use pipeline::Batch;

use report::Report;

pub use columns::Overrides;
pub(crate) use command::{Command, run};
pub(crate) use progress::Progress;

/// Why a command of the operator failed; shown as it is.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What an import is asked to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file; `-` for the standard input.
    pub file: PathBuf,
    /// Whose products they become.
    pub seller: Selling,
    /// Columns named by hand.
    pub columns: Overrides,
    /// See what would happen, and keep nothing.
    pub dry_run: bool,
    /// Where refused rows are told of, one JSON object per broken rule.
    pub errors: PathBuf,
    /// Rows per transaction.
    pub batch: usize,
}

impl Options {
    /// Rows per transaction when nothing else is said.
    pub const BATCH: usize = 1000;
    /// Where refused rows are told of when nothing else is said.
    pub const ERRORS: &'static str = "import-errors.ndjson";
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// What became of the rows that keep the rules.
    pub imported: Imported,
    /// Rows that break a rule.
    pub rejected: u64,
}

/// Imports a file. Rows that break a rule are reported and hold up no other; the one line of `out` tells the counts.
///
/// # Errors
/// When the file cannot be read, has no row or lacks a column every product needs; when the seller is not clear; when
/// the database fails. What earlier batches committed stays, and the next run goes on from there.
pub async fn import(shop: &Shop, options: &Options, out: &mut (dyn Write + Send)) -> Result<Summary, Failure> {
    let began = Instant::now();
    let (mut batches, size) = pipeline::start(options, &shop.rules)?;
    // Asked only when there is something to import: a wrong path opens no house account.
    let mut owner = None;
    let mode = if options.dry_run { ImportMode::Trial } else { ImportMode::Keep };
    let mut known = KnownCategories::default();
    let mut summary = Summary::default();
    let mut report = Report::new(&options.errors);
    let progress = Progress::new(size);
    while let Some(batch) = batches.recv().await {
        let Batch { rows, rejects, read } = batch?;
        let owner = match owner {
            Some(owner) => owner,
            None => *owner.insert(seller_for(shop, &options.seller, mode).await?),
        };
        let done = import_products(shop, owner, &rows, mode, &mut known).await?;
        report.add(&rejects)?;
        let Imported { created, updated, unchanged } = &mut summary.imported;
        *created += done.created;
        *updated += done.updated;
        *unchanged += done.unchanged;
        summary.rejected += u64::try_from(rejects.len())?;
        progress.at(read, summary.rows());
    }
    progress.end();
    let reported = report.finish()?;
    if summary.rows() == 0 {
        return Err(format!("{} has no rows", options.file.display()).into());
    }
    writeln!(out, "{}", summary.line(began.elapsed(), options.dry_run))?;
    if reported {
        eprintln!("refused rows are listed in {}", options.errors.display());
    }
    Ok(summary)
}

impl Summary {
    fn rows(&self) -> u64 {
        let Imported { created, updated, unchanged } = self.imported;
        created + updated + unchanged + self.rejected
    }

    fn line(&self, took: std::time::Duration, dry_run: bool) -> String {
        let Imported { created, updated, unchanged } = self.imported;
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = self.rows().saturating_mul(1000) / millis;
        format!(
            "{}: created {created}, updated {updated}, unchanged {unchanged}, rejected {} in {:.1} s ({rate} items/s)",
            if dry_run { "dry run" } else { "imported" },
            self.rejected,
            took.as_secs_f64()
        )
    }
}

#[cfg(test)]
mod tests;
