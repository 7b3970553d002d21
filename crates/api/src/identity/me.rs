//! What a person sees of themselves.

use actix_web::{HttpResponse, get};
use domain::{Error, permission::OwnAccount};

use super::dto::{user::UserView, viewed::ViewedProduct};
use crate::{
    Answer, Shared,
    auth::Auth,
    etag::{self, IfNoneMatch},
    page::{PageParams, PageView},
    query::Params,
};

/// Reads one's own account.
#[utoipa::path(
    tag = "users",
    params(IfNoneMatch),
    responses(
        (status = 200, description = "The account", body = UserView),
        IfNoneMatch,
    ),
    security(("bearer" = ["account:own"]))
)]
#[get("/api/v1/users/me")]
pub async fn get_me(auth: Auth<OwnAccount>, services: Shared, known: IfNoneMatch) -> Answer {
    let profile = services.users.profile(auth.0.principal().user).await?.ok_or(Error::NotFound("User"))?;
    etag::read(&known, None, &UserView::from(&profile))
}

/// Lists the products one saw, newest first.
#[utoipa::path(
    tag = "users",
    params(PageParams),
    responses((status = 200, description = "The products seen", body = PageView<ViewedProduct>)),
    security(("bearer" = ["account:own"]))
)]
#[get("/api/v1/users/me/views")]
pub async fn list_my_views(auth: Auth<OwnAccount>, services: Shared, page: Params<PageParams>) -> Answer {
    let views = services.view_log.of_user(auth.0.principal().user, page.0.request()).await?;
    Ok(HttpResponse::Ok().json(PageView::from(views.map(ViewedProduct::from))))
}
