//! `souk audit`: is the audit log still what was once written?

use clap::Subcommand;
use domain::audit::{Note, verify};

use crate::{Outcome, config::Config, foundation::Foundation};

/// What the key of the audit chain is derived for.
pub(crate) const PURPOSE: &str = "audit";

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads the whole log and tells every entry that was altered, deleted or inserted; ends with status 1 then.
    Verify {
        /// The head that an earlier verification printed and that was kept elsewhere: finds a whole database put back.
        #[arg(long, value_name = "SEQ:HASH")]
        at_least: Option<Note>,
    },
}

pub(crate) async fn run(command: &Command, config: &Config) -> Outcome {
    let Command::Verify { at_least } = command;
    let foundation = Foundation::open(config).await?;
    let verified = verify(&*foundation.database.chain(), &foundation.mac(PURPOSE)?, at_least.as_ref()).await;
    foundation.database.close().await?;
    let verified = verified?;
    let head = verified.head.map_or_else(|| "none".to_owned(), |head| head.to_string());
    if verified.waiting > 0 {
        println!("entries that wait to be chained: {}", verified.waiting);
    }
    if verified.is_ok() {
        println!("audit ok: {} entries, head {head}", verified.entries);
        return Ok(());
    }
    for finding in &verified.findings {
        println!("{finding}");
    }
    if verified.more > 0 {
        println!("and {} more", verified.more);
    }
    let total = u64::try_from(verified.findings.len()).unwrap_or(u64::MAX).saturating_add(verified.more);
    Err(format!("the audit log does not verify: {total} findings in {} entries, head {head}", verified.entries).into())
}
