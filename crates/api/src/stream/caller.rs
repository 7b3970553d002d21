//! Who opens a stream: by token, by ticket, or nobody.

use actix_web::{
    HttpMessage as _, HttpRequest,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use domain::{
    Actor,
    access::ApiKey,
    catalog::policy::Scope,
    clock::Timestamp,
    id::{ApiKeyId, SessionId, UserId},
    identity::ports::Session,
    realtime,
};

use crate::{
    auth::{self, Bearer, INVALID_TOKEN},
    problem::{In, Problem},
    services::{Services, Visit},
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
    /// The token of an issuer they came with, if they did.
    pub visit: Option<Visit>,
    /// Who that is, as they were when last asked.
    pub actor: Actor,
    /// What they may know of.
    pub scope: Scope,
}

impl Caller {
    /// Who they are to others in a room: nobody, when they are not signed in or a guest. Such are counted, and told counts alone
    /// (ruling R34).
    pub fn seen_as(&self) -> Option<UserId> {
        let named = self.actor.principal().is_some_and(|principal| !principal.is_guest());
        self.session.filter(|_| named).map(|session| session.user)
    }

    /// Reads the credentials of a request: a header, a ticket, or the cookie of a page of ours (ruling R33). Unlike other public routes, a stream refuses credentials that do not hold: an
    /// `EventSource` stops at a 401, and would never learn from an anonymous stream that its person is signed out.
    ///
    /// # Errors
    /// 401 for a token or ticket that does not hold, 403 for the cookie of a page of another origin, 503 when it is not known at present
    /// who calls, 400 for a header and a ticket at once.
    pub async fn of(request: &HttpRequest, services: &Services, ticket: Option<&str>) -> Result<Self, Problem> {
        let given = Bearer::of(request.headers(), services.settings.https);
        // A cookie is sent along whether it is meant or not; a ticket is meant.
        let by_header = matches!(given, Bearer::Token(_) | Bearer::Basic(_) | Bearer::Other);
        match ticket {
            None if given != Bearer::Absent => Self::of_request(request),
            None => Ok(Self {
                session: None,
                key: None,
                visit: None,
                actor: Actor::Anonymous,
                scope: Scope::of(&Actor::Anonymous),
            }),
            Some(_) if by_header => {
                Err(Problem::broken(In::Query, "ticket", "exclusive", "cannot go together with Authorization"))
            }
            Some(secret) => Self::of_ticket(services, secret).await,
        }
    }

    fn of_request(request: &HttpRequest) -> Result<Self, Problem> {
        let known = {
            let extensions = request.extensions();
            let key = extensions.get::<ApiKey>();
            let visit = extensions.get::<Visit>();
            let stands_in = key.map(Self::through).or_else(|| visit.map(Self::visiting));
            let session = stands_in.or_else(|| extensions.get::<Session>().copied());
            let actor = extensions.get::<Actor>().filter(|actor| **actor != Actor::Anonymous).cloned();
            session.zip(actor).map(|(session, actor)| (session, key.map(|key| key.id), visit.cloned(), actor))
        };
        let Some((session, key, visit, actor)) = known else {
            let refusal = auth::refusal(request);
            return Err(match refusal.status() {
                StatusCode::UNAUTHORIZED => refusal.header(header::WWW_AUTHENTICATE, INVALID_TOKEN),
                _ => refusal,
            });
        };
        Ok(Self { session: Some(session), key, visit, scope: Scope::of(&actor), actor })
    }

    /// What stands for a session where somebody comes with a key, which has none: it lasts as long as the key.
    fn through(key: &ApiKey) -> Session {
        Session { id: SessionId(key.id.0), user: key.user, until: key.expires_at.unwrap_or(FAR), impersonator: None }
    }

    /// The same of the token of an issuer: it lasts as long as the token.
    pub fn visiting(visit: &Visit) -> Session {
        Session { id: SessionId(visit.user.0), user: visit.user, until: visit.vouched.until, impersonator: None }
    }

    async fn of_ticket(services: &Services, secret: &str) -> Result<Self, Problem> {
        let tickets = services.streams.tickets.as_ref();
        let session = realtime::redeem_ticket(&services.shop, services.mac.as_ref(), tickets, secret).await?;
        let refused = || {
            Problem::new(
                StatusCode::UNAUTHORIZED,
                "The ticket was used, has ended or never was; ask for another at POST /api/v1/events/tickets",
            )
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        };
        let session = session.ok_or_else(refused)?;
        let caller =
            Self { session: Some(session), key: None, visit: None, actor: Actor::Anonymous, scope: Scope::Published };
        caller.still(services).await?.ok_or_else(refused)
    }

    /// Whether the session has ended by time.
    pub fn is_over(&self, services: &Services) -> bool {
        self.session.is_some_and(|session| session.until <= services.shop.now())
    }

    /// The caller as they are now: roles may have changed. `None` when the session has ended, by time or because somebody ended it, or
    /// the person is gone.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn still(&self, services: &Services) -> domain::Result<Option<Self>> {
        let Some(session) = self.session else { return Ok(Some(self.clone())) };
        if self.is_over(services) {
            return Ok(None);
        }
        // What changed past Souk is seen at the next heartbeat.
        let (streams, sockets) = (services.settings.streams.heartbeat, services.settings.sockets.heartbeat);
        let principal = match (self.key, &self.visit) {
            (None, Some(visit)) => services.still_visitor(visit).await?,
            (None, None) => services.known.who_within(&session, streams.min(sockets)).await?,
            (Some(key), _) => services.keys().still(key, services.shop.now()).await?.map(|caller| caller.principal),
        };
        Ok(principal.map(|principal| {
            let scope = Scope::of_principal(&principal);
            let (key, visit) = (self.key, self.visit.clone());
            Self { session: self.session, key, visit, actor: Actor::Signed(principal), scope }
        }))
    }
}
