//! Bringing a portion, and ending an upload before its end.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode},
    web::Payload,
};
use domain::{
    assets::uploads::{self, Progress, Resumable},
    id::UploadId,
    permission::WriteProducts,
};

use super::{
    checksum::{self, Checked, Checksum},
    protocol,
};
use crate::{Answer, Problem, Shared, assets::outlasting, auth::Auth, path::Id};

/// `PATCH /api/v1/uploads/{id}`.
pub(super) async fn append(
    auth: Auth<WriteProducts>,
    services: Shared,
    request: HttpRequest,
    id: Id<UploadId>,
    payload: Payload,
) -> Answer {
    protocol::speaks(&request)?;
    if !protocol::brings_bytes(&request) {
        let message = format!("Content-Type must be {}", protocol::PORTION);
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let offset = protocol::number(&request, "Upload-Offset")?;
    let upload = bring(&auth, &services, &request, id.0, offset, payload).await?;
    let mut answer = HttpResponse::NoContent();
    protocol::told(&mut answer, &upload);
    Ok(answer.finish())
}

/// Takes a body as the next portion. When it breaks off, or nobody waits any more, what came by then counts, unless it cannot be
/// checked.
pub(super) async fn bring(
    auth: &Auth<WriteProducts>,
    services: &Shared,
    request: &HttpRequest,
    id: UploadId,
    offset: u64,
    payload: Payload,
) -> Result<Resumable, Problem> {
    let checksum = Checksum::of(request)?;
    let progress = if checksum.is_some() { Progress::AtEnd } else { Progress::Steady };
    let (by, taking) = (auth.0.clone(), services.clone());
    let brought = outlasting(payload.into_inner(), services.settings.transfer_idle, move |mut pieces| async move {
        let mut source = Checked { source: &mut *pieces, checksum };
        uploads::append(&taking.shop, &taking.uploads, &by, id, offset, &mut source, progress).await
    });
    brought.await?.map_err(checksum::told)
}

/// `DELETE /api/v1/uploads/{id}`.
pub(super) async fn delete(
    auth: Auth<WriteProducts>,
    services: Shared,
    request: HttpRequest,
    id: Id<UploadId>,
) -> Answer {
    protocol::speaks(&request)?;
    uploads::delete_upload(&services.shop, &auth.0, id.0).await?;
    Ok(protocol::gone())
}

/// `POST /api/v1/uploads/{id}` from where no other method passes: `X-HTTP-Method-Override` says which is meant.
pub(super) async fn instead(
    auth: Auth<WriteProducts>,
    services: Shared,
    request: HttpRequest,
    id: Id<UploadId>,
    payload: Payload,
) -> Answer {
    let meant = request.headers().get("X-HTTP-Method-Override").and_then(|method| method.to_str().ok());
    match meant {
        Some("PATCH") => append(auth, services, request, id, payload).await,
        Some("DELETE") => delete(auth, services, request, id).await,
        _ => Err(Problem::wrong_method(
            &[Method::GET, Method::HEAD, Method::PATCH, Method::DELETE].map(|m| m.to_string()).join(", "),
        )),
    }
}
