//! Seller accounts.

use actix_web::{http::StatusCode, post};
use domain::{
    identity::{self, Seller},
    permission::ChangeAccount,
};

use super::dto::seller::{NewSeller, SellerView, new_seller};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    idempotency::{Keyed, reply},
};

/// Opens a seller account for oneself.
#[utoipa::path(
    tag = "sellers",
    request_body = NewSeller,
    params(Keyed),
    responses(
        (status = 201, description = "The account", body = SellerView, headers(("Location" = String, description = "The products of the account"))),
        (status = 409, description = "One has an account already"),
        Keyed,
    ),
    security(("bearer" = ["account:change"]))
)]
#[post("/api/v1/sellers")]
pub async fn create_seller(auth: Auth<ChangeAccount>, services: Shared, keyed: Keyed, body: JsonBody) -> Answer {
    let name = body.read(|fields| {
        let input = new_seller(fields);
        input.check(&mut fields.violations)
    })?;
    let render = |seller: &Seller| {
        let location = ("Location".to_owned(), format!("/api/v1/products?sellerId={}", seller.id));
        reply(StatusCode::CREATED, vec![location], &SellerView::from(seller))
    };
    keyed
        .run(&services, "create_seller", &body, render, async |once| {
            identity::open_seller(&services.shop, auth.0, &name, once).await
        })
        .await
}
