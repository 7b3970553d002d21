//! The relay: numbers without gaps, one relay at a time, and poison that stops nothing.

use std::{sync::Arc, time::Duration};

use domain::{
    audit::verify,
    clock::Clock as _,
    event::Event,
    id::EventId,
    relay::{Opened, Step, step},
    testing::FakeClock,
};
use souk_persistence::Engine;
use uuid::Uuid;

use crate::{
    harness::migrated,
    logs::{Key, LEASE, change, drain, literal, log, number, relay, shop, sql, write},
};

crate::on_both!(
    numbers_have_no_gap_while_writers_and_two_relays_run,
    an_event_committed_late_comes_after_what_readers_saw,
    what_was_rolled_back_is_never_numbered,
    the_lease_changes_hands_only_when_it_ended,
    a_holder_that_slept_writes_nothing,
    a_lease_given_back_is_free_at_once,
    poison_is_set_aside_and_can_be_tried_again,
    a_forged_head_halts_the_chain_and_loses_nothing,
    an_event_reads_back_as_it_was_written,
    what_is_ahead_is_found_with_a_number_and_without,
    events_of_one_moment_are_numbered_as_they_were_written,
);

async fn events_of_one_moment_are_numbered_as_they_were_written(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let (shop, mut written) = (shop(&fresh, &clock), Vec::new());
    let mut number = 0;
    // In transactions of their own, and several in one; the clock is set back meanwhile.
    for each in [1, 1, 1, 1, 1, 5, 1, 20, 1, 1] {
        let mut tx = shop.store.begin().await.unwrap();
        for _ in 0..each {
            number += 1;
            let thing = Uuid::from_u128(number);
            shop.record(&mut *tx, None, change(thing)).await.unwrap();
            written.push(thing);
        }
        tx.commit().await.unwrap();
        clock.set(clock.now() - chrono::TimeDelta::milliseconds(1));
    }
    let relay = relay(&fresh, &clock, "one");
    assert_eq!(drain(&relay, &mut None).await.0, written.len());
    let numbered: Vec<Uuid> = log(&fresh, 1).await.iter().map(|numbered| numbered.event.entity.id).collect();
    assert_eq!(numbered, written);
}

async fn what_is_ahead_is_found_with_a_number_and_without(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let shop = shop(&fresh, &clock);
    write(&shop, 3).await;
    drain(&relay(&fresh, &clock, "one"), &mut None).await;
    write(&shop, 2).await;
    let feed = fresh.database.feed();
    let types = |event: &Event| event.entity.kind.clone();
    let of = types(&feed.after(0, 1).await.unwrap()[0].event);
    let ahead = async |seq, types: &[&str], limit| feed.ahead(seq, types, limit).await.unwrap();
    for (seq, expected) in [(0, 5), (1, 4), (3, 2), (9, 2)] {
        let found = ahead(seq, &["nothing", &of], 100).await;
        assert_eq!(found.len(), expected, "after {seq}");
        assert!(found.iter().all(|event| types(event) == of));
    }
    assert_eq!(ahead(0, &[&of], 2).await.len(), 2);
    assert_eq!(ahead(0, &["nothing"], 100).await, []);
}

async fn numbers_have_no_gap_while_writers_and_two_relays_run(engine: Engine) {
    const WRITERS: usize = 6;
    const EACH: usize = 40;
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let shop = fresh.shop();
        writers.spawn(async move { write(&shop, EACH).await });
    }
    let (one, two) = (relay(&fresh, &clock, "one"), relay(&fresh, &clock, "two"));
    let (mut held_one, mut held_two) = (None, None);
    let mut seen = 0;
    let mut numbered = 0;
    // Both try at every turn; the lease passes from one to the other as the clock jumps.
    while numbered < WRITERS * EACH {
        for (relay, held) in [(&one, &mut held_one), (&two, &mut held_two)] {
            if let Step::Led(done) = step(relay, held).await.unwrap() {
                numbered += done.numbered;
                assert_eq!(done.failed, 0);
            }
            // A reader who goes on after the last number it saw never misses one.
            for found in fresh.database.feed().after(seen, 10_000).await.unwrap() {
                assert_eq!(found.seq, seen + 1);
                seen += 1;
            }
        }
        clock.advance(LEASE / 3);
    }
    writers.join_all().await;
    let all = log(&fresh, 1).await;
    let ids: std::collections::BTreeSet<_> = all.iter().map(|found| found.event.id).collect();
    assert_eq!((all.len(), ids.len()), (WRITERS * EACH, WRITERS * EACH));
    let verified = verify(&*fresh.database.chain(), &Key(1), None).await.unwrap();
    assert_eq!((verified.findings, verified.entries, verified.waiting), (vec![], 240, 0));
}

