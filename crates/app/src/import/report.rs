//! Refused rows, told of in a file: one JSON object per broken rule.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use domain::Violations;
use serde::Serialize;

/// A row that was not imported.
#[derive(Debug)]
pub struct Reject {
    /// Its line in the file.
    pub line: u64,
    /// Its sku, when it has one.
    pub sku: Option<String>,
    /// Every rule it breaks.
    pub violations: Violations,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    line: u64,
    sku: Option<&'a str>,
    field: &'a str,
    rule: &'a str,
    message: &'a str,
}

/// The file of refused rows; it is made with the first of them.
#[derive(Debug)]
pub struct Report {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Report {
    /// A report that will be at `path`.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None }
    }

    /// Adds refused rows.
    pub fn add(&mut self, rejects: &[Reject]) -> io::Result<()> {
        if rejects.is_empty() {
            return Ok(());
        }
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            let named = |error| io::Error::other(format!("{}: {error}", self.path.display()));
            self.file.insert(BufWriter::new(File::create(&self.path).map_err(named)?))
        };
        for Reject { line, sku, violations } in rejects {
            for breach in violations.iter() {
                let entry = Entry {
                    line: *line,
                    sku: sku.as_deref(),
                    field: &breach.field,
                    rule: breach.rule,
                    message: &breach.message,
                };
                serde_json::to_writer(&mut *file, &entry)?;
                file.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    /// Ends the file; `false` when there is none.
    pub fn finish(self) -> io::Result<bool> {
        match self.file {
            Some(mut file) => file.flush().map(|()| true),
            None => Ok(false),
        }
    }
}
