//! Messages and their attempts.

use std::time::Duration;

use super::{
    super::{Harness, begin, fixtures, page},
    ask, finished, has_lane, ids, message, settle, state, stored, take, tell,
};
use crate::webhooks::{
    Cause, Endpoint, EventType, MessageState, Off, Settled,
    ports::{Ask, MessageFilter},
};

/// Runs the cases.
pub(super) async fn run(harness: &impl Harness) {
    the_cursor_moves_once(harness).await;
    messages_are_taken_once_and_in_time(harness).await;
    a_lost_message_comes_back_and_its_fence_is_old(harness).await;
    what_became_of_messages_is_told(harness).await;
    messages_of_one_thing_keep_their_order(harness).await;
    a_rate_holds_whoever_takes(harness).await;
    what_was_given_up_is_recovered(harness).await;
    old_messages_go_and_those_that_wait_stay(harness).await;
}

async fn the_cursor_moves_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let mut endpoint = stored(harness, &given).await;
    let dispatch = harness.dispatch();
    let from = dispatch.cursor().await.unwrap();
    let one = message(&given, &endpoint, from + 3, None);
    assert!(dispatch.fan_out(from, from + 3, std::slice::from_ref(&one)).await.unwrap());
    assert_eq!(dispatch.cursor().await.unwrap(), from + 3);
    let late = message(&given, &endpoint, from + 3, None);
    assert!(!dispatch.fan_out(from, from + 3, std::slice::from_ref(&late)).await.unwrap(), "somebody was faster");
    let webhooks = harness.webhooks();
    assert_eq!(webhooks.message(endpoint.id, late.id).await.unwrap(), None);
    let found = webhooks.message(endpoint.id, one.id).await.unwrap().unwrap();
    assert_eq!((found.body, found.kind, found.event), (one.body, one.kind, one.event));
    assert_eq!((found.state, found.attempts, found.next_attempt_at), (MessageState::Waiting, 0, Some(one.created_at)));
    // Off or gone meanwhile it gets nothing, and the rest is stored.
    endpoint.off = Some(Off::Owner);
    let mut tx = begin(harness).await;
    tx.webhooks().update(&endpoint).await.unwrap();
    tx.commit().await.unwrap();
    let other = stored(harness, &given).await;
    let gone = Endpoint { id: given.shop.id(), ..other.clone() };
    let told = [&endpoint, &gone, &other].map(|to| message(&given, to, 1, None));
    tell(harness, &told).await;
    assert_eq!(webhooks.message(endpoint.id, told[0].id).await.unwrap(), None);
    assert!(webhooks.message(other.id, told[2].id).await.unwrap().is_some());
}

async fn messages_are_taken_once_and_in_time(harness: &impl Harness) {
    let given = fixtures(harness);
    let (endpoint, other) = (stored(harness, &given).await, stored(harness, &given).await);
    let told: Vec<_> = (1..=3).map(|seq| message(&given, &endpoint, seq, None)).collect();
    tell(harness, &told).await;
    assert!(has_lane(harness, &given, &endpoint).await);
    assert!(!has_lane(harness, &given, &other).await, "nothing is due there");
    let first = take(harness, &given, &endpoint, 2).await;
    assert_eq!(ids(&first), [told[0].id, told[1].id], "those due for longest");
    assert_eq!((first[0].fence, first[0].attempts, first[0].place, first[0].ordered), (1, 0, 0, false));
    assert_eq!(first[0].body, told[0].body);
    assert_eq!(ids(&take(harness, &given, &endpoint, 9).await), [told[2].id]);
    assert!(!has_lane(harness, &given, &endpoint).await);
    let later = given.shop.now() + Duration::from_secs(5);
    settle(harness, &given, &[finished(&given, &first[0], Settled::Again(later))]).await;
    assert!(take(harness, &given, &endpoint, 9).await.is_empty(), "not yet");
    let theirs = message(&given, &other, 4, None);
    tell(harness, std::slice::from_ref(&theirs)).await;
    given.clock.advance(Duration::from_secs(5));
    // Of several endpoints at once.
    let asks = [&endpoint, &other].map(|endpoint| ask(&given, endpoint, 9));
    let mut again = harness.dispatch().take(&asks).await.unwrap();
    again.sort_by_key(|one| one.endpoint != endpoint.id);
    assert_eq!(ids(&again), [told[0].id, theirs.id]);
    assert_eq!(harness.dispatch().take(&[]).await.unwrap(), []);
    assert_eq!((again[0].fence, again[0].attempts, again[0].place), (2, 1, 1));
    harness.dispatch().release(&[(again[0].id, 1), (first[1].id, 1)]).await.unwrap();
    assert_eq!(state(harness, &endpoint, again[0].id).await, MessageState::Sending, "that fence is old");
    assert_eq!(ids(&take(harness, &given, &endpoint, 9).await), [first[1].id]);
}

