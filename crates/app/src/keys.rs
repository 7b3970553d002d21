//! `souk keys`: the keys that sign tokens.

use clap::Subcommand;
use domain::{
    clock::Timestamp,
    identity::{ports::SealedKey, rotate_keys},
};

use crate::{Outcome, config::Config, foundation::Foundation};

/// What to do with the keys.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Command {
    /// Lists them, in the order in which they sign.
    List,
    /// Makes the next one, which signs after a time in which everybody reads it; removes those whose tokens have ended. No server needs
    /// to start again.
    Rotate,
}

pub(crate) async fn run(command: Command, config: &Config) -> Outcome {
    let foundation = Foundation::open(config).await?;
    let said = match command {
        Command::List => list(&foundation).await,
        Command::Rotate => rotate(&foundation, config).await,
    };
    foundation.database.close().await?;
    Ok(crate::print(&said?)?)
}

async fn list(foundation: &Foundation) -> domain::Result<String> {
    let (keys, now) = (foundation.database.signing_keys().all().await?, foundation.shop.now());
    Ok(keys.iter().enumerate().map(|(at, key)| line(key, state(&keys, at, now))).collect())
}

async fn rotate(foundation: &Foundation, config: &Config) -> domain::Result<String> {
    let (shop, maker) = (&foundation.shop, foundation.key_maker());
    let rotated = rotate_keys(shop, &maker, config.identity.keys, None).await?;
    let removed = rotated.removed.iter().map(|kid| format!("{kid}  removed\n"));
    let made = match &rotated.made {
        Some(key) => line(key, "new"),
        None => "a key waits for its turn already; see souk keys list\n".to_owned(),
    };
    Ok(removed.collect::<String>() + &made)
}

fn line(key: &SealedKey, state: &str) -> String {
    let from = key.signs_from.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    format!("{}  {state}  signs from {from}\n", key.kid)
}

fn state(keys: &[SealedKey], at: usize, now: Timestamp) -> &'static str {
    let due = |key: &SealedKey| key.signs_from <= now;
    match (keys.get(at).is_some_and(due), keys.get(at + 1).is_some_and(due)) {
        (true, false) => "signs",
        (true, true) => "verifies",
        (false, _) => "waits",
    }
}
