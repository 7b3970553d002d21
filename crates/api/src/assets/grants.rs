//! Who may take the private files of a product away.

use actix_web::{HttpResponse, delete, get, put};
use domain::{assets::files, id::ProductId, permission::WriteProducts};

use super::dto::GrantView;
use crate::{
    Answer, Shared,
    auth::Auth,
    done::Done,
    page::{PageParams, PageView},
    path::Id,
    query::Params,
    room::parameters::Person,
};

/// Lists who was granted the files of a product, the newest first.
#[utoipa::path(
    tag = "files",
    params(Id<ProductId>, PageParams),
    responses(
        (status = 200, description = "The grants", body = PageView<GrantView>),
        (status = 404, description = "No such product, or not for you to see"),
    ),
    security(("bearer" = ["products:write"]))
)]
#[get("/api/v1/products/{id}/grants")]
pub async fn list_grants(
    auth: Auth<WriteProducts>,
    services: Shared,
    id: Id<ProductId>,
    page: Params<PageParams>,
) -> Answer {
    let (library, page) = (&services.assets.library, page.0.request());
    let found = files::list_grants(&services.shop, library, &auth.0, id.0, page).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(GrantView::from))))
}

/// Grants a person the files of a product. One they have stays as it is.
#[utoipa::path(
    tag = "files",
    params(Id<ProductId>, Person),
    responses(
        (status = 200, description = "They may take the files away", body = Done),
        (status = 404, description = "No such product or person, or not for you to see"),
    ),
    security(("bearer" = ["products:write"]))
)]
#[put("/api/v1/products/{id}/grants/{userId}")]
pub async fn give_grant(auth: Auth<WriteProducts>, services: Shared, id: Id<ProductId>, person: Person) -> Answer {
    files::give_grant(&services.shop, &auth.0, id.0, person.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

/// Takes a grant back. Links that were made by it hold until their end.
#[utoipa::path(
    tag = "files",
    params(Id<ProductId>, Person),
    responses(
        (status = 200, description = "They may not any more", body = Done),
        (status = 404, description = "No such product or grant, or not for you to see"),
    ),
    security(("bearer" = ["products:write"]))
)]
#[delete("/api/v1/products/{id}/grants/{userId}")]
pub async fn take_grant(auth: Auth<WriteProducts>, services: Shared, id: Id<ProductId>, person: Person) -> Answer {
    files::take_grant(&services.shop, &auth.0, id.0, person.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
