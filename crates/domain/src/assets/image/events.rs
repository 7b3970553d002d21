//! The changes of a product's pictures. To who listens they are changes of the product.

use serde_json::{Value, json};

use crate::{
    catalog::{Image, Product, snapshot},
    event::{Change, Entity},
    id::{ImageId, JobId, ProductId},
};

fn change(action: &'static str, after: &Product, metadata: Value) -> Change {
    let entity = Entity::new("product", after.id);
    Change { action, event: "product.updated", entity, payload: snapshot(after), metadata }
}

pub(super) fn added(after: &Product, image: &Image) -> Change {
    let source = image.picture.as_ref().map(|picture| &picture.source);
    let metadata = json!({
        "imageId": image.id,
        "version": after.version,
        "mediaType": source.map(|source| &source.media_type),
        "size": source.map(|source| source.piece.size),
        "sha256": source.map(|source| source.piece.digest),
    });
    change("product.add_image", after, metadata)
}

pub(super) fn described(after: &Product, image: &Image) -> Change {
    change("product.describe_image", after, json!({ "imageId": image.id, "version": after.version }))
}

pub(super) fn ordered(after: &Product) -> Change {
    let order: Vec<_> = after.images.iter().map(|image| image.id).collect();
    change("product.order_images", after, json!({ "order": order, "version": after.version }))
}

pub(super) fn removed(after: &Product, image: &Image) -> Change {
    change("product.remove_image", after, json!({ "imageId": image.id, "version": after.version }))
}

/// The renditions of one picture were made anew.
pub(super) fn rerendered(id: JobId, kind: &str, product: ProductId, image: ImageId) -> Change {
    let metadata = json!({ "productId": product, "imageId": image });
    job(id, json!({ "jobId": id, "kind": kind, "products": [product] }), metadata)
}

/// A step of that; told also when nothing could be made, so that one sees how far it got.
pub(super) fn step_made(id: JobId, kind: &str, products: usize, made: u64, failed: u64) -> Change {
    let metadata = json!({ "products": products, "made": made, "failed": failed });
    job(id, json!({ "jobId": id, "kind": kind }), metadata)
}

fn job(id: JobId, payload: Value, metadata: Value) -> Change {
    Change { action: "job.rerender", event: "job.rerendered", entity: Entity::new("job", id), payload, metadata }
}
