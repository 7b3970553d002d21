//! What is stored in bulk stands in the tables as what is stored one by one.

use std::sync::Arc;

use domain::{
    catalog::{Image, Product, ports::Stored},
    clock::Timestamp,
    testing::{FakeClock, Fixtures},
};
use serde_json::json;
use souk_persistence::Engine;

use crate::{
    harness::{Fresh, migrated},
    logs::{change, number},
};

crate::on_both!(products_and_pictures_are_the_same, log_rows_are_the_same, nulls_and_types_are_kept);

/// How many different rows a table holds, as far as these columns go.
async fn kinds(fresh: &Fresh, table: &str, columns: &str) -> i64 {
    number(fresh, &format!("SELECT count(*) FROM (SELECT DISTINCT {columns} FROM {table}) AS kinds")).await
}

/// The product with every kind of text and number that JSON writes in a way of its own.
fn odd(product: Product) -> Product {
    let metadata = json!({
        "z": 1, "e": "", "big": u64::MAX, "small": -0.0, "far": 1e300, "exact": 1.10,
        "a": { "deep": [null, true, "ü\n\"", { "k\"ey": [] }] }
    });
    let picture = |image: Image| Image { url: "https://a.example/1?a='b'&c=\"d\"".to_owned(), ..image };
    Product {
        name: "Größe \u{1}\u{7f} \"Ω\" \\ / \u{1F98A} 東京".to_owned(),
        description: "line one\r\n\tline two".to_owned(),
        metadata: metadata.as_object().unwrap().clone(),
        images: product.images.into_iter().take(1).map(picture).collect(),
        ..product
    }
}

async fn products_and_pictures_are_the_same(engine: Engine) {
    let fresh = migrated(engine).await;
    // Moments with no, three and six digits behind the second.
    for (n, micros) in [0, 123_000, 123_456].into_iter().enumerate() {
        let clock = Arc::new(FakeClock::at(Timestamp::from_timestamp_micros(1_767_323_045_000_000 + micros).unwrap()));
        let given = Fixtures::new(fresh.database.store(), clock);
        let seller = given.seller().await.seller.unwrap();
        let mut new: Vec<_> =
            (0..3).map(|_| odd(Product { images: vec![given.image()], ..given.product(seller) })).collect();
        let mut tx = given.tx().await;
        assert_eq!(tx.products().insert(&mut new[0]).await.unwrap(), Stored::Yes);
        tx.products().insert_many(&new[1..]).await.unwrap();
        tx.commit().await.unwrap();
        let n = i64::try_from(n).unwrap() + 1;
        let columns = "category_id, name, description, price_minor, stock, status, metadata, search_text, rating_sum, \
                       rating_count, version, created_at, updated_at, deleted_at, deleted_by, seller_id";
        assert_eq!(kinds(&fresh, "products", columns).await, n);
        assert_eq!(kinds(&fresh, "product_images", "url, alt, position").await, 1);
        assert_eq!(number(&fresh, "SELECT count(*) FROM product_images").await, 3 * n);
        let given_back = given.tx().await.products().find(new[2].id).await.unwrap();
        assert_eq!(given_back.as_ref(), Some(&new[2]));
    }
}

async fn log_rows_are_the_same(engine: Engine) {
    let fresh = migrated(engine).await;
    let given = Fixtures::new(fresh.database.store(), Arc::default());
    let (user, shop) = (given.shop.id::<domain::id::UserId>(), &given.shop);
    // One change takes another way on PostgreSQL than two.
    for many in [1, 2] {
        let mut tx = given.tx().await;
        for _ in 0..many {
            shop.record(&mut *tx, Some(user), change(user.0)).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    let audit = "actor_id, action, entity_type, entity_id, metadata, created_at";
    assert_eq!(kinds(&fresh, "audit_logs", audit).await, 1);
    let event = "actor_id, kind, entity_type, entity_id, payload, occurred_at, seq, failure";
    assert_eq!(kinds(&fresh, "events", event).await, 1);
    assert_eq!(number(&fresh, "SELECT count(*) FROM events e JOIN audit_logs a ON a.id = e.id").await, 3);
}

async fn nulls_and_types_are_kept(engine: Engine) {
    let fresh = migrated(engine).await;
    let given = Fixtures::new(fresh.database.store(), Arc::default());
    let seller = given.seller().await.seller.unwrap();
    let bare = |mut product: Product| {
        (product.sku, product.category) = (None, None);
        product.images.clear();
        product.metadata.clear();
        product
    };
    let mut tx = given.tx().await;
    tx.products().insert_many(&[bare(given.product(seller)), bare(given.product(seller))]).await.unwrap();
    tx.commit().await.unwrap();
    let id = given.shop.id::<domain::id::UserId>();
    let mut tx = given.tx().await;
    given.shop.record(&mut *tx, None, change(id.0)).await.unwrap();
    given.shop.record(&mut *tx, None, change(id.0)).await.unwrap();
    tx.commit().await.unwrap();
    let these = "sku IS NULL AND category_id IS NULL AND deleted_at IS NULL AND deleted_by IS NULL";
    assert_eq!(number(&fresh, &format!("SELECT count(*) FROM products WHERE {these}")).await, 2);
    assert_eq!(number(&fresh, "SELECT count(*) FROM events WHERE actor_id IS NULL AND seq IS NULL").await, 2);
    if engine == Engine::Sqlite {
        let typed = "typeof(id) = 'blob' AND length(id) = 16 AND typeof(seller_id) = 'blob' AND typeof(price_minor) = 'integer' \
                     AND metadata = '{}' AND created_at = '2026-01-02T03:04:05+00:00'";
        assert_eq!(number(&fresh, &format!("SELECT count(*) FROM products WHERE {typed}")).await, 2);
    }
}
