//! `souk seed --products N`: fills a shop with sellers, buyers, products and reviews made up from a seed, for trials of
//! any size.
//!
//! One seed makes the same accounts, products, prices, categories and reviews every time; only ids and moments differ.
//! What is made keeps the rules of what clients make, with an audit row and an event each, in one transaction per batch.
//! What is there already stays as it is, so a second run changes nothing and one that was cut off is completed.

mod dice;
mod made_up;
mod people;

use std::time::Instant;

use clap::Args;
use domain::{
    Shop,
    catalog::{Goods, ImportMode, KnownCategories, Stocked, stock_shop},
    identity::{
        NO_PASSWORD, Password, Selling, enrol_people,
        ports::{Owner, PasswordHasher},
        seller_for,
    },
};
use made_up::Recipe;

use crate::{
    Outcome,
    config::Config,
    foundation::Foundation,
    import::{Failure, Progress},
    user,
};

/// Products per transaction.
const BATCH: u64 = 500;
/// People per transaction.
const PEOPLE: usize = 500;

/// How much to make.
#[derive(Debug, Args)]
pub(crate) struct Seeding {
    /// How many products there shall be of this seed.
    #[arg(long, value_name = "N")]
    products: u64,
    /// The seed; another one makes other accounts and products beside those of the first.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many sellers share the products.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    sellers: u64,
    /// The one seller account, instead of made-up ones, that gets all products.
    #[arg(long, value_name = "EMAIL|SLUG", conflicts_with = "sellers")]
    seller: Option<String>,
    /// How many buyers write the reviews; without any there are none.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    buyers: u64,
    /// Reads from the standard input the one password of all accounts that are made. Without it nobody can sign in to
    /// them.
    #[arg(long)]
    password_stdin: bool,
}

pub(crate) async fn run(asked: Seeding, config: &Config) -> Outcome {
    let password = if asked.password_stdin { Some(checked(&user::from_stdin()?)?) } else { None };
    let foundation = Foundation::open(config).await?;
    foundation.database.expect_bulk().await?;
    let began = Instant::now();
    let done = match hash(&foundation, password.as_ref()).await {
        Ok(hash) => seed(&foundation.shop, &asked, &hash).await,
        Err(error) => Err(error.into()),
    };
    foundation.database.close().await?;
    let Seeded { accounts, stocked } = done.map_err(|failure| -> Box<dyn std::error::Error> { failure })?;
    let line = format!(
        "seeded: created {accounts} accounts, {} products, {} reviews; {} products were there; {:.1} s\n",
        stocked.created,
        stocked.reviews,
        stocked.present,
        began.elapsed().as_secs_f64()
    );
    Ok(crate::print(&line)?)
}

fn checked(text: &str) -> Result<Password, String> {
    Password::parse(text).map_err(|breach| format!("the password {}", breach.message))
}

/// Made once for all: a hash costs tens of milliseconds.
async fn hash(foundation: &Foundation, password: Option<&Password>) -> domain::Result<String> {
    match password {
        Some(password) => foundation.passwords.hash(password).await,
        None => Ok(NO_PASSWORD.to_owned()),
    }
}

/// What a run made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seeded {
    accounts: u64,
    stocked: Stocked,
}

