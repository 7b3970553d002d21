//! Every migration can be taken back, and a wrong way back is caught.

use async_trait::async_trait;
use domain::{
    catalog::ProductStatus,
    testing::{FakeClock, Fixtures},
};
use migration::{Fault, Migrator, verify};
use sea_orm_migration::prelude::*;
use souk_persistence::Engine;

use crate::harness::{Fresh, blank};

crate::on_both!(every_step_goes_down_and_up_again, a_wrong_way_back_is_caught);

async fn seed(fresh: &Fresh) {
    let given = Fixtures::new(fresh.database.store(), FakeClock::default().into());
    let seller = given.seller().await.seller.unwrap();
    let category = given.stored_category(None).await;
    for status in ProductStatus::ALL {
        let product = given.stored_product(seller, |p| (p.status, p.category) = (status, Some(category.id))).await;
        given.stored_review(product.id, 4).await;
    }
}

async fn every_step_goes_down_and_up_again(engine: Engine) {
    let fresh = blank(engine).await;
    let mut told = Vec::new();
    let seeded = async || {
        seed(&fresh).await;
        Ok(())
    };
    let steps = verify::<Migrator>(fresh.database.migration_connection(), seeded, |step| told.push(step.to_owned()));
    let steps = steps.await.unwrap();
    assert_eq!((steps, told.len()), (Migrator::migrations().len(), steps));
}

/// A step on top of the real ones: SQL up and down.
struct Step {
    up: &'static str,
    down: &'static str,
}

impl MigrationName for Step {
    fn name(&self) -> &'static str {
        "planted"
    }
}

#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.up).await.map(|_| ())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.down).await.map(|_| ())
    }
}

/// The real steps and one more.
macro_rules! planted {
    ($name:ident, $up:literal, $down:literal) => {
        struct $name;
        impl MigratorTrait for $name {
            fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                let mut steps = Migrator::migrations();
                steps.push(Box::new(Step { up: $up, down: $down }));
                steps
            }
        }
    };
}

planted!(Right, "CREATE TABLE extra (id bigint); CREATE INDEX extra_id ON extra (id)", "DROP TABLE extra");
planted!(KeepsATable, "CREATE TABLE extra (id bigint)", "SELECT 1");
planted!(KeepsAnIndex, "CREATE INDEX extra ON sellers (created_at)", "SELECT 1");
planted!(KeepsAColumn, "ALTER TABLE sellers ADD COLUMN extra text", "SELECT 1");
planted!(LosesRows, "CREATE TABLE extra (id bigint)", "DROP TABLE extra; DELETE FROM reviews");
planted!(ChangesRows, "CREATE TABLE extra (id bigint)", "DROP TABLE extra; UPDATE reviews SET comment = 'x'");
planted!(DropsAnother, "CREATE TABLE extra (id bigint)", "DROP TABLE extra; DROP TABLE reviews");

async fn differences<M: MigratorTrait>(engine: Engine) -> Vec<String> {
    let fresh = blank(engine).await;
    let seeded = async || {
        seed(&fresh).await;
        Ok(())
    };
    match verify::<M>(fresh.database.migration_connection(), seeded, |_| ()).await {
        Ok(_) => Vec::new(),
        Err(Fault::Differs { step, run, differences }) => {
            assert_eq!((step.as_str(), run), ("planted", "down"));
            differences
        }
        Err(other) => panic!("{other}"),
    }
}

async fn a_wrong_way_back_is_caught(engine: Engine) {
    assert_eq!(differences::<Right>(engine).await, Vec::<String>::new());
    for (found, word) in [
        (differences::<KeepsATable>(engine).await, "extra"),
        (differences::<KeepsAnIndex>(engine).await, "extra"),
        (differences::<KeepsAColumn>(engine).await, "extra"),
        (differences::<LosesRows>(engine).await, "rows of reviews"),
        (differences::<ChangesRows>(engine).await, "rows of reviews"),
        (differences::<DropsAnother>(engine).await, "reviews"),
    ] {
        assert!(found.iter().any(|line| line.contains(word)), "{word}: {found:?}");
    }
}
