//! What is kept of uploaded pictures.

use super::{Harness, begin, fixtures};
use crate::{
    assets::image::Key,
    catalog::{Deleted, Product, policy::Scope},
    id::ProductId,
    testing::Fixtures,
};

/// Runs every case.
pub async fn run(harness: &impl Harness) {
    what_is_kept_of_a_picture_is_read_with_its_product(harness).await;
    a_picture_is_found_by_its_key(harness).await;
    products_with_older_pictures_are_named_in_order(harness).await;
    held_products_may_be_changed(harness).await;
}

async fn with_pictures(given: &Fixtures, recipes: &[&str]) -> Product {
    let seller = given.seller().await.seller.unwrap();
    given
        .stored_product(seller, |product| {
            let uploaded = recipes.iter().map(|recipe| {
                let mut image = given.uploaded(product.id);
                if let Some(picture) = &mut image.picture {
                    picture.recipe = (*recipe).to_owned();
                }
                image
            });
            product.images.extend(uploaded);
        })
        .await
}

async fn what_is_kept_of_a_picture_is_read_with_its_product(harness: &impl Harness) {
    let given = fixtures(harness);
    let product = with_pictures(&given, &["a", "b"]).await;
    assert_eq!(product.images.iter().filter(|image| image.picture.is_some()).count(), 2);
    let mut tx = begin(harness).await;
    assert_eq!(tx.products().find(product.id).await.unwrap(), Some(product.clone()));
    assert_eq!(tx.products().find_many(&[product.id]).await.unwrap(), std::slice::from_ref(&product));
    let mut after = product.clone();
    after.images.reverse();
    after.version = after.version.next();
    tx.products().update(&after, &product).await.unwrap();
    tx.commit().await.unwrap();
    let read = harness.products().get(product.id, Scope::Published).await.unwrap().unwrap();
    assert_eq!(read.product.images, after.images);
    let exported = harness.export().next(Some(product.seller), None, 10).await.unwrap();
    assert_eq!(exported, [after.clone()]);
    let mut tx = begin(harness).await;
    let many = Product { slug: after.slug.with_suffix(given.shop.id()), sku: None, id: given.shop.id(), ..after };
    tx.products().insert_many(std::slice::from_ref(&many)).await.unwrap();
    assert_eq!(tx.products().find(many.id).await.unwrap().map(|product| product.images), Some(many.images));
}

async fn a_picture_is_found_by_its_key(harness: &impl Harness) {
    let given = fixtures(harness);
    let product = with_pictures(&given, &["a", "b"]).await;
    let pictures = harness.pictures();
    for image in &product.images {
        let Some(picture) = &image.picture else { continue };
        assert_eq!(pictures.find(product.id, &picture.key).await.unwrap().as_ref(), Some(&**picture));
        assert_eq!(pictures.find(given.shop.id(), &picture.key).await.unwrap(), None);
    }
    assert_eq!(pictures.find(product.id, &Key::new(&*given.shop.entropy)).await.unwrap(), None);
    let key = product.images.iter().find_map(|image| image.picture.as_ref()).unwrap().key.clone();
    let by = given.person(crate::permission::Role::Admin).await.user;
    let mut tx = begin(harness).await;
    let deleted = Some(Deleted { at: given.shop.now(), by });
    let gone = Product { deleted, version: product.version.next(), ..product.clone() };
    tx.products().update(&gone, &product).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(pictures.find(product.id, &key).await.unwrap(), None, "its product is deleted");
}

async fn products_with_older_pictures_are_named_in_order(harness: &impl Harness) {
    let given = fixtures(harness);
    let recipe = format!("recipe {}", given.serial());
    let (mut outdated, mut others) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        outdated.push(with_pictures(&given, &[&recipe, "older"]).await.id);
        others.push(with_pictures(&given, &[&recipe, &recipe]).await.id);
        others.push(with_pictures(&given, &[]).await.id);
    }
    let (pictures, mut found) = (harness.pictures(), Vec::<ProductId>::new());
    loop {
        let page = pictures.outdated(&recipe, found.last().copied(), 2).await.unwrap();
        assert!(page.len() <= 2, "no more than asked for");
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    assert!(found.is_sorted(), "{found:?}");
    assert!(outdated.iter().all(|id| found.contains(id)), "{found:?}");
    assert!(!others.iter().any(|id| found.contains(id)), "{found:?}");
}

async fn held_products_may_be_changed(harness: &impl Harness) {
    let given = fixtures(harness);
    let product = with_pictures(&given, &["a"]).await;
    let mut tx = begin(harness).await;
    tx.products().hold(product.id).await.unwrap();
    tx.products().hold(given.shop.id()).await.unwrap();
    let mut after = product.clone();
    after.images.clear();
    after.version = after.version.next();
    tx.products().update(&after, &product).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = begin(harness).await;
    assert_eq!(tx.products().find(product.id).await.unwrap(), Some(after));
}
