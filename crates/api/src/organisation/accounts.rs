//! The seller accounts one is a member of.

use actix_web::{HttpResponse, get};
use domain::permission::ManageMembers;

use super::dto::{AccountView, AccountsView};
use crate::{Answer, Shared, auth::Auth};

/// Lists the seller accounts one is a member of, the oldest first.
#[utoipa::path(
    tag = "sellers",
    responses((status = 200, description = "The accounts", body = AccountsView)),
    security(("bearer" = ["members:manage"]))
)]
#[get("/api/v1/users/me/sellers")]
pub async fn list_my_sellers(auth: Auth<ManageMembers>, services: Shared) -> Answer {
    let accounts = services.access.organisations.accounts(auth.0.principal().user).await?;
    Ok(HttpResponse::Ok().json(AccountsView { items: accounts.iter().map(AccountView::from).collect() }))
}
