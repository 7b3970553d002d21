//! People: finding them, banning them, giving them roles.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, HttpResponse, delete, dev::Payload, get, put};
use domain::{
    Error,
    access::{self, ports::Person},
    id::UserId,
    identity::{self, RoleChange},
    permission::{ManageRoles, ManageUsers},
};
use serde_json::json;
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};

use super::dto::person::{BanBody, PeopleParams, PersonView, new_ban};
use crate::{
    Answer, Services, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    etag::{self, IfNoneMatch},
    page::PageView,
    path::Id,
    query::Params,
};

/// Lists people, the newest first.
#[utoipa::path(
    tag = "users",
    params(PeopleParams),
    responses((status = 200, description = "The people", body = PageView<PersonView>)),
    security(("bearer" = ["users:manage"]))
)]
#[get("/api/v1/users")]
pub async fn list_users(_auth: Auth<ManageUsers>, services: Shared, params: Params<PeopleParams>) -> Answer {
    let (filter, page) = params.0.asked();
    let found = services.access.people.people(&filter, page).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|person| PersonView::from(&person)))))
}

/// Reads a person.
#[utoipa::path(
    tag = "users",
    params(Id<UserId>, IfNoneMatch),
    responses(
        (status = 200, description = "The person", body = PersonView),
        (status = 404, description = "No such person"),
        IfNoneMatch,
    ),
    security(("bearer" = ["users:manage"]))
)]
#[get("/api/v1/users/{id}")]
pub async fn get_user(_auth: Auth<ManageUsers>, services: Shared, id: Id<UserId>, known: IfNoneMatch) -> Answer {
    etag::read(&known, None, &PersonView::from(&person(&services, id.0).await?))
}

/// Bans a person, in place of the ban they had. From here on they are nobody: their tokens and API keys hold no more, and
/// their open connections end.
#[utoipa::path(
    tag = "users",
    request_body = BanBody,
    params(Id<UserId>),
    responses(
        (status = 200, description = "The person", body = PersonView),
        (status = 404, description = "No such person"),
        (status = 409, description = "It is oneself, or the last administrator"),
    ),
    security(("bearer" = ["users:manage"]))
)]
#[put("/api/v1/users/{id}/ban")]
pub async fn ban_user(auth: Auth<ManageUsers>, services: Shared, id: Id<UserId>, body: JsonBody) -> Answer {
    let now = services.shop.now();
    let new = body.read(|fields| new_ban(fields).check(now, &mut fields.violations))?;
    access::ban_user(&services.shop, auth.0, id.0, new).await?;
    Ok(HttpResponse::Ok().json(PersonView::from(&person(&services, id.0).await?)))
}

/// Lifts a ban.
#[utoipa::path(
    tag = "users",
    params(Id<UserId>),
    responses(
        (status = 200, description = "The person", body = PersonView),
        (status = 404, description = "No such person, or they are not banned"),
    ),
    security(("bearer" = ["users:manage"]))
)]
#[delete("/api/v1/users/{id}/ban")]
pub async fn unban_user(auth: Auth<ManageUsers>, services: Shared, id: Id<UserId>) -> Answer {
    access::unban_user(&services.shop, auth.0, id.0).await?;
    Ok(HttpResponse::Ok().json(PersonView::from(&person(&services, id.0).await?)))
}

/// Deletes a person at once, whoever asked for it: a pseudonym is left.
#[utoipa::path(
    tag = "users",
    params(Id<UserId>),
    responses(
        (status = 200, description = "They are deleted", body = Done),
        (status = 404, description = "No such person"),
        (
            status = 409,
            description = "It is oneself, the last administrator, or they alone own a seller account that has other members",
        ),
    ),
    security(("bearer" = ["users:manage"]))
)]
#[delete("/api/v1/users/{id}")]
pub async fn delete_user(auth: Auth<ManageUsers>, services: Shared, id: Id<UserId>) -> Answer {
    identity::delete_person(&services.shop, &auth.0, id.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

/// Gives a person a role. Nobody gives a role that does not stand below their own, or may what they may not.
#[utoipa::path(
    tag = "users",
    params(Id<UserId>, GivenRole),
    responses(
        (status = 200, description = "The person", body = PersonView),
        (status = 404, description = "No such person or role"),
        (status = 409, description = "They have no seller account to sell from"),
    ),
    security(("bearer" = ["roles:manage"]))
)]
#[put("/api/v1/users/{id}/roles/{role}")]
pub async fn grant_role(auth: Auth<ManageRoles>, services: Shared, id: Id<UserId>, role: GivenRole) -> Answer {
    turn(&services, auth, id.0, &role, RoleChange::Grant).await
}

/// Takes a role from a person.
#[utoipa::path(
    tag = "users",
    params(Id<UserId>, GivenRole),
    responses(
        (status = 200, description = "The person", body = PersonView),
        (status = 404, description = "No such person or role"),
        (status = 409, description = "Everybody keeps this role, or they are the last administrator"),
    ),
    security(("bearer" = ["roles:manage"]))
)]
#[delete("/api/v1/users/{id}/roles/{role}")]
pub async fn revoke_role(auth: Auth<ManageRoles>, services: Shared, id: Id<UserId>, role: GivenRole) -> Answer {
    turn(&services, auth, id.0, &role, RoleChange::Revoke).await
}

async fn turn(
    services: &Services,
    auth: Auth<ManageRoles>,
    id: UserId,
    role: &GivenRole,
    change: RoleChange,
) -> Answer {
    access::set_role(&services.shop, auth.0, id, change, known_form(&role.0)?).await?;
    Ok(HttpResponse::Ok().json(PersonView::from(&person(services, id).await?)))
}

/// The `{role}` of a path.
#[derive(Debug, Clone)]
pub struct GivenRole(String);

impl FromRequest for GivenRole {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.match_info().query("role").to_owned())))
    }
}

impl IntoParams for GivenRole {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut role = Parameter::new("role");
        role.parameter_in = ParameterIn::Path;
        role.description = Some("The name of the role".to_owned());
        role.schema = serde_json::from_value(json!({ "type": "string", "example": "seller" })).ok();
        vec![role]
    }
}

/// A name as databases take it.
pub(super) fn known_form(name: &str) -> Result<&str, Error> {
    if name.contains('\0') { Err(Error::NotFound("Role")) } else { Ok(name) }
}

async fn person(services: &Services, id: UserId) -> Result<Person, Error> {
    services.access.people.person(id).await?.ok_or(Error::NotFound("User"))
}
