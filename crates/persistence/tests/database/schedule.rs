//! Three nodes over one database, each with connections of its own, look at the schedule at the same moment.

use std::{sync::Arc, time::Duration};

use domain::{
    Shop,
    schedule::{Entry, Scheduler, step},
    testing::{
        FakeClock,
        contract::schedules::{entry, frozen, half_past_seven, ticks},
    },
};
use souk_persistence::Engine;

use crate::{
    harness::{Fresh, migrated},
    logs::number,
};

crate::on_both!(nodes_that_froze_run_each_chosen_tick_once, nodes_that_run_on_miss_nothing_and_run_nothing_twice);

async fn node(fresh: &Fresh, clock: &Arc<FakeClock>, entries: &[Entry]) -> Scheduler {
    let database = fresh.another().await;
    let shop = Shop { store: database.store(), clock: clock.clone(), ..fresh.shop() };
    Scheduler { shop, log: database.schedules(), entries: Arc::from(entries) }
}

/// All nodes at once.
async fn look(nodes: &[Scheduler]) -> u64 {
    let mut looking = tokio::task::JoinSet::new();
    for node in nodes {
        let node = node.clone();
        looking.spawn(async move { step(&node).await.unwrap() });
    }
    looking.join_all().await.into_iter().sum()
}

async fn nodes_that_froze_run_each_chosen_tick_once(engine: Engine) {
    let fresh = migrated(engine).await;
    let (entries, expected): (Vec<_>, Vec<_>) = frozen().into_iter().unzip();
    let clocks = [(); 3].map(|()| Arc::new(FakeClock::at(half_past_seven(10))));
    let mut nodes = Vec::new();
    for clock in &clocks {
        nodes.push(node(&fresh, clock, &entries).await);
    }
    assert_eq!(look(&nodes).await, 0);
    // The process stood still for two hours; the clocks of the nodes differ by a little.
    for (clock, behind) in clocks.iter().zip(0..) {
        clock.set(half_past_seven(12) - Duration::from_secs(behind));
    }
    let runs: usize = expected.iter().map(|ticks| ticks.len()).sum();
    assert_eq!(look(&nodes).await, u64::try_from(runs).unwrap());
    assert_eq!(look(&nodes).await, 0);
    for (entry, expected) in entries.iter().zip(&expected) {
        assert_eq!(ticks(&*fresh.database.schedules(), entry.name).await, *expected, "{}", entry.name);
    }
    assert_eq!(number(&fresh, "SELECT count(*) FROM jobs").await, i64::try_from(runs).unwrap());
    assert_eq!(number(&fresh, "SELECT count(*) FROM jobs j JOIN schedule_runs r ON r.job_id = j.id").await, 9);
}

async fn nodes_that_run_on_miss_nothing_and_run_nothing_twice(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::at(half_past_seven(10)));
    let entries = [entry("skip", "* * * * *", "skip"), entry("once", "*/5 * * * *", "once")];
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(node(&fresh, &clock, &entries).await);
    }
    look(&nodes).await;
    let mut stored = 0;
    for _ in 0..30 * 3 {
        clock.advance(Duration::from_secs(20));
        stored += look(&nodes).await;
    }
    assert_eq!(stored, 30 + 6);
    let minutes: Vec<String> = (8..38).map(|minute| format!("10:{minute:02}")).collect();
    assert_eq!(ticks(&*fresh.database.schedules(), "skip").await, minutes);
    let fives = ["10:10", "10:15", "10:20", "10:25", "10:30", "10:35"];
    assert_eq!(ticks(&*fresh.database.schedules(), "once").await, fives);
}
