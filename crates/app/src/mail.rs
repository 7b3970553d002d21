//! `souk mail`: whether letters arrive.

use std::time::Duration;

use clap::Subcommand;
use domain::{
    identity::Email,
    mail::{Letter, Subject},
};

use crate::{
    Outcome,
    config::{Config, Transport},
    foundation::Foundation,
    post,
};

/// What to do with letters.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sends a letter by the settings that a server would use, at once, and says how it went.
    Test {
        /// Who gets it.
        #[arg(long)]
        to: String,
    },
}

pub(crate) async fn run(command: Command, config: &Config) -> Outcome {
    let Command::Test { to } = command;
    let to = Email::parse(&to).map_err(|breach| format!("--to {}", breach.message))?;
    if config.mail.transport == Transport::Off {
        return Err("mail.transport is off: no letter can be sent".into());
    }
    let foundation = Foundation::open(config).await?;
    let post = post::post(config, &foundation)?;
    let letter =
        Letter { id: foundation.shop.id(), to, subject: Subject::Test, secret: String::new(), life: Duration::ZERO };
    let sent = match post.stationery.write(&letter) {
        Ok(mail) => post.mailer.send(&mail).await.map_err(|failure| failure.reason().to_owned().into()),
        Err(fault) => Err(fault.into()),
    };
    foundation.database.close().await?;
    sent.and_then(|()| Ok(crate::print("sent\n")?))
}
