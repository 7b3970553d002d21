//! Who is in which room, where nodes share nothing but the database.

use std::collections::{BTreeMap, btree_map::Entry};

use async_trait::async_trait;
use domain::{
    Result,
    clock::Timestamp,
    id::{RoomId, UserId},
    room::{Change, Crowd, Moved, NodeId, Presence, Renewed},
};
use uuid::Uuid;

use crate::{
    database::Database,
    engine::Engine,
    error,
    statement::{all, at, count, execute, one, statement},
    transaction::{Purpose, Transaction},
};

/// Whoever changes presence takes this lock until the end of the transaction, so that what others notice is told by one.
/// SQLite has one writer.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('souk.presence', 0))";
const ENTER: &str = "INSERT INTO presence (room_id, user_id, node) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const LEAVE: &str = "DELETE FROM presence WHERE room_id = $1 AND user_id = $2 AND node = $3";
/// On how many nodes a person is in a room.
const NODES: &str = "SELECT count(*) FROM presence WHERE room_id = $1 AND user_id = $2";
/// How many people are in a room.
const PEOPLE: &str = "SELECT count(DISTINCT user_id) FROM presence WHERE room_id = $1";

/// Keeps presence in the database.
#[derive(Debug, Clone)]
pub struct DatabasePresence(Database);

impl Database {
    /// Presence in the database.
    pub fn presence(&self) -> DatabasePresence {
        DatabasePresence(self.clone())
    }
}

impl DatabasePresence {
    async fn locked(&self) -> Result<Transaction> {
        let tx = self.0.writer.begin(Purpose::Write).await.map_err(error::of)?;
        if self.0.engine == Engine::Postgres {
            one(&tx, statement(self.0.engine, LOCK, [])).await?;
        }
        Ok(tx)
    }

    /// Enters one change, and gives whether others notice it.
    async fn enter(&self, tx: &Transaction, node: NodeId, change: Change) -> Result<bool> {
        let (room, user) = (change.room.0, change.user.0);
        let sql = if change.present { ENTER } else { LEAVE };
        let values = [room.into(), user.into(), node.0.into()];
        if execute(tx, statement(self.0.engine, sql, values)).await? == 0 {
            return Ok(false);
        }
        let nodes = one(tx, statement(self.0.engine, NODES, [room.into(), user.into()])).await?;
        let nodes = nodes.map_or(Ok(0), |row| count(&row, 0))?;
        Ok(nodes == u64::from(change.present))
    }

    /// What others notice, with the people in each room by now; each room is counted once.
    async fn counted(&self, tx: &Transaction, noticed: Vec<Change>) -> Result<Vec<Moved>> {
        let mut counts = BTreeMap::new();
        for room in noticed.iter().map(|change| change.room) {
            if let Entry::Vacant(place) = counts.entry(room) {
                let row = one(tx, statement(self.0.engine, PEOPLE, [room.0.into()])).await?;
                place.insert(row.map_or(Ok(0), |row| count(&row, 0))?);
            }
        }
        let moved = |change: Change| Moved { change, count: counts.get(&change.room).copied().unwrap_or_default() };
        Ok(noticed.into_iter().map(moved).collect())
    }
}

#[async_trait]
impl Presence for DatabasePresence {
    async fn update(&self, node: NodeId, changes: &[Change]) -> Result<Vec<Moved>> {
        let tx = self.locked().await?;
        let mut noticed = Vec::new();
        for change in changes {
            if self.enter(&tx, node, *change).await? {
                noticed.push(*change);
            }
        }
        let moved = self.counted(&tx, noticed).await?;
        tx.commit().await.map_err(error::of)?;
        Ok(moved)
    }

    async fn renew(&self, node: NodeId, until: Timestamp) -> Result<Renewed> {
        let sql = "UPDATE presence_nodes SET lease_until = $2 WHERE node = $1";
        let values = [node.0.into(), until.into()];
        if execute(&self.0.writer, statement(self.0.engine, sql, values)).await? > 0 {
            return Ok(Renewed::Held);
        }
        let sql = "INSERT INTO presence_nodes (node, lease_until) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let values = [node.0.into(), until.into()];
        execute(&self.0.writer, statement(self.0.engine, sql, values)).await?;
        // Nothing is ever forgotten here: a lease that is not there was swept, or is the first.
        Ok(Renewed::Swept)
    }

    async fn sweep(&self, now: Timestamp) -> Result<Vec<Moved>> {
        let dead = "SELECT node FROM presence_nodes WHERE lease_until <= $1";
        if one(&self.0.reader, statement(self.0.engine, dead, [now.into()])).await?.is_none() {
            return Ok(Vec::new());
        }
        let tx = self.locked().await?;
        let mut noticed = Vec::new();
        for row in all(&tx, statement(self.0.engine, dead, [now.into()])).await? {
            let node: Uuid = at(&row, 0)?;
            let sql = "SELECT room_id, user_id FROM presence WHERE node = $1";
            for row in all(&tx, statement(self.0.engine, sql, [node.into()])).await? {
                let change = Change { room: RoomId(at(&row, 0)?), user: UserId(at(&row, 1)?), present: false };
                if self.enter(&tx, NodeId(node), change).await? {
                    noticed.push(change);
                }
            }
            execute(&tx, statement(self.0.engine, "DELETE FROM presence_nodes WHERE node = $1", [node.into()])).await?;
        }
        let moved = self.counted(&tx, noticed).await?;
        tx.commit().await.map_err(error::of)?;
        Ok(moved)
    }

    async fn crowd(&self, room: RoomId, most: u32) -> Result<Crowd> {
        let sql = "SELECT total.n, found.user_id FROM (SELECT count(DISTINCT user_id) AS n FROM presence WHERE room_id = $1) \
                   total LEFT JOIN (SELECT DISTINCT user_id FROM presence WHERE room_id = $1 ORDER BY user_id LIMIT $2) \
                   found ON TRUE ORDER BY found.user_id";
        let rows = all(&self.0.reader, statement(self.0.engine, sql, [room.0.into(), i64::from(most).into()])).await?;
        let count = rows.first().map_or(Ok(0), |row| count(row, 0))?;
        let mut some = Vec::with_capacity(rows.len());
        for row in &rows {
            some.extend(at::<Option<Uuid>>(row, 1)?.map(UserId));
        }
        Ok(Crowd { some, count })
    }
}
