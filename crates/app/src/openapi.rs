//! `souk openapi`: writes the document of the HTTP API.

use clap::{Args as Arguments, ValueEnum};

use crate::Outcome;

/// How to write it.
#[derive(Debug, Arguments)]
pub(crate) struct Args {
    /// The version of OpenAPI.
    #[arg(long, value_enum, default_value = "3.1")]
    version: Version,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Version {
    #[value(name = "3.1")]
    V31,
    #[value(name = "3.0")]
    V30,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let document = match args.version {
        Version::V31 => serde_json::to_value(api::openapi())?,
        Version::V30 => api::openapi30(),
    };
    Ok(crate::print(&format!("{}\n", serde_json::to_string_pretty(&document)?))?)
}
