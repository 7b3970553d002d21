//! The schedule: one run per tick, whoever looks.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{Harness, begin, fixtures, page};
use crate::{
    clock::Timestamp,
    error::Error,
    job::{JobState, Policy, Request, Settled, ports::JobFilter},
    permission::Role,
    schedule::{CatchUp, Cron, Entry, Run, Scheduler, run_schedule, step},
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_mark_moves_on_from_where_it_stands(harness).await;
    a_new_entry_begins_with_the_next_tick(harness).await;
    what_passes_while_an_entry_is_off_is_not_missed(harness).await;
    three_nodes_that_froze_run_each_chosen_tick_once(harness).await;
    an_entry_is_run_by_hand_whether_it_is_on_or_off(harness).await;
}

/// An entry of a case of its own, whose jobs are of a kind of the same name.
pub fn entry(name: &'static str, cron: &str, catch_up: &str) -> Entry {
    let job = Request { kind: name, payload: json!({}), policy: Policy::default(), key: None, delay: Duration::ZERO };
    let cron = (cron != "off").then(|| Cron::new(cron, "UTC").unwrap());
    Entry { name, cron, catch_up: CatchUp::named(catch_up).unwrap(), job }
}

/// The entries with which nodes freeze for two hours, from 10:07:30 to 12:07:30, and the ticks each must run then.
pub fn frozen() -> Vec<(Entry, &'static [&'static str])> {
    vec![
        (entry("frozen_skip", "0 * * * *", "skip"), &[]),
        // A tick that is less than a minute old was not missed.
        (entry("frozen_skip_on_time", "7 * * * *", "skip"), &["12:07"]),
        (entry("frozen_once", "*/30 * * * *", "once"), &["12:00"]),
        (entry("frozen_all", "*/30 * * * *", "all(100)"), &["10:30", "11:00", "11:30", "12:00"]),
        (entry("frozen_some", "*/10 * * * *", "all(3)"), &["11:40", "11:50", "12:00"]),
        (entry("frozen_none", "0 0 1 1 *", "all(3)"), &[]),
        (entry("frozen_off", "off", "all(3)"), &[]),
    ]
}

/// Half past seven minutes past an hour.
pub fn half_past_seven(hour: u32) -> Timestamp {
    format!("2026-06-01T{hour:02}:07:30Z").parse().unwrap()
}

/// What was run of an entry, oldest first, as hours and minutes.
pub async fn ticks(harness: &dyn crate::schedule::ScheduleQueries, name: &str) -> Vec<String> {
    let mut runs = harness.runs(name, 1000).await.unwrap();
    runs.reverse();
    runs.iter().map(|run| run.tick.format("%H:%M").to_string()).collect()
}

fn scheduler(harness: &impl Harness, given: &Fixtures, entries: &[Entry]) -> Scheduler {
    Scheduler { shop: given.shop.clone(), log: harness.schedules(), entries: Arc::from(entries) }
}

