//! `souk export catalogue <file>`: writes all products in a form that `souk import` reads back unchanged.

mod row;

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use domain::{
    catalog::{ImportMode, export::ProductExport, ports::CategoryQueries},
    id::{CategoryId, SellerId},
    identity::{Selling, seller_for},
    money::Currency,
};
use flate2::{Compression, write::GzEncoder};
use row::{COLUMNS, Row};

use crate::{Outcome, config::Config, foundation::Foundation, import::Failure};

/// Products read at once.
const CHUNK: u32 = 1000;

/// What to write out.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// All products that are not deleted, as NDJSON or CSV.
    Catalogue(Catalogue),
}

/// Where to write, and what.
#[derive(Debug, Args)]
pub(crate) struct Catalogue {
    /// The file: `.csv` is CSV, everything else NDJSON; `.gz` behind it compresses. `-` writes NDJSON to the standard
    /// output.
    file: PathBuf,
    /// Only the products of this seller account, named by its slug or by the address of its member.
    #[arg(long, value_name = "EMAIL|SLUG")]
    seller: Option<String>,
}

pub(crate) async fn run(command: Command, config: &Config) -> Outcome {
    let Command::Catalogue(asked) = command;
    let foundation = Foundation::open(config).await?;
    let database = &foundation.database;
    let seller = match asked.seller {
        Some(name) => Some(seller_for(&foundation.shop, &Selling::Named(name), ImportMode::Trial).await?.seller),
        None => None,
    };
    let (products, categories) = (database.export(), database.categories());
    let done = export(&*products, &*categories, foundation.shop.rules.currency, seller, &asked.file).await;
    foundation.database.close().await?;
    let Exported { written, without_sku } = done.map_err(|failure| -> Box<dyn std::error::Error> { failure })?;
    eprintln!("exported: {written} products");
    if without_sku > 0 {
        eprintln!("{without_sku} of them have no sku; an import will refuse those");
    }
    Ok(())
}

/// What was written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exported {
    written: u64,
    without_sku: u64,
}

/// Writes products in the order of their making, a chunk at a time.
pub(crate) async fn export(
    products: &dyn ProductExport,
    categories: &dyn CategoryQueries,
    currency: Currency,
    seller: Option<SellerId>,
    file: &Path,
) -> Result<Exported, Failure> {
    let paths = paths(categories).await?;
    let mut out = Out::create(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let (mut done, mut after) = (Exported::default(), None);
    loop {
        let chunk = products.next(seller, after, CHUNK).await?;
        let Some(last) = chunk.last() else { break };
        after = Some(last.id);
        for product in &chunk {
            let path = product.category.and_then(|category| paths.get(&category));
            out.write(&Row::of(product, path.map(Vec::as_slice), currency))?;
            done.written += 1;
            done.without_sku += u64::from(product.sku.is_none());
        }
    }
    out.finish()?;
    Ok(done)
}

/// The names on the way to each category.
async fn paths(categories: &dyn CategoryQueries) -> domain::Result<HashMap<CategoryId, Vec<String>>> {
    let mut paths = HashMap::<CategoryId, Vec<String>>::new();
    // Parents come before their children.
    for node in categories.tree().await? {
        let above = node.category.parent.and_then(|parent| paths.get(&parent));
        let mut path = above.cloned().unwrap_or_default();
        path.push(node.category.name);
        paths.insert(node.category.id, path);
    }
    Ok(paths)
}

/// A file in one of the formats.
enum Out {
    Ndjson(Compressed),
    Csv(Box<csv::Writer<Compressed>>),
}

/// A file, compressed or not.
enum Compressed {
    No(Box<dyn Write + Send>),
    Yes(GzEncoder<Box<dyn Write + Send>>),
}

impl Out {
    fn create(path: &Path) -> io::Result<Self> {
        let file: Box<dyn Write + Send> =
            if path == Path::new("-") { Box::new(io::stdout()) } else { Box::new(File::create(path)?) };
        let file: Box<dyn Write + Send> = Box::new(BufWriter::new(file));
        let ends_with = |path: &Path, what: &str| path.extension().is_some_and(|end| end.eq_ignore_ascii_case(what));
        let packed = ends_with(path, "gz");
        let csv =
            ends_with(path, "csv") || (packed && path.file_stem().is_some_and(|stem| ends_with(stem.as_ref(), "csv")));
        let file =
            if packed { Compressed::Yes(GzEncoder::new(file, Compression::default())) } else { Compressed::No(file) };
        if !csv {
            return Ok(Self::Ndjson(file));
        }
        let mut writer = csv::Writer::from_writer(file);
        writer.write_record(COLUMNS)?;
        Ok(Self::Csv(Box::new(writer)))
    }

    fn write(&mut self, row: &Row<'_>) -> Result<(), Failure> {
        match self {
            Self::Ndjson(file) => {
                serde_json::to_writer(&mut *file, row)?;
                file.write_all(b"\n")?;
            }
            Self::Csv(writer) => writer.write_record(row.cells()?)?,
        }
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        let file = match self {
            Self::Ndjson(file) => file,
            Self::Csv(writer) => writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?,
        };
        match file {
            Compressed::No(mut file) => file.flush(),
            Compressed::Yes(file) => file.finish()?.flush(),
        }
    }
}

impl Write for Compressed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::No(file) => file.write(bytes),
            Self::Yes(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::No(file) => file.flush(),
            Self::Yes(file) => file.flush(),
        }
    }
}

#[cfg(test)]
mod tests;
