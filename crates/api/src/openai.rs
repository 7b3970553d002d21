//! The door for whoever speaks the protocol of `OpenAI`: its SDKs work here by changing their base address. It is a foreign protocol
//! with forms and errors of its own (rulings R18, R19), so it stands beside the document.

mod chat;
mod chunks;
mod embeddings;
mod errors;
mod kept;
mod messages;
mod models;
mod request;

use actix_web::{
    HttpRequest,
    dev::Payload,
    http::{Method, StatusCode},
    web,
};

pub use self::errors::body as error_body;
use crate::{Services, body::read_bytes, problem::Problem};

/// Their addresses begin with this.
pub const BELOW: &str = "/v1/";
const SCOPE: &str = "/v1";

const CHAT: &str = "/v1/chat/completions";
const EMBEDDINGS: &str = "/v1/embeddings";
const MODELS: &str = "/v1/models";
const MODEL: &str = "/v1/models/{model}";

/// The operations that take as long as a model does: their times are those of its provider.
pub const LONG: [&str; 2] = ["create_chat_completion", "create_embedding"];

/// The routes: method, path, operation.
pub const ROUTES: [(Method, &str, &str); 4] = [
    (Method::POST, CHAT, "create_chat_completion"),
    (Method::POST, EMBEDDINGS, "create_embedding"),
    (Method::GET, MODELS, "list_language_models"),
    (Method::GET, MODEL, "get_language_model"),
];

/// Serves them, before anything else is looked for: one comparison for all other requests, and none but theirs for these.
pub fn serve(config: &mut web::ServiceConfig) {
    let within = |path: &str| path.strip_prefix(SCOPE).unwrap_or(path).to_owned();
    config.service(
        web::scope(SCOPE)
            .route(&within(CHAT), web::post().to(chat::create))
            .route(&within(EMBEDDINGS), web::post().to(embeddings::create))
            .route(&within(MODELS), web::get().to(models::list))
            .route(&within(MODEL), web::get().to(models::get)),
    );
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
