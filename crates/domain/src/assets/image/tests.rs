//! Pictures from upload to their end.

use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::{
    Error, Principal,
    assets::{
        Digest, Holder, Quotas, Storeroom,
        ports::{BlobQueries, Held},
    },
    catalog::{IMAGES_MAX, Image, Product, ProductPatch, Version, delete_product, purge_products, update_product},
    id::ProductId,
    idempotency::{Key as OnceKey, Once, Reply},
    job::{
        StoredJob,
        ports::{JobFilter, JobQueries},
    },
    page::{Limit, PageRequest},
    testing::{Fixtures, MemoryBlobs, PlainImaging, memory::MemoryStore},
};

struct Shelf {
    given: Fixtures,
    store: MemoryStore,
    gallery: Gallery,
    owner: Principal,
    product: ProductId,
}

impl Shelf {
    async fn new() -> Self {
        let (given, store) = Fixtures::in_memory();
        let room = Storeroom { blobs: Arc::new(MemoryBlobs::default()), index: Arc::new(store.clone()) };
        let gallery = Gallery {
            room,
            imaging: Arc::new(PlainImaging::default()),
            queries: Arc::new(store.clone()),
            quotas: Quotas::default(),
        };
        let owner = given.seller().await;
        let product = given.stored_product(owner.seller.unwrap(), |product| product.images.clear()).await.id;
        Self { given, store, gallery, owner, product }
    }

    fn now(&self) -> Product {
        self.store.product(self.product).unwrap()
    }

    async fn upload(&self, file: &[u8]) -> crate::Result<Image> {
        let new = NewImage { file: Bytes::copy_from_slice(file), said: None, alt: Some("A lamp".to_owned()) };
        let by = self.given.authorized(&self.owner);
        let done = upload_image(&self.given.shop, &self.gallery, by, self.product, new, &Once::always()).await?;
        Ok(done.fresh().unwrap().image)
    }

    async fn held(&self, digest: Digest) -> Option<Held> {
        BlobQueries::find(&self.store, &digest).await.unwrap().filter(|held| held.references > 0)
    }

    async fn usage(&self) -> u64 {
        BlobQueries::usage(&self.store, Holder::Seller(self.owner.seller.unwrap())).await.unwrap()
    }

    async fn pieces_held(&self, picture: &Picture) -> usize {
        let mut count = 0;
        for piece in picture.shown().into_iter().chain([picture.source.piece]) {
            count += usize::from(self.held(piece.digest).await.is_some());
        }
        count
    }

    async fn steps(&self) -> Vec<StoredJob> {
        let filter = JobFilter { state: None, kind: Some("rerender_images".to_owned()) };
        let page = PageRequest { page: 1, limit: Limit::new(100).unwrap() };
        JobQueries::list(&self.store, &filter, page).await.unwrap().items
    }
}

const FILE: &[u8] = b"\xff\xd8\xff a lamp";

#[tokio::test]
async fn an_uploaded_picture_is_stored_held_counted_and_told() {
    let shelf = Shelf::new().await;
    let image = shelf.upload(FILE).await.unwrap();
    let product = shelf.now();
    assert_eq!((product.images.as_slice(), product.version), (std::slice::from_ref(&image), Version(2)));
    let picture = image.picture.clone().unwrap();
    assert_eq!(image.url, format!("/media/products/{}/{}.jpg?v=1", product.id, picture.key));
    assert_eq!((picture.main.width, picture.thumbnail.width, picture.source.width), (1200, 300, 2400));
    for piece in picture.shown() {
        let held = shelf.held(piece.digest).await.unwrap();
        assert_eq!((held.references, held.public, held.size), (1, 1, piece.size));
    }
    let source = shelf.held(picture.source.piece.digest).await.unwrap();
    assert_eq!((source.references, source.public), (1, 0), "what was uploaded is shown to nobody");
    assert_eq!(shelf.usage().await, picture.bytes());
    assert_eq!(shelf.store.traces(), [("product.add_image".to_owned(), "product.updated".to_owned())]);
    let found = shelf.gallery.queries.find(product.id, &picture.key).await.unwrap();
    assert_eq!(found, Some(*picture));
}