async fn a_lost_message_comes_back_and_its_fence_is_old(harness: &impl Harness) {
    let given = fixtures(harness);
    let endpoint = stored(harness, &given).await;
    tell(harness, &[message(&given, &endpoint, 1, None), message(&given, &endpoint, 2, None)]).await;
    let taken = take(harness, &given, &endpoint, 2).await;
    let kept = given.shop.now() + Duration::from_mins(1);
    harness.dispatch().extend(&[(taken[1].id, taken[1].fence)], kept).await.unwrap();
    given.clock.advance(Duration::from_secs(11));
    assert!(harness.dispatch().take_back(given.shop.now()).await.unwrap() >= 1);
    let again = take(harness, &given, &endpoint, 2).await;
    assert_eq!(ids(&again), [taken[0].id], "the other was kept for longer");
    assert_eq!((again[0].fence, again[0].attempts, again[0].place), (2, 0, 0), "what was lost does not count");
    settle(harness, &given, &[finished(&given, &taken[0], Settled::Delivered)]).await;
    assert_eq!(state(harness, &endpoint, taken[0].id).await, MessageState::Sending, "whoever lost it says nothing");
    assert_eq!(harness.webhooks().attempts(taken[0].id, page(1, 5)).await.unwrap().total, 0);
    settle(harness, &given, &[finished(&given, &again[0], Settled::Delivered)]).await;
    assert_eq!(state(harness, &endpoint, taken[0].id).await, MessageState::Delivered);
}

