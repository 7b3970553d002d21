//! The libraries of large files that git keeps pointers to. What lies in them comes and goes by Git LFS.

use actix_web::{HttpResponse, delete, get};
use domain::{
    Error,
    assets::lfs::{self, LibrarySummary},
    id::LibraryId,
    permission::WriteProducts,
};

use super::dto::LibraryView;
use crate::{
    Answer, Shared,
    auth::Auth,
    done::Done,
    etag::{self, IfNoneMatch},
    page::{PageParams, PageView},
    path::Id,
    query::Params,
};

/// Lists the libraries of large files of one's seller accounts, the oldest first.
///
/// One begins with the first push to `/lfs/{seller}/{library}`, where `{seller}` is the name of the account in addresses: set it with
/// `git config -f .lfsconfig lfs.url`. Git signs in with any user name, and an API key for `products:write` as the password.
#[utoipa::path(
    tag = "files",
    params(PageParams),
    responses((status = 200, description = "The libraries", body = PageView<LibraryView>)),
    security(("bearer" = ["products:write"]))
)]
#[get("/api/v1/libraries")]
pub async fn list_libraries(auth: Auth<WriteProducts>, services: Shared, page: Params<PageParams>) -> Answer {
    let sellers = auth.0.principal().sellers.as_slice();
    let found = services.assets.libraries.list(sellers, page.0.request()).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|one| LibraryView::from(&one)))))
}

/// Reads a library of large files.
#[utoipa::path(
    tag = "files",
    params(Id<LibraryId>, IfNoneMatch),
    responses(
        (status = 200, description = "The library", body = LibraryView),
        (status = 404, description = "No such library, or not for you to see"),
        IfNoneMatch,
    ),
    security(("bearer" = ["products:write"]))
)]
#[get("/api/v1/libraries/{id}")]
pub async fn get_library(auth: Auth<WriteProducts>, services: Shared, id: Id<LibraryId>, known: IfNoneMatch) -> Answer {
    let own = |one: &LibrarySummary| auth.0.principal().sellers.has(one.library.seller);
    let found = services.assets.libraries.get(id.0).await?.filter(own).ok_or(Error::NotFound("Library"))?;
    etag::read(&known, None, &LibraryView::from(&found))
}

/// Deletes a library of large files with all that lies in it. What git points at is not to be had from here any more.
#[utoipa::path(
    tag = "files",
    params(Id<LibraryId>),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such library, or not for you to see"),
    ),
    security(("bearer" = ["products:write"]))
)]
#[delete("/api/v1/libraries/{id}")]
pub async fn delete_library(auth: Auth<WriteProducts>, services: Shared, id: Id<LibraryId>) -> Answer {
    lfs::delete_library(&services.shop, &auth.0, id.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