async fn seed(shop: &Shop, asked: &Seeding, hash: &str) -> Result<Seeded, Failure> {
    let mut done = Seeded::default();
    let mut enrolled = Vec::new();
    // First, because a name may be wrong.
    let named = match &asked.seller {
        Some(name) => Some(seller_for(shop, &Selling::Named(name.clone()), ImportMode::Keep).await?),
        None => None,
    };
    let sellers = if named.is_some() { 0 } else { asked.sellers };
    let people = people::sellers(asked.seed, sellers).chain(people::buyers(asked.seed, asked.buyers));
    let people = people.collect::<Result<Vec<_>, _>>()?;
    for batch in people.chunks(PEOPLE) {
        enrolled.extend(enrol_people(shop, batch, hash).await?);
    }
    done.accounts = u64::try_from(enrolled.iter().filter(|one| one.made).count())?;
    let made_up = enrolled.iter().take(usize::try_from(sellers)?);
    let made_up = made_up.filter_map(|one| Some(Owner { seller: one.seller?, user: one.user }));
    let owners: Vec<Owner> = named.into_iter().chain(made_up).collect();
    let buyers = enrolled.iter().skip(usize::try_from(sellers)?).map(|one| one.user).collect();
    let recipe = Recipe { rules: shop.rules.clone(), seed: asked.seed, buyers };

    let mut known = KnownCategories::default();
    let progress = Progress::new(Some(asked.products));
    let apart = u64::try_from(owners.len())?.max(1);
    let mut first = 0;
    // Product n is of seller n modulo their number: a round gives every seller one batch.
    while first < asked.products {
        let end = first.saturating_add(BATCH * apart).min(asked.products);
        for (place, owner) in (first..).zip(&owners) {
            let numbers = (place..end).step_by(usize::try_from(apart)?);
            let goods = numbers.map(|number| recipe.goods(number)).collect::<Result<Vec<Goods>, _>>()?;
            let Stocked { created, present, reviews } = stock_shop(shop, *owner, &goods, &mut known).await?;
            let Stocked { created: c, present: p, reviews: r } = &mut done.stocked;
            (*c, *p, *r) = (*c + created, *p + present, *r + reviews);
            progress.at(*c + *p, *c + *p);
        }
        first = end;
    }
    progress.end();
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::{
        catalog::{ProductStatus, export::ProductExport, ports::ReviewQueries},
        page::{Limit, PageRequest},
        testing::{Fixtures, memory::MemoryStore},
    };

    use super::*;

    fn asked(products: u64) -> Seeding {
        Seeding { products, seed: 1, sellers: 3, seller: None, buyers: 20, password_stdin: false }
    }

    async fn products(store: &MemoryStore) -> Vec<domain::catalog::Product> {
        store.next(None, None, u32::MAX).await.unwrap()
    }

    #[tokio::test]
    async fn one_seed_makes_the_same_shop_every_time() {
        let (given, store) = Fixtures::in_memory();
        let done = seed(&given.shop, &asked(700), NO_PASSWORD).await.unwrap();
        assert_eq!((done.accounts, done.stocked.created, done.stocked.present), (23, 700, 0));
        let events = store.events().len();
        let again = seed(&given.shop, &asked(700), NO_PASSWORD).await.unwrap();
        assert_eq!(again, Seeded { accounts: 0, stocked: Stocked { created: 0, present: 700, reviews: 0 } });
        assert_eq!(store.events().len(), events);
        let more = seed(&given.shop, &asked(800), NO_PASSWORD).await.unwrap();
        assert_eq!((more.stocked.created, more.stocked.present), (100, 700));
        let other = seed(&given.shop, &Seeding { seed: 2, ..asked(50) }, NO_PASSWORD).await.unwrap();
        assert_eq!((other.accounts, other.stocked.created), (23, 50));

        // Somewhere else, in one go: the same things.
        let (elsewhere, twin) = Fixtures::in_memory();
        seed(&elsewhere.shop, &asked(800), NO_PASSWORD).await.unwrap();
        let known = |products: Vec<domain::catalog::Product>| -> BTreeMap<_, _> {
            let of_first = products.into_iter().filter(|p| p.sku.as_ref().is_some_and(|sku| sku.starts_with("S1-")));
            of_first.map(|p| (p.sku, (p.name, p.price, p.stock, p.status, p.rating))).collect()
        };
        assert_eq!(known(products(&twin).await), known(products(&store).await));
    }

    #[tokio::test]
    async fn prices_stock_statuses_and_reviews_vary_and_ratings_are_right() {
        let (given, store) = Fixtures::in_memory();
        seed(&given.shop, &asked(1_000), NO_PASSWORD).await.unwrap();
        let all = products(&store).await;
        assert!(all.iter().all(|product| (100..=50_100).contains(&product.price.0)));
        assert!(
            all.iter().any(|product| product.price.0 < 2_000) && all.iter().any(|product| product.price.0 > 48_000)
        );
        assert!(all.iter().any(|product| product.stock == 0) && all.iter().any(|product| product.stock > 100));
        for status in ProductStatus::ALL {
            assert!(all.iter().any(|product| product.status == status), "{status:?}");
        }
        let mut counts = std::collections::BTreeSet::new();
        for product in &all {
            let page = PageRequest { page: 1, limit: Limit::new(100).unwrap() };
            let reviews = store.of_product(product.id, page).await.unwrap();
            let sum: i64 = reviews.items.iter().map(|review| i64::from(review.stars)).sum();
            assert_eq!((product.rating.sum, product.rating.count), (sum, i64::try_from(reviews.total).unwrap()));
            counts.insert(reviews.total);
        }
        assert!(counts.contains(&0) && counts.iter().any(|count| *count > 5), "{counts:?}");
        let sellers: std::collections::BTreeSet<_> = all.iter().map(|product| product.seller).collect();
        assert_eq!(sellers.len(), 3);
    }

    #[tokio::test]
    async fn one_seller_can_be_named() {
        let (given, store) = Fixtures::in_memory();
        let member = given.seller().await;
        let slug = {
            let mut tx = given.tx().await;
            let user = tx.users().find(member.user).await.unwrap().unwrap();
            user.email.as_str().to_owned()
        };
        let named = Seeding { seller: Some(slug), buyers: 0, ..asked(10) };
        let done = seed(&given.shop, &named, NO_PASSWORD).await.unwrap();
        assert_eq!((done.accounts, done.stocked.created, done.stocked.reviews), (0, 10, 0));
        assert!(products(&store).await.iter().all(|product| Some(product.seller) == member.seller));
    }
}
