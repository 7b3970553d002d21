//! What the tests of the spine share: writing entries, a relay, and looking at the tables with plain SQL.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use domain::{
    Shop,
    event::{Change, Entity},
    id::UserId,
    job::Reactions,
    relay::{Lease, Numbered, Relay, Step, step},
    secrets::Mac,
    testing::FakeClock,
};
use platform::SystemEntropy;
use sea_orm_migration::sea_orm::{ConnectionTrait, Statement};
use serde_json::json;
use souk_persistence::Engine;

use crate::harness::Fresh;

/// Not a secure keyed hash, but one that differs for different keys and bytes.
pub struct Key(pub u64);

impl Mac for Key {
    fn mac(&self, bytes: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        for (i, part) in out.chunks_mut(8).enumerate() {
            let mut hasher = DefaultHasher::new();
            (self.0, i, bytes).hash(&mut hasher);
            part.copy_from_slice(&hasher.finish().to_be_bytes());
        }
        out
    }
}

/// A shop whose clock stands still.
pub fn shop(fresh: &Fresh, clock: &Arc<FakeClock>) -> Shop {
    Shop { clock: clock.clone(), ..fresh.shop() }
}

pub fn change(id: uuid::Uuid) -> Change {
    Change {
        action: "user.create",
        event: "user.created",
        entity: Entity::new("user", id),
        payload: json!({ "userId": id }),
        metadata: json!({ "z": [1, 2.5, null], "a": { "é": "\"quoted\"" } }),
    }
}

/// Writes so many changes, each in a transaction of its own.
pub async fn write(shop: &Shop, many: usize) {
    for _ in 0..many {
        let id: UserId = shop.id();
        let mut tx = shop.store.begin().await.unwrap();
        shop.record(&mut *tx, Some(id), change(id.0)).await.unwrap();
        tx.commit().await.unwrap();
    }
}

pub const LEASE: Duration = Duration::from_secs(5);

pub fn relay(fresh: &Fresh, clock: &Arc<FakeClock>, holder: &str) -> Relay {
    Relay {
        log: fresh.database.relay_log(),
        key: Arc::new(Key(1)),
        reactions: Reactions::default(),
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
        holder: holder.to_owned(),
        lease: LEASE,
        batch: 20,
    }
}

/// Steps until nothing waits; gives how many events were numbered and set aside.
pub async fn drain(relay: &Relay, held: &mut Option<Lease>) -> (usize, usize) {
    let (mut numbered, mut failed) = (0, 0);
    loop {
        let Step::Led(done) = step(relay, held).await.unwrap() else { panic!("another node is the relay") };
        numbered += done.numbered;
        failed += done.failed;
        if !done.more {
            return (numbered, failed);
        }
    }
}

/// Everything numbered, after a look that the numbers have no gap from `first` on.
pub async fn log(fresh: &Fresh, first: u64) -> Vec<Numbered> {
    let all = fresh.database.feed().after(0, 10_000).await.unwrap();
    for (expected, found) in (first..).zip(&all) {
        assert_eq!(found.seq, expected, "a gap");
    }
    all
}

/// Runs SQL as somebody with access to the database would.
pub async fn sql(fresh: &Fresh, text: &str) {
    fresh.database.maintain(text).await.unwrap();
}

/// The number that a query gives.
pub async fn number(fresh: &Fresh, text: &str) -> i64 {
    let connection = fresh.database.migration_connection();
    let asked = Statement::from_string(connection.get_database_backend(), text.to_owned());
    connection.query_one_raw(asked).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// An id as a literal.
pub fn literal(engine: Engine, id: uuid::Uuid) -> String {
    match engine {
        Engine::Sqlite => format!("x'{}'", id.simple()),
        Engine::Postgres => format!("'{id}'"),
    }
}
