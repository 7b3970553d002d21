//! `souk migrate verify`: proves on a scratch database that every migration can be taken back.

use std::sync::Arc;

use domain::{
    Actor, Error, Principal, Result, Shop, Violations,
    catalog::{self, CategoryInput, Product, ProductInput, ProductPatch, ProductStatus, ReindexProducts, ReviewInput},
    id::CategoryId,
    idempotency::Once,
    identity::{UserInput, ports::PasswordHasher},
    job::Request,
    permission::{ManageCatalog, ManageJobs, Role, WriteProducts, WriteReviews},
    schedule::{self, CatchUp, Entry},
};
use migration::Migrator;
use persistence::{Database, Engine};
use platform::{SystemClock, SystemEntropy};

use super::scratch::Scratch;
use crate::{Outcome, config::Config, foundation, telemetry::Counters, user};

/// Verifies every migration on the engine of the configured database, which is not touched.
pub(super) async fn run(config: &Config) -> Outcome {
    let scratch = Scratch::new(&config.database.settings).await?;
    let proved = prove(config, &scratch.database).await;
    // Whatever came out: nothing is left behind.
    let cleared = scratch.close().await;
    proved.and(cleared)
}

async fn prove(config: &Config, database: &Database) -> Outcome {
    let seeded = async || Ok(seed(&shop(config, database), &*foundation::passwords(config)?).await?);
    let mut printed = Ok(());
    let told = |step: &str| {
        let line = crate::print(&format!("{step}  up, down, up, down: schema and rows as before\n"));
        if line.is_err() {
            printed = line;
        }
    };
    let steps = migration::verify::<Migrator>(database.migration_connection(), seeded, told).await?;
    printed?;
    let engine = match database.engine() {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    };
    Ok(crate::print(&format!("migrations verified: {steps} steps on {engine}\n"))?)
}

fn shop(config: &Config, database: &Database) -> Shop {
    Shop {
        store: database.store(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        meter: Arc::new(Counters),
        rules: config.shop.rules.clone(),
    }
}

/// Something in every table, written by the use cases: people, a seller, categories, products of every status with
/// pictures, a deleted one, a renamed one, a review; and with them events, audit rows and an idempotency key; a job.
async fn seed(shop: &Shop, hasher: &dyn PasswordHasher) -> Result<()> {
    let admin = Actor::Signed(person(shop, hasher, Role::Admin).await?);
    let seller = Actor::Signed(person(shop, hasher, Role::Seller).await?);
    let buyer = Actor::Signed(person(shop, hasher, Role::User).await?);
    let top = category(shop, &admin, "Lamps", None).await?;
    let below = category(shop, &admin, "Desk lamps", Some(top)).await?;
    let mut products = Vec::new();
    for status in ProductStatus::ALL {
        products.push(product(shop, &seller, status, below).await?);
    }
    let gone = product(shop, &seller, ProductStatus::Published, top).await?;
    catalog::delete_product(shop, seller.authorize::<WriteProducts>()?, gone.id, None).await?;
    for open in products.iter().filter(|product| product.status == ProductStatus::Published) {
        let mut patch = ProductPatch::default();
        patch.name("Another name", &shop.rules, &mut Violations::default());
        catalog::update_product(shop, seller.authorize::<WriteProducts>()?, open.id, patch, None).await?;
        let review = checked(|violations| {
            ReviewInput { stars: Some(4), comment: Some("Warm light".to_owned()) }.check(violations)
        })?;
        let by = buyer.authorize::<WriteReviews>()?;
        catalog::write_review(shop, by, open.id, review, &Once::always()).await?;
    }
    background(shop, &admin).await
}

/// A job, run by hand and dealt with, of an entry that was looked at.
async fn background(shop: &Shop, admin: &Actor) -> Result<()> {
    let job = Request::of(&ReindexProducts::default());
    let entry = Entry { name: "reindex", cron: None, catch_up: CatchUp::Skip, job };
    let job = schedule::run_schedule(shop, admin.authorize::<ManageJobs>()?, &entry).await?;
    let mut tx = shop.store.begin().await?;
    tx.inbox().claim(&job.kind, job.id.0, shop.now()).await?;
    tx.schedules().advance(entry.name, None, Some(shop.now())).await?;
    tx.commit().await
}

async fn person(shop: &Shop, hasher: &dyn PasswordHasher, role: Role) -> Result<Principal> {
    let input = UserInput {
        email: Some(format!("{}@verify.example", role.name())),
        password: Some(user::one_time(&*shop.entropy)),
        name: Some(role.name().to_owned()),
    };
    Ok(user::make(shop, hasher, input, role, None).await?.1)
}

async fn category(shop: &Shop, by: &Actor, name: &str, parent: Option<CategoryId>) -> Result<CategoryId> {
    let new =
        checked(|violations| CategoryInput { name: Some(name.to_owned()), parent, rank: None }.check(violations))?;
    let made = catalog::create_category(shop, by.authorize::<ManageCatalog>()?, new, &Once::always()).await?;
    made.fresh().map(|category| category.id).ok_or_else(nothing)
}

async fn product(shop: &Shop, by: &Actor, status: ProductStatus, category: CategoryId) -> Result<Product> {
    let input = ProductInput {
        name: Some(format!("Brass lamp {}", status.name())),
        description: Some("Café crème".to_owned()),
        price: Some("20".to_owned()),
        stock: Some(3),
        category: Some(category),
        images: vec!["https://example.com/1.jpg".to_owned(), "https://example.com/2.jpg".to_owned()],
        status: Some(status),
        ..ProductInput::default()
    };
    let new = checked(|violations| input.check(&shop.rules, violations))?;
    let made = catalog::create_product(shop, by.authorize::<WriteProducts>()?, new, &Once::always()).await?;
    made.fresh().ok_or_else(nothing)
}

fn checked<T>(check: impl FnOnce(&mut Violations) -> Option<T>) -> Result<T> {
    let mut violations = Violations::default();
    let value = check(&mut violations);
    violations.into_result()?;
    value.ok_or_else(nothing)
}

fn nothing() -> Error {
    Error::internal("a command without a key gave nothing")
}
