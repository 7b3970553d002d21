//! Who may come in: the limit of an address before anybody is known, who calls, the limits of who calls (API-10, ruling R6);
//! and with what.
//!
//! One layer, since each costs a cached answer a hundredth of its time.

use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use domain::{Actor, behalf::Behalf, id::UserId};

use super::{
    acting, authenticate,
    limit::{self, BY_ADDRESS, Said},
};
use crate::{context::Context, impersonated, problem::Problem, query, routes::Found};

/// Lets in whom no limit refuses, as who they are.
pub async fn layer<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let address = match limit::pass(&request, BY_ADDRESS).await {
        Ok(said) => said,
        Err(refusal) => return Ok(instead(request, refusal)),
    };
    let mut response = match known(&request).await {
        Ok((invalid, actor)) => {
            let by = impersonator(&request);
            let mut response = match (by_route(&request, by), by) {
                (Ok(()), None) => next.call(request).await?.map_into_boxed_body(),
                (Ok(()), Some(by)) => Behalf::new(by, next.call(request)).await?.map_into_boxed_body(),
                (Err(problem), _) => instead(request, HttpResponse::from_error(problem)),
            };
            actor.on(response.headers_mut());
            if invalid {
                authenticate::say_invalid(response.response_mut());
            }
            response
        }
        Err(refusal) => instead(request, refusal),
    };
    address.on(response.headers_mut());
    Ok(response)
}

/// Whether the caller sent a token that does not hold, and what their own limits said.
async fn known(request: &ServiceRequest) -> Result<(bool, Said), HttpResponse> {
    let invalid =
        authenticate::identify(request).await.map_err(|error| HttpResponse::from_error(Problem::from(error)))?;
    acting::choose(request).map_err(HttpResponse::from_error)?;
    Ok((invalid, limit::pass_actor(request).await?))
}

/// Answers without asking further.
fn instead(request: ServiceRequest, response: HttpResponse) -> ServiceResponse<BoxBody> {
    ServiceResponse::new(request.into_parts().0, response)
}

/// The operator who acts as the caller.
fn impersonator(request: &ServiceRequest) -> Option<UserId> {
    request.extensions().get::<Actor>().and_then(Actor::principal).and_then(|caller| caller.impersonator)
}

/// Refuses what the table of routes alone can tell: another method of a known path, before a template with parameters
/// takes the path's last word for an id, what is for the caller in person, and parameters of the query that the operation does not
/// declare.
fn by_route(request: &ServiceRequest, impersonator: Option<UserId>) -> Result<(), Problem> {
    let extensions = request.extensions();
    let found = extensions.get::<Context>().map(|context| &context.found);
    if let Some(Found::Operation(operation)) = found
        && impersonator.is_some()
    {
        impersonated::check(request.method(), operation)?;
    }
    match found {
        Some(Found::OtherMethod(allow)) => Err(Problem::wrong_method(allow)),
        Some(Found::Operation(operation)) if !operation.takes_query => query::refuse_all(request.query_string()),
        _ => Ok(()),
    }
}
