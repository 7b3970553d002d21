//! Rate limits: by address before anybody is known, the others right after (ruling R6).

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::{
    HttpMessage as _, HttpResponse,
    dev::ServiceRequest,
    http::header::{HeaderMap, HeaderName},
    web::Data,
};
use domain::{
    Actor, Principal,
    access::ApiKey,
    id::{ApiKeyId, UserId},
    limit::{Decision, Policy, Subject},
};

use crate::{
    context::Context,
    header_text::written,
    limit::Limit,
    problem::Problem,
    routes::{Found, Operation},
    services::Services,
    settings::{LimitScope, PER_KEY},
};

/// Which of an operation's limits stand at a place.
type Place = fn(&Operation) -> &[Arc<Limit>];

/// Those that count by client address.
pub const BY_ADDRESS: Place = |operation| &operation.address_limits;
/// Those that count by person, or by address when nobody is signed in, and everybody together.
pub const BY_ACTOR: Place = |operation| &operation.actor_limits;
/// The same for callers with an API key, and those that count by key.
const BY_KEY: Place = |operation| &operation.key_limits;

/// What the limits at a place said of a call that they counted, to be told with its answer.
#[derive(Debug, Default)]
pub struct Said(Option<(Call, Vec<Decision>)>);

/// Counts a call by the limits at a place, and lets it wait where they say so; a refusal is the answer.
pub async fn pass(request: &ServiceRequest, place: Place) -> Result<Said, HttpResponse> {
    let Some(services) = request.app_data::<Data<Services>>() else { return Ok(Said::default()) };
    Said::of(services, Call::of(request, place)).await.heeded(services).await
}

/// [`pass`] for a call whose caller is known, which may have been counted already.
pub async fn pass_actor(request: &ServiceRequest) -> Result<Said, HttpResponse> {
    let counted = request.extensions_mut().remove::<Said>();
    match (counted, request.app_data::<Data<Services>>()) {
        (Some(said), Some(services)) => said.heeded(services).await,
        _ => pass(request, BY_ACTOR).await,
    }
}

/// Counts a call of this person, who uses no API key, or of nobody, by the limits of who calls, and heeds nothing yet.
pub async fn count(services: &Services, operation: &Arc<Operation>, client: IpAddr, actor: &Actor) -> Said {
    Said::of(services, Call::new(operation, client, actor.principal(), None, BY_ACTOR)).await
}

impl Said {
    async fn of(services: &Services, call: Option<Call>) -> Self {
        let Some(call) = call else { return Self::default() };
        let asked: Vec<_> = call.limits().iter().map(|limit| (call.policy(limit), call.subject(limit))).collect();
        let said = services.limiter.check(&asked).await;
        Self(Some((call, said)))
    }

    /// Whether the call may go on at once.
    pub fn is_through(&self) -> bool {
        self.decisions().all(|(_, decision)| decision.allowed && decision.wait.is_zero())
    }

    /// Notes what was decided of a call that goes on.
    pub fn meter(&self) {
        self.decisions().for_each(|(limit, decision)| limit.meter(decision));
    }

    /// Refuses the call, or lets it go on, when it may.
    async fn heeded(self, services: &Services) -> Result<Self, HttpResponse> {
        let mut refused = self.decisions().filter(|(_, decision)| !decision.allowed).peekable();
        if let (Some((limit, decision)), Some((call, _))) = (refused.peek().copied(), &self.0) {
            refused.for_each(|(limit, decision)| limit.meter(decision));
            let mut response = HttpResponse::from_error(Problem::from(domain::Error::Limited(decision.retry_after)));
            tell(response.headers_mut(), call, limit, decision);
            return Err(response);
        }
        drop(refused);
        self.meter();
        // The call is counted with the moment at which it may go on, so those held back stand in line by themselves.
        let wait = self.decisions().map(|(_, decision)| decision.wait).max().unwrap_or_default();
        if !wait.is_zero() {
            services.shop.clock.sleep(wait).await;
        }
        Ok(self)
    }

    fn decisions(&self) -> impl Iterator<Item = (&Limit, &Decision)> {
        self.0.iter().flat_map(|(call, said)| call.limits().iter().map(|limit| &**limit).zip(said))
    }

    /// Tells it in the headers of the answer.
    pub fn on(&self, headers: &mut HeaderMap) {
        let Some((call, _)) = &self.0 else { return };
        self.decisions().for_each(|(limit, decision)| tell(headers, call, limit, decision));
    }
}

/// A call that some limit counts.
#[derive(Debug)]
struct Call {
    operation: Arc<Operation>,
    place: Place,
    client: IpAddr,
    user: Option<UserId>,
    key: Option<ApiKeyId>,
    /// What is allowed to the key, when not as much as to every key.
    own: Option<Policy>,
}

impl Call {
    /// `None` when no limit stands here, or an administrator calls (RL-05).
    fn of(request: &ServiceRequest, place: Place) -> Option<Self> {
        let extensions = request.extensions();
        let Context { found: Found::Operation(operation), client, .. } = extensions.get::<Context>()? else {
            return None;
        };
        let principal = extensions.get::<Actor>().and_then(Actor::principal);
        let own = extensions.get::<ApiKey>().and_then(|key| key.per_minute);
        Self::new(operation, *client, principal, own, place)
    }

    /// The same, of a key that is allowed this many calls a minute of its own.
    fn new(
        operation: &Arc<Operation>,
        client: IpAddr,
        principal: Option<&Principal>,
        own: Option<u32>,
        place: Place,
    ) -> Option<Self> {
        let key = principal.and_then(|principal| principal.key);
        let place = if key.is_some() { BY_KEY } else { place };
        if place(operation).is_empty() {
            return None;
        }
        if principal.is_some_and(Principal::is_admin) {
            return None;
        }
        let user = principal.map(|principal| principal.user);
        let own = own.map(|limit| Policy {
            name: PER_KEY.into(),
            limit,
            window: Duration::from_mins(1),
            patience: Duration::ZERO,
        });
        Some(Self { operation: Arc::clone(operation), place, client, user, key, own })
    }

    fn limits(&self) -> &[Arc<Limit>] {
        (self.place)(&self.operation)
    }

    fn subject(&self, limit: &Limit) -> Subject {
        limit.subject(self.client, self.user, self.key)
    }

    /// What a limit allows; the key's own stands in the place of what every key is allowed.
    fn policy<'a>(&'a self, limit: &'a Limit) -> &'a Policy {
        self.own(limit).unwrap_or(&limit.rule.policy)
    }

    fn own(&self, limit: &Limit) -> Option<&Policy> {
        let stands = |own: &&Policy| limit.rule.scope == LimitScope::ApiKey && own.name == limit.rule.policy.name;
        self.own.as_ref().filter(stands)
    }
}

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// The headers of a decision: structured fields of draft 11, and the older three for the tightest limit.
fn tell(headers: &mut HeaderMap, call: &Call, limit: &Limit, decision: &Decision) {
    let (name, reset) = (&limit.rule.policy.name, seconds(decision.reset));
    let own = call.own(limit);
    headers.append(POLICY, own.map_or_else(|| limit.told.clone(), Limit::told));
    if let Some(value) = written(format_args!("\"{name}\";r={};t={reset}", decision.remaining)) {
        headers.append(STATE, value);
    }
    let told = headers.get(REMAINING).and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
    if told.is_none_or(|remaining| decision.remaining < remaining) {
        headers.insert(LIMIT, own.map_or_else(|| limit.most.clone(), |own| own.limit.into()));
        headers.insert(REMAINING, decision.remaining.into());
        headers.insert(RESET, reset.into());
    }
}

/// Whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
