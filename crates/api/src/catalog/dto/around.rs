//! What stands around a product as JSON: its pictures and its category.

use std::borrow::Cow;

use domain::{
    assets::image::View,
    catalog::{Image, queries::CategoryRef},
    id::ProductId,
    shop::Rules,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A picture: uploaded, or a link to one elsewhere, of which no more is known than its address.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Image)]
#[serde(rename_all = "camelCase")]
pub struct ImageView<'a> {
    /// Its id.
    pub id: Uuid,
    /// Where it is. Of an uploaded one, a JPEG, or a WebP for those who accept it; what lies there never changes.
    #[schema(example = "https://example.com/lamp.jpg")]
    pub url: Cow<'a, str>,
    /// What it shows.
    pub alt: Option<&'a str>,
    /// Where a small square of it is, when it was uploaded.
    #[schema(
        example = "https://shop.example/media/products/0190f5fe-7c00-7a00-8000-0123456789ab/thumb_V1StGXR8_Z5jdHi6B-myT.jpg?v=1"
    )]
    pub thumbnail_url: Option<String>,
    /// How many bytes lie at `url`, as JPEG.
    #[schema(example = 161_729, minimum = 1)]
    pub size: Option<u64>,
    /// What lies at `url` for those who accept anything.
    #[schema(example = "image/jpeg")]
    pub mime_type: Option<&'static str>,
    /// How wide it is there, in pixels.
    #[schema(example = 1200, minimum = 1)]
    pub width: Option<u32>,
    /// How high.
    #[schema(example = 900, minimum = 1)]
    pub height: Option<u32>,
    /// A blur to show before it is there: a ThumbHash in base64.
    #[schema(example = "1QcSHQRnh493V4dIh4eXh1h4kJUI")]
    pub placeholder: Option<&'a str>,
    /// The colour most of it is near to.
    #[schema(example = "#a08040")]
    pub dominant_colour: Option<&'a str>,
}

impl<'a> ImageView<'a> {
    /// The view of a picture of this product.
    pub fn new(product: ProductId, image: &'a Image, rules: &Rules) -> Self {
        let picture = image.picture.as_deref();
        let thumbnail =
            picture.map(|picture| format!("{}{}", rules.media_url, picture.address(product, View::Thumbnail)));
        Self {
            id: image.id.0,
            url: address(image, rules),
            alt: image.alt.as_deref(),
            thumbnail_url: thumbnail,
            size: picture.map(|picture| picture.main.jpeg.size),
            mime_type: picture.map(|_| "image/jpeg"),
            width: picture.map(|picture| picture.main.width),
            height: picture.map(|picture| picture.main.height),
            placeholder: picture.map(|picture| picture.placeholder.as_str()),
            dominant_colour: picture.map(|picture| picture.colour.as_str()),
        }
    }
}

/// Where a picture is, as anybody reaches it.
pub fn address<'a>(image: &'a Image, rules: &Rules) -> Cow<'a, str> {
    if image.picture.is_some() && !rules.media_url.is_empty() {
        format!("{}{}", rules.media_url, image.url).into()
    } else {
        image.url.as_str().into()
    }
}

/// A category named beside a product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CategoryRef)]
pub struct CategoryRefView<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[schema(example = "Lamps")]
    pub name: &'a str,
    /// Its name in URLs.
    #[schema(example = "lamps")]
    pub slug: &'a str,
}

impl<'a> From<&'a CategoryRef> for CategoryRefView<'a> {
    fn from(category: &'a CategoryRef) -> Self {
        Self { id: category.id.0, name: &category.name, slug: &category.slug }
    }
}
