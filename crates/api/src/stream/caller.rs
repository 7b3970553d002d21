//! Who opens a stream: by token, by ticket, or nobody.

use actix_web::{
    HttpMessage as _, HttpRequest,
    http::header::{self, HeaderValue},
};
use domain::{
    Actor, Error, access::ApiKey, catalog::policy::Scope, clock::Timestamp, id::ApiKeyId, identity::ports::Session,
    realtime,
};

use crate::{
    auth::{Bearer, INVALID_TOKEN},
    problem::{In, Problem},
    services::Services,
};

/// When what has no end ends: a moment that every client can read.
const FAR: Timestamp = match Timestamp::from_timestamp(253_402_300_799, 0) {
    Some(far) => far,
    None => Timestamp::MAX_UTC,
};

/// Who listens, and until when that holds.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose session it is; `None` for everybody's eyes. With an API key it lasts as long as the key.
    pub session: Option<Session>,
    /// The API key they came with, if they did: what they may do is asked of it.
    pub key: Option<ApiKeyId>,
    /// Who that is, as they were when last asked.
    pub actor: Actor,
    /// What they may know of.
    pub scope: Scope,
}

impl Caller {
    /// Reads the credentials of a request. Unlike other public routes, a stream refuses credentials that do not hold: an
    /// `EventSource` stops at a 401, and would never learn from an anonymous stream that its person is signed out.
    ///
    /// # Errors
    /// 401 for a token or ticket that does not hold, 400 for both at once.
    pub async fn of(request: &HttpRequest, services: &Services, ticket: Option<&str>) -> Result<Self, Problem> {
        let by_header = Bearer::of(request.headers()) != Bearer::Absent;
        match ticket {
            None if by_header => Self::of_header(request),
            None => Ok(Self { session: None, key: None, actor: Actor::Anonymous, scope: Scope::of(&Actor::Anonymous) }),
            Some(_) if by_header => {
                Err(Problem::broken(In::Query, "ticket", "exclusive", "cannot go together with Authorization"))
            }
            Some(secret) => Self::of_ticket(services, secret).await,
        }
    }

    fn of_header(request: &HttpRequest) -> Result<Self, Problem> {
        let extensions = request.extensions();
        if let (Some(actor @ Actor::Signed(_)), Some(key)) = (extensions.get::<Actor>(), extensions.get::<ApiKey>()) {
            let session = Session { user: key.user, until: key.expires_at.unwrap_or(FAR) };
            let (session, key) = (Some(session), Some(key.id));
            return Ok(Self { session, key, actor: actor.clone(), scope: Scope::of(actor) });
        }
        match (extensions.get::<Actor>(), extensions.get::<Session>()) {
            (Some(actor @ Actor::Signed(_)), Some(session)) => {
                Ok(Self { session: Some(*session), key: None, actor: actor.clone(), scope: Scope::of(actor) })
            }
            _ => Err(Problem::from(Error::Unauthenticated).header(header::WWW_AUTHENTICATE, INVALID_TOKEN)),
        }
    }

    async fn of_ticket(services: &Services, secret: &str) -> Result<Self, Problem> {
        let tickets = services.streams.tickets.as_ref();
        let session = realtime::redeem_ticket(&services.shop, services.mac.as_ref(), tickets, secret).await?;
        let refused = || {
            Problem::new(
                actix_web::http::StatusCode::UNAUTHORIZED,
                "The ticket was used, has ended or never was; ask for another at POST /api/v1/events/tickets",
            )
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        };
        let session = session.ok_or_else(refused)?;
        let caller = Self { session: Some(session), key: None, actor: Actor::Anonymous, scope: Scope::Published };
        caller.still(services).await?.ok_or_else(refused)
    }

    /// Whether the session has ended by time.
    pub fn is_over(&self, services: &Services) -> bool {
        self.session.is_some_and(|session| session.until <= services.shop.now())
    }

    /// The caller as they are now: roles may have changed. `None` when the session has ended or the person is gone.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn still(&self, services: &Services) -> domain::Result<Option<Self>> {
        let Some(session) = self.session else { return Ok(Some(self.clone())) };
        if self.is_over(services) {
            return Ok(None);
        }
        let principal = match self.key {
            None => services.users.principal(session.user).await?,
            Some(key) => services.keys().still(key, services.shop.now()).await?.map(|caller| caller.principal),
        };
        Ok(principal.map(|principal| {
            let scope = Scope::of_principal(&principal);
            Self { session: self.session, key: self.key, actor: Actor::Signed(principal), scope }
        }))
    }
}
