//! What both sides of tus say in headers.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use domain::assets::uploads::{Resumable, UploadState};

use super::checksum;
use crate::{Answer, Problem, Shared, problem::In};

const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-with-upload,expiration,checksum,termination";
/// What the bytes of a portion are sent as.
pub(super) const PORTION: &str = "application/offset+octet-stream";

/// Says what there is of the protocol.
pub(super) async fn describe(services: Shared) -> Answer {
    let rules = &services.shop.rules.assets;
    let most = rules.file_max.max(services.models.workshop.most);
    Ok(HttpResponse::NoContent()
        .insert_header(("Tus-Resumable", VERSION))
        .insert_header(("Tus-Version", VERSION))
        .insert_header(("Tus-Extension", EXTENSIONS))
        .insert_header(("Tus-Max-Size", most.to_string()))
        .insert_header(("Tus-Checksum-Algorithm", checksum::ALGORITHMS))
        .finish())
}

/// # Errors
/// 412 for who does not speak this version.
pub(super) fn speaks(request: &HttpRequest) -> Result<(), Problem> {
    if request.headers().get("Tus-Resumable").is_some_and(|version| version == VERSION) {
        return Ok(());
    }
    let message = format!("Tus-Resumable must be {VERSION}, the version of the protocol that is spoken here");
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, message)
        .header(HeaderName::from_static("tus-version"), HeaderValue::from_static(VERSION)))
}

/// A header that is a whole number.
///
/// # Errors
/// 400 when it is missing or none.
pub(super) fn number(request: &HttpRequest, name: &'static str) -> Result<u64, Problem> {
    let text = request.headers().get(name).and_then(|value| value.to_str().ok());
    let number = text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    number
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Problem::broken(In::Header, name, "number", "must be a whole number of bytes"))
}

/// Whether a request brings the bytes of a portion.
pub(super) fn brings_bytes(request: &HttpRequest) -> bool {
    request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PORTION)
}

/// What every answer about an upload says of it.
pub(super) fn told(answer: &mut HttpResponseBuilder, upload: &Resumable) {
    answer
        .insert_header(("Tus-Resumable", VERSION))
        .insert_header(("Upload-Offset", upload.offset.to_string()))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if upload.state == UploadState::Receiving {
        answer.insert_header(("Upload-Expires", upload.expires_at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()));
    }
}

/// The answer to a deletion.
pub(super) fn gone() -> HttpResponse {
    HttpResponse::NoContent().insert_header(("Tus-Resumable", VERSION)).finish()
}
