//! Uploading a picture of a product (MED-01).

use actix_web::{HttpRequest, post, web::Payload};
use domain::{
    assets::image::{self, NewImage, Uploaded},
    id::ProductId,
    permission::WriteProducts,
};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    dto::ImageDetailView,
    form::{self, Sent},
    media::PictureFile,
};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    idempotency::{Keyed, created},
    path::Id,
    problem::Problem,
    query::{Params, Query, Read},
};

/// What may stand beside a file that is sent alone.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UploadParams {
    /// What the picture shows, when the file is sent alone. In a form it is a field.
    #[param(min_length = 1, max_length = 300, format = "name")]
    pub alt: Option<String>,
}

impl Read for UploadParams {
    fn read(query: &mut Query) -> Option<Self> {
        Some(Self { alt: query.one("alt") })
    }
}

/// A picture as a form.
#[derive(Debug, ToSchema)]
#[schema(as = NewImage)]
#[serde(rename_all = "camelCase")]
pub struct UploadForm {
    /// A JPEG, PNG, GIF or WebP of less than 10 MB. What it is, is seen from its content.
    #[schema(value_type = String, format = Binary)]
    pub file: (),
    /// What it shows, for those who do not see it.
    #[schema(example = "A brass lamp on a desk", min_length = 1, max_length = 300, format = "name")]
    pub alt: Option<String>,
    /// The product, which the path names already.
    pub product_id: Option<Uuid>,
}

/// Uploads a picture of a product, behind those it has: as a form, or the file alone.
///
/// The picture is shown 1200 pixels wide or high at most, and as a square of 300 pixels, the right way up and without
/// metadata. It must be nothing but a picture.
#[utoipa::path(
    tag = "images",
    request_body(content((UploadForm = "multipart/form-data"), (PictureFile = "application/octet-stream"))),
    params(Id<ProductId>, UploadParams, Keyed),
    responses(
        (status = 201, description = "The picture", body = ImageDetailView, headers(("ETag" = String, description = "The version of the product, for If-Match"))),
        (status = 404, description = "No such product, or not for you to see"),
        (status = 409, description = "The product has as many pictures as it may"),
        (status = 413, description = "The seller account would keep more than it may"),
        (status = 415, description = "The body is neither a form nor a picture"),
        (status = 507, description = "There is no room left for files"),
        Keyed,
    ),
    security(("bearer" = ["products:write"]))
)]
#[post("/api/v1/products/{id}/images")]
pub async fn upload_image(
    auth: Auth<WriteProducts>,
    services: Shared,
    id: Id<ProductId>,
    asked: Params<UploadParams>,
    keyed: Keyed,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    // Before the file is read, so that nobody sends one for nothing.
    image::may_upload(&services.shop, &auth.0, id.0).await?;
    let Sent { file, said, alt } = form::read(&request, payload, id.0).await?;
    let new = NewImage { file, said, alt: alt.or(asked.0.alt) };
    let rules = &services.shop.rules;
    let render = |done: &Uploaded| {
        let location = format!("/api/v1/products/{}/images/{}", done.product.id, done.image.id);
        created(location, done.product.version, &ImageDetailView::new(&done.product, &done.image, rules))
    };
    let body = JsonBody::standing_for(digest(&new));
    keyed
        .run(&services, "upload_image", &body, render, async |once| {
            image::upload_image(&services.shop, &services.gallery, auth.0, id.0, new, once).await
        })
        .await
        .map_err(told)
}

/// A file that is too long, before it is read to its end.
pub(super) fn too_large() -> Problem {
    told(image::too_large().into())
}

/// A file that is refused is told as such at first sight (MED-02).
fn told(problem: Problem) -> Problem {
    let field = |name: &str| problem.details().get("fields")?.get(0)?.get(name)?.as_str().map(str::to_owned);
    match (field("field").as_deref(), field("message")) {
        (Some("/file"), Some(message)) => {
            let head = message.split(';').next().unwrap_or_default().to_owned();
            problem.headed(head)
        }
        _ => problem,
    }
}

/// Tells one upload from another.
fn digest(new: &NewImage) -> Vec<u8> {
    let alt = new.alt.as_deref().unwrap_or_default();
    let mut hash = Sha256::new_with_prefix(&new.file);
    hash.update(Sha256::digest(new.said.as_deref().unwrap_or_default()));
    hash.update(Sha256::digest(alt));
    hash.update([u8::from(new.alt.is_some())]);
    hash.finalize().to_vec()
}
