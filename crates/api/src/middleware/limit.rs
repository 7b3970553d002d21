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

/// What the limits at a place said of a call, to be told with its answer.
#[derive(Debug, Default)]
pub struct Said(Option<(Call, Vec<Decision>)>);

/// Counts a call by the limits at a place, and lets it wait where they say so; a refusal is the answer.
pub async fn pass(request: &ServiceRequest, place: Place) -> Result<Said, HttpResponse> {
    let services = request.app_data::<Data<Services>>();
    let (Some(call), Some(services)) = (Call::of(request, place), services) else { return Ok(Said::default()) };
    let asked: Vec<_> = call.limits().iter().map(|limit| (call.policy(limit), call.subject(limit))).collect();
    let said = services.limiter.check(&asked).await;
    let told = || call.limits().iter().zip(&said);
    let mut refused = told().filter(|(_, decision)| !decision.allowed).peekable();
    if let Some((limit, decision)) = refused.peek().copied() {
        refused.for_each(|(limit, decision)| limit.meter(decision));
        let mut response = HttpResponse::from_error(Problem::from(domain::Error::Limited(decision.retry_after)));
        tell(response.headers_mut(), &call, limit, decision);
        return Err(response);
    }
    told().for_each(|(limit, decision)| limit.meter(decision));
    // The call is counted with the moment at which it may go on, so those held back stand in line by themselves.
    let wait = said.iter().map(|decision| decision.wait).max().unwrap_or_default();
    if !wait.is_zero() {
        services.shop.clock.sleep(wait).await;
    }
    Ok(Said(Some((call, said))))
}

impl Said {
    /// Tells it in the headers of the answer.
    pub fn on(&self, headers: &mut HeaderMap) {
        let Some((call, said)) = &self.0 else { return };
        for (limit, decision) in call.limits().iter().zip(said) {
            tell(headers, call, limit, decision);
        }
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
        let key = principal.and_then(|principal| principal.key);
        let place = if key.is_some() { BY_KEY } else { place };
        if place(operation).is_empty() {
            return None;
        }
        if principal.is_some_and(Principal::is_admin) {
            return None;
        }
        let user = principal.map(|principal| principal.user);
        let own = extensions.get::<ApiKey>().and_then(|key| key.per_minute).map(|limit| Policy {
            name: PER_KEY.into(),
            limit,
            window: Duration::from_mins(1),
            patience: Duration::ZERO,
        });
        Some(Self { operation: Arc::clone(operation), place, client: *client, user, key, own })
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
