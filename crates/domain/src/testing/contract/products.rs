//! The write side of products.

use std::time::Duration;

use serde_json::json;

use super::{Harness, begin, fixtures, page};
use crate::{
    Error,
    catalog::{
        Deleted, Product, ProductStatus, Rating, STOCK_MAX, Slug,
        policy::Scope,
        ports::Stored,
        queries::{BySlug, ProductView},
    },
    id::{ProductId, UserId},
    money::Amount,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_product_is_found_again(harness).await;
    an_update_replaces_all_but_stock_and_rating(harness).await;
    a_stale_update_changes_nothing(harness).await;
    slugs_are_unique_and_skus_per_seller(harness).await;
    a_deleted_product_frees_slug_and_sku(harness).await;
    stock_stays_in_its_range(harness).await;
    ratings_add_up(harness).await;
    many_are_found_by_id_and_sku(harness).await;
    a_category_is_emptied(harness).await;
    old_deleted_products_are_purged(harness).await;
    many_are_stored_at_once(harness).await;
    taken_slugs_are_named(harness).await;
    old_slugs_lead_to_the_new(harness).await;
}

async fn find(harness: &impl Harness, id: ProductId) -> Option<Product> {
    begin(harness).await.products().find(id).await.unwrap()
}

async fn change(harness: &impl Harness, before: &Product, with: impl FnOnce(&mut Product)) -> Product {
    let mut after = Product { version: before.version.next(), ..before.clone() };
    with(&mut after);
    let mut tx = begin(harness).await;
    assert_eq!(tx.products().update(&after, before).await.unwrap(), Stored::Yes);
    tx.commit().await.unwrap();
    after
}

async fn delete(harness: &impl Harness, product: &Product, by: UserId) -> Product {
    let at = harness.clock();
    let at = crate::clock::Clock::now(&*at);
    change(harness, product, |p| p.deleted = Some(Deleted { at, by })).await
}

async fn a_product_is_found_again(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let category = given.stored_category(None).await;
    let mut product = given.product(seller);
    product.name = "Größe “Ω” \u{1F98A} 東京".to_owned();
    product.slug = Slug::of(&product.name).with_suffix(product.id.0);
    product.description = "line one\r\n\tline two".to_owned();
    product.category = Some(category.id);
    product.price = Amount(99_999_999_999_999);
    product.stock = STOCK_MAX;
    product.status = ProductStatus::Draft;
    let json = json!({ "z": 1, "a": { "deep": [null, true, "ü", 0.25] }, "empty": {} });
    product.metadata = json.as_object().unwrap().clone();
    product.images = vec![given.image(), given.image(), given.image()];
    product.images[1].alt = None;
    let mut tx = begin(harness).await;
    assert_eq!(tx.products().insert(&mut product).await.unwrap(), Stored::Yes);
    tx.commit().await.unwrap();
    assert_eq!(find(harness, product.id).await, Some(product));
    let bare = given
        .stored_product(seller, |p| {
            p.sku = None;
            p.images.clear();
            p.metadata.clear();
            p.description.clear();
        })
        .await;
    assert_eq!(find(harness, bare.id).await, Some(bare));
    assert_eq!(find(harness, given.shop.id()).await, None);
}

async fn an_update_replaces_all_but_stock_and_rating(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let category = given.stored_category(None).await;
    let before = given.stored_product(seller, |p| p.images = vec![given.image(), given.image()]).await;
    given.clock.advance(Duration::from_secs(1));
    let after = change(harness, &before, |p| {
        p.name = format!("Candle {}", given.serial());
        p.slug = Slug::of(&p.name);
        p.description = "Wax".to_owned();
        p.price = Amount(1);
        p.stock = 77;
        p.rating = Rating { sum: 9, count: 9 };
        p.category = Some(category.id);
        p.sku = None;
        p.status = ProductStatus::Archived;
        p.metadata = json!({ "wick": "cotton" }).as_object().unwrap().clone();
        p.images = vec![p.images[1].clone(), given.image(), p.images[0].clone()];
        p.updated_at = given.shop.now();
    })
    .await;
    let expected = Product { stock: before.stock, rating: before.rating, ..after };
    assert_eq!(find(harness, before.id).await, Some(expected));
}

async fn a_stale_update_changes_nothing(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let first = given.stored_product(seller, |_| ()).await;
    let second = change(harness, &first, |p| p.price = Amount(2000)).await;
    let mut tx = begin(harness).await;
    let late = Product { price: Amount(3000), version: first.version.next(), ..first.clone() };
    assert!(matches!(tx.products().update(&late, &first).await, Err(Error::Stale(_))));
    let unborn = Product { id: given.shop.id(), ..given.product(seller) };
    assert!(matches!(tx.products().update(&unborn, &unborn).await, Err(Error::Stale(_))));
    assert_eq!(tx.products().find(first.id).await.unwrap(), Some(second), "the transaction goes on");
}

