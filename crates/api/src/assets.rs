//! The doors of files: what is brought, what is taken away, and who may.

mod content;
mod disposition;
pub mod dto;
mod files;
mod grants;
mod libraries;
mod links;
mod range;
mod said;
mod upload;

use utoipa_actix_web::service_config::ServiceConfig;

pub use self::upload::{linger, outlasting, received};
pub(crate) use self::{
    content::{Given, give},
    disposition::attachment,
    said::Said,
};

/// The operations of files.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(content::get_content)
        .service(content::get_file_content)
        .service(files::list_files)
        .service(files::create_file)
        .service(files::get_file)
        .service(files::delete_file)
        .service(links::create_file_link)
        .service(libraries::list_libraries)
        .service(libraries::get_library)
        .service(libraries::delete_library)
        .service(grants::list_grants)
        .service(grants::give_grant)
        .service(grants::take_grant);
}
