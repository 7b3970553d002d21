//! Roles: what somebody may do is data.

use actix_web::{HttpResponse, delete, get, patch, post, web::Path};
use domain::{
    Error,
    access::{self, StoredRole},
    permission::ManageRoles,
};

use super::{
    dto::role::{RoleBody, RolePatchBody, RoleView, RolesView, new_role, role_patch},
    users::known_form,
};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    etag::{self, IfMatch, IfNoneMatch},
    idempotency::{Keyed, created},
};

/// Lists every role, from least to most.
#[utoipa::path(
    tag = "roles",
    responses((status = 200, description = "The roles", body = RolesView)),
    security(("bearer" = ["roles:manage"]))
)]
#[get("/api/v1/roles")]
pub async fn list_roles(_auth: Auth<ManageRoles>, services: Shared) -> Answer {
    let items = services.access.roles.all().await?.iter().map(RoleView::from).collect();
    Ok(HttpResponse::Ok().json(RolesView { items }))
}

/// Makes a role between user and admin.
#[utoipa::path(
    tag = "roles",
    request_body = RoleBody,
    params(Keyed),
    responses(
        (status = 201, description = "The role", body = RoleView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 409, description = "The name is taken"),
        Keyed,
    ),
    security(("bearer" = ["roles:manage"]))
)]
#[post("/api/v1/roles")]
pub async fn create_role(auth: Auth<ManageRoles>, services: Shared, keyed: Keyed, body: JsonBody) -> Answer {
    let new = body.read(|fields| new_role(fields).check(&mut fields.violations))?;
    let render =
        |one: &StoredRole| created(format!("/api/v1/roles/{}", one.role.name()), one.version, &RoleView::from(one));
    keyed
        .run(&services, "create_role", &body, render, async |once| {
            access::create_role(&services.shop, auth.0, new, once).await
        })
        .await
}

/// Reads a role.
#[utoipa::path(
    tag = "roles",
    params(("name" = String, Path, description = "The name of the role", example = "seller"), IfNoneMatch),
    responses(
        (status = 200, description = "The role", body = RoleView),
        (status = 404, description = "No such role"),
        IfNoneMatch,
    ),
    security(("bearer" = ["roles:manage"]))
)]
#[get("/api/v1/roles/{name}")]
pub async fn get_role(_auth: Auth<ManageRoles>, services: Shared, name: Path<String>, known: IfNoneMatch) -> Answer {
    let all = services.access.roles.all().await?;
    let role = all.iter().find(|stored| stored.role.name() == name.as_str()).ok_or(Error::NotFound("Role"))?;
    etag::read(&known, Some(role.version), &RoleView::from(role))
}

/// Changes what a role may do, or its place. It counts at once for everybody who has it, on every node.
#[utoipa::path(
    tag = "roles",
    request_body = RolePatchBody,
    params(("name" = String, Path, description = "The name of the role", example = "seller"), IfMatch),
    responses(
        (status = 200, description = "The role", body = RoleView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such role"),
        (status = 409, description = "It was changed meanwhile, or stays as it is"),
        IfMatch,
    ),
    security(("bearer" = ["roles:manage"]))
)]
#[patch("/api/v1/roles/{name}")]
pub async fn update_role(
    auth: Auth<ManageRoles>,
    services: Shared,
    name: Path<String>,
    if_match: IfMatch,
    body: JsonBody,
) -> Answer {
    let patch = body.read(|fields| Some(role_patch(fields)))?;
    let expected = if_match.expected(None)?;
    let role = access::update_role(&services.shop, auth.0, known_form(&name)?, patch, expected.versions())
        .await
        .map_err(|error| expected.problem(error))?;
    etag::changed(role.version, &RoleView::from(&role))
}

/// Deletes a role; nobody has it any more.
#[utoipa::path(
    tag = "roles",
    params(("name" = String, Path, description = "The name of the role", example = "mentored"), IfMatch),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such role"),
        (status = 409, description = "It was changed meanwhile, or stays"),
        IfMatch,
    ),
    security(("bearer" = ["roles:manage"]))
)]
#[delete("/api/v1/roles/{name}")]
pub async fn delete_role(auth: Auth<ManageRoles>, services: Shared, name: Path<String>, if_match: IfMatch) -> Answer {
    let expected = if_match.expected(None)?;
    access::delete_role(&services.shop, auth.0, known_form(&name)?, expected.versions())
        .await
        .map_err(|error| expected.problem(error))?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
