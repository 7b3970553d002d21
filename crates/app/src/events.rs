//! `souk events`: what the relay set aside.

use clap::{ArgGroup, Subcommand};
use domain::id::EventId;

use crate::{Outcome, config::Config, foundation::Foundation};

/// Events shown at once.
const SHOWN: u32 = 1_000;

/// What to do with events that were set aside.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists them: id, kind and reason; the oldest thousand.
    Failed,
    /// Lets the relay try again.
    #[command(group = ArgGroup::new("which").required(true))]
    Retry {
        /// This one.
        #[arg(group = "which")]
        id: Option<EventId>,
        /// All of them.
        #[arg(long, group = "which")]
        all: bool,
    },
}

pub(crate) async fn run(command: &Command, config: &Config) -> Outcome {
    let foundation = Foundation::open(config).await?;
    let set_aside = foundation.database.set_aside();
    let outcome = match command {
        Command::Failed => set_aside.failed(SHOWN).await.map(|failed| {
            for event in &failed {
                println!("{}  {}  {}", event.id, event.kind, event.reason);
            }
            println!("events set aside: {}", failed.len());
        }),
        Command::Retry { id, .. } => set_aside.retry(*id).await.map(|again| println!("events to try again: {again}")),
    };
    foundation.database.close().await?;
    Ok(outcome?)
}
