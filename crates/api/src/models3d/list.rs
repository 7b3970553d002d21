//! Lists of models and of their versions.

use actix_web::{HttpResponse, get};
use domain::{
    catalog::policy::Scope,
    id::{ModelId, ProductId},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    dto::{ModelView, VersionView},
    models::seen,
};
use crate::{
    Answer, Shared,
    auth::MaybeAuth,
    page::{PageParams, PageView},
    path::Id,
    query::{Params, Query, Read},
};

/// Which models are listed.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfProduct {
    /// Of this product only.
    #[param(required = false, value_type = Uuid, rename = "productId")]
    product_id: Option<Uuid>,
}

/// Which page of which models.
#[derive(Debug, Clone, Copy)]
pub struct ListParams(OfProduct, PageParams);

impl Read for ListParams {
    fn read(query: &mut Query) -> Option<Self> {
        let product_id = query.uuid("productId");
        Some(Self(OfProduct { product_id }, PageParams::read(query)?))
    }
}

/// Lists the models of products one may see, the newest first.
#[utoipa::path(
    tag = "models3d",
    params(OfProduct, PageParams),
    responses((status = 200, description = "The models", body = PageView<ModelView>)),
    security((), ("bearer" = []))
)]
#[get("/api/v1/models3d")]
pub async fn list_models3d(caller: MaybeAuth, services: Shared, params: Params<ListParams>) -> Answer {
    let ListParams(OfProduct { product_id }, page) = params.0;
    let product = product_id.map(ProductId);
    let found = services.models.queries.list(Scope::of(&caller.0), product, page.request()).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|model| ModelView::from(&model)))))
}

/// Lists the versions of a model, the newest first.
#[utoipa::path(
    tag = "models3d",
    params(Id<ModelId>, PageParams),
    responses(
        (status = 200, description = "The versions", body = PageView<VersionView>),
        (status = 404, description = "No such model, or not for you to see"),
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/models3d/{id}/versions")]
pub async fn list_model3d_versions(
    caller: MaybeAuth,
    services: Shared,
    id: Id<ModelId>,
    page: Params<PageParams>,
) -> Answer {
    seen(&services, &caller, id.0).await?;
    let found = services.models.queries.versions(id.0, page.0.request()).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|version| VersionView::from(&version)))))
}
