//! The HTTP door: routes, their documents, and everything between a socket and a use case.
//!
//! This crate knows the domain and no adapter. [`app::build`] makes the whole application out of [`Services`]; the
//! binary and the tests both use it.

pub mod access;
pub mod acting;
pub mod address;
pub mod ahead;
pub mod app;
pub mod assets;
pub mod asyncapi;
pub mod audit;
pub mod auth;
pub mod body;
pub mod catalog;
pub mod chat;
pub mod connection;
pub mod context;
pub mod cookies;
pub mod csrf;
pub mod docs;
pub mod done;
pub mod draining;
pub mod etag;
pub mod fresh;
pub mod gate;
mod header_text;
pub mod health;
pub mod idempotency;
pub mod identity;
pub mod images;
pub mod impersonated;
pub mod inbound;
pub mod job;
pub mod kept;
pub mod lfs;
pub mod limit;
pub mod mcp;
pub mod middleware;
pub mod models3d;
pub mod openai;
pub mod openapi;
pub mod organisation;
pub mod page;
pub mod path;
mod place;
pub mod present;
pub mod problem;
pub mod prompts;
pub mod query;
pub mod room;
mod rounds;
pub mod routes;
pub mod server;
pub mod services;
pub mod settings;
pub mod socket;
pub mod spending;
mod spoken;
pub mod stream;
pub mod surrogate;
pub mod tally;
pub mod tools;
pub mod uploads;
pub mod webhooks;

pub use app::{build, serve};
pub use asyncapi::asyncapi;
pub use chat::{Chat, Running};
pub use draining::Draining;
pub use gate::GateSettings;
pub use inbound::Hooks;
pub use models3d::Models3d;
pub use openapi::{openapi, openapi30};
pub use problem::Problem;
pub use server::ServerSettings;
pub use services::{
    Access, Assets, Assistance, DownloadSink, KeyUseSink, Outside, Proofs, Rooms, Services, Streams, ViewSink,
};
pub use settings::{
    CacheSettings, HttpSettings, LimitRule, LimitScope, PER_KEY, PROVING, PlaceSettings, SocketSettings, StreamSettings,
};
pub use socket::{Floor, Served};
pub use stream::{Hub, Told};
pub use webhooks::{Webhooks, words::Words};

/// What a handler takes to reach the services.
pub type Shared = actix_web::web::Data<Services>;

/// What a handler gives.
pub type Answer = Result<actix_web::HttpResponse, Problem>;