async fn a_mark_moves_on_from_where_it_stands(harness: &impl Harness) {
    let at = half_past_seven;
    let advance = async |from, to| {
        let mut tx = begin(harness).await;
        let moved = tx.schedules().advance("mark", from, to).await.unwrap();
        tx.commit().await.unwrap();
        moved
    };
    assert!(!advance(Some(at(1)), Some(at(2))).await, "there is none yet");
    assert!(!advance(Some(at(1)), None).await);
    assert!(advance(None, Some(at(1))).await);
    assert!(!advance(None, Some(at(2))).await);
    assert!(advance(Some(at(1)), None).await);
    assert!(advance(None, Some(at(1))).await, "it was taken away");
    assert!(advance(Some(at(1)), Some(at(3))).await);
    assert!(!advance(Some(at(1)), Some(at(4))).await);
    assert_eq!(harness.schedules().looked_at().await.unwrap().get("mark"), Some(&at(3)));
    let given = fixtures(harness);
    let run = Run {
        name: "mark".to_owned(),
        tick: at(3),
        by_hand: false,
        job: given.shop.id(),
        state: None,
        finished_at: None,
    };
    let mut tx = begin(harness).await;
    assert!(tx.schedules().record(&run).await.unwrap());
    assert!(!tx.schedules().record(&Run { job: given.shop.id(), ..run.clone() }).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(harness.schedules().runs("mark", 10).await.unwrap(), [run]);
}

async fn a_new_entry_begins_with_the_next_tick(harness: &impl Harness) {
    let given = fixtures(harness);
    let before = given.shop.now();
    given.clock.set(half_past_seven(10));
    let node = scheduler(harness, &given, &[entry("new", "7 * * * *", "all(9)")]);
    assert_eq!(step(&node).await.unwrap(), 0);
    assert_eq!(step(&node).await.unwrap(), 0);
    given.clock.set(half_past_seven(11));
    assert_eq!(step(&node).await.unwrap(), 1);
    assert_eq!(ticks(&*node.log, "new").await, ["11:07"]);
    given.clock.set(before);
}

async fn what_passes_while_an_entry_is_off_is_not_missed(harness: &impl Harness) {
    let given = fixtures(harness);
    let before = given.shop.now();
    let on = scheduler(harness, &given, &[entry("switched", "0 * * * *", "all(9)")]);
    let off = scheduler(harness, &given, &[entry("switched", "off", "all(9)")]);
    for (hour, node, stored) in [(8, &on, 0), (9, &on, 1), (9, &off, 0), (11, &off, 0), (12, &on, 0), (13, &on, 1)] {
        given.clock.set(half_past_seven(hour));
        assert_eq!(step(node).await.unwrap(), stored, "{hour}");
    }
    assert_eq!(ticks(&*on.log, "switched").await, ["09:00", "13:00"]);
    given.clock.set(before);
}

async fn three_nodes_that_froze_run_each_chosen_tick_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let before = given.shop.now();
    let (entries, expected): (Vec<_>, Vec<_>) = frozen().into_iter().unzip();
    let nodes = [(); 3].map(|()| scheduler(harness, &given, &entries));
    given.clock.set(half_past_seven(10));
    for node in &nodes {
        assert_eq!(step(node).await.unwrap(), 0);
    }
    given.clock.set(half_past_seven(12));
    for _ in 0..2 {
        for node in &nodes {
            step(node).await.unwrap();
        }
    }
    for (entry, expected) in entries.iter().zip(&expected) {
        assert_eq!(ticks(&*harness.schedules(), entry.name).await, *expected, "{}", entry.name);
        let of_kind = JobFilter { state: None, kind: Some(entry.name.to_owned()) };
        let jobs = harness.jobs().list(&of_kind, page(1, 100)).await.unwrap();
        let mut keys: Vec<_> = jobs.items.iter().filter_map(|job| job.key.clone()).collect();
        keys.sort();
        let wanted: Vec<_> = expected.iter().map(|tick| format!("{}@2026-06-01T{tick}:00Z", entry.name)).collect();
        assert_eq!(keys, wanted, "{}", entry.name);
    }
    given.clock.set(before);
}

async fn an_entry_is_run_by_hand_whether_it_is_on_or_off(harness: &impl Harness) {
    let given = fixtures(harness);
    let admin = given.person(Role::Admin).await;
    let off = entry("by_hand", "off", "skip");
    assert_eq!(off.next(given.shop.now()), None);
    let id = run_schedule(&given.shop, given.authorized(&admin), &off).await.unwrap().id;
    let refused = run_schedule(&given.shop, given.authorized(&admin), &off).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "one moment is one run");
    given.clock.advance(Duration::from_secs(1));
    let second = run_schedule(&given.shop, given.authorized(&admin), &off).await.unwrap().id;
    let kind = super::job_queue::Kind::new("by_hand");
    let taken = super::job_queue::take(harness, &given, kind, 1).await;
    harness.job_queue().settle(taken[0].attempt(), &Settled::Done, given.shop.now()).await.unwrap();
    let runs = harness.schedules().runs("by_hand", 10).await.unwrap();
    let told: Vec<_> = runs.iter().map(|run| (run.job, run.by_hand, run.state, run.finished_at)).collect();
    let now = given.shop.now();
    let expected = [(second, true, Some(JobState::Waiting), None), (id, true, Some(JobState::Done), Some(now))];
    assert_eq!(told, expected);
    let events: Vec<_> = harness.events_of(id.0).await.unwrap().into_iter().map(|event| event.kind).collect();
    assert_eq!(events, ["job.requested"]);
}