async fn what_became_of_messages_is_told(harness: &impl Harness) {
    let given = fixtures(harness);
    let (endpoint, failing) = (stored(harness, &given).await, stored(harness, &given).await);
    let told = [1, 2, 3].map(|seq| message(&given, &endpoint, seq, None));
    let lost = message(&given, &failing, 4, None);
    tell(harness, &[&told[..], std::slice::from_ref(&lost)].concat()).await;
    let taken = take(harness, &given, &endpoint, 3).await;
    let theirs = take(harness, &given, &failing, 3).await;
    let soon = given.shop.now() + Duration::from_secs(5);
    let settled = [Settled::Delivered, Settled::Again(soon), Settled::GivenUp(Cause::Aborted)];
    let mut done: Vec<_> = taken.iter().zip(settled).map(|(one, settled)| finished(&given, one, settled)).collect();
    done.push(finished(&given, &theirs[0], Settled::Again(soon)));
    let since = given.shop.now();
    assert_eq!(settle(harness, &given, &done).await, [(failing.id, since)], "one that arrived is no failing endpoint");
    let webhooks = harness.webhooks();
    assert_eq!(webhooks.get(endpoint.id).await.unwrap().unwrap().failing_since, None);
    assert_eq!(webhooks.get(failing.id).await.unwrap().unwrap().failing_since, Some(since));
    let gave_up = webhooks.message(endpoint.id, told[2].id).await.unwrap().unwrap();
    assert_eq!((gave_up.state, gave_up.cause, gave_up.attempts), (MessageState::Failed, Some(Cause::Aborted), 1));
    assert_eq!((gave_up.finished_at, gave_up.next_attempt_at), (Some(since), None));
    let attempts = webhooks.attempts(told[0].id, page(1, 5)).await.unwrap();
    assert_eq!(attempts.items, [done[0].attempt.clone()]);
    let of = |state, kind| MessageFilter { state, kind };
    for (filter, total) in [
        (of(None, None), 3),
        (of(Some(MessageState::Failed), None), 1),
        (of(Some(MessageState::Sending), None), 0),
        (of(Some(MessageState::Waiting), Some(EventType::ProductUpdated)), 1),
        (of(None, Some(EventType::UserCreated)), 0),
    ] {
        assert_eq!(webhooks.messages(endpoint.id, filter, page(1, 2)).await.unwrap().total, total, "{filter:?}");
    }
    let stats = webhooks.stats(endpoint.id, since - Duration::from_secs(1)).await.unwrap();
    assert_eq!((stats.open, stats.delivered, stats.failed), (1, 1, 1));
    assert_eq!((stats.attempts, stats.failures, stats.mean_millis), (3, 2, Some(40)));
    assert_eq!(stats.waiting_since, Some(told[1].created_at));
    assert_eq!(webhooks.stats(endpoint.id, since + Duration::from_secs(1)).await.unwrap().attempts, 0);
    // It still fails, since the first time; a success forgets that.
    given.clock.advance(Duration::from_secs(6));
    let again = take(harness, &given, &failing, 1).await;
    let later = given.shop.now() + Duration::from_mins(5);
    let failed = settle(harness, &given, &[finished(&given, &again[0], Settled::Again(later))]).await;
    assert_eq!(failed, [(failing.id, since)]);
    assert_eq!(webhooks.attempts(lost.id, page(1, 5)).await.unwrap().items[0].number, 2, "the latest first");
    given.clock.advance(Duration::from_mins(5));
    let again = take(harness, &given, &failing, 1).await;
    assert_eq!((again[0].attempts, again[0].place), (2, 2));
    assert_eq!(settle(harness, &given, &[finished(&given, &again[0], Settled::Delivered)]).await, []);
    assert_eq!(webhooks.get(failing.id).await.unwrap().unwrap().failing_since, None);
}

async fn messages_of_one_thing_keep_their_order(harness: &impl Harness) {
    let given = fixtures(harness);
    let endpoint = stored(harness, &given).await;
    let lamp: Vec<_> = [1, 2, 4].map(|seq| message(&given, &endpoint, seq, Some(71))).into();
    let chair = message(&given, &endpoint, 3, Some(72));
    tell(harness, &[lamp[0].clone(), lamp[1].clone(), chair.clone(), lamp[2].clone()]).await;
    let first = take(harness, &given, &endpoint, 9).await;
    assert_eq!(ids(&first), [lamp[0].id, chair.id], "one of each thing");
    assert!(first.iter().all(|one| one.ordered));
    assert!(take(harness, &given, &endpoint, 9).await.is_empty(), "while the first is under way");
    let later = given.shop.now() + Duration::from_secs(5);
    settle(harness, &given, &[finished(&given, &first[0], Settled::Again(later))]).await;
    assert!(!has_lane(harness, &given, &endpoint).await, "those behind wait as long, and nobody looks at them");
    given.clock.advance(Duration::from_secs(5));
    let again = take(harness, &given, &endpoint, 9).await;
    assert_eq!(ids(&again), [lamp[0].id]);
    settle(harness, &given, &[finished(&given, &again[0], Settled::GivenUp(Cause::Exhausted))]).await;
    assert_eq!(ids(&take(harness, &given, &endpoint, 9).await), [lamp[1].id], "given up it holds up nobody");
}

async fn a_rate_holds_whoever_takes(harness: &impl Harness) {
    let given = fixtures(harness);
    let endpoint = stored(harness, &given).await;
    let told: Vec<_> = (1..=9).map(|seq| message(&given, &endpoint, seq, None)).collect();
    tell(harness, &told).await;
    let ask = || Ask { per_minute: Some(180), ..ask(&given, &endpoint, 9) };
    let dispatch = harness.dispatch();
    assert_eq!(dispatch.take(&[ask()]).await.unwrap().len(), 3, "a second's worth");
    assert_eq!(dispatch.take(&[ask()]).await.unwrap().len(), 0);
    given.clock.advance(Duration::from_millis(700));
    assert_eq!(dispatch.take(&[ask()]).await.unwrap().len(), 2);
    given.clock.advance(Duration::from_mins(1));
    assert_eq!(dispatch.take(&[ask()]).await.unwrap().len(), 3);
}

