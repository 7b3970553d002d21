//! Git LFS over HTTP, below `/lfs/{seller}/{library}`: its batch API with the basic transfer, and locks. It is a foreign protocol
//! with forms and errors of its own (ruling R18), so it stands beside the document.
//!
//! Clients sign in as git does: any user name, and an API key for products or an access token as the password.

mod address;
mod batch;
mod bodies;
mod locks;
mod objects;

use actix_web::{
    HttpResponse,
    http::{Method, header},
    web,
};
use serde::Serialize;

/// Their addresses begin with this.
pub const BELOW: &str = "/lfs/";
/// The type of every JSON of the protocol.
pub const JSON: &str = "application/vnd.git-lfs+json";

const BATCH: &str = "/lfs/{seller}/{library}/objects/batch";
const VERIFY: &str = "/lfs/{seller}/{library}/objects/verify";
const OBJECT: &str = "/lfs/{seller}/{library}/objects/{oid}";
const LOCKS: &str = "/lfs/{seller}/{library}/locks";
const LOCKS_VERIFY: &str = "/lfs/{seller}/{library}/locks/verify";
const UNLOCK: &str = "/lfs/{seller}/{library}/locks/{lock}/unlock";

/// The operation whose body is bytes of any length.
pub const UPLOAD: &str = "upload_lfs_object";

/// The routes: method, path, operation.
pub const ROUTES: [(Method, &str, &str); 8] = [
    (Method::POST, BATCH, "batch_lfs_objects"),
    (Method::POST, VERIFY, "verify_lfs_object"),
    (Method::PUT, OBJECT, UPLOAD),
    (Method::GET, OBJECT, "download_lfs_object"),
    (Method::GET, LOCKS, "list_lfs_locks"),
    (Method::POST, LOCKS, "create_lfs_lock"),
    (Method::POST, LOCKS_VERIFY, "verify_lfs_locks"),
    (Method::POST, UNLOCK, "delete_lfs_lock"),
];

/// Serves them.
pub fn serve(config: &mut web::ServiceConfig) {
    config
        .route(BATCH, web::post().to(batch::batch))
        .route(VERIFY, web::post().to(objects::verify))
        .route(OBJECT, web::put().to(objects::upload))
        .route(OBJECT, web::get().to(objects::download))
        .route(LOCKS, web::get().to(locks::list))
        .route(LOCKS, web::post().to(locks::create))
        .route(LOCKS_VERIFY, web::post().to(locks::verify))
        .route(UNLOCK, web::post().to(locks::unlock));
}

/// An answer of the protocol.
fn told(mut response: actix_web::HttpResponseBuilder, body: &impl Serialize) -> HttpResponse {
    response.content_type(JSON).insert_header((header::CACHE_CONTROL, "no-store"));
    match serde_json::to_string(body) {
        Ok(text) => response.body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
