//! API keys.

use actix_web::{HttpResponse, delete, get, http::StatusCode, patch, post};
use domain::{
    Error,
    access::{self, ApiKey, MadeKey, ports::KeysOf},
    id::ApiKeyId,
    organisation::policy,
    permission::{Authorized, ManageKeys},
};

use super::dto::key::{KeyBody, KeyPatchBody, KeyView, KeysParams, MadeKeyView, key_patch, new_key};
use crate::{
    Answer, Services, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    etag::{self, IfNoneMatch},
    fresh::FreshAuth,
    idempotency::{Keyed, reply},
    page::PageView,
    path::Id,
    query::Params,
};

/// Lists one's own API keys, or those of a seller account one owns, the newest first.
#[utoipa::path(
    tag = "keys",
    params(KeysParams),
    responses(
        (status = 200, description = "The keys", body = PageView<KeyView>),
        (status = 404, description = "No such seller account, or not for you to see"),
    ),
    security(("bearer" = ["keys:manage"]))
)]
#[get("/api/v1/api-keys")]
pub async fn list_api_keys(auth: Auth<ManageKeys>, services: Shared, params: Params<KeysParams>) -> Answer {
    let (seller, page) = params.0.asked();
    let user = auth.0.principal().user;
    let of = match seller {
        None => KeysOf::User(user),
        Some(seller) => {
            policy::may_own(services.access.organisations.role_in(seller, user).await?)?;
            KeysOf::Seller(seller)
        }
    };
    let found = services.access.keys.list(of, page).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|key| KeyView::from(&key)))))
}

/// Makes an API key. Asks for a fresh proof of who one is. Its text is shown in this answer and never again; Souk keeps a keyed hash of it.
#[utoipa::path(
    tag = "keys",
    request_body = KeyBody,
    params(Keyed),
    responses(
        (status = 201, description = "The key with its text", body = MadeKeyView),
        (status = 404, description = "No such seller account, or not for you to see"),
        (status = 409, description = "There are too many"),
        Keyed,
    ),
    security(("bearer" = ["keys:manage"]))
)]
#[post("/api/v1/api-keys")]
pub async fn create_api_key(auth: FreshAuth<ManageKeys>, services: Shared, keyed: Keyed, body: JsonBody) -> Answer {
    let now = services.shop.now();
    let new = body.read(|fields| new_key(fields).check(now, &mut fields.violations))?;
    let made = |made: &MadeKey, view: &MadeKeyView| {
        let location = ("Location".to_owned(), format!("/api/v1/api-keys/{}", made.key.id));
        reply(StatusCode::CREATED, vec![location, ("Cache-Control".to_owned(), "no-store".to_owned())], view)
    };
    let kept = |one: &MadeKey| made(one, &MadeKeyView::kept(one));
    let shown = |one: &MadeKey| made(one, &MadeKeyView::shown(one));
    keyed
        .run_shown(&services, "create_api_key", &body, kept, shown, async |once| {
            access::create_key(&services.shop, services.mac.as_ref(), auth.0, new, once).await
        })
        .await
}

/// Reads an API key; its text is not there any more.
#[utoipa::path(
    tag = "keys",
    params(Id<ApiKeyId>, IfNoneMatch),
    responses(
        (status = 200, description = "The key", body = KeyView),
        (status = 404, description = "No such key, or not yours"),
        IfNoneMatch,
    ),
    security(("bearer" = ["keys:manage"]))
)]
#[get("/api/v1/api-keys/{id}")]
pub async fn get_api_key(auth: Auth<ManageKeys>, services: Shared, id: Id<ApiKeyId>, known: IfNoneMatch) -> Answer {
    etag::read(&known, None, &KeyView::from(&own(&services, &auth.0, id.0).await?))
}

/// Changes what an API key is called, or which models of the assistant it is for. It counts at once on every node.
#[utoipa::path(
    tag = "keys",
    request_body = KeyPatchBody,
    params(Id<ApiKeyId>),
    responses(
        (status = 200, description = "The key", body = KeyView),
        (status = 404, description = "No such key, or not yours"),
    ),
    security(("bearer" = ["keys:manage"]))
)]
#[patch("/api/v1/api-keys/{id}")]
pub async fn update_api_key(auth: Auth<ManageKeys>, services: Shared, id: Id<ApiKeyId>, body: JsonBody) -> Answer {
    let patch = body.read(|fields| Some(key_patch(fields)))?;
    let key = access::update_key(&services.shop, auth.0, id.0, patch).await?;
    Ok(HttpResponse::Ok().json(KeyView::from(&key)))
}

/// Deletes an API key. No node takes it any more once this has answered.
#[utoipa::path(
    tag = "keys",
    params(Id<ApiKeyId>),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such key, or not yours"),
    ),
    security(("bearer" = ["keys:manage"]))
)]
#[delete("/api/v1/api-keys/{id}")]
pub async fn delete_api_key(auth: Auth<ManageKeys>, services: Shared, id: Id<ApiKeyId>) -> Answer {
    access::delete_key(&services.shop, auth.0, id.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

async fn own(services: &Services, by: &Authorized<ManageKeys>, id: ApiKeyId) -> Result<ApiKey, Error> {
    let unknown = || Error::NotFound("API key");
    let key = services.access.keys.get(id).await?.ok_or_else(unknown)?;
    let who = by.principal();
    let role = match key.seller {
        Some(seller) => services.access.organisations.role_in(seller, who.user).await?,
        None => None,
    };
    if access::is_own(who, &key, role) { Ok(key) } else { Err(unknown()) }
}