async fn an_event_committed_late_comes_after_what_readers_saw(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let shop = shop(&fresh, &clock);
    let (relay, mut held) = (relay(&fresh, &clock, "one"), None);
    let early: Uuid = shop.id();
    clock.advance(Duration::from_secs(1));
    if engine == Engine::Postgres {
        // The transaction that took the lower id is still open when the higher one is numbered.
        let mut slow = shop.store.begin().await.unwrap();
        let told = change(early);
        let event = Event {
            id: EventId(early),
            kind: told.event.to_owned(),
            entity: told.entity,
            actor: None,
            at: shop.now(),
            payload: told.payload,
        };
        slow.outbox().append(event).await.unwrap();
        write(&shop, 1).await;
        assert_eq!(drain(&relay, &mut held).await, (1, 0));
        slow.commit().await.unwrap();
        let id = literal(engine, early);
        sql(
            &fresh,
            &format!(
                "INSERT INTO audit_logs SELECT {id}, actor_id, action, entity_type, entity_id, metadata, created_at, impersonator_id \
                 FROM audit_logs"
            ),
        )
        .await;
    } else {
        write(&shop, 1).await;
        assert_eq!(drain(&relay, &mut held).await, (1, 0));
        // One writer cannot overlap with another, but a clock that was set back gives lower ids.
        clock.set(shop.now() - Duration::from_hours(1));
        held = None;
        write(&shop, 1).await;
    }
    let first = log(&fresh, 1).await[0].event.id;
    let (late, mut held_late) = (crate::logs::relay(&fresh, &clock, "one"), held);
    assert_eq!(drain(&late, &mut held_late).await, (1, 0));
    let all = log(&fresh, 1).await;
    assert_eq!((all.len(), all[0].event.id), (2, first));
    assert!(all[1].event.id < first, "the lower id has the higher number");
}

async fn what_was_rolled_back_is_never_numbered(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let shop = shop(&fresh, &clock);
    let mut tx = shop.store.begin().await.unwrap();
    shop.record(&mut *tx, None, change(Uuid::from_u128(1))).await.unwrap();
    drop(tx);
    write(&shop, 2).await;
    assert_eq!(drain(&relay(&fresh, &clock, "one"), &mut None).await, (2, 0));
    assert_eq!(log(&fresh, 1).await.len(), 2);
}

async fn the_lease_changes_hands_only_when_it_ended(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let (one, two) = (relay(&fresh, &clock, "one"), relay(&fresh, &clock, "two"));
    let (mut held_one, mut held_two) = (None, None);
    assert!(matches!(step(&one, &mut held_one).await.unwrap(), Step::Led(_)));
    assert_eq!(step(&two, &mut held_two).await.unwrap(), Step::Standby);
    // Renewed on the way, it does not end.
    for _ in 0..10 {
        clock.advance(LEASE / 2);
        assert!(matches!(step(&one, &mut held_one).await.unwrap(), Step::Led(_)));
        assert_eq!(step(&two, &mut held_two).await.unwrap(), Step::Standby);
    }
    let fence = held_one.as_ref().unwrap().fence;
    clock.advance(LEASE);
    assert!(matches!(step(&two, &mut held_two).await.unwrap(), Step::Led(_)));
    assert!(held_two.unwrap().fence > fence);
    assert_eq!(step(&one, &mut held_one).await.unwrap(), Step::Standby);
}

async fn a_holder_that_slept_writes_nothing(engine: Engine) {
    let fresh = migrated(engine).await;
    let (clock, stopped) = (Arc::new(FakeClock::default()), Arc::new(FakeClock::default()));
    let (old, new) = (relay(&fresh, &stopped, "old"), relay(&fresh, &clock, "new"));
    let mut held_old = None;
    step(&old, &mut held_old).await.unwrap();
    let asleep = held_old.clone().unwrap();
    clock.advance(LEASE);
    assert!(matches!(step(&new, &mut None).await.unwrap(), Step::Led(_)));
    write(&shop(&fresh, &clock), 3).await;
    // Its own clock says that the lease is still good; the fencing number says otherwise.
    assert!(matches!(old.log.open(&asleep, 10).await.unwrap(), Opened::Fenced));
    assert_eq!(step(&old, &mut held_old).await.unwrap(), Step::Standby);
    assert_eq!(number(&fresh, "SELECT count(*) FROM events WHERE seq IS NOT NULL").await, 0);
    assert_eq!(number(&fresh, "SELECT count(*) FROM audit_chain").await, 0);
}

