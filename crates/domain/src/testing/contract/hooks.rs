//! Webhooks that came in.

use std::{collections::BTreeMap, pin::Pin, time::Duration};

use super::{Harness, at_once, begin, fixtures, page};
use crate::{
    id::HookEventId,
    identity::Pseudonym,
    inbound::{HandleHook, HookEvent, HookReport, HookState, ports::HookFilter, purge_hooks},
    job::{JobState, Policy, Request, Settled, ports::Ask},
    permission::Role,
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    an_event_reads_back_as_it_was_stored(harness).await;
    an_event_is_known_by_its_key(harness).await;
    of_several_who_store_an_event_at_once_one_does(harness).await;
    what_waits_for_no_job_has_failed(harness).await;
    events_are_listed(harness).await;
    what_waits_for_nothing_is_purged(harness).await;
    what_was_said_of_who_is_erased_goes(harness).await;
}

/// An event with its job, neither stored.
fn event(given: &Fixtures, source: &str) -> (HookEvent, Request) {
    let (now, n) = (given.shop.now(), given.serial());
    let id = given.shop.id::<HookEventId>();
    let body = format!("{{ \"n\": {n}, \"\u{e9}\": \"\u{0}\" }}").into_bytes();
    let event = HookEvent {
        id,
        source: source.to_owned(),
        key: format!("id:evt_{n}"),
        event: Some(format!("evt_{n}")),
        kind: Some(format!("kind.of_{n}")),
        occurred_at: Some(now - Duration::from_micros(7)),
        received_at: now,
        headers: BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]),
        size: u64::try_from(body.len()).unwrap(),
        body: Some(body),
        state: HookState::Waiting,
        outcome: None,
        user: None,
        job: given.shop.id(),
        handled_at: None,
        replays: 0,
    };
    (event, Request::of(&HandleHook { event: id }))
}

async fn store(harness: &impl Harness, given: &Fixtures, event: &HookEvent, request: Request) {
    let mut tx = begin(harness).await;
    assert!(tx.hooks().insert(event).await.unwrap());
    assert!(tx.jobs().enqueue(&request.into_job(event.job, given.shop.now(), None)).await.unwrap());
    tx.commit().await.unwrap();
}

async fn stored(harness: &impl Harness, given: &Fixtures, source: &str) -> HookEvent {
    let (event, request) = event(given, source);
    store(harness, given, &event, request).await;
    event
}

async fn get(harness: &impl Harness, id: HookEventId) -> Option<HookReport> {
    harness.hooks().get(id).await.unwrap()
}

/// A name that no other case uses.
fn source(given: &Fixtures) -> String {
    format!("source_{}", given.serial())
}

