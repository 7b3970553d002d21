//! Finds out who calls, once per request, without a read of the database for somebody who is known.

use actix_web::{
    HttpMessage as _, HttpResponse,
    body::BoxBody,
    dev::ServiceRequest,
    http::{StatusCode, header},
    web::Data,
};
use domain::{Actor, Error, Principal, access::KEY_PREFIX};

use crate::{
    auth::{Bearer, INVALID_TOKEN, Untaken},
    csrf, lfs,
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
    let Some(services) = request.app_data::<Data<Services>>() else { return Ok((Actor::Anonymous, true)) };
    let basic;
    let (token, by_cookie) = match Bearer::of(request.headers(), services.settings.https) {
        Bearer::Absent => return Ok((Actor::Anonymous, false)),
        // Git knows no other way.
        Bearer::Basic(password) if request.path().starts_with(lfs::BELOW) => {
            basic = password;
            (basic.as_str(), false)
        }
        Bearer::Basic(_) | Bearer::Other => return Ok((Actor::Anonymous, true)),
        Bearer::Token(token) => (token, false),
        Bearer::Cookie(token) => (token, true),
    };
    if !by_cookie && token.starts_with(KEY_PREFIX) {
        return by_key(request, services, token).await;
    }
    let Some(session) = services.sessions.tokens.verify(token, services.shop.now()) else {
        // A browser keeps tokens of ours alone.
        return if by_cookie { Ok((Actor::Anonymous, true)) } else { by_issuer(request, services, token).await };
    };
    if by_cookie {
        let (settings, mac) = (&services.settings, services.mac.as_ref());
        // Who acts as somebody else keeps the token of their own session.
        let of_browser = session.impersonator.map_or(session.id, |by| by.session);
        if let Err(forged) = csrf::check(request.method(), request.headers(), settings, mac, of_browser) {
            request.extensions_mut().insert(Untaken::Forged(forged));
            return Ok((Actor::Anonymous, false));
        }
    }
    let known = services.known.who(&session).await;
    taken(request, known, |principal| {
        request.extensions_mut().insert(session);
        principal
    })
}

/// The caller with the token of an issuer we believe, who has no session of ours.
async fn by_issuer(request: &ServiceRequest, services: &Services, token: &str) -> domain::Result<(Actor, bool)> {
    let known = services.visitor(token).await;
    taken(request, known, |(principal, visit)| {
        request.extensions_mut().insert(visit);
        principal
    })
}

/// The caller with an API key, who has no session.
async fn by_key(request: &ServiceRequest, services: &Services, token: &str) -> domain::Result<(Actor, bool)> {
    let now = services.shop.now();
    let known = services.keys().caller(token, now).await;
    taken(request, known, |caller| {
        services.access.key_uses.used(caller.key.id, now);
        request.extensions_mut().insert(caller.key);
        caller.principal
    })
}

/// The caller that was found, if one was.
fn taken<T>(
    request: &ServiceRequest,
    known: domain::Result<Option<T>>,
    as_principal: impl FnOnce(T) -> Principal,
) -> domain::Result<(Actor, bool)> {
    match known {
        Ok(Some(found)) => Ok((Actor::Signed(as_principal(found)), false)),
        Ok(None) => Ok((Actor::Anonymous, true)),
        // Whoever need not be known is answered all the same.
        Err(Error::Unavailable { .. } | Error::Transient(_)) => {
            request.extensions_mut().insert(Untaken::Unknown);
            Ok((Actor::Anonymous, false))
        }
        Err(other) => Err(other),
    }
}
