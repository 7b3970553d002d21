//! Rate limits: by address before anybody is known, by person right after (ruling R6).

use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};
use domain::{
    Actor,
    limit::{Decision, Policy},
};

use crate::{context::Context, problem::Problem, routes::Found, services::Services, settings::LimitScope};

/// Counts by client address.
pub async fn by_address<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    layer(request, next, LimitScope::Address).await
}

/// Counts by person, or by address when nobody is signed in.
pub async fn by_actor<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    layer(request, next, LimitScope::Actor).await
}

async fn layer<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    scope: LimitScope,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let counted = count(&request, scope).await;
    if let Some((policy, refused)) = counted.iter().find(|(_, decision)| !decision.allowed) {
        let problem = Problem::from(domain::Error::Limited(refused.retry_after));
        let mut response = HttpResponse::from_error(problem);
        tell(response.headers_mut(), policy, refused);
        return Ok(ServiceResponse::new(request.into_parts().0, response));
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    for (policy, decision) in &counted {
        tell(response.headers_mut(), policy, decision);
    }
    Ok(response)
}

/// Counts the call under every policy of its operation; stops at the first that refuses.
async fn count(request: &ServiceRequest, scope: LimitScope) -> Vec<(Policy, Decision)> {
    let (operation, client, actor) = {
        let extensions = request.extensions();
        let Some(context) = extensions.get::<Context>() else { return Vec::new() };
        let Found::Operation(operation) = &context.found else { return Vec::new() };
        (operation.clone(), context.client, extensions.get::<Actor>().and_then(Actor::principal).cloned())
    };
    let rules = match scope {
        LimitScope::Address => &operation.address_limits,
        LimitScope::Actor => &operation.actor_limits,
    };
    let Some(services) = request.app_data::<Data<Services>>() else { return Vec::new() };
    if rules.is_empty() || actor.as_ref().is_some_and(domain::Principal::is_admin) {
        return Vec::new();
    }
    let key = match actor {
        Some(principal) if scope == LimitScope::Actor => principal.user.to_string(),
        _ => client.to_string(),
    };
    let mut counted = Vec::with_capacity(rules.len());
    for rule in rules {
        let decision = services.limiter.check(&rule.policy, &key).await;
        counted.push((rule.policy.clone(), decision));
        if !decision.allowed {
            break;
        }
    }
    counted
}

/// The headers of a decision: structured fields of draft 11, and the older three for the tightest limit.
fn tell(headers: &mut HeaderMap, policy: &Policy, decision: &Decision) {
    let reset = seconds(decision.reset);
    let name = &policy.name;
    let mut add = |header: &'static str, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.append(HeaderName::from_static(header), value);
        }
    };
    add("ratelimit-policy", format!("\"{name}\";q={};w={}", decision.limit, policy.window.as_secs()));
    add("ratelimit", format!("\"{name}\";r={};t={reset}", decision.remaining));
    let told = headers.get("ratelimit-remaining").and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
    if told.is_none_or(|remaining| decision.remaining < remaining) {
        for (header, number) in [
            ("ratelimit-limit", u64::from(decision.limit)),
            ("ratelimit-remaining", u64::from(decision.remaining)),
            ("ratelimit-reset", reset),
        ] {
            headers.insert(HeaderName::from_static(header), number.into());
        }
    }
}

/// Whole seconds, rounded up.
fn seconds(time: std::time::Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
