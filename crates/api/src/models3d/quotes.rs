//! What it costs to print a model.

use actix_web::{HttpResponse, get};
use domain::{
    Error,
    assets::models::{self, QuoteInput, VersionNumber},
    id::ModelId,
    money::{Amount, Currency},
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::versions::{of_model, version_number};
use crate::{
    Answer, Shared,
    auth::MaybeAuth,
    catalog::dto::number::{number, price},
    path::Id,
    problem::{In, Problem},
    query::{Params, Query, Read},
};

/// What somebody wants printed.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QuoteParams {
    /// With what; `GET /api/v1/models3d/materials` lists what there is.
    #[param(min_length = 1, max_length = 40, format = "line", example = "pla")]
    material: String,
    /// The version; the latest that is ready when absent.
    #[param(required = false, minimum = 1, maximum = 2_147_483_647, value_type = i64, example = 1)]
    version: Option<u32>,
    /// The height of a layer, in micrometres.
    #[param(required = false, minimum = 50, maximum = 600, default = 200, example = 200, value_type = i64, rename = "layerHeight")]
    layer: u32,
    /// How much of the inside is filled, of 100.
    #[param(required = false, minimum = 0, maximum = 100, default = 20, example = 20, value_type = i64)]
    infill: u8,
    /// Whether supports are printed below what hangs over.
    #[param(required = false, default = true, example = true)]
    supports: bool,
    /// How many pieces.
    #[param(required = false, minimum = 1, maximum = 10_000, default = 1, example = 1, value_type = i64)]
    quantity: u32,
}

impl Read for QuoteParams {
    fn read(query: &mut Query) -> Option<Self> {
        let material = query.one("material");
        if material.is_none() {
            query.violations.add("material", "required", "is required");
        }
        let version = query.parsed("version", "range", "must be a whole number from 1 to 2147483647", version_number);
        let whole = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let layer = query.parsed("layerHeight", "range", "must be a whole number from 50 to 600", whole).unwrap_or(200);
        let infill = query.parsed("infill", "range", "must be a whole number from 0 to 100", |text| {
            whole(text).and_then(|number| u8::try_from(number).ok())
        });
        let supports = query.parsed("supports", "boolean", "must be true or false", |text| text.parse().ok());
        let quantity = query.parsed("quantity", "range", "must be a whole number from 1 to 10000", whole).unwrap_or(1);
        let (infill, supports) = (infill.unwrap_or(20), supports.unwrap_or(true));
        Some(Self { material: material?, version, layer, infill, supports, quantity })
    }
}

/// What it costs to print a model, and why. Amounts are in major units.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PrintQuote)]
#[serde(rename_all = "camelCase")]
pub struct QuoteView {
    /// The version it is for.
    #[schema(example = 1, minimum = 1, value_type = i64)]
    pub version: u32,
    /// Layers of a piece.
    #[schema(example = 100, minimum = 1)]
    pub layers: u64,
    /// The weight of a piece.
    #[schema(value_type = f64, example = 4.841)]
    pub grams: Box<RawValue>,
    /// How long a machine is busy with a piece.
    #[schema(example = 688, minimum = 0)]
    pub seconds: u64,
    /// The plastic of a piece.
    #[schema(value_type = f64, example = 0.13)]
    pub material_price: Box<RawValue>,
    /// The machine for a piece.
    #[schema(value_type = f64, example = 0.39)]
    pub machine_price: Box<RawValue>,
    /// Setting it up, once.
    #[schema(value_type = f64, example = 3.0)]
    pub setup_price: Box<RawValue>,
    /// How many pieces.
    #[schema(example = 1, minimum = 1, value_type = i64)]
    pub quantity: u32,
    /// All pieces.
    #[schema(value_type = f64, example = 3.52)]
    pub total: Box<RawValue>,
    /// The currency of the amounts.
    #[schema(example = "EUR")]
    pub currency: &'static str,
}

/// Something to print with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PrintMaterial)]
#[serde(rename_all = "camelCase")]
pub struct MaterialView {
    /// Its name.
    #[schema(example = "pla")]
    pub name: String,
    /// Grams of a cubic centimetre.
    #[schema(value_type = f64, example = 1.24)]
    pub density: Box<RawValue>,
    /// What a kilogram costs, in major units.
    #[schema(value_type = f64, example = 25.0)]
    pub kilogram_price: Box<RawValue>,
    /// The currency of the price.
    #[schema(example = "EUR")]
    pub currency: &'static str,
}

/// What can be printed with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PrintMaterials)]
pub struct MaterialsView {
    /// Each material.
    pub items: Vec<MaterialView>,
}

/// Lists what models can be printed with.
#[utoipa::path(
    tag = "models3d",
    responses((status = 200, description = "The materials", body = MaterialsView)),
    security((), ("bearer" = []))
)]
#[get("/api/v1/models3d/materials")]
pub async fn list_print_materials(_caller: MaybeAuth, services: Shared) -> Answer {
    let currency = services.shop.rules.currency;
    let materials = services.models.tariff.materials.iter().map(|material| MaterialView {
        name: material.name.clone(),
        density: thousandths(u64::from(material.density)),
        kilogram_price: price(currency, material.kilogram),
        currency: currency.code(),
    });
    Ok(HttpResponse::Ok().json(MaterialsView { items: materials.collect() }))
}

/// Says what it costs to print a model.
///
/// The volume of a model that is not closed means nothing, so it is not quoted.
#[utoipa::path(
    tag = "models3d",
    params(Id<ModelId>, QuoteParams),
    responses(
        (status = 200, description = "The quote", body = QuoteView),
        (status = 404, description = "No such version, or not for you to see"),
        (status = 409, description = "The version is not ready"),
        (status = 422, description = "The volume of the model is not known for certain"),
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/models3d/{id}/quote")]
pub async fn get_model3d_quote(
    caller: MaybeAuth,
    services: Shared,
    id: Id<ModelId>,
    params: Params<QuoteParams>,
) -> Answer {
    let asked = params.0;
    let wished = QuoteInput {
        material: asked.material,
        layer: asked.layer,
        infill: asked.infill,
        supports: asked.supports,
        quantity: asked.quantity,
    };
    let version = of_model(&services, &caller, id.0, asked.version.map(VersionNumber)).await?;
    let ready = version.findings.as_ref().filter(|_| version.state == models::VersionState::Ready);
    let findings = ready.ok_or_else(|| Error::conflict("This version is not ready; see its state"))?;
    let quote = models::quote(findings, &services.models.tariff, &wished).map_err(|error| match error {
        Error::Invalid(violations) => Problem::invalid(In::Query, &violations),
        error => error.into(),
    })?;
    let currency: Currency = services.shop.rules.currency;
    let amount = |amount: Amount| price(currency, amount);
    Ok(HttpResponse::Ok().json(QuoteView {
        version: version.number.0,
        layers: quote.layers,
        grams: thousandths(quote.milligrams),
        seconds: quote.seconds,
        material_price: amount(quote.material),
        machine_price: amount(quote.machine),
        setup_price: amount(quote.setup),
        quantity: wished.quantity,
        total: amount(quote.total),
        currency: currency.code(),
    }))
}

fn thousandths(count: u64) -> Box<RawValue> {
    number(format!("{}.{:03}", count / 1000, count % 1000))
}