async fn what_was_given_up_is_recovered(harness: &impl Harness) {
    let given = fixtures(harness);
    let endpoint = stored(harness, &given).await;
    let old = message(&given, &endpoint, 1, None);
    tell(harness, std::slice::from_ref(&old)).await;
    given.clock.advance(Duration::from_hours(1));
    let since = given.shop.now();
    let told = [2, 3, 4].map(|seq| message(&given, &endpoint, seq, None));
    tell(harness, &told).await;
    let taken = take(harness, &given, &endpoint, 9).await;
    let settled = [
        Settled::GivenUp(Cause::Exhausted),
        Settled::GivenUp(Cause::Exhausted),
        Settled::Delivered,
        Settled::Again(since),
    ];
    let done: Vec<_> = taken.iter().zip(settled).map(|(one, settled)| finished(&given, one, settled)).collect();
    settle(harness, &given, &done).await;
    let mut tx = begin(harness).await;
    let now = given.shop.now();
    assert_eq!(tx.webhooks().revive(endpoint.id, told[2].id, now).await.unwrap(), Some(false), "it waits already");
    assert_eq!(tx.webhooks().revive(endpoint.id, given.shop.id(), now).await.unwrap(), None);
    assert_eq!(tx.webhooks().recover(endpoint.id, since, now, 100).await.unwrap(), 1, "the old one is too old");
    assert_eq!(tx.webhooks().revive(endpoint.id, told[1].id, now).await.unwrap(), Some(true), "one that arrived");
    assert_eq!(tx.webhooks().give_up(endpoint.id, now).await.unwrap(), 3);
    assert_eq!(tx.webhooks().recover(endpoint.id, since, now, 2).await.unwrap(), 2, "as many as are asked for");
    assert_eq!(tx.webhooks().recover(endpoint.id, since, now, 2).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let again = take(harness, &given, &endpoint, 9).await;
    assert_eq!(ids(&again), told.iter().map(|one| one.id).collect::<Vec<_>>(), "under the ids they had");
    assert!(again.iter().all(|one| one.place == 0 && one.attempts == 1), "{again:?}");
    assert_eq!(state(harness, &endpoint, old.id).await, MessageState::Failed);
    let off = message(&given, &endpoint, 5, None);
    let mut tx = begin(harness).await;
    tx.webhooks().add(&off).await.unwrap();
    assert_eq!(tx.webhooks().give_up(endpoint.id, now).await.unwrap(), 1, "what is being sent is not given up");
    tx.commit().await.unwrap();
    let found = harness.webhooks().message(endpoint.id, off.id).await.unwrap().unwrap();
    assert_eq!((found.state, found.cause, found.event), (MessageState::Failed, Some(Cause::Off), off.event));
}

async fn old_messages_go_and_those_that_wait_stay(harness: &impl Harness) {
    let given = fixtures(harness);
    let endpoint = stored(harness, &given).await;
    let old = [message(&given, &endpoint, 1, None), message(&given, &endpoint, 2, None)];
    tell(harness, &old).await;
    let taken = take(harness, &given, &endpoint, 1).await;
    settle(harness, &given, &[finished(&given, &taken[0], Settled::Delivered)]).await;
    given.clock.advance(Duration::from_secs(10));
    let before = given.shop.now();
    let young = message(&given, &endpoint, 3, None);
    tell(harness, std::slice::from_ref(&young)).await;
    let dispatch = harness.dispatch();
    while dispatch.purge(before, 1).await.unwrap() > 0 {}
    let webhooks = harness.webhooks();
    assert_eq!(webhooks.message(endpoint.id, old[0].id).await.unwrap(), None);
    assert!(webhooks.message(endpoint.id, old[1].id).await.unwrap().is_some(), "it waits");
    assert!(webhooks.message(endpoint.id, young.id).await.unwrap().is_some());
}
