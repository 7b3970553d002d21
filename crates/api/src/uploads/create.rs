//! Beginning an upload, maybe with its first bytes.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Payload};
use domain::{
    assets::uploads::{self, NewUpload},
    permission::WriteProducts,
};

use super::{append::bring, metadata, protocol};
use crate::{Answer, Problem, Shared, auth::Auth, problem::In};

/// `POST /api/v1/uploads`.
pub(super) async fn create(
    auth: Auth<WriteProducts>,
    services: Shared,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    protocol::speaks(&request)?;
    if request.headers().contains_key("Upload-Defer-Length") {
        let message = "is not served; say the length by Upload-Length";
        return Err(Problem::broken(In::Header, "Upload-Defer-Length", "unsupported", message));
    }
    let length = protocol::number(&request, "Upload-Length")?;
    let new = NewUpload { purpose: metadata::purpose(&request)?, length };
    let begun = uploads::create_upload(&services.shop, &services.uploads, &auth.0, &new).await;
    let mut upload = begun.map_err(|error| match error {
        // What was said stands in the metadata.
        domain::Error::Invalid(violations) => Problem::invalid(In::Header, &violations),
        error => error.into(),
    })?;
    let location = format!("/api/v1/uploads/{}", upload.id);
    if length > 0 && protocol::brings_bytes(&request) {
        upload = match bring(&auth, &services, &request, upload.id, 0, payload).await {
            Ok(upload) => upload,
            Err(problem) => {
                // Who is refused learns no address, so nobody would go on.
                uploads::delete_upload(&services.shop, &auth.0, upload.id).await?;
                return Err(problem);
            }
        };
    }
    let mut answer = HttpResponse::Created();
    answer.insert_header((header::LOCATION, location));
    protocol::told(&mut answer, &upload);
    Ok(answer.finish())
}
