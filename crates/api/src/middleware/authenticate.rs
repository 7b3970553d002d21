//! Finds out who calls, once per request.

use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web::Data,
};
use domain::Actor;

use crate::{
    auth::{Bearer, INVALID_TOKEN},
    problem::Problem,
    services::Services,
};

/// Puts the [`Actor`] into the request. A token that does not hold makes the caller anonymous: public routes answer,
/// protected ones refuse, and both say that the token is invalid (ruling R25).
pub async fn layer<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (actor, bad) = match resolve(&request).await {
        Ok(resolved) => resolved,
        Err(error) => {
            let response = HttpResponse::from_error(Problem::from(error));
            return Ok(ServiceResponse::new(request.into_parts().0, response));
        }
    };
    request.extensions_mut().insert(actor);
    let mut response = next.call(request).await?.map_into_boxed_body();
    if bad && (response.status().is_success() || response.status() == StatusCode::UNAUTHORIZED) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, INVALID_TOKEN);
    }
    Ok(response)
}

/// The caller, and whether they sent a token that does not hold.
async fn resolve(request: &ServiceRequest) -> domain::Result<(Actor, bool)> {
    let token = match Bearer::of(request.headers()) {
        Bearer::Absent => return Ok((Actor::Anonymous, false)),
        Bearer::Other => return Ok((Actor::Anonymous, true)),
        Bearer::Token(token) => token,
    };
    let Some(services) = request.app_data::<Data<Services>>() else { return Ok((Actor::Anonymous, true)) };
    let Some(session) = services.tokens.verify(token, services.shop.now()) else {
        return Ok((Actor::Anonymous, true));
    };
    Ok(match services.users.principal(session.user).await? {
        Some(principal) => {
            request.extensions_mut().insert(session);
            (Actor::Signed(principal), false)
        }
        None => (Actor::Anonymous, true),
    })
}
