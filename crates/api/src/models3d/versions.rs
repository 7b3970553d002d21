//! One version of a model: bring, read, delete.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, delete, dev::Payload as Raw, get, http::header, post, web::Payload,
};
use domain::{
    Error,
    assets::models::{self, Version, VersionNumber},
    id::ModelId,
    permission::WriteProducts,
};
use utoipa::IntoParams;

use super::{
    dto::{ModelFile, VersionView},
    models::{FileParams, named, seen},
};
use crate::{
    Answer, Services, Shared,
    assets::{Said, linger, received},
    auth::{Auth, MaybeAuth},
    done::Done,
    etag::{self, IfNoneMatch},
    path::Id,
    problem::{In, Problem},
    query::Params,
};

/// The `{number}` of a path.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct Number {
    /// The number of the version, from 1.
    #[param(minimum = 1, maximum = 2_147_483_647, value_type = i64, example = 1)]
    number: u32,
}

impl Number {
    pub(super) fn of(self) -> VersionNumber {
        VersionNumber(self.number)
    }
}

/// A number as paths and queries give it, in plain digits.
pub(crate) fn version_number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && (1..=2_147_483_647).contains(number))
}

impl FromRequest for Number {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Raw) -> Self::Future {
        let number = request.match_info().get("number").and_then(version_number);
        let fault = || Problem::broken(In::Path, "number", "range", "must be a whole number from 1 to 2147483647");
        ready(number.map(|number| Self { number }).ok_or_else(fault))
    }
}

/// Brings a further version of a model of one's seller account.
///
/// The body is the file itself: STL, OBJ or 3MF. A job examines it.
#[utoipa::path(
    tag = "models3d",
    params(Id<ModelId>, FileParams),
    request_body(content = ModelFile, content_type = "application/octet-stream", description = "The file"),
    responses(
        (status = 201, description = "The version", body = VersionView, headers(("Location" = String, description = "Where it is"))),
        (status = 400, description = "The file is no model, or not what it was said to be"),
        (status = 404, description = "No such model, or not for you to see"),
        (status = 409, description = "The model has too many versions"),
        (status = 408, description = "Nothing came for a while"),
        (status = 413, description = "The file is too large, or there is no room left for you"),
        (status = 415, description = "Content-Type is no media type, or the body is in a coding"),
        (status = 507, description = "There is no room left for anybody"),
    ),
    security(("bearer" = ["products:write"]))
)]
#[post("/api/v1/models3d/{id}/versions")]
pub async fn create_model3d_version(
    auth: Auth<WriteProducts>,
    services: Shared,
    request: HttpRequest,
    id: Id<ModelId>,
    params: Params<FileParams>,
    payload: Payload,
) -> Answer {
    let said = Said::of(&request)?;
    let mut body = payload.into_inner();
    let brought = received(&mut body, services.settings.transfer_idle, async |chunks| {
        let upload = params.0.upload(&said, chunks);
        models::add_version(&services.shop, &auth.0, &services.models.workshop, id.0, upload).await.map_err(named)
    })
    .await;
    if brought.is_err() {
        linger(&mut body).await;
    }
    let version = brought?;
    let location = format!("/api/v1/models3d/{}/versions/{}", version.model, version.number.0);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(VersionView::from(&version)))
}

/// Tells how far a version of a model is, and what is known of it.
#[utoipa::path(
    tag = "models3d",
    params(Id<ModelId>, Number, IfNoneMatch),
    responses(
        (status = 200, description = "The version", body = VersionView),
        (status = 404, description = "No such version, or not for you to see"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/models3d/{id}/versions/{number}")]
pub async fn get_model3d_version(
    caller: MaybeAuth,
    services: Shared,
    id: Id<ModelId>,
    number: Number,
    known: IfNoneMatch,
) -> Answer {
    let version = of_model(&services, &caller, id.0, Some(number.of())).await?;
    etag::read(&known, Some(etag::version_at(version.updated_at)), &VersionView::from(&version))
}

/// Deletes a version of a model.
#[utoipa::path(
    tag = "models3d",
    params(Id<ModelId>, Number),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such version, or not for you to see"),
    ),
    security(("bearer" = ["products:write"]))
)]
#[delete("/api/v1/models3d/{id}/versions/{number}")]
pub async fn delete_model3d_version(
    auth: Auth<WriteProducts>,
    services: Shared,
    id: Id<ModelId>,
    number: Number,
) -> Answer {
    models::delete_version(&services.shop, &auth.0, id.0, number.of()).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

/// The version, if the caller may see its product; without a number the latest that is ready.
pub(super) async fn of_model(
    services: &Services,
    caller: &MaybeAuth,
    id: ModelId,
    number: Option<VersionNumber>,
) -> Result<Version, Error> {
    seen(services, caller, id).await?;
    services.models.queries.version(id, number).await?.ok_or(Error::NotFound("Version"))
}