async fn slugs_are_unique_and_skus_per_seller(harness: &impl Harness) {
    let given = fixtures(harness);
    let (one, two) = (given.seller().await.seller.unwrap(), given.seller().await.seller.unwrap());
    let first = given.stored_product(one, |_| ()).await;
    let second = given.stored_product(one, |_| ()).await;
    let mut tx = begin(harness).await;
    let same_slug = Product { slug: first.slug.clone(), version: second.version.next(), ..second.clone() };
    assert_eq!(tx.products().update(&same_slug, &second).await.unwrap(), Stored::SlugTaken);
    let same_sku = Product { sku: first.sku.clone(), version: second.version.next(), ..second.clone() };
    assert_eq!(tx.products().update(&same_sku, &second).await.unwrap(), Stored::SkuTaken);
    assert_eq!(tx.products().find(second.id).await.unwrap().as_ref(), Some(&second), "nothing was changed");
    let mut foreign = Product { sku: first.sku.clone(), ..given.product(two) };
    assert_eq!(tx.products().insert(&mut foreign).await.unwrap(), Stored::Yes, "another seller may use the sku");
    for _ in 0..2 {
        let mut without = Product { sku: None, ..given.product(one) };
        assert_eq!(tx.products().insert(&mut without).await.unwrap(), Stored::Yes, "no sku is no sku twice");
    }
    let again = Product { version: first.version.next(), ..first.clone() };
    assert_eq!(tx.products().update(&again, &first).await.unwrap(), Stored::Yes, "one's own slug is free");
    tx.commit().await.unwrap();
}

async fn a_deleted_product_frees_slug_and_sku(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.seller().await;
    let seller = member.seller.unwrap();
    let first = given.stored_product(seller, |_| ()).await;
    let deleted = delete(harness, &first, member.user).await;
    assert_eq!(find(harness, first.id).await.as_ref(), Some(&deleted), "it is still found by its id");
    let heir = given
        .stored_product(seller, |p| {
            p.slug = first.slug.clone();
            p.sku.clone_from(&first.sku);
        })
        .await;
    let mut tx = begin(harness).await;
    let mut back = Product { deleted: None, version: deleted.version.next(), ..deleted.clone() };
    assert_eq!(tx.products().update(&back, &deleted).await.unwrap(), Stored::SkuTaken);
    back.sku = None;
    assert_eq!(tx.products().update(&back, &deleted).await.unwrap(), Stored::SlugTaken);
    back.slug = back.slug.with_suffix(back.id.0);
    assert_eq!(tx.products().update(&back, &deleted).await.unwrap(), Stored::Yes);
    tx.commit().await.unwrap();
    assert_eq!(find(harness, first.id).await, Some(back));
    assert_eq!(find(harness, heir.id).await, Some(heir));
}

async fn stock_stays_in_its_range(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.seller().await;
    let seller = member.seller.unwrap();
    let gone = given.stored_product(seller, |_| ()).await;
    let gone = delete(harness, &gone, member.user).await;
    let product = given.stored_product(seller, |p| p.stock = 10).await;
    given.clock.advance(Duration::from_secs(1));
    let now = given.shop.now();
    let mut tx = begin(harness).await;
    for (delta, expected, answer) in [
        (-10, None, Some(0)),
        (-1, None, None),
        (5, Some(1), None),
        (5, Some(0), Some(5)),
        (STOCK_MAX, None, None),
        (STOCK_MAX - 5, None, Some(STOCK_MAX)),
        (1, None, None),
        (i64::MAX, None, None),
        (i64::MIN, None, None),
        (0, None, Some(STOCK_MAX)),
        (3 - STOCK_MAX, Some(STOCK_MAX), Some(3)),
    ] {
        let got = tx.products().add_stock(product.id, delta, expected, now).await.unwrap();
        assert_eq!(got, answer, "{delta} with {expected:?}");
    }
    assert_eq!(tx.products().add_stock(gone.id, 1, None, now).await.unwrap(), None, "it is deleted");
    assert_eq!(tx.products().add_stock(given.shop.id(), 1, None, now).await.unwrap(), None);
    tx.commit().await.unwrap();
    let after = find(harness, product.id).await.unwrap();
    assert_eq!(after, Product { stock: 3, updated_at: now, ..product }, "the version stays");
}

async fn ratings_add_up(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let product = given.stored_product(seller, |_| ()).await;
    let mut tx = begin(harness).await;
    for (sum, count) in [(5, 1), (2, 1), (-1, 0), (-5, -1)] {
        tx.products().add_rating(product.id, sum, count).await.unwrap();
    }
    tx.commit().await.unwrap();
    let after = find(harness, product.id).await.unwrap();
    assert_eq!((after.rating, after.version), (Rating { sum: 1, count: 1 }, product.version));
}

