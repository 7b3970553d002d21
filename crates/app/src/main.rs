//! The binary `souk`: settings, wiring, and the commands of the command line.

mod archive;
mod assets;
mod assistant;
mod asyncapi;
mod audit;
mod cli;
mod compose;
mod config;
mod config_command;
mod demo;
mod downloads;
mod ending;
mod events;
mod export;
mod files;
mod foundation;
mod gallery;
mod imaging;
mod import;
mod jobs;
mod json_lines;
mod key_uses;
mod keys;
mod lines;
mod mail;
mod migrate;
mod models;
mod nodes;
mod notes;
mod openapi;
mod outside;
mod permissions;
mod post;
mod proofs;
mod purge;
mod schedule;
mod seed;
mod serve;
mod telemetry;
mod user;
mod vectors;
mod views;
mod webhooks;
mod workers;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};
use config::{Config, Faults, Layers, Sources};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a command answers; its error is shown with all its causes.
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The exit status for faults in the settings (`EX_CONFIG` of sysexits.h); everything else that fails is 1.
const BAD_SETTINGS: u8 = 78;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("souk: {}", chain(error.as_ref()));
            if error.is::<Faults>() { ExitCode::from(BAD_SETTINGS) } else { ExitCode::FAILURE }
        }
    }
}

fn run(cli: Cli) -> Outcome {
    let command = cli.command.unwrap_or(Command::Serve);
    // The document is the same whatever the settings are.
    if let Command::Openapi(args) = command {
        return openapi::run(&args);
    }
    if matches!(command, Command::Asyncapi) {
        return asyncapi::run();
    }
    let layers = Layers::new(&Sources::of_process(cli.config.as_deref())?);
    if let Command::Config(command) = command {
        return config_command::run(&command, &layers);
    }
    let config = Config::read(&layers)?;
    let _log = telemetry::init(&config.telemetry);
    for warning in &layers.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Serve => Box::pin(serve::run(config)).await,
            Command::Migrate(command) => migrate::run(&command, &config).await,
            Command::Audit(command) => audit::run(&command, &config).await,
            Command::Events(command) => events::run(&command, &config).await,
            Command::Assets(command) => assets::run(command, &config).await,
            Command::Purge => purge::run(&config).await,
            Command::Keys(command) => keys::run(command, &config).await,
            Command::Mail(command) => mail::run(command, &config).await,
            Command::User(command) => user::run(command, &config).await,
            Command::Permissions => permissions::run(&config).await,
            Command::Export(command) => export::run(command, &config).await,
            Command::Seed(asked) => seed::run(asked, &config).await,
            Command::Import(command) => import::run(command, &config).await,
            Command::Openapi(_) | Command::Asyncapi | Command::Config(_) => Ok(()),
        }
    })
}

/// Writes to the standard output. A reader that went away, such as `head`, is no fault.
fn print(text: &str) -> std::io::Result<()> {
    use std::io::{ErrorKind, Write};
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// An error with everything that caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
