//! The door for whoever speaks the protocol of `OpenAI`: its SDKs work here by changing their base address. It is a foreign protocol
//! with forms and errors of its own (rulings R18, R19), so it stands beside the document.

mod batches;
mod chat;
mod chunks;
mod embeddings;
mod errors;
mod files;
mod kept;
mod lines;
mod listing;
mod messages;
mod models;
mod request;
mod upload;

use actix_web::{
    HttpRequest, HttpResponse,
    dev::Payload,
    http::{Method, StatusCode, header},
    web,
};
use domain::{Authorized, assistant::Denied, permission::UseAssistant};
use serde_json::Value;

pub use self::{errors::body as error_body, lines::Lines};
use crate::{Services, body::read_bytes, problem::Problem};

/// Their addresses begin with this.
pub const BELOW: &str = "/v1/";
const SCOPE: &str = "/v1";

const CHAT: &str = "/v1/chat/completions";
const EMBEDDINGS: &str = "/v1/embeddings";
const MODELS: &str = "/v1/models";
const MODEL: &str = "/v1/models/{model}";
const FILES: &str = "/v1/files";
const FILE: &str = "/v1/files/{file}";
const CONTENT: &str = "/v1/files/{file}/content";
const BATCHES: &str = "/v1/batches";
const BATCH: &str = "/v1/batches/{batch}";
const CANCEL: &str = "/v1/batches/{batch}/cancel";

/// The operations that take as long as a model does, whose times are those of its provider, and those that take or give bytes.
pub const LONG: [&str; 4] =
    ["create_chat_completion", "create_embedding", "create_assistant_file", "get_assistant_file_content"];

/// The routes: method, path, operation.
pub const ROUTES: [(Method, &str, &str); 13] = [
    (Method::POST, CHAT, "create_chat_completion"),
    (Method::POST, EMBEDDINGS, "create_embedding"),
    (Method::GET, MODELS, "list_language_models"),
    (Method::GET, MODEL, "get_language_model"),
    (Method::POST, FILES, "create_assistant_file"),
    (Method::GET, FILES, "list_assistant_files"),
    (Method::GET, FILE, "get_assistant_file"),
    (Method::GET, CONTENT, "get_assistant_file_content"),
    (Method::DELETE, FILE, "delete_assistant_file"),
    (Method::POST, BATCHES, "create_assistant_batch"),
    (Method::GET, BATCHES, "list_assistant_batches"),
    (Method::GET, BATCH, "get_assistant_batch"),
    (Method::POST, CANCEL, "cancel_assistant_batch"),
];

/// Serves them, before anything else is looked for: one comparison for all other requests, and none but theirs for these.
pub fn serve(config: &mut web::ServiceConfig) {
    let within = |path: &str| path.strip_prefix(SCOPE).unwrap_or(path).to_owned();
    config.service(
        web::scope(SCOPE)
            .route(&within(CHAT), web::post().to(chat::create))
            .route(&within(EMBEDDINGS), web::post().to(embeddings::create))
            .route(&within(MODELS), web::get().to(models::list))
            .route(&within(MODEL), web::get().to(models::get))
            .route(&within(FILES), web::post().to(upload::create))
            .route(&within(FILES), web::get().to(files::list))
            .route(&within(FILE), web::get().to(files::get))
            .route(&within(CONTENT), web::get().to(files::content))
            .route(&within(FILE), web::delete().to(files::delete))
            .route(&within(BATCHES), web::post().to(batches::create))
            .route(&within(BATCHES), web::get().to(batches::list))
            .route(&within(BATCH), web::get().to(batches::get))
            .route(&within(CANCEL), web::post().to(batches::cancel)),
    );
}

/// Whether there is anybody to ask, for the person themselves: what somebody has asked in the background is for nobody who acts as them.
///
/// # Errors
/// 403, 503.
fn admitted(services: &Services, by: &Authorized<UseAssistant>) -> Result<(), Problem> {
    by.in_person()?;
    if services.assistant.assistant.models.is_empty() {
        return Err(errors::denied(Denied::NotConfigured, services.shop.now()));
    }
    Ok(())
}

/// An answer that no cache keeps.
fn told(body: &Value) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.content_type("application/json").insert_header((header::CACHE_CONTROL, "no-store"));
    answer.body(body.to_string())
}

/// Reads a body within its bounds of length and time.
async fn read_body(services: &Services, request: &HttpRequest, payload: Payload) -> Result<web::Bytes, Problem> {
    let read = read_bytes(request, payload, services.assistant.body_limit);
    tokio::select! {
        biased;
        read = read => read,
        () = services.shop.clock.sleep(services.settings.timeout) => {
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "The body took too long"))
        }
    }
}