async fn many_are_found_by_id_and_sku(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.seller().await;
    let (seller, other) = (member.seller.unwrap(), given.seller().await.seller.unwrap());
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(given.stored_product(seller, |p| p.images = vec![given.image(), given.image()]).await);
    }
    let foreign = given.stored_product(other, |p| p.sku.clone_from(&all[0].sku)).await;
    delete(harness, &all[1], member.user).await;
    let mut ids: Vec<_> = all.iter().map(|p| p.id).collect();
    ids.push(given.shop.id());
    let mut tx = begin(harness).await;
    let mut found = tx.products().find_many(&ids).await.unwrap();
    found.sort_by_key(|p| p.sku.clone());
    let mut alive = vec![all[0].clone(), all[2].clone(), all[3].clone()];
    alive.sort_by_key(|p| p.sku.clone());
    assert_eq!(found, alive, "with their pictures, without the deleted");
    assert_eq!(tx.products().find_many(&[]).await.unwrap(), []);
    let skus: Vec<_> = all.iter().filter_map(|p| p.sku.clone()).chain(["no such".to_owned()]).collect();
    let mut found = tx.products().by_sku(seller, &skus).await.unwrap();
    found.sort_by_key(|p| p.sku.clone());
    assert_eq!(found, alive);
    assert_eq!(tx.products().by_sku(other, &skus).await.unwrap(), [foreign]);
    assert_eq!(tx.products().by_sku(seller, &[]).await.unwrap(), []);
}

async fn a_category_is_emptied(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.seller().await;
    let seller = member.seller.unwrap();
    let (from, to) = (given.stored_category(None).await, given.stored_category(None).await);
    let first = given.stored_product(seller, |p| p.category = Some(from.id)).await;
    let gone = given.stored_product(seller, |p| p.category = Some(from.id)).await;
    let gone = delete(harness, &gone, member.user).await;
    let beside = given.stored_product(seller, |p| p.category = Some(to.id)).await;
    given.clock.advance(Duration::from_secs(1));
    let now = given.shop.now();
    let mut tx = begin(harness).await;
    assert!(tx.products().any_in(from.id).await.unwrap());
    assert_eq!(tx.products().move_category(from.id, Some(to.id), now).await.unwrap(), [first.id]);
    assert!(!tx.products().any_in(from.id).await.unwrap());
    tx.categories().delete(from.id).await.unwrap();
    tx.commit().await.unwrap();
    let after = find(harness, first.id).await.unwrap();
    let expected = Product { category: Some(to.id), version: first.version.next(), updated_at: now, ..first };
    assert_eq!(after, expected, "moving is a change like any other");
    assert_eq!(find(harness, gone.id).await.unwrap().category, Some(to.id));
    assert_eq!(find(harness, beside.id).await.as_ref(), Some(&beside));

    let mut tx = begin(harness).await;
    let mut moved = tx.products().move_category(to.id, None, now).await.unwrap();
    moved.sort();
    let mut both = vec![after.id, beside.id];
    both.sort();
    assert_eq!(moved, both);
    assert_eq!(tx.products().find(beside.id).await.unwrap().unwrap().category, None);
}

async fn old_deleted_products_are_purged(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.seller().await;
    let seller = member.seller.unwrap();
    // What other cases deleted lies before: it is out of the way first.
    given.clock.advance(Duration::from_secs(1));
    let mut tx = begin(harness).await;
    tx.products().purge(given.shop.now(), 100_000).await.unwrap();
    tx.commit().await.unwrap();
    let mut old = Vec::new();
    for _ in 0..3 {
        let product = given.stored_product(seller, |p| p.images.push(given.uploaded(p.id))).await;
        let renamed = change(harness, &product, |p| p.slug = p.slug.with_suffix(p.id.0)).await;
        let review = given.stored_review(product.id, 5).await;
        let view = ProductView { product: product.id, user: review.author, at: review.created_at };
        harness.views().store(&[view]).await.unwrap();
        let product = delete(harness, &renamed, member.user).await;
        old.push((product, review.id, review.author));
    }
    given.clock.advance(Duration::from_secs(1));
    let limit = given.shop.now();
    let recent = given.stored_product(seller, |_| ()).await;
    let recent = delete(harness, &recent, member.user).await;
    let alive = given.stored_product(seller, |_| ()).await;

    let mut tx = begin(harness).await;
    let mut purged = tx.products().purge(limit, 2).await.unwrap();
    assert_eq!(purged.len(), 2, "no more than asked for");
    loop {
        let more = tx.products().purge(limit, 2).await.unwrap();
        if more.is_empty() {
            break;
        }
        purged.extend(more);
    }
    tx.commit().await.unwrap();
    // One that another case left may have been held still when the others were purged.
    purged.retain(|gone| old.iter().any(|(product, ..)| product.id == gone.id));
    purged.sort_by_key(|product| product.id);
    let mut expected: Vec<_> = old.iter().map(|(product, ..)| product.clone()).collect();
    expected.sort_by_key(|product| product.id);
    assert_eq!(purged, expected, "as they were, with their pictures");
    for (product, review, viewer) in old {
        assert_eq!(find(harness, product.id).await, None);
        assert_eq!(harness.reviews().get(review).await.unwrap(), None);
        assert_eq!(harness.views().of_user(viewer, page(1, 20)).await.unwrap().total, 0);
    }
    assert_eq!(find(harness, recent.id).await, Some(recent), "deleted at the limit is not before it");
    assert_eq!(find(harness, alive.id).await, Some(alive));
}

