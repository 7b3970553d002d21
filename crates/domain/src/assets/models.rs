//! 3D models of products, which people print: kept in versions, examined by a job, shown and quoted.

mod delete;
pub(crate) mod events;
mod findings;
mod lost;
mod mark;
mod model;
pub mod ports;
mod process;
mod quote;
#[cfg(test)]
mod tests;
mod update;
mod upload;

pub(crate) use delete::clear_orphans;
pub use delete::{delete_model, delete_version};
pub use findings::{Findings, Severity, Shape, Unit, Warning};
pub use lost::fail_lost_models;
pub use mark::mark;
pub use model::{Declared, Fault, Model, ModelFormat, Rendition, RenditionKind, Version, VersionNumber, VersionState};
pub use process::{ProcessModel, process_model};
pub use quote::{Material, Quote, QuoteInput, Tariff, quote};
pub use update::{ModelPatch, update_model};
pub(super) use upload::{NAME_MAX, declared, model as changeable};
pub use upload::{NewModel, Upload, Workshop, add_version, create_model};
