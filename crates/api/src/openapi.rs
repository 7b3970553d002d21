//! The document of the API: collected from the handlers, completed with what the layers answer.

pub mod answers;
mod down;
mod examples;
pub(crate) mod forms;
mod headers;
mod pages;

use std::sync::{Arc, OnceLock};

use actix_web::{
    HttpResponse,
    web::{self, Bytes},
};
use domain::shop::Rules;
use utoipa::{
    OpenApi as _,
    openapi::{
        OpenApi,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::{self as swagger_ui, SwaggerUi};

use crate::{
    access, assets, audit, catalog, chat, health, identity, images, inbound, job, models3d, organisation, prompts,
    room, socket, spending, stream, tools, uploads, webhooks,
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Souk",
        description = "A marketplace: catalogue, sellers, buyers.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(name = "The Souk developers")
    ),
    servers((url = "/", description = "This server")),
    // Named by parameters only: handlers bring along the schemas of bodies, not those.
    components(schemas(catalog::list::SortByView, catalog::list::OrderView, catalog::dto::status::StatusView, catalog::categories::ProductsWithinView, job::view::JobStateView, inbound::view::HookStateView, stream::TopicName, spending::GroupName, spending::ReachName, spending::FormName, spending::CallStateName)),
    tags(
        (name = "auth", description = "Signing up and signing in"),
        (name = "users", description = "People"),
        (name = "roles", description = "What somebody may do"),
        (name = "keys", description = "API keys: how programs call"),
        (name = "sellers", description = "Seller accounts and their members"),
        (name = "products", description = "Products"),
        (name = "images", description = "Pictures of products"),
        (name = "categories", description = "The category tree"),
        (name = "reviews", description = "What buyers think"),
        (name = "files", description = "Files of products: bringing them and taking them away"),
        (name = "models3d", description = "3D models of products, which people print"),
        (name = "events", description = "What changes, as it changes"),
        (name = "rooms", description = "Where people talk"),
        (name = "audit", description = "Who did what"),
        (name = "webhooks", description = "Webhooks: events told to addresses of one's own, and what others send here"),
        (name = "assistant", description = "Language models: conversations with them, what they may have done here, what they cost and may cost"),
        (name = "jobs", description = "Background jobs and the schedule"),
        (name = "health", description = "Whether we live and can serve"),
    )
)]
struct Base;

/// Every documented operation; the application serves exactly these.
pub fn operations(config: &mut ServiceConfig<'_>) {
    // Routes are tried in turn: what is asked for most comes first.
    catalog::operations(config);
    images::operations(config);
    health_operations(config);
    identity::operations(config);
    access::operations(config);
    organisation::operations(config);
    assets::operations(config);
    uploads::operations(config);
    stream::operations(config);
    socket::operations(config);
    room::operations(config);
    models3d::operations(config);
    chat::operations(config);
    webhooks::operations(config);
    spending::operations(config);
    prompts::operations(config);
    config.service(audit::list_audit);
    job::operations(config);
    inbound::operations(config);
    tools::operations(config);
}

fn health_operations(config: &mut ServiceConfig<'_>) {
    config.service(health::get_health).service(health::get_ready);
}

/// The operations as the handlers tell them: their paths, names and parameters.
pub fn collected() -> OpenApi {
    use utoipa_actix_web::AppExt as _;
    actix_web::App::new().into_utoipa_app().openapi(Base::openapi()).configure(operations).split_for_parts().1
}

/// The document in `OpenAPI` 3.1, for a shop with these rules.
pub fn openapi(rules: &Rules) -> OpenApi {
    let mut document = collected();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "The token of POST /api/v1/auth/login, or an API key (`souk_` and 64 letters); the scopes are what a key must be for. \
             A browser that signed in with `\"mode\":\"cookie\"` sends its cookies instead, and `X-CSRF-Token` with every change.",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    pages::refer(components);
    components.security_schemes.insert("bearer".to_owned(), SecurityScheme::Http(bearer).into());
    forms::tell(&mut document, rules);
    answers::complete(&mut document);
    document
}

/// The document in `OpenAPI` 3.0.3, for generators that do not read 3.1.
pub fn openapi30(rules: &Rules) -> serde_json::Value {
    down::to_30(serde_json::to_value(openapi(rules)).unwrap_or_default())
}

/// Serves the documents, each shared by all workers, and Swagger UI.
pub fn serve(config: &mut web::ServiceConfig, documents: &Documents) {
    let answer = |which: fn(&Documents) -> Bytes| {
        let documents = documents.clone();
        web::get().to(move || {
            let body = which(&documents);
            async move { HttpResponse::Ok().content_type("application/json").body(body) }
        })
    };
    config
        .route("/api-docs/openapi.json", answer(Documents::v31))
        .route("/api-docs/openapi-3.0.json", answer(Documents::v30))
        .route("/api-docs/asyncapi.json", answer(Documents::pushed))
        .service(SwaggerUi::new("/swagger-ui/{_:.*}").config(swagger_ui::Config::from("/api-docs/openapi.json")));
}

/// The documents as they are sent. Each is drawn when it is first asked for: that takes milliseconds, and more memory than
/// the rest of a server that has just started.
#[derive(Debug, Clone)]
pub struct Documents(Arc<Drawn>);

#[derive(Debug)]
struct Drawn {
    rules: Rules,
    v31: OnceLock<Bytes>,
    v30: OnceLock<Bytes>,
    pushed: OnceLock<Bytes>,
}

impl Documents {
    /// For a shop with these rules.
    pub fn of(rules: &Rules) -> Self {
        let (v31, v30, pushed) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self(Arc::new(Drawn { rules: rules.clone(), v31, v30, pushed }))
    }

    fn v31(&self) -> Bytes {
        self.0.v31.get_or_init(|| serde_json::to_vec(&openapi(&self.0.rules)).unwrap_or_default().into()).clone()
    }

    fn v30(&self) -> Bytes {
        self.0.v30.get_or_init(|| openapi30(&self.0.rules).to_string().into()).clone()
    }

    fn pushed(&self) -> Bytes {
        self.0.pushed.get_or_init(|| crate::asyncapi(&self.0.rules).to_string().into()).clone()
    }
}
