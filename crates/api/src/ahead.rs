//! What is asked again in the same words and is in memory, answered ahead of the application.
//!
//! A worker remembers which entry of the cache a request was answered with. The next of the same words, by whoever may know of the
//! same, needs no route, no handler and none of the layers around them; who calls, limits, metrics, the log and every header are as
//! ever, by the same functions. Whatever is unusual about a request, or not in memory, goes the whole way. The gate does not
//! count such a request: it is answered before it could wait for anything.

mod callers;
mod lessons;

use std::{
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::{self, Poll},
    time::Duration,
};

use actix_http::{Request, Response};
use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::BoxBody,
    dev::{AppConfig, RequestHead, Service, ServiceFactory, ServiceResponse},
    http::{Method, header},
};
use domain::Actor;
use futures_util::{
    TryFutureExt as _,
    future::{Either, LocalBoxFuture, MapOk, poll_immediate},
};

pub(crate) use self::lessons::Lessons;
use self::{callers::Callers, lessons::Alike};
use crate::{
    acting::HEADER as ACTING_FOR,
    context::Context,
    kept,
    middleware::{
        authenticate::{self, By, Caller},
        limit, log, request_id, security,
    },
    routes::Found,
    services::Services,
    surrogate,
};

/// How long it may take to find out who calls, whether an entry is still good and what the limits say: some of them ask others.
const PATIENCE: Duration = Duration::from_millis(250);

/// Makes the application of a worker with the way ahead of it.
#[derive(Debug)]
pub struct Ahead<F> {
    app: F,
    services: Arc<Services>,
    lessons: Lessons,
}

impl<F> Ahead<F> {
    /// `app` learns into these lessons.
    pub(crate) fn new(app: F, services: Arc<Services>, lessons: Lessons) -> Self {
        Self { app, services, lessons }
    }
}

impl<F, S> ServiceFactory<Request> for Ahead<F>
where
    F: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = ServiceResponse,
            Error = Error,
            InitError = (),
            Service = S,
        >,
    F::Future: 'static,
    S: Service<Request, Response = ServiceResponse, Error = Error> + 'static,
{
    type Response = Response<BoxBody>;
    type Error = Error;
    type Config = AppConfig;
    type Service = Both<S>;
    type InitError = ();
    type Future = LocalBoxFuture<'static, Result<Self::Service, ()>>;

    fn new_service(&self, config: AppConfig) -> Self::Future {
        let app = self.app.new_service(config);
        let (services, lessons) = (Arc::clone(&self.services), self.lessons.clone());
        Box::pin(
            async move { Ok(Both(Rc::new(Ways { app: app.await?, services, lessons, callers: Callers::default() }))) },
        )
    }
}

/// Both ways to an answer.
#[derive(Debug)]
pub struct Both<S>(Rc<Ways<S>>);

#[derive(Debug)]
struct Ways<S> {
    app: S,
    services: Arc<Services>,
    lessons: Lessons,
    callers: Callers,
}

impl<S> Service<Request> for Both<S>
where
    S: Service<Request, Response = ServiceResponse, Error = Error> + 'static,
{
    type Response = Response<BoxBody>;
    type Error = Error;
    type Future = Either<
        MapOk<S::Future, fn(ServiceResponse) -> Response<BoxBody>>,
        LocalBoxFuture<'static, Result<Self::Response, Error>>,
    >;

    fn poll_ready(&self, context: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.0.app.poll_ready(context)
    }

    fn call(&self, request: Request) -> Self::Future {
        let known = is_plain(request.head()).then(|| self.0.lessons.about(&request.head().uri));
        let Some(alike) = known.flatten() else {
            return Either::Left(self.0.app.call(request).map_ok(Response::from));
        };
        let ways = Rc::clone(&self.0);
        Either::Right(Box::pin(async move {
            match ways.soon(&request, &alike).await {
                Some(answer) => Ok(answer.into()),
                None => ways.app.call(request).await.map(Response::from),
            }
        }))
    }
}

impl<S> Ways<S> {
    /// The answer, if it is in memory and there before long. The application has times of its own for what takes longer.
    async fn soon(&self, request: &Request, alike: &Alike) -> Option<HttpResponse> {
        let mut ahead = pin!(self.ahead(request, alike));
        // What is known at once needs no timer.
        match poll_immediate(ahead.as_mut()).await {
            Some(answer) => answer,
            None => tokio::time::timeout(PATIENCE, ahead).await.ok().flatten(),
        }
    }

    /// The answer, if it is in memory and nothing stands against it. Else the application is told who calls.
    async fn ahead(&self, request: &Request, alike: &Alike) -> Option<HttpResponse> {
        let (head, known, now) = (request.head(), &self.services.known, self.services.shop.now());
        if let Some(somebody) = self.callers.find(head, known, now) {
            let answer = self.answer(request, alike, &somebody.actor).await;
            if answer.is_none() {
                request.extensions_mut().insert(somebody.caller());
            }
            return answer;
        }
        let edition = known.edition();
        let caller = authenticate::resolve(head, &self.services).await.ok()?;
        let answer = if is_themselves(&caller) {
            self.callers.remember(head, &caller, edition, now);
            self.answer(request, alike, &caller.actor).await
        } else {
            None
        };
        if answer.is_none() {
            request.extensions_mut().insert(caller);
        }
        answer
    }

    async fn answer(&self, request: &Request, alike: &Alike, actor: &Actor) -> Option<HttpResponse> {
        let (services, head) = (&*self.services, request.head());
        let lesson = alike.find(head, actor)?;
        let context = Context::of(head, Some(services), Found::Operation(Arc::clone(&lesson.operation)));
        let entry = services.cache.glance(&lesson.key).await?;
        let answer = kept::answer(head.headers(), &entry, lesson.open);
        let mut answer = surrogate::named(answer, &lesson.key.tags, services.settings.cache.surrogate_keys).ok()?;
        let said = limit::count(services, &lesson.operation, context.client, actor).await;
        if !said.is_through() {
            // The application refuses it or lets it wait, and need not count it again.
            request.extensions_mut().insert(said);
            return None;
        }
        said.meter();
        said.on(answer.headers_mut());
        if let Some(product) = lesson.seen {
            services.saw(actor, product);
        }
        let told = answer.head_mut();
        security::add(told, head, Some(services));
        log::line(told, head, Some(actor), &context);
        request_id::tell(told.headers_mut(), &context);
        Some(answer)
    }
}

/// Whether nothing but who calls, and how they want it coded, makes a difference to the answer.
fn is_plain(head: &RequestHead) -> bool {
    let headers = head.headers();
    head.method == Method::GET
        && !headers.contains_key(header::ORIGIN)
        && !headers.contains_key(ACTING_FOR)
        && headers.get_all(header::ACCEPT_ENCODING).count() <= 1
}

/// Whether somebody calls in person, or nobody does, and sent nothing that makes them somebody else.
fn is_themselves(caller: &Caller) -> bool {
    let is_plain = !caller.invalid && matches!(caller.by, By::Nothing | By::Session(_) | By::Visit(_));
    is_plain && caller.actor.principal().is_none_or(|principal| principal.impersonator.is_none())
}