async fn many_are_stored_at_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let mut products: Vec<_> = (0..40).map(|_| given.product(seller)).collect();
    products[3].images = vec![given.image(), given.image(), given.image()];
    products[5].images.clear();
    let mut tx = begin(harness).await;
    tx.products().insert_many(&products).await.unwrap();
    tx.products().insert_many(&[]).await.unwrap();
    tx.commit().await.unwrap();
    for product in &products {
        assert_eq!(find(harness, product.id).await.as_ref(), Some(product));
    }
    let fine = given.product(seller);
    let same_sku = Product { sku: products[0].sku.clone(), ..given.product(seller) };
    let mut tx = begin(harness).await;
    let refused = tx.products().insert_many(&[fine.clone(), same_sku]).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    drop(tx);
    let same_slug = Product { slug: products[0].slug.clone(), ..given.product(seller) };
    let mut tx = begin(harness).await;
    let refused = tx.products().insert_many(&[fine.clone(), same_slug]).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    drop(tx);
    assert_eq!(find(harness, fine.id).await, None);
}

async fn taken_slugs_are_named(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.seller().await;
    let seller = member.seller.unwrap();
    let taken = given.stored_product(seller, |_| ()).await;
    let gone = given.stored_product(seller, |_| ()).await;
    delete(harness, &gone, member.user).await;
    let free = given.product(seller);
    let mut tx = begin(harness).await;
    let asked = [taken.slug.clone(), gone.slug, free.slug];
    assert_eq!(tx.products().taken_slugs(&asked).await.unwrap(), [taken.slug]);
    assert_eq!(tx.products().taken_slugs(&[]).await.unwrap(), []);
}

async fn old_slugs_lead_to_the_new(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.seller().await;
    let seller = member.seller.unwrap();
    let first = given.stored_product(seller, |_| ()).await;
    let (a, b, c) = (first.slug.clone(), first.slug.with_suffix(first.id.0), Slug::stored(format!("{}-c", first.slug)));
    let second = change(harness, &first, |p| p.slug = b.clone()).await;
    let third = change(harness, &second, |p| p.slug = c.clone()).await;
    let lookup = async |slug: &Slug| harness.products().by_slug(slug, Scope::Published).await.unwrap();
    for old in [&a, &b] {
        assert_eq!(lookup(old).await, Some(BySlug::Moved(c.clone())));
    }
    let Some(BySlug::Here(detail)) = lookup(&c).await else { panic!("the slug of now leads here") };
    assert_eq!(detail.product, third);
    assert_eq!(lookup(&Slug::stored("no-such-slug-anywhere")).await, None);

    let back = change(harness, &third, |p| p.slug = a.clone()).await;
    assert!(matches!(lookup(&a).await, Some(BySlug::Here(_))), "a slug of now wins over the history");
    assert_eq!(lookup(&c).await, Some(BySlug::Moved(a.clone())));
    let draft = change(harness, &back, |p| p.status = ProductStatus::Draft).await;
    assert_eq!(lookup(&a).await, None);
    assert_eq!(lookup(&c).await, None, "history betrays no draft");
    let own = harness.products().by_slug(&c, Scope::seller(seller)).await.unwrap();
    assert_eq!(own, Some(BySlug::Moved(a.clone())));
    let draft = change(harness, &draft, |p| p.status = ProductStatus::Published).await;
    delete(harness, &draft, member.user).await;
    assert_eq!(lookup(&c).await, None);
    let heir = given.stored_product(seller, |p| p.slug = c.clone()).await;
    let Some(BySlug::Here(detail)) = lookup(&c).await else { panic!("a freed slug can be taken") };
    assert_eq!(detail.product.id, heir.id);
}