#[tokio::test]
async fn what_is_no_picture_leaves_nothing() {
    let shelf = Shelf::new().await;
    let refused = |error: Error| match error {
        Error::Invalid(violations) => violations.iter().map(|one| (one.field.clone(), one.message.clone())).collect(),
        other => vec![(String::new(), other.to_string())],
    };
    let faults = refused(shelf.upload(b"<svg>").await.unwrap_err());
    assert!(faults[0].0 == "/file" && faults[0].1.starts_with("File must be an image"), "{faults:?}");
    let mut large = FILE.to_vec();
    large.resize(FILE_MAX - 1, 0);
    assert!(shelf.upload(&large).await.is_ok(), "one byte less than 10 MB");
    large.push(0);
    assert_eq!(refused(shelf.upload(&large).await.unwrap_err())[0].1, "File size must be less than 10MB");
    let said = |said: &str| NewImage { file: Bytes::from_static(FILE), said: Some(said.to_owned()), alt: None };
    for (kind, taken) in [
        ("image/png", false),
        ("text/html", false),
        ("image/jpeg", true),
        ("image/jpg", true),
        ("IMAGE/JPEG; q=1", true),
        ("application/octet-stream", true),
    ] {
        let by = shelf.given.authorized(&shelf.owner);
        let (shop, gallery) = (&shelf.given.shop, &shelf.gallery);
        let done = upload_image(shop, gallery, by, shelf.product, said(kind), &Once::always()).await;
        assert_eq!(done.is_ok(), taken, "{kind}");
    }
    let long = NewImage { alt: Some("x".repeat(301)), ..said("image/jpeg") };
    let by = shelf.given.authorized(&shelf.owner);
    let done = upload_image(&shelf.given.shop, &shelf.gallery, by, shelf.product, long, &Once::always()).await;
    assert_eq!(refused(done.unwrap_err())[0].0, "/alt");
    assert_eq!(shelf.now().images.len(), 5, "those that were taken");
}

#[tokio::test]
async fn only_who_may_change_the_product_adds_to_it_and_not_without_end() {
    let shelf = Shelf::new().await;
    let stranger = shelf.given.seller().await;
    let by = shelf.given.authorized(&stranger);
    let refused = may_upload(&shelf.given.shop, &by, shelf.product).await.unwrap_err();
    assert_eq!(refused.to_string(), "You cannot edit this product");
    assert!(matches!(may_upload(&shelf.given.shop, &by, shelf.given.shop.id()).await, Err(Error::NotFound("Product"))));
    for n in 0..IMAGES_MAX {
        shelf.upload(format!("\u{0}{n}").as_bytes()).await.unwrap_err();
        shelf.upload(&[FILE, &[u8::try_from(n).unwrap()]].concat()).await.unwrap();
    }
    assert!(matches!(shelf.upload(FILE).await, Err(Error::Conflict(_))));
    let by = shelf.given.authorized(&shelf.owner);
    assert!(matches!(may_upload(&shelf.given.shop, &by, shelf.product).await, Err(Error::Conflict(_))));
    delete_product(&shelf.given.shop, shelf.given.authorized(&shelf.owner), shelf.product, None).await.unwrap();
    assert!(matches!(may_upload(&shelf.given.shop, &by, shelf.product).await, Err(Error::NotFound("Product"))));
}

#[tokio::test]
async fn a_seller_account_keeps_no_more_than_it_may() {
    let mut shelf = Shelf::new().await;
    let first = shelf.upload(FILE).await.unwrap().picture.unwrap().bytes();
    shelf.gallery.quotas = Quotas { seller: first + 10, ..Quotas::default() };
    assert!(matches!(shelf.upload(b"\xff\xd8\xff another").await, Err(Error::TooLarge(_))));
    assert_eq!((shelf.usage().await, shelf.now().images.len()), (first, 1));
}

