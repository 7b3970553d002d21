//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{assets, audit, config_command, events, export, import, keys, mail, migrate, openapi, seed, user};

/// A marketplace backend.
#[derive(Debug, Parser)]
#[command(name = "souk", version, about, arg_required_else_help = false)]
pub(crate) struct Cli {
    /// The file of settings; `souk.toml` when it is there.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What to do; serves when nothing is said.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves the shop (the default).
    Serve,
    /// Changes the schema of the database.
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Verifies the audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Shows events that were set aside, and lets them be tried again.
    #[command(subcommand)]
    Events(events::Command),
    /// Verifies the bytes of files, takes out what nobody holds, and moves them to another store.
    #[command(subcommand)]
    Assets(assets::Command),
    /// Removes what is older than the settings of retention say; a server does so by its schedule.
    Purge,
    /// Tries whether letters arrive.
    #[command(subcommand)]
    Mail(mail::Command),
    /// Makes accounts, gives roles and takes them back.
    #[command(subcommand)]
    User(user::Command),
    /// Shows the keys that sign tokens, and changes them.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Shows which role may do what.
    Permissions,
    /// Fills a shop with made-up products, for trials.
    Seed(seed::Seeding),
    /// Writes data out.
    #[command(subcommand)]
    Export(export::Command),
    /// Brings data in.
    #[command(subcommand)]
    Import(import::Command),
    /// Shows and checks the settings.
    #[command(subcommand)]
    Config(config_command::Command),
    /// Writes the OpenAPI document.
    Openapi(openapi::Args),
    /// Writes the document of what is pushed over streams (`AsyncAPI`).
    Asyncapi,
}
