//! All that is kept of oneself, as one archive.

use actix_web::{
    HttpRequest, HttpResponse, delete, get,
    http::header::{self, HeaderValue},
    post,
    web::Bytes,
};
use domain::{
    Error,
    id::ExportId,
    identity::exports::{self, DataExport},
    permission::ChangeAccount,
};
use futures_util::stream;

use super::{
    by_mail::done,
    dto::exports::{ArchiveFile, DataExportView},
};
use crate::{
    Answer, Services, Shared,
    auth::Auth,
    done::Done,
    fresh::FreshAuth,
    page::{PageParams, PageView},
    path::Id,
    query::Params,
};

/// Asks for an archive of all that is kept of oneself. Asks for a fresh proof of who one is.
///
/// It is made in the background and kept for seven days.
#[utoipa::path(
    tag = "users",
    responses(
        (status = 202, description = "It is being made", body = DataExportView),
        (status = 409, description = "One is being made, or three are kept"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[post("/api/v1/users/me/exports")]
pub async fn create_data_export(auth: FreshAuth<ChangeAccount>, services: Shared) -> Answer {
    let export = exports::request_export(&services.shop, &auth.0).await?;
    let location = (header::LOCATION, format!("/api/v1/users/me/exports/{}", export.id));
    Ok(HttpResponse::Accepted().insert_header(location).json(DataExportView::from(&export)))
}

/// Lists the archives of oneself, the newest first.
#[utoipa::path(
    tag = "users",
    params(PageParams),
    responses((status = 200, description = "The archives", body = PageView<DataExportView>)),
    security(("bearer" = ["account:change"]))
)]
#[get("/api/v1/users/me/exports")]
pub async fn list_data_exports(auth: Auth<ChangeAccount>, services: Shared, page: Params<PageParams>) -> Answer {
    let (user, now) = (auth.0.principal().user, services.shop.now());
    let found = services.exports.queries.list(user, now, page.0.request()).await?;
    let view = PageView::from(found.map(|export| DataExportView::from(&export)));
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(view))
}

/// Tells whether an archive of oneself is ready.
#[utoipa::path(
    tag = "users",
    params(Id<ExportId>),
    responses(
        (status = 200, description = "The archive", body = DataExportView),
        (status = 404, description = "One has no such archive"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[get("/api/v1/users/me/exports/{id}")]
pub async fn get_data_export(auth: Auth<ChangeAccount>, services: Shared, id: Id<ExportId>) -> Answer {
    let export = own(&services, &auth, id.0).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(DataExportView::from(&export)))
}

/// Gives an archive of oneself. Asks for a fresh proof of who one is.
///
/// A ZIP of JSON files, one for each subject, and `manifest.json`, which counts what is in them.
#[utoipa::path(
    tag = "users",
    params(Id<ExportId>),
    responses(
        (status = 200, description = "The archive", content_type = "application/zip", body = ArchiveFile),
        (status = 404, description = "One has no such archive"),
        (status = 409, description = "It is being made still"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[get("/api/v1/users/me/exports/{id}/archive")]
pub async fn get_data_export_archive(
    auth: FreshAuth<ChangeAccount>,
    services: Shared,
    request: HttpRequest,
    id: Id<ExportId>,
) -> Answer {
    let found = services.exports.queries.get(auth.0.principal().user, id.0, services.shop.now()).await?;
    let export = found.ok_or(Error::NotFound("Data export"))?;
    let ready = export.ready.ok_or_else(|| Error::conflict("The archive is being made; try again later"))?;
    let mut response = HttpResponse::Ok();
    response
        .content_type("application/zip")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.zip\"", export.id)))
        .no_chunking(ready.bytes);
    if request.headers().contains_key(header::ACCEPT_ENCODING) {
        // It is compressed already; the layer outside takes this away again.
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("identity")));
    }
    let archives = services.exports.clone();
    // Chunk by chunk, so that no more than one is in memory.
    let chunks = stream::try_unfold(0, move |n| {
        let (archives, export) = (archives.clone(), export.clone());
        async move {
            if n == ready.chunks {
                return Ok::<_, Error>(None);
            }
            let chunk = archives.chunk(&export, n).await?;
            Ok(Some((Bytes::from(chunk), n + 1)))
        }
    });
    Ok(response.streaming(Box::pin(chunks)))
}

/// Deletes an archive of oneself before its time, made or not.
#[utoipa::path(
    tag = "users",
    params(Id<ExportId>),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "One has no such archive"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[delete("/api/v1/users/me/exports/{id}")]
pub async fn delete_data_export(auth: Auth<ChangeAccount>, services: Shared, id: Id<ExportId>) -> Answer {
    exports::delete_export(&services.shop, &auth.0, id.0).await?;
    Ok(done())
}

async fn own(services: &Services, auth: &Auth<ChangeAccount>, id: ExportId) -> domain::Result<DataExport> {
    let found = services.exports.queries.get(auth.0.principal().user, id, services.shop.now()).await?;
    found.ok_or(Error::NotFound("Data export"))
}
