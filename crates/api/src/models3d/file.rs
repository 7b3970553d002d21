//! The file of a version, for those who may have it.

use actix_web::{get, http::header::HeaderValue};
use domain::{
    Error,
    assets::{
        files::{FileName, sees_all},
        models::mark,
    },
    id::ModelId,
};

use super::{dto::ModelFile, models::seen, versions::Number};
use crate::{
    Answer, Shared,
    assets::{Given, attachment, give},
    auth::MaybeAuth,
    etag::IfNoneMatch,
    path::Id,
};

/// Gives the file of a version to those who sell it, and to those who were granted the files of its product.
///
/// Who was granted it gets a copy that holds the id of the grant, where the format has a place for it: in the header of a binary STL, a
/// comment of an OBJ, the comment of the ZIP of a 3MF. So its SHA-256 is not the one of the version. The shape is the same.
///
/// A part is asked for by `Range`; of several ranges the whole file is given. `If-Range` takes the `ETag`.
#[utoipa::path(
    tag = "models3d",
    params(
        Id<ModelId>,
        Number,
        ("Range" = Option<String>, Header, description = "The part that is asked for", example = "bytes=0-1023"),
        ("If-Range" = Option<String>, Header, description = "The ETag of what one has a part of"),
        IfNoneMatch
    ),
    responses(
        (status = 200, description = "The file", content_type = "*/*", body = ModelFile),
        (status = 206, description = "The part", content_type = "*/*", body = ModelFile),
        (status = 404, description = "No such version, or not for you to have"),
        (status = 409, description = "The version failed, and its file is gone"),
        (status = 416, description = "The file has no such part"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/models3d/{id}/versions/{number}/file")]
pub async fn get_model3d_file(
    caller: MaybeAuth,
    services: Shared,
    id: Id<ModelId>,
    number: Number,
    known: IfNoneMatch,
) -> Answer {
    let unknown = || Error::NotFound("Version");
    let model = seen(&services, &caller, id.0).await?;
    let grant = match (sees_all(&caller.0, model.seller), caller.0.principal(), model.product) {
        (true, ..) => None,
        (false, Some(principal), Some(product)) => {
            let granted = services.assets.library.queries.grant_of(product, principal.user).await?;
            Some(granted.ok_or_else(unknown)?)
        }
        _ => return Err(unknown().into()),
    };
    let version = services.models.queries.version(id.0, Some(number.of())).await?.ok_or_else(unknown)?;
    let gone = || Error::conflict("This version failed, and its file is gone");
    let digest = version.source.ok_or_else(gone)?;
    let held = services.assets.room.find(&digest).await?.ok_or_else(gone)?;
    let marked = match grant.filter(|_| services.models.mark_copies) {
        Some(grant) => mark(&services.assets.room, &held, version.format, grant).await?.map(|patch| (grant, patch)),
        None => None,
    };
    let given = Given {
        media_type: HeaderValue::from_static(version.format.media_type()),
        disposition: Some(attachment(&FileName::stored(version.file_name.clone()))),
        caching: "private, no-cache",
        marked,
    };
    Ok(give(&services, &known, &held, given).await?.0)
}
