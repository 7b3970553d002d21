//! Reading, parsing and checking on a thread of its own, a few batches ahead of the database.

use std::collections::{BTreeSet, VecDeque};

use domain::{Rules, Violations, catalog::ImportRow};
use tokio::sync::mpsc;

use super::{
    Failure, Options,
    columns::{Columns, Overrides},
    fields,
    report::Reject,
    source::{Record, Source},
};

/// Batches that may wait for the database.
const AHEAD: usize = 2;
/// Records looked at to learn which columns the file has.
const LOOK: usize = 100;

/// What one transaction takes.
#[derive(Debug, Default)]
pub struct Batch {
    /// Rows that keep the rules.
    pub rows: Vec<ImportRow>,
    /// Rows that do not.
    pub rejects: Vec<Reject>,
    /// Bytes of the file read so far.
    pub read: u64,
}

type Batches = mpsc::Receiver<Result<Batch, Failure>>;

/// Opens the file and starts reading; gives the batches and the size of the file, where it has one.
pub fn start(options: &Options, rules: &Rules) -> Result<(Batches, Option<u64>), Failure> {
    let source = Source::open(&options.file)?;
    let size = source.size;
    let (sender, batches) = mpsc::channel(AHEAD);
    let (overrides, rules, most) = (options.columns.clone(), rules.clone(), options.batch.max(1));
    // A thread of blocking work: it ends with the file, or when nobody takes its batches any more.
    tokio::task::spawn_blocking(move || {
        if let Err(failure) = read(source, &overrides, &rules, most, &sender) {
            let _ = sender.blocking_send(Err(failure));
        }
    });
    Ok((batches, size))
}

fn read(
    mut source: Source,
    overrides: &Overrides,
    rules: &Rules,
    most: usize,
    sender: &mpsc::Sender<Result<Batch, Failure>>,
) -> Result<(), Failure> {
    let mut looked = VecDeque::new();
    let mut names = BTreeSet::new();
    while looked.len() < LOOK
        && let Some(record) = source.next()
    {
        let record = record?;
        names.extend(record.fields.iter().flat_map(|fields| fields.keys().cloned()));
        looked.push_back(record);
    }
    if looked.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(&names, overrides)?;
    eprintln!("columns: {columns}");

    let mut batch = Batch::default();
    let mut line = 0;
    loop {
        let record = match looked.pop_front() {
            Some(record) => record,
            None => match source.next() {
                Some(Ok(record)) => record,
                None => break,
                Some(Err(error)) => {
                    // What was read before the fault is stored all the same.
                    let _ = sender.blocking_send(Ok(batch));
                    return Err(format!("the file cannot be read behind line {line}: {error}").into());
                }
            },
        };
        line = record.line;
        match check(record, &columns, rules) {
            Ok(row) => batch.rows.push(row),
            Err(reject) => batch.rejects.push(reject),
        }
        if batch.rows.len() + batch.rejects.len() >= most {
            batch.read = source.read();
            if sender.blocking_send(Ok(std::mem::take(&mut batch))).is_err() {
                return Ok(());
            }
        }
    }
    batch.read = source.read();
    let _ = sender.blocking_send(Ok(batch));
    Ok(())
}

fn check(record: Record, columns: &Columns, rules: &Rules) -> Result<ImportRow, Reject> {
    let line = record.line;
    let mut violations = Violations::default();
    let fields = record.fields.map_err(|message| {
        let mut violations = Violations::default();
        violations.add("", "row", message);
        Reject { line, sku: None, violations }
    })?;
    let input = fields::input(line, fields, columns, rules.currency, &mut violations);
    let sku = input.product.sku.clone();
    match input.check(rules) {
        Ok(row) if violations.is_empty() => Ok(row),
        Ok(_) => Err(Reject { line, sku, violations }),
        Err(more) => {
            for breach in more.iter() {
                violations.add(breach.field.clone(), breach.rule, breach.message.clone());
            }
            Err(Reject { line, sku, violations })
        }
    }
}
