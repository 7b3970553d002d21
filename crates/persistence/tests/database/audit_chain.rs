//! Verification of the audit log: each way to tamper with it is found, by its own name.

use std::sync::Arc;

use domain::{
    audit::{Finding, Note, verify},
    id::AuditId,
    testing::FakeClock,
};
use souk_persistence::Engine;
use uuid::Uuid;

use crate::{
    harness::{Fresh, migrated},
    logs::{Key, drain, literal, relay, shop, sql, write},
};

crate::on_both!(
    an_untouched_log_verifies_and_what_waits_is_no_fault,
    every_kind_of_tampering_is_found,
    a_note_finds_an_old_state_put_back,
    another_key_verifies_nothing,
);

/// Ten entries, chained.
async fn chained(engine: Engine) -> Fresh {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    write(&shop(&fresh, &clock), 10).await;
    drain(&relay(&fresh, &clock, "one"), &mut None).await;
    fresh
}

async fn findings(fresh: &Fresh, noted: Option<&Note>) -> Vec<Finding> {
    verify(&*fresh.database.chain(), &Key(1), noted).await.unwrap().findings
}

async fn an_untouched_log_verifies_and_what_waits_is_no_fault(engine: Engine) {
    let fresh = migrated(engine).await;
    assert_eq!(findings(&fresh, None).await, [], "an empty log is a good log");
    let clock = Arc::new(FakeClock::default());
    write(&shop(&fresh, &clock), 10).await;
    let verified = verify(&*fresh.database.chain(), &Key(1), None).await.unwrap();
    assert_eq!((verified.entries, verified.waiting, verified.findings), (0, 10, vec![]));
    drain(&relay(&fresh, &clock, "one"), &mut None).await;
    write(&shop(&fresh, &clock), 2).await;
    let verified = verify(&*fresh.database.chain(), &Key(1), None).await.unwrap();
    assert_eq!((verified.entries, verified.waiting, verified.findings), (10, 2, vec![]));
    assert_eq!(verified.head.unwrap().seq, 10);
}

