//! `souk openapi`: writes the document of the HTTP API.

use clap::{Args as Arguments, ValueEnum};
use domain::shop::Rules;

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
    // A committed document should not change with the settings of whoever writes it; a server tells its own.
    let rules = Rules::default();
    let document = match args.version {
        Version::V31 => serde_json::to_value(api::openapi(&rules))?,
        Version::V30 => api::openapi30(&rules),
    };
    Ok(crate::print(&format!("{}\n", serde_json::to_string_pretty(&document)?))?)
}
