//! Search has one meaning: over a sample of a real catalogue both engines find what the naive reference finds.

use domain::{
    Rules,
    catalog::{ImportInput, ImportMode, ImportRow, KnownCategories, ProductInput, import_products},
    identity::{Selling, seller_for},
    money::{Amount, Currency},
    testing::search_parity::Reference,
};
use souk_persistence::Engine;

use crate::harness::{Fresh, migrated};

crate::on_both!(equals_the_naive_reference);

const SAMPLE: &str = include_str!("../data/catalogue_sample.ndjson");
const QUERIES: &str = include_str!("../data/queries.json");

fn row(line: &str) -> ImportRow {
    let record: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |field: &str| record.get(field).and_then(serde_json::Value::as_str).map(str::to_owned);
    let price = Amount(record.get("synthetic_price_minor").unwrap().as_i64().unwrap());
    let product = ProductInput {
        sku: text("sku"),
        name: text("name"),
        description: text("medium"),
        price: Some(Currency::EUR.format(price)),
        ..ProductInput::default()
    };
    ImportInput { product, ..ImportInput::default() }.check(&Rules::default()).unwrap()
}

async fn import_sample(fresh: &Fresh) {
    let shop = fresh.shop();
    let owner = seller_for(&shop, &Selling::TheOnly, ImportMode::Keep).await.unwrap();
    let rows: Vec<_> = SAMPLE.lines().map(row).collect();
    let mut known = KnownCategories::default();
    let done = import_products(&shop, owner, &rows, ImportMode::Keep, &mut known).await.unwrap();
    assert_eq!(usize::try_from(done.created).unwrap(), rows.len());
}

async fn equals_the_naive_reference(engine: Engine) {
    let fresh = migrated(engine).await;
    import_sample(&fresh).await;
    let products = fresh.database.export().next(None, None, 10_000).await.unwrap();
    assert_eq!(products.len(), SAMPLE.lines().count());
    let queries: Vec<String> = serde_json::from_str(QUERIES).unwrap();
    assert!(queries.len() >= 300);
    let reference = Reference::new(&products);
    // A corpus that finds nothing, or everything, would prove nothing.
    let sizes: Vec<usize> = queries.iter().map(|query| reference.find(query).len()).collect();
    assert!(sizes.iter().filter(|size| **size == 0).count() >= 20);
    assert!(sizes.iter().filter(|size| (1..=20).contains(*size)).count() >= 100);
    let differences = reference.differences(&*fresh.database.products(), &queries).await.unwrap();
    assert!(differences.is_empty(), "{differences:#?}");
}
