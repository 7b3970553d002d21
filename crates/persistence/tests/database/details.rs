//! Products asked for at the same moment: one statement reads them, and each is told only of its own.

use std::{future::poll_fn, sync::Arc, task::Poll};

use domain::{
    Error,
    catalog::{Product, ProductStatus, policy::Scope, queries::BySlug},
    id::ProductId,
    testing::Fixtures,
};
use souk_persistence::Engine;
use tokio::task::JoinSet;

use crate::{
    harness::{Fresh, migrated},
    on_both,
};

on_both!(
    each_gets_what_it_asked_for,
    who_goes_away_takes_nobody_along,
    who_asks_after_a_commit_sees_it,
    all_are_told_when_the_database_is_away,
);

/// More than one statement takes.
const COUNT: usize = 80;

async fn products(engine: Engine) -> (Fresh, Fixtures, Vec<Product>) {
    let fresh = migrated(engine).await;
    let given = Fixtures::new(fresh.database.store(), Arc::default());
    let seller = given.seller().await.seller.unwrap();
    let mut products = Vec::new();
    for n in 0..COUNT {
        let stored = given.stored_product(seller, |product| {
            product.images = (0..n % 3).map(|_| given.image()).collect();
            product.status = if n % 7 == 0 { ProductStatus::Draft } else { ProductStatus::Published };
        });
        products.push(stored.await);
    }
    for (n, product) in products.iter().enumerate() {
        if n % 5 == 0 {
            given.stored_review(product.id, 4).await;
        }
    }
    (fresh, given, products)
}

async fn each_gets_what_it_asked_for(engine: Engine) {
    let (fresh, given, products) = products(engine).await;
    let queries = fresh.database.products();
    let mut all = JoinSet::new();
    for (n, product) in products.iter().cloned().enumerate() {
        // Some ask twice for the same, some for what is not there, and some may not see it.
        for ask in 0..4 {
            let queries = Arc::clone(&queries);
            let (product, nobody) = (product.clone(), given.shop.id::<ProductId>());
            all.spawn(async move {
                let found = match ask {
                    0 => queries.get(nobody, Scope::All).await.unwrap(),
                    1 => match queries.by_slug(&product.slug, Scope::All).await.unwrap() {
                        Some(BySlug::Here(found)) => Some(*found),
                        _ => None,
                    },
                    2 => queries.get(product.id, Scope::Published).await.unwrap(),
                    _ => queries.get(product.id, Scope::All).await.unwrap(),
                };
                let expected = match ask {
                    0 => false,
                    2 => product.status == ProductStatus::Published,
                    _ => true,
                };
                assert_eq!(found.is_some(), expected);
                if let Some(found) = found {
                    assert_eq!(found.product.id, product.id);
                    assert_eq!(found.product.slug, product.slug);
                    assert_eq!(found.product.images, product.images);
                    assert_eq!(found.reviews.len(), usize::from(n % 5 == 0));
                }
            });
        }
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
}

async fn who_goes_away_takes_nobody_along(engine: Engine) {
    let (fresh, _, products) = products(engine).await;
    let queries = fresh.database.products();
    for rounds in 1..4 {
        // The first to ask, and some of the others, do not wait for the answer.
        let mut asked: Vec<_> = products.iter().map(|product| queries.get(product.id, Scope::All)).collect();
        for one in &mut asked {
            assert!(poll_fn(|context| Poll::Ready(one.as_mut().poll(context).is_pending())).await);
        }
        for _ in 1..rounds {
            tokio::task::yield_now().await;
        }
        for (n, (one, product)) in asked.into_iter().zip(&products).enumerate() {
            if n % 3 != 0 {
                assert_eq!(one.await.unwrap().unwrap().product.id, product.id);
            }
        }
    }
}

async fn who_asks_after_a_commit_sees_it(engine: Engine) {
    let (fresh, given, products) = products(engine).await;
    let (store, queries) = (fresh.database.store(), fresh.database.products());
    let mut all = JoinSet::new();
    let now = given.shop.now();
    for product in products {
        let (store, queries) = (Arc::clone(&store), Arc::clone(&queries));
        all.spawn(async move {
            for _ in 0..5 {
                let mut tx = store.begin().await.unwrap();
                let stock = tx.products().add_stock(product.id, 1, None, now).await.unwrap();
                tx.commit().await.unwrap();
                let found = queries.get(product.id, Scope::All).await.unwrap().unwrap();
                assert_eq!(Some(found.product.stock), stock);
            }
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
}

async fn all_are_told_when_the_database_is_away(engine: Engine) {
    let (fresh, _, products) = products(engine).await;
    let queries = fresh.database.products();
    fresh.database.clone().close().await.unwrap();
    let asked = products.iter().map(|product| queries.get(product.id, Scope::All));
    for answer in futures_util::future::join_all(asked).await {
        assert!(matches!(answer, Err(Error::Unavailable { .. })));
    }
}

#[test]
fn the_question_of_a_runtime_that_ended_is_in_nobodys_way() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let (fresh, _given, products) = first.block_on(products(Engine::Sqlite));
    let queries = fresh.database.products();
    let ended = runtime();
    ended.block_on(async {
        let mut asked = queries.get(products[0].id, Scope::All);
        assert!(poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_pending())).await);
    });
    drop(ended);
    let found = second.block_on(queries.get(products[1].id, Scope::All)).unwrap();
    assert_eq!(found.unwrap().product.id, products[1].id);
}
