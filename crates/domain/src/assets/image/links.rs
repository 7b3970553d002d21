//! A product's list of pictures, written down by addresses.

use super::{View, picture::is_address};
use crate::{
    catalog::Image,
    error::{Result, Violations},
    id::{ImageId, ProductId},
    shop::Shop,
};

/// The pictures that these addresses mean: those the product has already, with what is known of them, and links to others.
///
/// # Errors
/// [`crate::Error::Invalid`] when an address is that of an uploaded picture that the product does not have.
pub(crate) fn linked(shop: &Shop, product: ProductId, before: &[Image], urls: &[String]) -> Result<Vec<Image>> {
    let mut left: Vec<&Image> = before.iter().collect();
    let mut images = Vec::with_capacity(urls.len());
    let mut violations = Violations::default();
    for (place, url) in urls.iter().enumerate() {
        if let Some(known) = left.iter().position(|image| is_at(image, product, url)) {
            images.push(left.remove(known).clone());
        } else if is_address(url) {
            let message = "is no picture of this product, or named twice; upload one by POST to its /images";
            violations.add(format!("/images/{place}"), "uploaded", message);
        } else {
            images.push(Image { id: shop.id::<ImageId>(), url: url.clone(), alt: None, picture: None });
        }
    }
    if violations.is_empty() { Ok(images) } else { Err(violations.into()) }
}

/// Whether the address means this picture. That of an uploaded one may have any origin and any revision.
fn is_at(image: &Image, product: ProductId, url: &str) -> bool {
    let Some(picture) = &image.picture else { return image.url == url };
    let without = url.split('?').next().unwrap_or_default();
    let origin = without.strip_suffix(picture.path(product, View::Main).as_str());
    origin.is_some_and(|origin| origin.is_empty() || origin.starts_with("http://") || origin.starts_with("https://"))
}