#[tokio::test]
async fn a_key_uploads_once() {
    let shelf = Shelf::new().await;
    let key =
        OnceKey { actor: Some(shelf.owner.user), operation: "upload_image", key: "k".into(), fingerprint: [1; 32] };
    let render =
        |done: &Uploaded| Reply { status: 201, headers: Vec::new(), body: done.image.url.clone().into_bytes() };
    let once = Once { key: Some(key), render: &render };
    let new = NewImage { file: Bytes::from_static(FILE), said: None, alt: None };
    for first in [true, false] {
        let by = shelf.given.authorized(&shelf.owner);
        let done =
            upload_image(&shelf.given.shop, &shelf.gallery, by, shelf.product, new.clone(), &once).await.unwrap();
        assert_eq!(done.fresh().is_some(), first);
    }
    assert_eq!(shelf.now().images.len(), 1);
}

#[tokio::test]
async fn pictures_are_described_ordered_and_deleted_and_their_bytes_let_go() {
    let shelf = Shelf::new().await;
    let (shop, by) = (&shelf.given.shop, || shelf.given.authorized(&shelf.owner));
    let one = shelf.upload(FILE).await.unwrap();
    let two = shelf.upload(b"\xff\xd8\xff two").await.unwrap();
    let both = shelf.usage().await;
    describe_image(shop, by(), shelf.product, two.id, Some("Two".to_owned()), None).await.unwrap();
    let after = order_images(shop, by(), shelf.product, &[two.id, one.id], None).await.unwrap();
    let shown: Vec<_> = after.images.iter().map(|image| (image.id, image.alt.as_deref())).collect();
    assert_eq!(shown, [(two.id, Some("Two")), (one.id, Some("A lamp"))]);
    for wrong in [&[one.id][..], &[one.id, one.id], &[one.id, two.id, shop.id()]] {
        assert!(matches!(order_images(shop, by(), shelf.product, wrong, None).await, Err(Error::Invalid(_))));
    }
    let stale = delete_image(shop, by(), shelf.product, one.id, Some(&[Version(1)])).await;
    assert!(matches!(stale, Err(Error::Stale(_))));
    delete_image(shop, by(), shelf.product, one.id, Some(&[after.version])).await.unwrap();
    assert!(matches!(delete_image(shop, by(), shelf.product, one.id, None).await, Err(Error::NotFound("Image"))));
    let gone = one.picture.unwrap();
    assert_eq!((shelf.pieces_held(&gone).await, shelf.usage().await), (0, both - gone.bytes()));
    assert_eq!(shelf.gallery.queries.find(shelf.product, &gone.key).await.unwrap(), None);
    let told: Vec<_> = shelf.store.traces().into_iter().map(|(action, _)| action).collect();
    let expected = ["add_image", "add_image", "describe_image", "order_images", "remove_image"];
    assert_eq!(told, expected.map(|action| format!("product.{action}")));
}

