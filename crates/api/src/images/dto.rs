//! Pictures as JSON, and what stands in their paths.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use domain::{
    Rules,
    assets::image::Source,
    catalog::{Image, Product},
    id::ImageId,
};
use serde::Serialize;
use serde_json::json;
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};
use uuid::Uuid;

use crate::{
    body::{Fields, Given},
    catalog::dto::around::ImageView,
    path::uuid,
    problem::{In, Problem},
};

/// A picture with what it was made of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImageDetail)]
pub struct ImageDetailView<'a> {
    /// The picture.
    #[serde(flatten)]
    pub image: ImageView<'a>,
    /// What was uploaded.
    pub original: Option<OriginalView<'a>>,
}

/// What was uploaded. It is kept without its metadata, and shown to nobody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Original)]
#[serde(rename_all = "camelCase")]
pub struct OriginalView<'a> {
    /// What it is.
    #[schema(example = "image/png")]
    pub mime_type: &'a str,
    /// How many bytes, without metadata.
    #[schema(example = 2_480_112, minimum = 1)]
    pub size: u64,
    /// How wide it is, the right way up, in pixels.
    #[schema(example = 4000, minimum = 1)]
    pub width: u32,
    /// How high.
    #[schema(example = 3000, minimum = 1)]
    pub height: u32,
}

impl<'a> OriginalView<'a> {
    fn new(source: &'a Source) -> Self {
        let Source { piece, media_type, width, height, .. } = source;
        Self { mime_type: media_type, size: piece.size, width: *width, height: *height }
    }
}

impl<'a> ImageDetailView<'a> {
    /// The view of a picture of a product.
    pub fn new(product: &Product, image: &'a Image, rules: &Rules) -> Self {
        let original = image.picture.as_ref().map(|picture| OriginalView::new(&picture.source));
        Self { image: ImageView::new(product.id, image, rules), original }
    }
}

/// The pictures of a product, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImageList)]
pub struct ImageListView<'a> {
    /// The pictures, at most 10.
    pub items: Vec<ImageDetailView<'a>>,
    /// How many they are.
    #[schema(example = 2, minimum = 0)]
    pub total: usize,
}

impl<'a> ImageListView<'a> {
    /// The view of all pictures of a product.
    pub fn new(product: &'a Product, rules: &Rules) -> Self {
        let items = product.images.iter().map(|image| ImageDetailView::new(product, image, rules));
        Self { items: items.collect(), total: product.images.len() }
    }
}

/// A change of a picture.
#[derive(Debug, ToSchema)]
#[schema(as = ImagePatch)]
pub struct ImagePatchBody {
    /// What it shows, for those who do not see it; nothing with `null`.
    #[schema(example = "A brass lamp on a desk", min_length = 1, max_length = 300, format = "name")]
    pub alt: Option<String>,
}

/// Reads an [`ImagePatchBody`]: what the picture shows, where that is changed.
pub fn image_patch(fields: &mut Fields<'_>) -> Given<String> {
    fields.of_a_change();
    fields.text_or_null("alt")
}

/// An order of pictures.
#[derive(Debug, ToSchema)]
#[schema(as = ImageOrder)]
pub struct ImageOrderBody {
    /// The ids of all pictures of the product, each once.
    #[schema(value_type = std::collections::HashSet<Uuid>, example = json!(["0190f5fe-7c00-7a00-8000-0123456789ab"]), max_items = 10)]
    pub order: Vec<Uuid>,
}

/// Reads an [`ImageOrderBody`].
pub fn image_order(fields: &mut Fields<'_>) -> Option<Vec<ImageId>> {
    let order = fields.uuids("order");
    if order.is_none() && fields.violations.is_empty() {
        fields.violations.missing::<()>("/order");
    }
    Some(order?.into_iter().map(ImageId).collect())
}

/// The `{imageId}` of a path.
#[derive(Debug, Clone, Copy)]
pub struct ImageParam(pub ImageId);

impl FromRequest for ImageParam {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = request.match_info().get("imageId").unwrap_or_default();
        let id = uuid(given).map(|id| Self(ImageId(id)));
        ready(id.ok_or_else(|| Problem::broken(In::Path, "imageId", "uuid", "must be a UUID")))
    }
}

impl IntoParams for ImageParam {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut id = Parameter::new("imageId");
        id.parameter_in = ParameterIn::Path;
        id.description = Some("The picture".to_owned());
        id.schema = serde_json::from_value(json!({ "type": "string", "format": "uuid" })).ok();
        vec![id]
    }
}
