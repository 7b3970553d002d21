//! The outermost layer: what a request is, and of its answer the security headers, the log line and the last word on errors.
//!
//! One layer, since each costs a cached answer a hundredth of its time.

use actix_web::{
    Error, HttpMessage as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web::Data,
};

use domain::Actor;

use super::{log, request_id, security};
use crate::{context::ForHead, present::present, services::Services};

/// Gives the request its [`Context`](crate::context::Context), and the answer what every answer has.
pub async fn layer<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // What the answer comes with is not always what came in: `deadline` makes a stand-in.
    let services = request.app_data::<Data<Services>>().cloned();
    let context = request_id::context(&request);
    request.extensions_mut().insert(context.clone());
    if request.method() == Method::HEAD {
        // The server leaves the body of an answer to HEAD away; handlers need not know.
        request.head_mut().method = Method::GET;
        request.extensions_mut().insert(ForHead);
    }
    let mut response = present(next.call(request).await?);
    let asked = response.request().clone();
    let head = response.response_mut().head_mut();
    security::add(head, asked.head(), services.as_ref().map(|services| &***services));
    log::line(head, asked.head(), asked.extensions().get::<Actor>(), &context);
    request_id::tell(head.headers_mut(), &context);
    Ok(response)
}
