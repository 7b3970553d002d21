//! The time a request may take until the head of its answer (ruling R26), whether there is room for it, and the body of every
//! error within it.

use std::pin::pin;

use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
    test::TestRequest,
    web::Data,
};
use domain::deadline::Within;
use futures_util::future::poll_immediate;

use crate::{context::Context, gate::Gate, present::present, problem::Problem, services::Services};

/// Cuts a request that takes too long. What it was doing is dropped; an open transaction rolls back.
pub async fn layer<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(services) = request.app_data::<Data<Services>>().cloned() else {
        return Ok(present(next.call(request).await?));
    };
    let limit = services.settings.timeout;
    let context = request.extensions().get::<Context>().cloned();
    let place = match (&context, request.app_data::<Gate>()) {
        (Some(context), Some(gate)) => gate.pass(&context.found, &*services.shop.clock).await,
        _ => Ok(None),
    };
    let Ok(_place) = place else {
        let refusal = HttpResponse::from_error(Problem::overloaded());
        return Ok(present(ServiceResponse::new(request.into_parts().0, refusal)));
    };
    if context.as_ref().is_some_and(Context::takes_bytes) {
        // It has a limit of its own for how long nothing may come.
        return Ok(present(next.call(request).await?));
    }
    let (uri, method) = (request.uri().clone(), request.method().clone());
    let origin = request.headers().get(header::ORIGIN).cloned();
    let accept = request.headers().get(header::ACCEPT).cloned();
    // Nobody who is called on its behalf is waited for any longer.
    let answer = pin!(next.call(request));
    let mut answer = Within::new(services.shop.now() + limit, answer);
    // What is answered out of memory needs no timer.
    if let Some(response) = poll_immediate(&mut answer).await {
        return Ok(present(response?));
    }
    if let Ok(response) = tokio::time::timeout(limit, answer).await {
        return Ok(present(response?));
    }
    // The request went with the work. A stand-in with what the outer layers read carries the answer.
    let mut stand_in = TestRequest::with_uri(uri.path()).method(method);
    for (name, value) in [(header::ORIGIN, origin), (header::ACCEPT, accept)] {
        if let Some(value) = value {
            stand_in = stand_in.insert_header((name, value));
        }
    }
    let stand_in = stand_in.to_http_request();
    if let Some(context) = context {
        stand_in.extensions_mut().insert(context);
    }
    Ok(present(ServiceResponse::new(stand_in, HttpResponse::from_error(Problem::timeout()))))
}
