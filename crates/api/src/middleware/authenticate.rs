//! Finds out who calls, once per request, without a read of the database for somebody who is known.

use actix_web::{
    HttpMessage as _, HttpResponse,
    body::BoxBody,
    dev::{RequestHead, ServiceRequest},
    http::{StatusCode, header},
    web::Data,
};
use domain::{
    Actor, Error, Principal,
    access::{ApiKey, KEY_PREFIX},
    identity::ports::Session,
};

use crate::{
    auth::{Bearer, INVALID_TOKEN, Untaken},
    csrf, lfs,
    services::{Services, Visit},
};

/// What was found out of who calls.
#[derive(Debug)]
pub struct Caller {
    /// Who it is.
    pub actor: Actor,
    /// Whether they sent a token that does not hold. Such a caller is anonymous: public routes answer, protected ones refuse, and
    /// both say that the token is invalid (ruling R25).
    pub invalid: bool,
    /// By what they are known.
    pub by: By,
}

/// By what a caller is known.
#[derive(Debug)]
pub enum By {
    /// They are not.
    Nothing,
    /// By a session.
    Session(Session),
    /// By the token of an issuer we believe, with whom they have no session of ours.
    Visit(Visit),
    /// By an API key.
    Key(ApiKey),
    /// They sent what would make them known, and are not taken for who they say.
    Untaken(Untaken),
}

impl Caller {
    /// Somebody who is known, if they were found.
    fn found(found: domain::Result<Option<(Principal, By)>>) -> domain::Result<Self> {
        match found {
            Ok(Some((principal, by))) => Ok(Self { actor: Actor::Signed(principal), invalid: false, by }),
            Ok(None) => Ok(Self::nobody(true)),
            // Whoever need not be known is answered all the same.
            Err(Error::Unavailable { .. } | Error::Transient(_)) => Ok(Self::untaken(Untaken::Unknown)),
            Err(other) => Err(other),
        }
    }

    fn nobody(invalid: bool) -> Self {
        Self { actor: Actor::Anonymous, invalid, by: By::Nothing }
    }

    fn untaken(why: Untaken) -> Self {
        Self { by: By::Untaken(why), ..Self::nobody(false) }
    }
}

/// Puts the [`Actor`] into the request, and tells whether they sent a token that does not hold.
pub async fn identify(request: &ServiceRequest) -> domain::Result<bool> {
    let found = request.extensions_mut().remove::<Caller>();
    let caller = match (found, request.app_data::<Data<Services>>()) {
        // Ahead of the application.
        (Some(caller), _) => caller,
        (None, Some(services)) => resolve(request.head(), services).await?,
        (None, None) => Caller::nobody(true),
    };
    let mut extensions = request.extensions_mut();
    match caller.by {
        By::Nothing => {}
        By::Session(session) => {
            extensions.insert(session);
        }
        By::Visit(visit) => {
            extensions.insert(visit);
        }
        By::Key(key) => {
            extensions.insert(key);
        }
        By::Untaken(why) => {
            extensions.insert(why);
        }
    }
    extensions.insert(caller.actor);
    Ok(caller.invalid)
}

/// Says that the token is invalid.
pub fn say_invalid(response: &mut HttpResponse<BoxBody>) {
    if response.status().is_success() || response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, INVALID_TOKEN);
    }
}

/// The caller behind a request.
///
/// # Errors
/// When who they are cannot be read.
pub async fn resolve(request: &RequestHead, services: &Services) -> domain::Result<Caller> {
    let basic;
    let (token, by_cookie) = match Bearer::of(request.headers(), services.settings.https) {
        Bearer::Absent => return Ok(Caller::nobody(false)),
        // Git knows no other way.
        Bearer::Basic(password) if request.uri.path().starts_with(lfs::BELOW) => {
            basic = password;
            (basic.as_str(), false)
        }
        Bearer::Basic(_) | Bearer::Other => return Ok(Caller::nobody(true)),
        Bearer::Token(token) => (token, false),
        Bearer::Cookie(token) => (token, true),
    };
    let now = services.shop.now();
    if !by_cookie && token.starts_with(KEY_PREFIX) {
        let known = services.keys().caller(token, now).await;
        return Caller::found(known.map(|caller| {
            caller.map(|caller| {
                services.access.key_uses.used(caller.key.id, now);
                (caller.principal, By::Key(caller.key))
            })
        }));
    }
    let Some(session) = services.sessions.tokens.verify(token, now) else {
        // A browser keeps tokens of ours alone.
        if by_cookie {
            return Ok(Caller::nobody(true));
        }
        let known = services.visitor(token).await;
        return Caller::found(known.map(|known| known.map(|(principal, visit)| (principal, By::Visit(visit)))));
    };
    if by_cookie {
        let (settings, mac) = (&services.settings, services.mac.as_ref());
        // Who acts as somebody else keeps the token of their own session.
        let of_browser = session.impersonator.map_or(session.id, |by| by.session);
        if let Err(forged) = csrf::check(&request.method, request.headers(), settings, mac, of_browser) {
            return Ok(Caller::untaken(Untaken::Forged(forged)));
        }
    }
    let known = services.known.who(&session).await;
    Caller::found(known.map(|known| known.map(|principal| (principal, By::Session(session)))))
}
