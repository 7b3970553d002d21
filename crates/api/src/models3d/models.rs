//! One model: bring, read, change, delete.

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, patch, post, web::Payload};
use domain::{
    Error, Violations,
    assets::{
        Chunks,
        models::{self, Model, NewModel, Upload},
        uploads::Origin,
    },
    catalog::policy::Scope,
    id::{ModelId, ProductId},
    permission::WriteProducts,
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::dto::{ModelFile, ModelPatchBody, ModelView, model_patch};
use crate::{
    Answer, Services, Shared,
    assets::{Said, linger, received},
    auth::{Auth, MaybeAuth},
    body::JsonBody,
    done::Done,
    etag::{self, IfMatch, IfNoneMatch},
    path::Id,
    problem::{In, Problem},
    query::{Params, Query, Read},
};

/// What is said of a file that is brought.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FileParams {
    /// What the file is called; `.stl`, `.obj` or `.3mf` at its end says what it is.
    #[param(min_length = 1, max_length = 255, format = "file-name", example = "knob.stl", rename = "fileName")]
    file_name: String,
}

impl Read for FileParams {
    fn read(query: &mut Query) -> Option<Self> {
        let file_name = query.one("fileName");
        if file_name.is_none() {
            query.violations.add("fileName", "required", "is required");
        }
        Some(Self { file_name: file_name? })
    }
}

impl FileParams {
    /// The file that comes with these.
    pub(super) fn upload<'a>(&self, said: &Said, source: &'a mut dyn Chunks) -> Upload<'a> {
        Upload {
            source,
            size: said.size,
            digest: said.digest,
            file_name: self.file_name.clone(),
            origin: Origin::Direct,
        }
    }
}

/// What is said of a model that is brought.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NewModelParams {
    /// The product it belongs to.
    #[param(rename = "productId")]
    product_id: Uuid,
    /// Its name; that of the file when absent.
    #[param(required = false, min_length = 1, max_length = 100, format = "line", example = "Knob", value_type = String, rename = "name")]
    name: Option<String>,
}

/// All that is said of a model that is brought with its first file.
#[derive(Debug, Clone)]
pub struct CreateParams(NewModelParams, FileParams);

impl Read for CreateParams {
    fn read(query: &mut Query) -> Option<Self> {
        let product_id = query.uuid("productId");
        if product_id.is_none() {
            query.violations.add("productId", "required", "is required");
        }
        let name = query.one("name");
        let file = FileParams::read(query);
        Some(Self(NewModelParams { product_id: product_id?, name }, file?))
    }
}

/// Brings a 3D model of a product of one's seller account, with its first version.
///
/// The body is the file itself: STL, OBJ or 3MF; `Content-Digest` may say its SHA-256. A job examines it; `version 1` tells how far that is, and so does the topic `models`
/// of the event stream.
#[utoipa::path(
    tag = "models3d",
    params(NewModelParams, FileParams),
    request_body(content = ModelFile, content_type = "application/octet-stream", description = "The file"),
    responses(
        (status = 201, description = "The model", body = ModelView, headers(("Location" = String, description = "Where it is"))),
        (status = 400, description = "The file is no model, or not what it was said to be"),
        (status = 404, description = "No such product, or not for you to see"),
        (status = 408, description = "Nothing came for a while"),
        (status = 413, description = "The file is too large, or there is no room left for you"),
        (status = 415, description = "Content-Type is no media type, or the body is in a coding"),
        (status = 507, description = "There is no room left for anybody"),
    ),
    security(("bearer" = ["products:write"]))
)]
#[post("/api/v1/models3d")]
pub async fn create_model3d(
    auth: Auth<WriteProducts>,
    services: Shared,
    request: HttpRequest,
    params: Params<CreateParams>,
    payload: Payload,
) -> Answer {
    let CreateParams(new, file) = params.0;
    let new = NewModel { product: ProductId(new.product_id), name: new.name };
    let said = Said::of(&request)?;
    let mut body = payload.into_inner();
    let brought = received(&mut body, services.settings.transfer_idle, async |chunks| {
        let upload = file.upload(&said, chunks);
        models::create_model(&services.shop, &auth.0, &services.models.workshop, &new, upload).await.map_err(named)
    })
    .await;
    if brought.is_err() {
        linger(&mut body).await;
    }
    let (model, _) = brought?;
    let location = (header::LOCATION, format!("/api/v1/models3d/{}", model.id));
    Ok(HttpResponse::Created().insert_header(location).json(ModelView::from(&model)))
}

/// What is wrong with what was said stands in the query, what is wrong with the file in the body.
pub(super) fn named(error: Error) -> Problem {
    match error {
        Error::Invalid(violations) if said(&violations) => Problem::invalid(In::Query, &violations),
        error => error.into(),
    }
}

fn said(violations: &Violations) -> bool {
    violations.iter().all(|violation| matches!(&*violation.field, "fileName" | "name"))
}

/// Reads a model.
#[utoipa::path(
    tag = "models3d",
    params(Id<ModelId>, IfNoneMatch),
    responses(
        (status = 200, description = "The model", body = ModelView),
        (status = 404, description = "No such model, or not for you to see"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/models3d/{id}")]
pub async fn get_model3d(caller: MaybeAuth, services: Shared, id: Id<ModelId>, known: IfNoneMatch) -> Answer {
    let model = seen(&services, &caller, id.0).await?;
    etag::read(&known, Some(etag::version_at(model.updated_at)), &ModelView::from(&model))
}

/// Renames a model, or moves it to another product of the account that sells it.
///
/// On another product it is seen by those who see that one, and its files are for those who have a grant of it.
#[utoipa::path(
    tag = "models3d",
    request_body = ModelPatchBody,
    params(Id<ModelId>, IfMatch),
    responses(
        (status = 200, description = "The model", body = ModelView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 400, description = "The product is none of the account that sells the model"),
        (status = 404, description = "No such model, or not for you to see"),
        IfMatch,
    ),
    security(("bearer" = ["products:write"]))
)]
#[patch("/api/v1/models3d/{id}")]
pub async fn update_model3d(
    auth: Auth<WriteProducts>,
    services: Shared,
    id: Id<ModelId>,
    if_match: IfMatch,
    body: JsonBody,
) -> Answer {
    let patch = body.read(|fields| Some(model_patch(fields)))?;
    let expected = if_match.expected(None)?;
    let model = models::update_model(&services.shop, &auth.0, id.0, &patch, expected.moments().as_deref())
        .await
        .map_err(|error| expected.problem(error))?;
    etag::changed(etag::version_at(model.updated_at), &ModelView::from(&model))
}

/// Deletes a model with all its versions.
#[utoipa::path(
    tag = "models3d",
    params(Id<ModelId>),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such model, or not for you to see"),
    ),
    security(("bearer" = ["products:write"]))
)]
#[delete("/api/v1/models3d/{id}")]
pub async fn delete_model3d(auth: Auth<WriteProducts>, services: Shared, id: Id<ModelId>) -> Answer {
    models::delete_model(&services.shop, &auth.0, id.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

/// The model, if the caller may see its product.
pub(super) async fn seen(services: &Services, caller: &MaybeAuth, id: ModelId) -> Result<Model, Error> {
    services.models.queries.get(id, Scope::of(&caller.0)).await?.ok_or(Error::NotFound("3D model"))
}
