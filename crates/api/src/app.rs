//! The application: all layers and all routes, for the binary and for tests alike (API-11).

use std::{collections::BTreeMap, sync::Arc};

use actix_http::Request;
use actix_service::IntoServiceFactory as _;
use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    dev::{AppConfig, ServiceFactory, ServiceRequest, ServiceResponse},
    http::Method,
    middleware::{Compress, from_fn},
    web::{self, Data},
};

use crate::{
    ahead::{Ahead, Lessons},
    docs,
    gate::Gate,
    health, identity, lfs, mcp,
    middleware::{admit, cors, deadline, only::only, outermost, small},
    models3d, openai,
    openapi::{self, Documents, collected},
    problem::Problem,
    routes::{Found, Routes},
    services::Services,
    socket, stream, uploads,
};

/// Paths beside those of the document: method, path, operation.
pub fn other_routes(services: &Services) -> Vec<(Method, &'static str, &'static str)> {
    beside_the_document(services.settings.open_metrics, services.settings.open_docs)
}

/// Every operation there may be, by its id, with the template of its path: what limits can name.
pub fn operations() -> BTreeMap<String, String> {
    let routes = Routes::new(&collected(), &beside_the_document(true, true), &[]);
    routes.operations().into_iter().map(|(_, operation)| (operation.id.clone(), operation.template.clone())).collect()
}

fn beside_the_document(open_metrics: bool, open_docs: bool) -> Vec<(Method, &'static str, &'static str)> {
    let mut routes = vec![
        (Method::POST, "/api/auth/register", "register"),
        (Method::POST, "/api/auth/login", "login"),
        (Method::GET, "/events", "stream_events"),
        (Method::GET, "/ws", "open_socket"),
    ];
    routes.extend(identity::pages::ROUTES.map(|(path, operation)| (Method::GET, path, operation)));
    routes.extend(models3d::page::ROUTES.map(|(path, operation)| (Method::GET, path, operation)));
    routes.extend(identity::outside::ROUTES);
    routes.extend(lfs::ROUTES);
    routes.extend(openai::ROUTES);
    routes.extend(mcp::ROUTES);
    routes.extend(uploads::ROUTES);
    if open_metrics {
        routes.push((Method::GET, "/metrics", "metrics"));
    }
    if open_docs {
        routes.push((Method::GET, "/api-docs/openapi.json", "document"));
        routes.push((Method::GET, "/api-docs/openapi-3.0.json", "document30"));
        routes.push((Method::GET, "/api-docs/asyncapi.json", "document_async"));
        routes.extend(docs::ROUTES.map(|(path, operation)| (Method::GET, path, operation)));
        routes.push((Method::GET, "/swagger-ui/{file:.*}", "swagger_ui"));
    }
    routes
}

/// What is drawn from the handlers once, and shared by all workers of an application.
#[derive(Debug, Clone)]
pub struct Drawn {
    routes: Arc<Routes>,
    documents: Documents,
    /// What all workers let requests through.
    pub gate: Gate,
}

impl Drawn {
    /// Draws it for the shop of these services.
    pub fn of(services: &Services) -> Self {
        let routes = Routes::new(&collected(), &other_routes(services), &services.settings.limits);
        let gate = Gate::new(services.settings.gate);
        Self { routes: Arc::new(routes), documents: Documents::of(&services.shop.rules), gate }
    }
}

/// The whole application. The layers stand in the order of API-10; the last `wrap` is the outermost.
pub fn build(
    services: &Arc<Services>,
    drawn: &Drawn,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()> + use<>,
> {
    let settings = &services.settings;
    let (open_metrics, open_docs) = (settings.open_metrics, settings.open_docs);
    App::new()
        .app_data(Data::from(services.clone()))
        .app_data(Data::from(drawn.routes.clone()))
        .app_data(drawn.gate.clone())
        .configure(openai::serve)
        .configure(|config| openapi::operations(&mut utoipa_actix_web::service_config::ServiceConfig::new(config)))
        .configure(identity::aliases)
        .configure(identity::pages::serve)
        .configure(models3d::page::serve)
        .configure(identity::outside::callbacks)
        .configure(lfs::serve)
        .configure(mcp::serve)
        .configure(uploads::serve)
        .configure(stream::aliases)
        .configure(socket::aliases)
        .configure(|config| {
            if open_metrics {
                config.route("/metrics", web::get().to(health::metrics));
            }
            if open_docs {
                openapi::serve(config, &drawn.documents);
                docs::serve(config);
            }
        })
        .default_service(web::to(nowhere))
        .wrap(from_fn(admit::layer))
        .wrap(from_fn(deadline::layer))
        .wrap(only(small::asked, from_fn(small::mark)))
        .wrap(only(small::asked, Compress::default()))
        .wrap(only(small::asked, from_fn(small::unmark)))
        .wrap(only(cors::asked, cors::layer(settings)))
        .wrap(from_fn(outermost::layer))
}

/// The application of a server, with a way ahead of it for what is in memory.
pub fn serve(
    services: &Arc<Services>,
    drawn: &Drawn,
) -> Ahead<
    impl ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse, Error = Error, InitError = ()> + use<>,
> {
    let lessons = Lessons::default();
    let app = build(services, drawn).app_data(lessons.clone()).into_factory();
    Ahead::new(app, Arc::clone(services), lessons)
}

/// Answers what no route takes: 405 when the path is known, else 404.
async fn nowhere(request: HttpRequest, routes: Data<Routes>) -> Result<HttpResponse, Problem> {
    Err(match routes.find(request.method(), request.path()) {
        Found::OtherMethod(allow) => Problem::wrong_method(&allow),
        _ => Problem::no_route(),
    })
}
