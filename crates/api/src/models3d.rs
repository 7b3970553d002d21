//! The doors of 3D models.

pub mod dto;
mod file;
mod list;
mod models;
pub mod page;
mod quotes;
mod versions;

pub(crate) use versions::version_number;

use std::sync::Arc;

use domain::assets::models::{Tariff, Workshop, ports::ModelQueries};
use utoipa_actix_web::service_config::ServiceConfig;

/// What 3D models stand on.
#[derive(Clone)]
pub struct Models3d {
    /// Reads them.
    pub queries: Arc<dyn ModelQueries>,
    /// Where they are brought to.
    pub workshop: Workshop,
    /// What printing costs.
    pub tariff: Tariff,
    /// Whether what people get who were granted a file tells whose copy it is.
    pub mark_copies: bool,
}

impl std::fmt::Debug for Models3d {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Models3d").field("tariff", &self.tariff).finish_non_exhaustive()
    }
}

/// The operations of 3D models. Paths with fixed segments come before those with `{id}`.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(quotes::list_print_materials)
        .service(list::list_models3d)
        .service(models::create_model3d)
        .service(models::get_model3d)
        .service(models::update_model3d)
        .service(models::delete_model3d)
        .service(quotes::get_model3d_quote)
        .service(list::list_model3d_versions)
        .service(versions::create_model3d_version)
        .service(versions::get_model3d_version)
        .service(versions::delete_model3d_version)
        .service(file::get_model3d_file);
}
