//! Rate limits: by address before anybody is known, the others right after (ruling R6).

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};
use domain::{Actor, Principal, id::UserId, limit::Decision};

use crate::{
    context::Context,
    limit::Limit,
    problem::Problem,
    routes::{Found, Operation},
    services::Services,
};

/// Counts by client address.
pub async fn by_address<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let call = Call::of(&request, |operation| &operation.address_limits);
    layer(request, next, call, |operation| &operation.address_limits).await
}

/// Counts by person, or by address when nobody is signed in, and everybody together.
pub async fn by_actor<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let call = Call::of(&request, |operation| &operation.actor_limits);
    layer(request, next, call, |operation| &operation.actor_limits).await
}

/// Which of an operation's limits stand at a place.
type Place = fn(&Operation) -> &[Arc<Limit>];

/// A call that some limit counts.
struct Call {
    operation: Arc<Operation>,
    client: IpAddr,
    user: Option<UserId>,
}

impl Call {
    /// `None` when no limit stands here, or an administrator calls (RL-05).
    fn of(request: &ServiceRequest, place: Place) -> Option<Self> {
        let extensions = request.extensions();
        let Context { found: Found::Operation(operation), client, .. } = extensions.get::<Context>()? else {
            return None;
        };
        if place(operation).is_empty() {
            return None;
        }
        let principal = extensions.get::<Actor>().and_then(Actor::principal);
        if principal.is_some_and(Principal::is_admin) {
            return None;
        }
        let user = principal.map(|principal| principal.user);
        Some(Self { operation: Arc::clone(operation), client: *client, user })
    }
}

async fn layer<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    call: Option<Call>,
    place: Place,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let services = request.app_data::<Data<Services>>();
    let (Some(call), Some(services)) = (call, services) else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let limits = place(&call.operation);
    let asked: Vec<_> =
        limits.iter().map(|limit| (&limit.rule.policy, limit.subject(call.client, call.user))).collect();
    let said = services.limiter.check(&asked).await;
    let told = || limits.iter().zip(&said);
    let mut refused = told().filter(|(_, decision)| !decision.allowed).peekable();
    if let Some((limit, decision)) = refused.peek().copied() {
        refused.for_each(|(limit, decision)| limit.meter(decision));
        let mut response = HttpResponse::from_error(Problem::from(domain::Error::Limited(decision.retry_after)));
        tell(response.headers_mut(), limit, decision);
        return Ok(ServiceResponse::new(request.into_parts().0, response));
    }
    told().for_each(|(limit, decision)| limit.meter(decision));
    // The call is counted with the moment at which it may go on, so those held back stand in line by themselves.
    let wait = said.iter().map(|decision| decision.wait).max().unwrap_or_default();
    if !wait.is_zero() {
        services.shop.clock.sleep(wait).await;
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    for (limit, decision) in told() {
        tell(response.headers_mut(), limit, decision);
    }
    Ok(response)
}

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// The headers of a decision: structured fields of draft 11, and the older three for the tightest limit.
fn tell(headers: &mut HeaderMap, limit: &Limit, decision: &Decision) {
    let (name, reset) = (&limit.rule.policy.name, seconds(decision.reset));
    headers.append(POLICY, limit.told.clone());
    if let Ok(value) = HeaderValue::try_from(format!("\"{name}\";r={};t={reset}", decision.remaining)) {
        headers.append(STATE, value);
    }
    let told = headers.get(REMAINING).and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
    if told.is_none_or(|remaining| decision.remaining < remaining) {
        headers.insert(LIMIT, decision.limit.into());
        headers.insert(REMAINING, decision.remaining.into());
        headers.insert(RESET, reset.into());
    }
}

/// Whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