async fn every_kind_of_tampering_is_found(engine: Engine) {
    let fifth = "(SELECT audit_id FROM audit_chain WHERE seq = 5)";
    let zeros = if engine == Engine::Sqlite { "zeroblob(32)" } else { "decode(repeat('00', 32), 'hex')" };
    let stranger = Uuid::from_u128(99);
    let copy = format!(
        "INSERT INTO audit_logs SELECT {}, actor_id, action, entity_type, entity_id, metadata, created_at, impersonator_id \
         FROM audit_logs WHERE id = {fifth}",
        literal(engine, stranger)
    );
    let fifth_missing = Finding::Missing { from: 5, to: 5 };
    let mut cases = vec![
        (format!("UPDATE audit_logs SET action = 'user.delete' WHERE id = {fifth}"), vec![Finding::Altered(5)]),
        (format!("UPDATE audit_logs SET impersonator_id = entity_id WHERE id = {fifth}"), vec![Finding::Altered(5)]),
        (format!("UPDATE audit_logs SET metadata = '{{}}' WHERE id = {fifth}"), vec![Finding::Altered(5)]),
        (format!("UPDATE audit_logs SET actor_id = NULL WHERE id = {fifth}"), vec![Finding::Altered(5)]),
        (
            format!("UPDATE audit_logs SET created_at = '2020-01-01T00:00:00+00:00' WHERE id = {fifth}"),
            vec![Finding::Altered(5)],
        ),
        (format!("UPDATE audit_chain SET hash = {zeros} WHERE seq = 5"), vec![Finding::Altered(5)]),
        (format!("UPDATE audit_chain SET hash = {zeros} WHERE seq = 10"), vec![Finding::Altered(10)]),
        (format!("DELETE FROM audit_logs WHERE id = {fifth}"), vec![fifth_missing.clone()]),
        (
            format!("DELETE FROM audit_logs WHERE id = {fifth}; DELETE FROM audit_chain WHERE seq = 5"),
            vec![fifth_missing.clone()],
        ),
        (copy.clone(), vec![Finding::Inserted(AuditId(stranger))]),
        (
            format!("{copy}; INSERT INTO audit_chain VALUES (-3, {}, {zeros})", literal(engine, stranger)),
            vec![Finding::Stray(-3)],
        ),
        (
            format!("{copy}; INSERT INTO audit_chain VALUES (11, {}, {zeros})", literal(engine, stranger)),
            vec![Finding::Altered(11), Finding::PastHead { head: 10, found: 11 }],
        ),
        (
            "DELETE FROM audit_logs WHERE id IN (SELECT audit_id FROM audit_chain WHERE seq > 7); \
             DELETE FROM audit_chain WHERE seq > 7"
                .to_owned(),
            vec![Finding::CutTail { found: 7, expected: 10 }],
        ),
        (
            "DELETE FROM audit_logs WHERE id IN (SELECT audit_id FROM audit_chain WHERE seq > 7); \
             DELETE FROM audit_chain WHERE seq > 7; \
             UPDATE audit_marks SET seq = 7, hash = (SELECT hash FROM audit_chain WHERE seq = 7)"
                .to_owned(),
            vec![Finding::ForgedHead],
        ),
        (
            "DELETE FROM audit_logs WHERE id IN (SELECT audit_id FROM audit_chain WHERE seq < 4); \
             DELETE FROM audit_chain WHERE seq < 4"
                .to_owned(),
            vec![Finding::Missing { from: 1, to: 3 }],
        ),
        (
            "DELETE FROM audit_logs WHERE id IN (SELECT audit_id FROM audit_chain WHERE seq < 4); \
             INSERT INTO audit_marks SELECT 'base', seq, hash, hash FROM audit_chain WHERE seq = 3; \
             DELETE FROM audit_chain WHERE seq < 4"
                .to_owned(),
            vec![Finding::ForgedBase],
        ),
        ("DELETE FROM audit_marks".to_owned(), vec![Finding::ForgedHead]),
        (format!("UPDATE audit_marks SET seal = {zeros}"), vec![Finding::ForgedHead]),
        (
            "DELETE FROM audit_logs; DELETE FROM audit_chain; DELETE FROM audit_marks".to_owned(),
            vec![Finding::ForgedHead],
        ),
    ];
    if engine == Engine::Sqlite {
        // SQLite takes any bytes in any column.
        for column in ["metadata = '{torn'", "created_at = 'never'", "entity_id = 'x'", "action = x'ff'"] {
            cases.push((format!("UPDATE audit_logs SET {column} WHERE id = {fifth}"), vec![Finding::Altered(5)]));
        }
    }
    for (tampering, expected) in cases {
        let fresh = chained(engine).await;
        sql(&fresh, &tampering).await;
        assert_eq!(findings(&fresh, None).await, expected, "{tampering}");
    }

    // A link that is gone leaves its entry outside.
    let fresh = chained(engine).await;
    sql(&fresh, "DELETE FROM audit_chain WHERE seq = 5").await;
    let found = findings(&fresh, None).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0], fifth_missing);
    assert!(matches!(found[1], Finding::Inserted(_)));
}

async fn a_note_finds_an_old_state_put_back(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let (shop, relay) = (shop(&fresh, &clock), relay(&fresh, &clock, "one"));
    write(&shop, 5).await;
    drain(&relay, &mut None).await;
    sql(&fresh, "CREATE TABLE kept AS SELECT * FROM audit_marks").await;
    write(&shop, 5).await;
    drain(&relay, &mut None).await;
    let note = verify(&*fresh.database.chain(), &Key(1), None).await.unwrap().head.unwrap();
    assert_eq!(findings(&fresh, Some(&note)).await, []);
    let wrong = Note { seq: 4, ..note };
    assert_eq!(findings(&fresh, Some(&wrong)).await, [Finding::NotAsNoted(4)]);

    sql(&fresh, "DELETE FROM audit_marks; INSERT INTO audit_marks SELECT * FROM kept").await;
    assert_eq!(findings(&fresh, None).await, [Finding::PastHead { head: 5, found: 10 }]);
    sql(
        &fresh,
        "DELETE FROM audit_logs WHERE id IN (SELECT audit_id FROM audit_chain WHERE seq > 5); \
         DELETE FROM audit_chain WHERE seq > 5",
    )
    .await;
    // Seals and all: nothing inside the database tells it from the truth of that day.
    assert_eq!(findings(&fresh, None).await, []);
    assert_eq!(findings(&fresh, Some(&note)).await, [Finding::NotAsNoted(10)]);
}

async fn another_key_verifies_nothing(engine: Engine) {
    let fresh = chained(engine).await;
    let verified = verify(&*fresh.database.chain(), &Key(2), None).await.unwrap();
    assert!(verified.findings.contains(&Finding::ForgedHead) && verified.findings.contains(&Finding::Altered(1)));
}
