//! The purge: what is old goes, what is left still has no gap and verifies.

use std::{sync::Arc, time::Duration};

use domain::{
    Error,
    audit::{AuditFilter, End, Mark, Note, verify},
    idempotency::{Claim, Key as OnceKey, Reply},
    page::{Limit, PageRequest},
    retention::{Keep, Purge, Purged, purge},
    testing::FakeClock,
};
use serde_json::json;
use souk_persistence::Engine;

use crate::{
    harness::{Fresh, migrated},
    logs::{Key, change, drain, log, number, relay, shop, sql, write},
};

crate::on_both!(
    old_entries_go_and_the_rest_verifies,
    events_without_a_number_stay,
    a_log_that_was_tampered_with_is_not_purged,
    only_one_of_two_purges_cuts,
    old_keys_go,
);

const DAY: Duration = Duration::from_hours(24);

fn purging(fresh: &Fresh, clock: &Arc<FakeClock>) -> Purge {
    Purge {
        logs: fresh.database.log_purge(),
        chain: fresh.database.chain(),
        audit: fresh.database.audit_purge(),
        key: Arc::new(Key(1)),
        shop: shop(fresh, clock),
        keep: Keep { events: Some(30 * DAY), keys: Some(DAY), audit: Some(90 * DAY) },
    }
}

async fn old_entries_go_and_the_rest_verifies(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let (shop, relay, purging) = (shop(&fresh, &clock), relay(&fresh, &clock, "one"), purging(&fresh, &clock));
    for many in [7, 5, 3] {
        write(&shop, many).await;
        drain(&relay, &mut None).await;
        clock.advance(40 * DAY);
    }
    // Now they are 120, 80 and 40 days old.
    let before = verify(&*fresh.database.chain(), &Key(1), None).await.unwrap().head.unwrap();
    assert_eq!(purge(&purging).await.unwrap(), Purged { events: 15, keys: 0, audit: 7 });
    assert_eq!(purge(&purging).await.unwrap(), Purged::default());
    let verified = verify(&*fresh.database.chain(), &Key(1), None).await.unwrap();
    assert_eq!((verified.entries, verified.waiting, verified.findings), (8, 1, vec![]));

    // The purge is an entry itself, and says where the log ended then.
    drain(&relay, &mut None).await;
    let of_purges = AuditFilter { action: Some("audit.purge".to_owned()), ..AuditFilter::default() };
    let page = PageRequest { page: 1, limit: Limit::default() };
    let purges = fresh.database.audit().list(&of_purges, page).await.unwrap();
    let told = &purges.items[0];
    assert_eq!((purges.total, told.actor, &told.metadata["entries"]), (1, None, &json!(7)));
    assert!(told.metadata["to"].as_str().unwrap().starts_with("7:"), "{}", told.metadata);
    let noted: Note = told.metadata["head"].as_str().unwrap().parse().unwrap();
    assert_eq!(noted, before);
    assert!(verify(&*fresh.database.chain(), &Key(1), Some(&noted)).await.unwrap().is_ok());

    // Numbers go on after the purge, and so does the chain.
    write(&shop, 2).await;
    drain(&relay, &mut None).await;
    assert_eq!(log(&fresh, 16).await.len(), 3);
    clock.advance(100 * DAY);
    assert_eq!(purge(&purging).await.unwrap(), Purged { events: 3, keys: 0, audit: 11 });
    let verified = verify(&*fresh.database.chain(), &Key(1), None).await.unwrap();
    assert_eq!((verified.entries, verified.findings, verified.head.unwrap().seq), (0, vec![], 18));
    drain(&relay, &mut None).await;
    clock.advance(100 * DAY);
    // A purge of nothing but what purges left would go on for ever.
    assert_eq!(purge(&purging).await.unwrap(), Purged { events: 1, ..Purged::default() });
    write(&shop, 1).await;
    drain(&relay, &mut None).await;
    assert!(verify(&*fresh.database.chain(), &Key(1), None).await.unwrap().is_ok());
    assert_eq!(number(&fresh, "SELECT count(*) FROM audit_logs").await, 2);
    clock.advance(100 * DAY);
    assert_eq!(purge(&purging).await.unwrap(), Purged { events: 1, keys: 0, audit: 2 });
}

async fn events_without_a_number_stay(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    write(&shop(&fresh, &clock), 3).await;
    clock.advance(365 * DAY);
    assert_eq!(purge(&purging(&fresh, &clock)).await.unwrap(), Purged::default());
    assert_eq!(drain(&relay(&fresh, &clock, "one"), &mut None).await, (3, 0));
}

async fn a_log_that_was_tampered_with_is_not_purged(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    write(&shop(&fresh, &clock), 5).await;
    drain(&relay(&fresh, &clock, "one"), &mut None).await;
    sql(&fresh, "UPDATE audit_logs SET action = 'x' WHERE id = (SELECT audit_id FROM audit_chain WHERE seq = 3)").await;
    clock.advance(365 * DAY);
    let refused = purge(&purging(&fresh, &clock)).await.unwrap_err();
    assert!(matches!(&refused, Error::Conflict(message) if message.contains("entry 3")), "{refused}");
    assert_eq!(number(&fresh, "SELECT count(*) FROM audit_logs").await, 5, "the traces are still there");
}

async fn only_one_of_two_purges_cuts(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    write(&shop(&fresh, &clock), 5).await;
    drain(&relay(&fresh, &clock, "one"), &mut None).await;
    let mut snapshot = fresh.database.chain().snapshot().await.unwrap();
    let links = snapshot.links(0, 10).await.unwrap();
    drop(snapshot);
    let base = |at: usize| Mark::sealed(&Key(1), End::Base, u64::try_from(at + 1).unwrap(), links[at].hash);
    let purge = fresh.database.audit_purge();
    let shop = shop(&fresh, &clock);
    let trace = || shop.trace(None, change(shop.id())).unwrap();
    assert!(purge.cut(0, &base(2), trace()).await.unwrap());
    assert!(!purge.cut(0, &base(1), trace()).await.unwrap(), "the beginning has moved");
    assert!(purge.cut(3, &base(3), trace()).await.unwrap());
    assert_eq!(number(&fresh, "SELECT count(*) FROM audit_logs").await, 3, "one is left, and two cuts told of");
    assert!(verify(&*fresh.database.chain(), &Key(1), None).await.unwrap().is_ok());
}

async fn old_keys_go(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let shop = shop(&fresh, &clock);
    let reply = Reply { status: 201, headers: vec![], body: vec![1] };
    for key in ["old", "young"] {
        let key = OnceKey { actor: None, operation: "test", key: key.to_owned(), fingerprint: [0; 32] };
        let mut tx = shop.store.begin().await.unwrap();
        assert_eq!(tx.keys().claim(&key, shop.now()).await.unwrap(), Claim::Fresh);
        tx.keys().keep(&key, &reply, shop.now()).await.unwrap();
        tx.commit().await.unwrap();
        clock.advance(DAY * 2 / 3);
    }
    assert_eq!(purge(&purging(&fresh, &clock)).await.unwrap(), Purged { keys: 1, ..Purged::default() });
    assert_eq!(number(&fresh, "SELECT count(*) FROM idempotency_keys WHERE key = 'young'").await, 1);
}