#[tokio::test]
async fn the_list_of_a_product_names_uploaded_pictures_by_their_address() {
    let shelf = Shelf::new().await;
    let one = shelf.upload(FILE).await.unwrap();
    let two = shelf.upload(b"\xff\xd8\xff two").await.unwrap();
    let patch = |urls: &[String]| {
        let mut patch = ProductPatch::default();
        patch.images(urls.to_vec(), &mut crate::Violations::default());
        let by = shelf.given.authorized(&shelf.owner);
        let shop = &shelf.given.shop;
        async move { update_product(shop, by, shelf.product, patch, None).await }
    };
    let link = "https://example.com/lamp.jpg".to_owned();
    let elsewhere = format!("https://cdn.example{}", two.url.replace("?v=1", "?v=7"));
    let after = patch(&[link.clone(), elsewhere, one.url.clone()]).await.unwrap();
    assert_eq!(after.images[1..], [two.clone(), one.clone()], "what is known of them stays");
    let kept = after.images[0].id;
    let after = patch(&[one.url.clone(), link.clone()]).await.unwrap();
    assert_eq!((after.images[0].clone(), after.images[1].id), (one.clone(), kept));
    let (one, two) = (one.picture.unwrap(), two.picture.unwrap());
    assert_eq!((shelf.pieces_held(&one).await, shelf.pieces_held(&two).await), (5, 0), "what is left out is let go");
    for wrong in [
        vec![two.address(shelf.product, View::Main)],
        vec![one.address(shelf.product, View::Main), one.address(shelf.product, View::Main)],
        vec![one.address(shelf.given.shop.id(), View::Main)],
    ] {
        assert!(matches!(patch(&wrong).await, Err(Error::Invalid(_))), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_purged_product_leaves_no_bytes_held() {
    let shelf = Shelf::new().await;
    let picture = shelf.upload(FILE).await.unwrap().picture.unwrap();
    delete_product(&shelf.given.shop, shelf.given.authorized(&shelf.owner), shelf.product, None).await.unwrap();
    assert_eq!(shelf.pieces_held(&picture).await, 5, "it may be restored");
    assert_eq!(shelf.gallery.queries.find(shelf.product, &picture.key).await.unwrap(), None);
    let keep = std::time::Duration::from_hours(1);
    shelf.given.clock.advance(keep + std::time::Duration::from_secs(1));
    assert_eq!(purge_products(&shelf.given.shop, keep).await.unwrap(), 1);
    assert_eq!((shelf.pieces_held(&picture).await, shelf.usage().await), (0, 0));
}

#[tokio::test]
async fn other_settings_make_every_picture_anew_once() {
    let mut shelf = Shelf::new().await;
    let before = shelf.upload(FILE).await.unwrap();
    shelf.upload(b"\xff\xd8\xff two").await.unwrap();
    let version = shelf.now().version;
    rerender_images(&shelf.given.shop, &shelf.gallery, &RerenderImages::default(), shelf.given.shop.id())
        .await
        .unwrap();
    assert_eq!((shelf.now().images[0].clone(), shelf.steps().await.len()), (before.clone(), 0), "nothing is older");
    shelf.gallery.imaging = Arc::new(PlainImaging { recipe: "smaller".to_owned() });
    let job = shelf.given.shop.id();
    for _ in 0..2 {
        rerender_images(&shelf.given.shop, &shelf.gallery, &RerenderImages::default(), job).await.unwrap();
    }
    let product = shelf.now();
    assert_eq!(product.version, version, "nobody changed it");
    let (old, new) = (before.picture.unwrap(), product.images[0].picture.clone().unwrap());
    assert_eq!((&new.key, new.revision, new.recipe.as_str(), &new.source), (&old.key, 2, "smaller", &old.source));
    assert_eq!(product.images[0].url, new.address(product.id, View::Main));
    assert_eq!((shelf.pieces_held(&old).await, shelf.pieces_held(&new).await), (1, 5), "the source is the same");
    let bytes: u64 = product.images.iter().filter_map(|image| image.picture.as_ref()).map(|one| one.bytes()).sum();
    assert_eq!(shelf.usage().await, bytes);
    let told = shelf.store.traces().into_iter().filter(|(_, event)| event == "job.rerendered").count();
    assert_eq!(told, 3, "two pictures and the step");
    let [next] = <[StoredJob; 1]>::try_from(shelf.steps().await).unwrap();
    let next: RerenderImages = serde_json::from_value(next.payload).unwrap();
    assert_eq!(next.after, Some(product.id));
    rerender_images(&shelf.given.shop, &shelf.gallery, &next, shelf.given.shop.id()).await.unwrap();
    assert_eq!(shelf.steps().await.len(), 1, "behind the last product the walk ends");
}
