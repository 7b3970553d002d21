//! The doors of uploads that go on where they broke off: tus 1.0 with creation, creation-with-upload, expiration, checksum and
//! termination, and what became of an upload as JSON.
//!
//! What the protocol says is served beside the document, as every client of it knows it.

mod append;
mod checksum;
mod create;
mod metadata;
mod protocol;
mod read;

use actix_web::{http::Method, web};
use utoipa_actix_web::service_config::ServiceConfig;

const ALL: &str = "/api/v1/uploads";
const ONE: &str = "/api/v1/uploads/{id}";

/// The operations whose body is bytes of any length.
pub const BYTES: [&str; 3] = ["create_upload", "append_upload", "override_upload"];

/// The routes of the protocol: method, path, operation.
pub const ROUTES: [(Method, &str, &str); 6] = [
    (Method::OPTIONS, ALL, "describe_uploads"),
    (Method::OPTIONS, ONE, "describe_upload"),
    (Method::POST, ALL, "create_upload"),
    (Method::PATCH, ONE, "append_upload"),
    (Method::DELETE, ONE, "delete_upload"),
    (Method::POST, ONE, "override_upload"),
];

/// Serves the protocol.
pub fn serve(config: &mut web::ServiceConfig) {
    config
        .route(ALL, web::method(Method::OPTIONS).to(protocol::describe))
        .route(ONE, web::method(Method::OPTIONS).to(protocol::describe))
        .route(ALL, web::post().to(create::create))
        .route(ONE, web::patch().to(append::append))
        .route(ONE, web::delete().to(append::delete))
        .route(ONE, web::post().to(append::instead));
}

/// The operations of the document.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config.service(read::get_upload);
}
