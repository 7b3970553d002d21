//! One line and two metrics per request, and `Server-Timing`.

use actix_web::{
    Error, HttpMessage as _,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use domain::Actor;

use crate::context::Context;

/// Logs and counts the request.
pub async fn layer<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let mut timing = None;
    if let Some(context) = response.request().extensions().get::<Context>() {
        let duration = context.started.elapsed();
        let millis = duration.as_secs_f64() * 1000.0;
        timing = HeaderValue::from_str(&format!("total;dur={millis:.2}")).ok();
        let (request, status) = (response.request(), response.status());
        let extensions = request.extensions();
        let user = extensions.get::<Actor>().and_then(Actor::principal).map(|principal| principal.user);
        let method = known(request.method().as_str());
        let labels = [
            ("method", method.to_owned()),
            ("path", context.template().to_owned()),
            ("status", status.as_str().to_owned()),
        ];
        metrics::counter!("http_requests_total", &labels).increment(1);
        metrics::histogram!("http_request_duration_seconds", &labels).record(duration.as_secs_f64());
        tracing::info!(
            target: "souk::access",
            requestId = %context.id,
            method,
            path = request.path(),
            route = context.template(),
            status = status.as_u16(),
            durationMs = millis,
            userId = user.map(tracing::field::display),
            client = %context.client,
            "request"
        );
    }
    if let Some(timing) = timing {
        response.headers_mut().insert(HeaderName::from_static("server-timing"), timing);
    }
    Ok(response)
}

/// The method, or `OTHER`: a label must not be a client's to invent.
fn known(method: &str) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("OTHER")
}
