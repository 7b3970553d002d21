//! Uploaded pictures as they are shown to anybody (MED-06).

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{self, HeaderName, HeaderValue},
    web::{Bytes, Path},
};
use domain::{
    Error,
    assets::image::{Piece, View},
    id::ProductId,
};
use futures_util::stream;
use utoipa::{IntoParams, ToSchema};

use super::accept::takes_webp;
use crate::{
    Answer, Shared,
    etag::IfNoneMatch,
    path::uuid,
    query::{Params, Query, Read},
};

/// What lies at the address of a revision never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// What lies at the address without one is asked about before each use.
const ASK: HeaderValue = HeaderValue::from_static("public, no-cache");

/// Which revision of a picture.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PictureParams {
    /// The revision, as the address of the picture names it. Of any other one the present one is shown.
    #[param(minimum = 1, example = 1)]
    pub v: Option<u32>,
}

impl Read for PictureParams {
    fn read(query: &mut Query) -> Option<Self> {
        let whole = |text: &str| text.parse().ok().filter(|v| *v > 0 && !text.starts_with('+'));
        Some(Self { v: query.parsed("v", "range", "must be a whole number from 1", whole) })
    }
}

/// The bytes of a picture.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct PictureFile(());

/// Shows an uploaded picture, or its thumbnail, to anybody.
///
/// It is a WebP for those who accept it by name, else a JPEG. Addresses are those that products tell.
#[utoipa::path(
    tag = "images",
    params(
        ("id" = uuid::Uuid, Path, description = "The product"),
        ("file" = String, Path, description = "The picture, `thumb_` before it for its thumbnail", example = "V1StGXR8_Z5jdHi6B-myT.jpg"),
        PictureParams,
        IfNoneMatch,
    ),
    responses(
        (status = 200, description = "The picture", content((PictureFile = "image/jpeg"), (PictureFile = "image/webp"))),
        (status = 404, description = "No such picture"),
        IfNoneMatch,
    ),
    security(())
)]
#[get("/media/products/{id}/{file}")]
pub async fn get_picture(
    services: Shared,
    request: HttpRequest,
    path: Path<(String, String)>,
    asked: Params<PictureParams>,
    known: IfNoneMatch,
) -> Answer {
    let (product, file) = path.into_inner();
    let missing = || Error::NotFound("Picture");
    let product = uuid(&product).map(ProductId).ok_or_else(missing)?;
    let (view, key) = View::of_file(&file).ok_or_else(missing)?;
    let gallery = &services.gallery;
    let picture = gallery.queries.find(product, &key).await?.ok_or_else(missing)?;
    let rendition = picture.rendition(view);
    let (Piece { digest, size }, kind) =
        if takes_webp(request.headers()) { (rendition.webp, "image/webp") } else { (rendition.jpeg, "image/jpeg") };
    let tag = format!("\"{digest}\"");
    let known = known.has(&tag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, if asked.0.v == Some(picture.revision) { FOR_EVER } else { ASK }))
        .append_header((header::VARY, HeaderValue::from_static("accept")))
        // Pages of any origin may show it.
        .insert_header((HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"));
    if known {
        return Ok(response.finish());
    }
    let chunks = gallery.room.read(&digest, None).await?;
    let chunks = chunks.ok_or_else(|| Error::internal(format!("{digest} is shown and nobody holds it")))?;
    response.content_type(kind).no_chunking(size);
    if request.headers().contains_key(header::ACCEPT_ENCODING) {
        // It is compressed already; the layer outside takes this away again.
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("identity")));
    }
    let pieces = stream::try_unfold(chunks, |mut chunks| async move {
        let next: Option<Bytes> = chunks.next().await?;
        Ok::<_, Error>(next.map(|piece| (piece, chunks)))
    });
    Ok(response.streaming(Box::pin(pieces)))
}
