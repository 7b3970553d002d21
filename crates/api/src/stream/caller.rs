//! Who opens a stream: by token, by ticket, or nobody.

use actix_web::{
    HttpMessage as _, HttpRequest,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use domain::{Actor, catalog::policy::Scope, identity::ports::Session, realtime};

use crate::{
    auth::{self, Bearer, INVALID_TOKEN},
    problem::{In, Problem},
    services::Services,
};

/// Who listens, and until when that holds.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose session it is; `None` for everybody's eyes.
    pub session: Option<Session>,
    /// Who that is, as they were when last asked.
    pub actor: Actor,
    /// What they may know of.
    pub scope: Scope,
}

impl Caller {
    /// Reads the credentials of a request: a header, a ticket, or the cookie of a page of ours (ruling R33). Unlike other public routes, a stream refuses credentials that do not hold: an
    /// `EventSource` stops at a 401, and would never learn from an anonymous stream that its person is signed out.
    ///
    /// # Errors
    /// 401 for a token or ticket that does not hold, 403 for the cookie of a page of another origin, 503 when it is not known at present
    /// who calls, 400 for a header and a ticket at once.
    pub async fn of(request: &HttpRequest, services: &Services, ticket: Option<&str>) -> Result<Self, Problem> {
        let given = Bearer::of(request.headers(), services.settings.https);
        // A cookie is sent along whether it is meant or not; a ticket is meant.
        let by_header = matches!(given, Bearer::Token(_) | Bearer::Other);
        match ticket {
            None if given != Bearer::Absent => Self::of_request(request),
            None => Ok(Self { session: None, actor: Actor::Anonymous, scope: Scope::of(&Actor::Anonymous) }),
            Some(_) if by_header => {
                Err(Problem::broken(In::Query, "ticket", "exclusive", "cannot go together with Authorization"))
            }
            Some(secret) => Self::of_ticket(services, secret).await,
        }
    }

    fn of_request(request: &HttpRequest) -> Result<Self, Problem> {
        let known = {
            let extensions = request.extensions();
            let session = extensions.get::<Session>().copied();
            session.zip(extensions.get::<Actor>().filter(|actor| **actor != Actor::Anonymous).cloned())
        };
        let Some((session, actor)) = known else {
            let refusal = auth::refusal(request);
            return Err(match refusal.status() {
                StatusCode::UNAUTHORIZED => refusal.header(header::WWW_AUTHENTICATE, INVALID_TOKEN),
                _ => refusal,
            });
        };
        Ok(Self { session: Some(session), scope: Scope::of(&actor), actor })
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
        let caller = Self { session: Some(session), actor: Actor::Anonymous, scope: Scope::Published };
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
        let principal = services.known.who_within(&session, streams.min(sockets)).await?;
        Ok(principal.map(|principal| {
            let scope = Scope::of_principal(&principal);
            Self { session: self.session, actor: Actor::Signed(principal), scope }
        }))
    }
}
