//! The kept counts are right at every moment, while writers go on and the relay folds.

use std::sync::Arc;

use domain::testing::FakeClock;
use souk_persistence::Engine;

use crate::{
    harness::{Fresh, migrated},
    logs::{drain, number, relay},
    smoke::{create, seller},
};

/// How far the counts are from the truth, in one statement and so at one moment.
async fn error(fresh: &Fresh, engine: Engine) -> i64 {
    let waiting =
        if engine == Engine::Sqlite { "SELECT 0" } else { "SELECT coalesce(sum(n), 0) FROM product_count_deltas" };
    let off = |table: &str, condition: &str| {
        format!(
            "abs((SELECT coalesce(sum(n), 0) FROM {table} WHERE {condition}) + ({waiting}) - \
             (SELECT count(*) FROM products WHERE status = 'published' AND deleted_at IS NULL))"
        )
    };
    let sum = format!(
        "SELECT CAST({} + {} + {} AS bigint)",
        off("category_counts", "1 = 1"),
        off("price_counts", "level = 0"),
        off("price_counts", "level = 2")
    );
    number(fresh, &sum).await
}

crate::on_both!(counts_stay_right_while_they_are_folded);

async fn counts_stay_right_while_they_are_folded(engine: Engine) {
    let fresh = migrated(engine).await;
    let actor = seller(&fresh).await;
    let clock = Arc::new(FakeClock::default());
    let (relay, mut held) = (relay(&fresh, &clock, "one"), None);
    let written = std::cell::Cell::new(false);
    let writer = async {
        for n in 1..=60_i64 {
            let made = create(&fresh, &actor, "Brass lamp", &n.to_string()).await;
            if n % 3 == 0 {
                let by = actor.authorize().unwrap();
                domain::catalog::delete_product(&fresh.shop(), by, made.id, None).await.unwrap();
            }
        }
        written.set(true);
    };
    let folding = async {
        while !written.get() {
            drain(&relay, &mut held).await;
            assert_eq!(error(&fresh, engine).await, 0);
        }
    };
    tokio::join!(writer, folding);
    drain(&relay, &mut held).await;
    assert_eq!(error(&fresh, engine).await, 0);
    assert_eq!(number(&fresh, "SELECT CAST(sum(n) AS bigint) FROM category_counts").await, 40);
    // 60 lamps from 1.00 to 60.00, every third gone: buckets of 64 minor units hold at most one.
    let fullest = number(&fresh, "SELECT CAST(max(n) AS bigint) FROM price_counts WHERE level = 0").await;
    assert_eq!(fullest, 1);
    if engine == Engine::Postgres {
        assert_eq!(number(&fresh, "SELECT count(*) FROM product_count_deltas").await, 0);
    }
}
