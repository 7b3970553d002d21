//! Every combination of filters, compared with the store in memory, which is the meaning of each.

use std::{sync::Arc, time::Duration};

use super::{Harness, fixtures, page};
use crate::{
    Store,
    catalog::{
        Category, Product, ProductStatus,
        policy::Scope,
        ports::{ProductQueries, Stored},
        queries::{Order, ProductFilter, ProductSort, SortBy},
    },
    id::SellerId,
    money::Amount,
    page::Limit,
    testing::{Fixtures, memory::MemoryStore},
    text::Search,
};

const WORDS: [&str; 6] = ["café crème", "blue-green glaze", "東京 print", "Ångström 3.5", "naïve art", "o’clock"];
const SEARCHES: [Option<&str>; 9] = [
    None,
    Some("cafe"),
    Some("CREME caf"),
    Some("green"),
    Some("東"),
    Some("ang 3"),
    Some("art naive"),
    Some("o clock"),
    Some("zzz"),
];

const SETS: [&[ProductStatus]; 4] = [
    &[ProductStatus::Published],
    &[ProductStatus::Draft],
    &[ProductStatus::Draft, ProductStatus::Archived],
    &ProductStatus::ALL,
];

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    let given = fixtures(harness);
    let (one, two) = (given.seller().await.seller, given.seller().await.seller);
    let (one, two) = (one.unwrap(), two.unwrap());
    let reference = MemoryStore::new();
    let top = given.stored_category(None).await;
    let below = given.stored_category(Some(&top)).await;
    copy_categories(&reference, &[&top, &below]).await;
    for n in 0..60usize {
        let seller = if n.is_multiple_of(4) { two } else { one };
        let mut product = product(&given, seller, n, [None, Some(top.id), Some(below.id)][n % 3]);
        for store in [harness.store(), Arc::new(reference.clone())] {
            let mut tx = store.begin().await.unwrap();
            assert_eq!(tx.products().insert(&mut product).await.unwrap(), Stored::Yes);
            tx.commit().await.unwrap();
        }
    }
    let queries = harness.products();
    for filter in filters(one, two, &[&top, &below]) {
        compare(queries.as_ref(), &reference, &filter).await;
    }
}

fn product(given: &Fixtures, seller: SellerId, n: usize, category: Option<crate::id::CategoryId>) -> Product {
    if n.is_multiple_of(3) {
        given.clock.advance(Duration::from_millis(1));
    }
    let mut product = given.product(seller);
    product.name = format!("{} {}", product.name, WORDS[n % 6]);
    product.description = format!("With {}", WORDS[(n / 6) % 6]);
    product.category = category;
    product.price = Amount([1, 100, 100, 250, 99_999_999_999_999][n % 5]);
    product.status = match n % 7 {
        0 => ProductStatus::Draft,
        3 => ProductStatus::Archived,
        _ => ProductStatus::Published,
    };
    product
}

async fn copy_categories(reference: &MemoryStore, categories: &[&Category]) {
    let mut tx = reference.begin().await.unwrap();
    for category in categories {
        assert!(tx.categories().insert(category).await.unwrap());
    }
    tx.commit().await.unwrap();
}

fn filters(one: SellerId, two: SellerId, categories: &[&Category]) -> Vec<ProductFilter> {
    let mut filters = Vec::new();
    for seller in [one, two] {
        for scope in [Scope::Published, Scope::seller(one), Scope::All] {
            for statuses in SETS {
                // What a set of several changes shows without every search.
                let searches = if statuses.len() == 1 { SEARCHES.len() } else { 2 };
                for search in SEARCHES.into_iter().take(searches) {
                    for category in [None, Some(categories[0].id), Some(categories[1].id)] {
                        for (min, max) in [(None, None), (Some(100), None), (Some(1), Some(250)), (None, Some(0))] {
                            filters.push(ProductFilter {
                                scope,
                                statuses: statuses.iter().copied().collect(),
                                search: search.map(Search::new),
                                category,
                                seller: Some(seller),
                                min_price: min.map(Amount),
                                max_price: max.map(Amount),
                            });
                        }
                    }
                }
            }
        }
    }
    filters
}

async fn compare(queries: &dyn ProductQueries, reference: &MemoryStore, filter: &ProductFilter) {
    for (by, order) in [(SortBy::CreatedAt, Order::Descending), (SortBy::Price, Order::Ascending)] {
        let sort = ProductSort { by, order };
        let (got, meant) = (
            queries.list(filter, sort, page(1, 20)).await.unwrap(),
            reference.list(filter, sort, page(1, 20)).await.unwrap(),
        );
        assert_eq!(got, meant, "{filter:?} {sort:?}");
        let limit = Limit::new(7).unwrap();
        let (got, meant) = (
            queries.slice(filter, sort, None, limit).await.unwrap(),
            reference.slice(filter, sort, None, limit).await.unwrap(),
        );
        assert_eq!(got, meant, "{filter:?} {sort:?}");
        if let Some(next) = meant.next {
            let got = queries.slice(filter, sort, Some(next), limit).await.unwrap();
            assert_eq!(got, reference.slice(filter, sort, Some(next), limit).await.unwrap(), "{filter:?} {sort:?}");
        }
    }
}
