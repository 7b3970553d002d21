//! The doors of 3D models.

mod content;
pub mod dto;
mod incoming;
mod list;
mod models;
pub mod page;
mod quotes;
mod range;
mod versions;

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
}

impl std::fmt::Debug for Models3d {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Models3d").field("tariff", &self.tariff).finish_non_exhaustive()
    }
}

/// The operations of 3D models. Paths with fixed segments come before those with `{id}`.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(content::get_model3d_rendition)
        .service(quotes::list_print_materials)
        .service(list::list_models3d)
        .service(models::create_model3d)
        .service(models::get_model3d)
        .service(models::delete_model3d)
        .service(quotes::get_model3d_quote)
        .service(list::list_model3d_versions)
        .service(versions::create_model3d_version)
        .service(versions::get_model3d_version)
        .service(versions::delete_model3d_version)
        .service(content::get_model3d_file);
}

/// Requests that bring files: they may take as long as bytes keep coming.
pub fn brings_a_file(method: &actix_web::http::Method, path: &str) -> bool {
    method == actix_web::http::Method::POST && path.starts_with("/api/v1/models3d")
}
