//! Files of products, and who was granted them.

use std::time::Duration;

use super::{Harness, begin, fixtures, page};
use crate::{
    assets::{
        Digest, Edition, Kept, Place, Stored,
        files::{FileName, Grant, MediaType, NewFile, ProductFile, ports::FoundFile},
        ports::Reach,
    },
    catalog::{Deleted, Product, ProductStatus},
    id::UserId,
    permission::Role,
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_file_reads_back_as_it_was_stored(harness).await;
    files_of_a_product_are_listed_the_newest_first(harness).await;
    files_of_deleted_products_are_found(harness).await;
    downloads_add_up(harness).await;
    a_grant_is_given_once_and_taken_back(harness).await;
}

/// A stored file of this product, whose bytes somebody holds.
async fn stored(harness: &impl Harness, given: &Fixtures, of: &Product, by: UserId, reach: Reach) -> ProductFile {
    let now = given.shop.now();
    let digest = Digest::of(format!("file {}", given.serial()).as_bytes());
    let told = NewFile {
        name: FileName::new("Bauplan 模型.3mf").unwrap(),
        media_type: MediaType::new("model/3mf").unwrap(),
        licence: (reach == Reach::Private).then(|| "For yourself alone.\n".to_owned()),
        reach,
    };
    let file = ProductFile {
        id: given.shop.id(),
        product: of.id,
        seller: of.seller,
        uploaded_by: by,
        digest,
        size: 1 << 40,
        told,
        downloads: 0,
        created_at: now,
    };
    let mut tx = begin(harness).await;
    let edition = tx.blobs().claim(&Stored { digest, size: file.size }, Edition(1), now).await.unwrap();
    let kept = Kept { place: Place { digest, edition }, size: file.size };
    tx.blobs().hold(&kept, reach).await.unwrap();
    tx.files().insert(&file).await.unwrap();
    tx.commit().await.unwrap();
    given.clock.advance(Duration::from_millis(2));
    file
}

async fn product(given: &Fixtures) -> (Product, UserId) {
    let owner = given.seller().await;
    (given.stored_product(owner.seller.unwrap(), |_| ()).await, owner.user)
}

async fn a_file_reads_back_as_it_was_stored(harness: &impl Harness) {
    let given = fixtures(harness);
    let (product, owner) = product(&given).await;
    for reach in [Reach::Private, Reach::Public] {
        let file = stored(harness, &given, &product, owner, reach).await;
        let found = FoundFile { file: file.clone(), product: Some(ProductStatus::Published) };
        assert_eq!(harness.files().get(file.id).await.unwrap(), Some(found));
        let mut tx = begin(harness).await;
        assert_eq!(tx.files().find(file.id).await.unwrap(), Some(file.clone()));
        tx.files().delete(file.id).await.unwrap();
        assert_eq!(tx.files().find(file.id).await.unwrap(), None);
        tx.commit().await.unwrap();
        assert_eq!(harness.files().get(file.id).await.unwrap(), None);
    }
}

async fn files_of_a_product_are_listed_the_newest_first(harness: &impl Harness) {
    let given = fixtures(harness);
    let (product, owner) = product(&given).await;
    let mut all = Vec::new();
    for reach in [Reach::Private, Reach::Public, Reach::Private] {
        all.insert(0, stored(harness, &given, &product, owner, reach).await);
    }
    let listed = harness.files().list(product.id, true, page(1, 2)).await.unwrap();
    assert_eq!((listed.total, listed.items.as_slice()), (3, &all[..2]));
    let shown = harness.files().list(product.id, false, page(1, 2)).await.unwrap();
    assert_eq!((shown.total, shown.items.as_slice()), (1, &all[1..2]));
}

async fn files_of_deleted_products_are_found(harness: &impl Harness) {
    let given = fixtures(harness);
    let (product, owner) = product(&given).await;
    let file = stored(harness, &given, &product, owner, Reach::Private).await;
    let now = given.shop.now();
    let due = async |before| {
        let mut tx = begin(harness).await;
        let found = tx.files().of_deleted(before, 1000).await.unwrap();
        tx.rollback().await.unwrap();
        found.contains(&file)
    };
    assert!(!due(now + Duration::from_hours(1)).await, "its product is there");
    let mut tx = begin(harness).await;
    let mut gone = product.clone();
    gone.deleted = Some(Deleted { at: now, by: owner });
    gone.version = product.version.next();
    tx.products().update(&gone, &product).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!due(now).await);
    assert!(due(now + Duration::from_micros(1)).await);
    let found = harness.files().get(file.id).await.unwrap().unwrap();
    assert_eq!(found.product, None);
    let mut tx = begin(harness).await;
    let purged = tx.products().purge(now + Duration::from_micros(1), 1000).await.unwrap();
    assert!(!purged.iter().any(|gone| gone.id == product.id), "a product with files is not purged");
    tx.files().delete(file.id).await.unwrap();
    let purged = tx.products().purge(now + Duration::from_micros(1), 1000).await.unwrap();
    assert!(purged.iter().any(|gone| gone.id == product.id));
    tx.rollback().await.unwrap();
}

async fn downloads_add_up(harness: &impl Harness) {
    let given = fixtures(harness);
    let (product, owner) = product(&given).await;
    let file = stored(harness, &given, &product, owner, Reach::Public).await;
    let nobody = given.shop.id();
    harness.files().downloaded(&[(file.id, 2), (nobody, 1)]).await.unwrap();
    harness.files().downloaded(&[(file.id, 3)]).await.unwrap();
    assert_eq!(harness.files().get(file.id).await.unwrap().unwrap().file.downloads, 5);
}

async fn a_grant_is_given_once_and_taken_back(harness: &impl Harness) {
    let given = fixtures(harness);
    let (product, owner) = product(&given).await;
    let mut all = Vec::new();
    for by in [Some(owner), None] {
        let user = given.person(Role::User).await.user;
        let grant = Grant { id: given.shop.id(), product: product.id, user, by, created_at: given.shop.now() };
        assert_eq!(harness.files().grant_of(product.id, user).await.unwrap(), None);
        let mut tx = begin(harness).await;
        assert!(tx.grants().insert(&grant).await.unwrap());
        assert!(!tx.grants().insert(&Grant { id: given.shop.id(), ..grant }).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(harness.files().grant_of(product.id, user).await.unwrap(), Some(grant.id));
        given.clock.advance(Duration::from_millis(2));
        all.insert(0, grant);
    }
    let listed = harness.files().grants(product.id, page(1, 10)).await.unwrap();
    assert_eq!((listed.total, listed.items), (2, all.clone()));
    let mut tx = begin(harness).await;
    assert_eq!(tx.grants().remove(product.id, all[0].user).await.unwrap(), Some(all[0]));
    assert_eq!(tx.grants().remove(product.id, all[0].user).await.unwrap(), None);
    tx.commit().await.unwrap();
    assert_eq!(harness.files().grant_of(product.id, all[0].user).await.unwrap(), None);
}