async fn a_lease_given_back_is_free_at_once(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let (one, two) = (relay(&fresh, &clock, "one"), relay(&fresh, &clock, "two"));
    let (mut held, mut held_two) = (None, None);
    step(&one, &mut held).await.unwrap();
    let lease = held.unwrap();
    one.log.release(&lease).await.unwrap();
    assert!(matches!(step(&two, &mut held_two).await.unwrap(), Step::Led(_)));
    // Giving back what another holds by now changes nothing.
    one.log.release(&lease).await.unwrap();
    assert_eq!(step(&one, &mut None).await.unwrap(), Step::Standby);
}

async fn poison_is_set_aside_and_can_be_tried_again(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let shop = shop(&fresh, &clock);
    let (relay, mut held) = (relay(&fresh, &clock, "one"), None);
    write(&shop, 5).await;
    let nth = |n: usize| format!("(SELECT id FROM events ORDER BY id LIMIT 1 OFFSET {n})");
    // Materialised first, because the updates below must not change which row is the nth.
    sql(&fresh, &format!("UPDATE events SET kind = 'user.exploded' WHERE id = {}", nth(0))).await;
    sql(&fresh, &format!("DELETE FROM audit_logs WHERE id = {}", nth(1))).await;
    let torn = if engine == Engine::Sqlite { "'{torn'" } else { "'[]'" };
    sql(&fresh, &format!("UPDATE events SET payload = {torn} WHERE id = {}", nth(2))).await;
    assert_eq!(drain(&relay, &mut held).await, (2, 3));
    assert_eq!(log(&fresh, 1).await.len(), 2);

    let failed = fresh.database.set_aside().failed(10).await.unwrap();
    let reasons: Vec<_> = failed.iter().map(|failed| failed.reason.as_str()).collect();
    assert!(reasons[0].contains("unknown kind"), "{reasons:?}");
    assert!(reasons[1].contains("audit entry is missing"), "{reasons:?}");
    assert!(reasons[2].contains("not decode"), "{reasons:?}");
    // What was done is chained even where the event cannot be told.
    let verified = verify(&*fresh.database.chain(), &Key(1), None).await.unwrap();
    assert_eq!((verified.findings, verified.entries), (vec![], 4));

    sql(&fresh, "UPDATE events SET kind = 'user.created' WHERE kind = 'user.exploded'").await;
    assert_eq!(fresh.database.set_aside().retry(Some(failed[0].id)).await.unwrap(), 1);
    assert_eq!(drain(&relay, &mut held).await, (1, 0));
    assert_eq!(fresh.database.set_aside().retry(None).await.unwrap(), 2);
    assert_eq!(drain(&relay, &mut held).await, (0, 2), "what is still poisoned is set aside again");
    assert_eq!(log(&fresh, 1).await.len(), 3);
    let verified = verify(&*fresh.database.chain(), &Key(1), None).await.unwrap();
    assert_eq!((verified.findings, verified.entries), (vec![], 4), "nothing is chained twice");
}

async fn a_forged_head_halts_the_chain_and_loses_nothing(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let shop = shop(&fresh, &clock);
    let (relay, mut held) = (relay(&fresh, &clock, "one"), None);
    write(&shop, 3).await;
    drain(&relay, &mut held).await;
    sql(&fresh, "CREATE TABLE kept AS SELECT * FROM audit_marks").await;
    sql(&fresh, "UPDATE audit_marks SET seq = 2 WHERE name = 'head'").await;
    write(&shop, 2).await;
    assert!(step(&relay, &mut held).await.is_err());
    assert_eq!(log(&fresh, 1).await.len(), 3);
    sql(&fresh, "DELETE FROM audit_marks").await;
    assert!(step(&relay, &mut held).await.is_err());
    sql(&fresh, "INSERT INTO audit_marks SELECT * FROM kept").await;
    assert_eq!(drain(&relay, &mut held).await, (2, 0));
    assert!(verify(&*fresh.database.chain(), &Key(1), None).await.unwrap().is_ok());
}

async fn an_event_reads_back_as_it_was_written(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    clock.advance(Duration::from_micros(123_456));
    let shop = shop(&fresh, &clock);
    write(&shop, 1).await;
    drain(&relay(&fresh, &clock, "one"), &mut None).await;
    let [told] = log(&fresh, 1).await.try_into().unwrap();
    let user = told.event.actor.unwrap();
    let change = change(user.0);
    assert_eq!((told.event.kind.as_str(), told.event.entity), (change.event, change.entity));
    assert_eq!((told.event.payload, told.event.at), (change.payload, shop.now()));
}
