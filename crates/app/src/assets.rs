//! `souk assets`: whether the bytes of files are there, taking out what nobody holds, and moving to another store.

use std::sync::Mutex;

use clap::Subcommand;
use domain::assets::{Copied, Digest, Swept, Verified, Wrong, copy_all, uploads::expire_uploads};

use crate::{
    Outcome,
    config::{Config, StoreKind},
    files,
    foundation::Foundation,
    import::Progress,
};

/// What to do with the bytes of files.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Looks whether every file has its bytes, and whether they are what they should be. Names those that are not.
    Verify {
        /// Looks only whether they are there, without reading them.
        #[arg(long)]
        quick: bool,
        /// Goes on behind this SHA-256, which a run that was cut short named last.
        #[arg(long, value_name = "SHA256")]
        after: Option<Digest>,
    },
    /// Takes out what nobody holds; a server does so by its schedule.
    Gc {
        /// Also when most of what lies in the store is unknown to this database.
        #[arg(long)]
        whatever: bool,
    },
    /// Copies everything to another store of the settings. Run it while the shop goes on, change blobs.store, and run it once more.
    /// It goes on where it was cut short.
    MigrateStore {
        /// Where the bytes are to lie.
        #[arg(long, value_enum)]
        to: StoreKind,
        /// Where they lie, if it is not where blobs.store says.
        #[arg(long, value_enum)]
        from: Option<StoreKind>,
    },
}

pub(crate) async fn run(command: Command, config: &Config) -> Outcome {
    let foundation = Foundation::open(config).await?;
    let said = match command {
        Command::Verify { quick, after } => verify(&foundation, config, quick, after).await,
        Command::Gc { whatever } => gc(&foundation, config, whatever).await,
        Command::MigrateStore { to, from } => migrate(&foundation, config, from, to).await,
    };
    foundation.database.close().await?;
    Ok(crate::print(&said?)?)
}

type Said = Result<String, Box<dyn std::error::Error>>;

async fn verify(foundation: &Foundation, config: &Config, quick: bool, after: Option<Digest>) -> Said {
    let room = files::storeroom(config, foundation)?;
    let (bar, last) = (Progress::new(None), Mutex::new(after));
    let verified = room
        .verify(after, !quick, &|digest, verified: &Verified| {
            bar.at(verified.bytes, verified.held);
            if let Ok(mut last) = last.lock() {
                *last = Some(*digest);
            }
        })
        .await;
    bar.end();
    let verified = verified.map_err(|error| {
        let last = last.lock().ok().and_then(|last| *last);
        match last {
            Some(last) => format!("{}; go on with --after {last}", crate::chain(&error)),
            None => crate::chain(&error),
        }
    })?;
    let Verified { held, bytes, wrong } = verified;
    for (place, wrong) in &wrong {
        let what = match wrong {
            Wrong::Missing => "is not in the store",
            Wrong::Size => "has another length",
            Wrong::Digest => "has other bytes",
        };
        crate::print(&format!("{place}  {what}\n"))?;
    }
    if wrong.is_empty() {
        Ok(format!("verified: {held} files, {bytes} bytes read\n"))
    } else {
        Err(format!("{} of {held} files are not what they should be", wrong.len()).into())
    }
}

async fn gc(foundation: &Foundation, config: &Config, whatever: bool) -> Said {
    let room = files::storeroom(config, foundation)?;
    let bar = Progress::new(None);
    let grace = foundation.shop.rules.assets.grace;
    expire_uploads(&foundation.shop).await?;
    let swept = room.sweep(foundation.shop.now(), grace, whatever, &|gone| bar.at(0, gone)).await;
    bar.end();
    let Swept { released, unknown, staged } = swept?;
    Ok(format!("removed: {released} that nobody held, {unknown} unknown, {staged} unfinished\n"))
}

async fn migrate(foundation: &Foundation, config: &Config, from: Option<StoreKind>, to: StoreKind) -> Said {
    let from = from.unwrap_or(config.blobs.store);
    if from == to {
        return Err("the bytes lie there already; say with --from where they come from".into());
    }
    let store = |kind| files::store(config, kind, foundation);
    let (from, to) = (store(from)?, store(to)?);
    let bar = Progress::new(None);
    let copied = copy_all(&*from, &*to, &|done| bar.at(done.bytes, done.copied + done.there)).await;
    bar.end();
    let Copied { copied, bytes, there } = copied?;
    Ok(format!("copied: {copied} files, {bytes} bytes; {there} were there already\n"))
}
