//! `souk config`: shows and checks the settings.

use clap::Subcommand;

use crate::{
    Outcome,
    config::{Config, Layers, print},
};

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows every setting with its value and where it came from; secrets stay hidden.
    Print,
    /// Tells every fault at once.
    Check,
}

pub(crate) fn run(command: &Command, layers: &Layers) -> Outcome {
    if matches!(command, Command::Print) {
        crate::print(&print(layers))?;
    }
    Config::read(layers)?;
    if matches!(command, Command::Check) {
        for warning in &layers.warnings {
            crate::print(&format!("warning: {warning}\n"))?;
        }
        crate::print(&format!("settings ok, profile {}\n", layers.profile().name()))?;
    }
    Ok(())
}
