//! The bytes of models: what was made of them by its address, and their files for those who may have them.

use std::{fmt::Write as _, ops::Range};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, get,
    http::header::{self, HeaderValue},
    web::Path,
};
use domain::{
    Error,
    assets::{
        Digest,
        models::{Version, VersionState},
        ports::Held,
    },
    catalog::policy::may_change,
    id::ModelId,
    permission::WriteProducts,
};
use futures_util::stream;

use super::{
    dto::ModelFile,
    range::{Asked, asked},
    versions::Number,
};
use crate::{
    Answer, Services, Shared,
    auth::Auth,
    etag::IfNoneMatch,
    path::Id,
    problem::{In, Problem},
};

/// Gives a picture or a small copy of a model. What lies at an address never changes.
#[utoipa::path(
    tag = "models3d",
    params(
        ("digest" = String, Path, description = "The SHA-256 of the bytes", pattern = "^[0-9a-f]{64}$", example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        IfNoneMatch
    ),
    responses(
        (status = 200, description = "The bytes", content((ModelFile = "image/png"), (ModelFile = "model/gltf-binary"))),
        (status = 206, description = "The part asked for", content((ModelFile = "image/png"), (ModelFile = "model/gltf-binary"))),
        (status = 404, description = "Nothing lies there"),
        (status = 416, description = "The part asked for is not there"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/models3d/content/{digest}")]
pub async fn get_model3d_rendition(
    services: Shared,
    request: HttpRequest,
    digest: Path<String>,
    known: IfNoneMatch,
) -> Answer {
    let digest: Digest = digest
        .parse()
        .map_err(|_| Problem::broken(In::Path, "digest", "sha256", "must be a SHA-256 in small letters"))?;
    let unknown = || Error::NotFound("Content");
    let found = services.models.queries.rendition(&digest).await?.ok_or_else(unknown)?;
    let held = services.models.workshop.room.find(&digest).await?.ok_or_else(unknown)?;
    let described = |response: &mut HttpResponseBuilder| {
        response
            .content_type(found.kind.media_type())
            .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"));
    };
    send(&services, &request, &known, held, described).await
}

/// Gives the file of a version to those who sell it.
#[utoipa::path(
    tag = "models3d",
    params(Id<ModelId>, Number, IfNoneMatch),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream", body = ModelFile),
        (status = 206, description = "The part asked for", content_type = "application/octet-stream", body = ModelFile),
        (status = 404, description = "No such version, or not for you to see"),
        (status = 409, description = "The file was no model, and is gone"),
        (status = 416, description = "The part asked for is not there"),
        IfNoneMatch,
    ),
    security(("bearer" = ["products:write"]))
)]
#[get("/api/v1/models3d/{id}/versions/{number}/file")]
pub async fn get_model3d_file(
    auth: Auth<WriteProducts>,
    services: Shared,
    request: HttpRequest,
    id: Id<ModelId>,
    number: Number,
    known: IfNoneMatch,
) -> Answer {
    let version = own(&services, &auth, id.0, number).await?;
    let gone = || Error::conflict("This version failed, and its file is gone");
    let digest = version.source.filter(|_| version.state != VersionState::Failed).ok_or_else(gone)?;
    let held = services.models.workshop.room.find(&digest).await?.ok_or_else(gone)?;
    let described = |response: &mut HttpResponseBuilder| {
        response
            .content_type("application/octet-stream")
            .insert_header((header::CACHE_CONTROL, "private, no-cache"))
            .insert_header((header::CONTENT_DISPOSITION, attachment(&version.file_name)));
    };
    send(&services, &request, &known, held, described).await
}

/// The version, if the caller may have its file.
async fn own(services: &Services, auth: &Auth<WriteProducts>, id: ModelId, number: Number) -> Result<Version, Error> {
    let unknown = || Error::NotFound("3D model");
    let mut tx = services.shop.store.begin().await?;
    let model = tx.models().find(id).await?.ok_or_else(unknown)?;
    let product = match model.product {
        Some(product) => tx.products().find(product).await?,
        None => None,
    };
    let version = tx.models().find_version(id, number.of()).await?;
    tx.rollback().await?;
    let product = product.filter(|product| product.deleted.is_none()).ok_or_else(unknown)?;
    may_change(auth.0.principal(), &product)?;
    version.ok_or(Error::NotFound("Version"))
}

async fn send(
    services: &Services,
    request: &HttpRequest,
    known: &IfNoneMatch,
    held: Held,
    described: impl FnOnce(&mut HttpResponseBuilder),
) -> Answer {
    let tag = format!("\"{}\"", held.place.digest);
    if known.has(&tag) {
        let mut response = HttpResponse::NotModified();
        described(&mut response);
        return Ok(response.insert_header((header::ETAG, tag)).finish());
    }
    let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    // A part of something else is of no use to whoever has another one.
    let same = header(header::IF_RANGE).is_none_or(|has| has == tag);
    let range = header(header::RANGE).filter(|_| same);
    let (mut response, part): (_, Range<u64>) = match asked(range, held.size) {
        Asked::Whole => (HttpResponse::Ok(), 0..held.size),
        Asked::Part(part) => {
            let mut response = HttpResponse::PartialContent();
            let told = format!("bytes {}-{}/{}", part.start, part.end - 1, held.size);
            response.insert_header((header::CONTENT_RANGE, told));
            (response, part)
        }
        Asked::Nothing => {
            let told = HeaderValue::from_str(&format!("bytes */{}", held.size)).map_err(Error::internal)?;
            let status = actix_web::http::StatusCode::RANGE_NOT_SATISFIABLE;
            return Err(Problem::new(status, "The part asked for is not there").header(header::CONTENT_RANGE, told));
        }
    };
    described(&mut response);
    response.insert_header((header::ETAG, tag)).insert_header((header::ACCEPT_RANGES, "bytes"));
    if request.headers().contains_key(header::ACCEPT_ENCODING) {
        // As it lies; the layer outside takes this away again.
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("identity")));
    }
    response.no_chunking(part.end - part.start);
    let chunks = services.models.workshop.room.open(&held, Some(part)).await?;
    let body = stream::try_unfold(chunks, |mut chunks| async move {
        Ok::<_, Error>(chunks.next().await?.map(|piece| (piece, chunks)))
    });
    Ok(response.streaming(Box::pin(body)))
}

/// A name as browsers save it (RFC 6266): in plain letters for old ones, and as it is for the others.
fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    let mut written = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            written.push(char::from(byte));
        } else {
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_gets_out_of_its_header() {
        assert_eq!(attachment("a b.stl"), "attachment; filename=\"a b.stl\"; filename*=UTF-8''a%20b.stl");
        let odd = attachment("\u{f6}\"; x=\"\u{1f600}.stl");
        assert_eq!(
            odd,
            "attachment; filename=\"___ x___.stl\"; filename*=UTF-8''%C3%B6%22%3B%20x%3D%22%F0%9F%98%80.stl"
        );
    }
}
