//! Finds out who calls, once per request.

use actix_web::{
    HttpMessage as _, HttpResponse,
    body::BoxBody,
    dev::ServiceRequest,
    http::{StatusCode, header},
    web::Data,
};
use domain::{Actor, access::KEY_PREFIX};

use crate::{
    auth::{Bearer, INVALID_TOKEN},
    services::Services,
};

/// Puts the [`Actor`] into the request, and tells whether they sent a token that does not hold. Such a caller is
/// anonymous: public routes answer, protected ones refuse, and both say that the token is invalid (ruling R25).
pub async fn identify(request: &ServiceRequest) -> domain::Result<bool> {
    let (actor, bad) = resolve(request).await?;
    request.extensions_mut().insert(actor);
    Ok(bad)
}

/// Says that the token is invalid.
pub fn say_invalid(response: &mut HttpResponse<BoxBody>) {
    if response.status().is_success() || response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, INVALID_TOKEN);
    }
}

/// The caller, and whether they sent a token that does not hold.
async fn resolve(request: &ServiceRequest) -> domain::Result<(Actor, bool)> {
    let token = match Bearer::of(request.headers()) {
        Bearer::Absent => return Ok((Actor::Anonymous, false)),
        Bearer::Other => return Ok((Actor::Anonymous, true)),
        Bearer::Token(token) => token,
    };
    let Some(services) = request.app_data::<Data<Services>>() else { return Ok((Actor::Anonymous, true)) };
    if token.starts_with(KEY_PREFIX) {
        return by_key(request, services, token).await;
    }
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

/// The caller with an API key, who has no session: the key is found out about with every request.
async fn by_key(request: &ServiceRequest, services: &Services, token: &str) -> domain::Result<(Actor, bool)> {
    let now = services.shop.now();
    let Some(caller) = services.keys().caller(token, now).await? else { return Ok((Actor::Anonymous, true)) };
    services.access.key_uses.used(caller.key.id, now);
    request.extensions_mut().insert(caller.key);
    Ok((Actor::Signed(caller.principal), false))
}