async fn an_event_reads_back_as_it_was_stored(harness: &impl Harness) {
    let given = fixtures(harness);
    let mut stored = stored(harness, &given, &source(&given)).await;
    let user = given.person(Role::User).await.user;
    let report = |event: &HookEvent| Some(HookReport { event: event.clone(), attempts: 0, errors: vec![] });
    assert_eq!(get(harness, stored.id).await, report(&stored));
    let mut tx = begin(harness).await;
    assert_eq!(tx.hooks().find(stored.id).await.unwrap().as_ref(), Some(&stored));
    assert_eq!(tx.hooks().find(given.shop.id()).await.unwrap(), None);
    stored.state = HookState::Done;
    stored.outcome = Some("changed".to_owned());
    stored.user = Some(user);
    stored.handled_at = Some(given.shop.now());
    stored.replays = 3;
    tx.rollback().await.unwrap();
    let mut tx = begin(harness).await;
    tx.hooks().update(&stored).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(get(harness, stored.id).await, report(&stored));
    stored.body = None;
    let mut tx = begin(harness).await;
    tx.hooks().update(&stored).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(get(harness, stored.id).await, report(&stored));
    // What is not there does not come back.
    let mut tx = begin(harness).await;
    tx.hooks().update(&HookEvent { body: Some(vec![1]), ..stored.clone() }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(get(harness, stored.id).await, report(&stored));
    let (bare, request) = event(&given, &source(&given));
    let bare = HookEvent { event: None, kind: None, occurred_at: None, headers: BTreeMap::new(), ..bare };
    store(harness, &given, &bare, request).await;
    assert_eq!(get(harness, bare.id).await, report(&bare));
}

async fn an_event_is_known_by_its_key(harness: &impl Harness) {
    let given = fixtures(harness);
    let first = stored(harness, &given, &source(&given)).await;
    let (other, request) = event(&given, &first.source);
    let same = HookEvent { key: first.key.clone(), ..other };
    let elsewhere = HookEvent { source: source(&given), ..same.clone() };
    let mut tx = begin(harness).await;
    assert!(!tx.hooks().insert(&same).await.unwrap());
    assert_eq!(tx.hooks().known(&first.source, &first.key).await.unwrap(), Some(first.id));
    assert_eq!(tx.hooks().known(&first.source, &first.key.to_uppercase()).await.unwrap(), None);
    assert_eq!(tx.hooks().known(&elsewhere.source, &first.key).await.unwrap(), None);
    assert!(
        tx.hooks().insert(&elsewhere).await.unwrap(),
        "the transaction goes on, and another source has ids of its own"
    );
    assert!(tx.jobs().enqueue(&request.into_job(elsewhere.job, given.shop.now(), None)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(get(harness, elsewhere.id).await.unwrap().event, elsewhere);
}

async fn of_several_who_store_an_event_at_once_one_does(harness: &impl Harness) {
    if !harness.has_parallel_writers() {
        return;
    }
    let given = fixtures(harness);
    let source = source(&given);
    let (first, _) = event(&given, &source);
    let mut writers: Vec<Pin<Box<dyn Future<Output = bool> + Send + '_>>> = Vec::new();
    for _ in 0..5 {
        let one = HookEvent { id: given.shop.id(), ..first.clone() };
        writers.push(Box::pin(async move {
            let mut tx = begin(harness).await;
            let stored = tx.hooks().insert(&one).await;
            // In memory the second of two that overlap is told to run again.
            stored.is_ok_and(|stored| stored) && tx.commit().await.is_ok()
        }));
    }
    let stored = at_once(writers).await;
    assert_eq!(stored.iter().filter(|stored| **stored).count(), 1, "{stored:?}");
    let filter = HookFilter { source: Some(source), ..HookFilter::default() };
    assert_eq!(harness.hooks().list(&filter, page(1, 9)).await.unwrap().total, 1);
}

async fn what_waits_for_no_job_has_failed(harness: &impl Harness) {
    let given = fixtures(harness);
    let (event, request) = event(&given, &source(&given));
    // A kind of its own, so that nothing else is taken.
    let kind = Box::leak(format!("hook_{}", given.serial()).into_boxed_str());
    store(harness, &given, &event, Request { kind, ..request }).await;
    let now = given.shop.now();
    let ask =
        Ask { worker: "w".to_owned(), free: vec![(kind, 1)], most: 1, now, until: now + Policy::default().timeout };
    let taken = harness.job_queue().take(&ask).await.unwrap().remove(0);
    let found = get(harness, event.id).await.unwrap();
    assert_eq!((found.event.state, found.attempts), (HookState::Waiting, 1));
    let errors = taken.errors_with("the flux is off", now);
    assert!(harness.job_queue().settle(taken.attempt(), &Settled::Dead { errors }, now).await.unwrap());
    let found = get(harness, event.id).await.unwrap();
    assert_eq!((found.event.state, found.errors[0].reason.as_str()), (HookState::Failed, "the flux is off"));
    let failed =
        HookFilter { source: Some(event.source.clone()), state: Some(HookState::Failed), ..HookFilter::default() };
    assert_eq!(harness.hooks().list(&failed, page(1, 9)).await.unwrap().items[0].errors, found.errors);
    let waiting = HookFilter { state: Some(HookState::Waiting), ..failed };
    assert_eq!(harness.hooks().list(&waiting, page(1, 9)).await.unwrap().total, 0);
    let mut tx = begin(harness).await;
    let mut again = tx.hooks().find(event.id).await.unwrap().unwrap();
    assert_eq!(again.state, HookState::Failed);
    // Stored as it is told, it fails for its job alone.
    tx.hooks().update(&again).await.unwrap();
    assert_eq!(tx.jobs().find(event.job).await.unwrap().unwrap().state, JobState::Dead);
    (again.state, again.job) = (HookState::Waiting, given.shop.id());
    let request = Request::of(&HandleHook { event: event.id });
    assert!(tx.jobs().enqueue(&request.into_job(again.job, now, None)).await.unwrap());
    tx.hooks().update(&again).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(get(harness, event.id).await.unwrap().event.state, HookState::Waiting);
}

async fn events_are_listed(harness: &impl Harness) {
    let given = fixtures(harness);
    let source = source(&given);
    let mut events = Vec::new();
    for _ in 0..3 {
        given.clock.advance(Duration::from_millis(2));
        events.push(stored(harness, &given, &source).await);
    }
    stored(harness, &given, "another_source").await;
    events[1].state = HookState::Ignored;
    let mut tx = begin(harness).await;
    tx.hooks().update(&events[1]).await.unwrap();
    tx.commit().await.unwrap();
    let all = HookFilter { source: Some(source), ..HookFilter::default() };
    let found = async |filter: &HookFilter, number, limit| {
        let page = harness.hooks().list(filter, page(number, limit)).await.unwrap();
        assert!(page.items.iter().all(|report| report.event.body.is_none() && report.event.size > 0));
        (page.items.iter().map(|report| report.event.id).collect::<Vec<_>>(), page.total)
    };
    assert_eq!(found(&all, 1, 2).await, (vec![events[2].id, events[1].id], 3));
    assert_eq!(found(&all, 2, 2).await, (vec![events[0].id], 3));
    assert_eq!(found(&all, 3, 2).await, (vec![], 3), "behind the last page the total is the same");
    let of_kind = HookFilter { kind: events[0].kind.clone(), ..all.clone() };
    assert_eq!(found(&of_kind, 1, 9).await, (vec![events[0].id], 1));
    let ignored = HookFilter { state: Some(HookState::Ignored), ..all.clone() };
    assert_eq!(found(&ignored, 1, 9).await, (vec![events[1].id], 1));
    let waiting = HookFilter { state: Some(HookState::Waiting), ..all };
    assert_eq!(found(&waiting, 1, 9).await, (vec![events[2].id, events[0].id], 2));
}

async fn what_waits_for_nothing_is_purged(harness: &impl Harness) {
    let given = fixtures(harness);
    let source = source(&given);
    let waits = stored(harness, &given, &source).await;
    let done = stored(harness, &given, &source).await;
    let mut tx = begin(harness).await;
    tx.hooks().update(&HookEvent { state: HookState::Done, ..done.clone() }).await.unwrap();
    tx.commit().await.unwrap();
    let (lost, _) = event(&given, &source);
    let mut tx = begin(harness).await;
    assert!(tx.hooks().insert(&lost).await.unwrap());
    tx.commit().await.unwrap();
    let keep = Duration::from_hours(1);
    purge_hooks(&*harness.hooks(), given.shop.now() + keep, Some(keep)).await.unwrap();
    assert!(get(harness, done.id).await.is_some(), "it is not older than it is kept");
    let later = given.shop.now() + keep + Duration::from_micros(1);
    assert_eq!(purge_hooks(&*harness.hooks(), later, None).await.unwrap(), 0);
    assert!(purge_hooks(&*harness.hooks(), later, Some(keep)).await.unwrap() >= 2);
    assert_eq!((get(harness, done.id).await, get(harness, lost.id).await), (None, None));
    assert!(get(harness, waits.id).await.is_some());
}

async fn what_was_said_of_who_is_erased_goes(harness: &impl Harness) {
    let given = fixtures(harness);
    let [ada, bob] = [given.person(Role::User).await.user, given.person(Role::User).await.user];
    let mut events = Vec::new();
    for user in [ada, bob] {
        let event =
            HookEvent { user: Some(user), state: HookState::Done, ..stored(harness, &given, &source(&given)).await };
        let mut tx = begin(harness).await;
        tx.hooks().update(&event).await.unwrap();
        tx.commit().await.unwrap();
        events.push(event);
    }
    let mut tx = begin(harness).await;
    tx.users().erase(ada, &Pseudonym::of(ada), given.shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(get(harness, events[0].id).await.unwrap().event.body, None);
    assert_eq!(get(harness, events[1].id).await.unwrap().event, events[1]);
}
