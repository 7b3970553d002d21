//! `souk seed --products N`: fills a shop with products made up from a seed, for trials of any size.
//!
//! One seed makes the same products, skus, prices and categories every time; only ids and moments differ. They go the
//! way of an import: the same rules, an audit row and an event each, and a second run changes nothing.

use clap::Args;
use domain::{
    Shop,
    catalog::{ImportInput, ImportMode, ImportRow, Imported, KnownCategories, ProductInput, import_products},
    identity::{Selling, seller_for},
    money::Amount,
};
use serde_json::json;

use crate::{Outcome, config::Config, foundation::Foundation, import::Failure};

/// Products per transaction.
const BATCH: u64 = 500;
const MATERIALS: [&str; 8] = ["Brass", "Oak", "Linen", "Glass", "Copper", "Wool", "Ceramic", "Marble"];
const THINGS: [&str; 10] = ["Lamp", "Vase", "Chair", "Bowl", "Clock", "Mirror", "Blanket", "Table", "Candle", "Shelf"];
const STYLES: [&str; 6] = ["antique", "modern", "rustic", "painted", "folding", "très élégant"];
const ROOMS: [&str; 5] = ["Kitchen", "Living room", "Bedroom", "Garden", "Study"];

/// How much to make.
#[derive(Debug, Args)]
pub(crate) struct Seeding {
    /// How many products there shall be of this seed.
    #[arg(long, value_name = "N")]
    products: u64,
    /// The seed; another one makes other products beside those of the first.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The seller account they belong to. Without it: the only account there is, or a house account when there is none.
    #[arg(long, value_name = "EMAIL|SLUG")]
    seller: Option<String>,
}

pub(crate) async fn run(asked: Seeding, config: &Config) -> Outcome {
    let foundation = Foundation::open(config).await?;
    foundation.database.expect_bulk().await?;
    let done = seed(&foundation.shop, &asked).await;
    foundation.database.close().await?;
    let Imported { created, updated, unchanged } = done.map_err(|failure| -> Box<dyn std::error::Error> { failure })?;
    println!("seeded: created {created}, updated {updated}, unchanged {unchanged}");
    Ok(())
}

async fn seed(shop: &Shop, asked: &Seeding) -> Result<Imported, Failure> {
    let meant = asked.seller.clone().map_or(Selling::TheOnly, Selling::Named);
    let owner = seller_for(shop, &meant).await?;
    let mut known = KnownCategories::default();
    let mut total = Imported::default();
    let mut first = 0;
    while first < asked.products {
        let numbers = first..(first + BATCH).min(asked.products);
        first = numbers.end;
        let rows = numbers.map(|number| row(shop, asked.seed, number)).collect::<Result<Vec<_>, _>>()?;
        let done = import_products(shop, owner, &rows, ImportMode::Keep, &mut known).await?;
        total.created += done.created;
        total.updated += done.updated;
        total.unchanged += done.unchanged;
    }
    Ok(total)
}

/// Product `number` of a seed.
fn row(shop: &Shop, seed: u64, number: u64) -> Result<ImportRow, domain::Error> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number));
    let (style, material, thing) = (dice.pick(&STYLES), dice.pick(&MATERIALS), dice.pick(&THINGS));
    // Cheap things are common, dear ones rare.
    let steps = dice.below(1000);
    let minor = i64::try_from(100 + steps * steps / 2 + dice.below(100)).unwrap_or(100);
    let images = (0..dice.below(4)).map(|n| format!("https://images.example/{seed}/{number}/{n}.jpg")).collect();
    let product = ProductInput {
        sku: Some(format!("S{seed}-{number:08}")),
        name: Some(format!("{material} {thing} {number}")),
        description: Some(format!("A {style} {} of {}.", thing.to_lowercase(), material.to_lowercase())),
        price: Some(shop.rules.currency.format(Amount(minor))),
        stock: i64::try_from(dice.below(200)).ok(),
        ..ProductInput::default()
    };
    let input = ImportInput {
        line: number + 1,
        product,
        category: Some(vec![dice.pick(&ROOMS).to_owned(), format!("{thing}s")]),
        images: Some(images),
        metadata: json!({ "material": material, "style": style }).as_object().cloned(),
    };
    input.check(&shop.rules).map_err(domain::Error::Invalid)
}

/// Numbers that look random and follow from the seed (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let count = u64::try_from(of.len()).unwrap_or(1);
        let place = usize::try_from(self.below(count)).unwrap_or_default();
        of.get(place).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use domain::testing::Fixtures;

    use super::*;

    #[tokio::test]
    async fn one_seed_makes_the_same_products_every_time() {
        let (fixtures, store) = Fixtures::in_memory();
        let mut asked = Seeding { products: 700, seed: 1, seller: None };
        let done = seed(&fixtures.shop, &asked).await.unwrap();
        assert_eq!((done.created, done.unchanged), (700, 0));
        let events = store.events().len();
        assert_eq!(seed(&fixtures.shop, &asked).await.unwrap().unchanged, 700);
        assert_eq!(store.events().len(), events);
        asked.seed = 2;
        assert_eq!(seed(&fixtures.shop, &asked).await.unwrap().created, 700);
    }
}
