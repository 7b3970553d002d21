//! The purge of messages.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Result, clock::Timestamp, room::ports::MessagePurge};
use uuid::Uuid;

use crate::{
    database::Database,
    statement::{all, at, execute, statement},
};

/// Rooms whose first message is old.
const OLD: &str = "SELECT r.id FROM rooms r WHERE (SELECT m.created_at FROM room_messages m WHERE m.room_id = r.id \
    ORDER BY m.message_offset LIMIT 1) < $1 LIMIT $2";
/// What stands before the first young message of a room.
const PURGE: &str = "DELETE FROM room_messages WHERE room_id = $1 AND message_offset IN (\
    SELECT o.message_offset FROM room_messages o WHERE o.room_id = $1 AND o.message_offset < coalesce((\
    SELECT y.message_offset FROM room_messages y WHERE y.room_id = $1 AND y.created_at >= $2 \
    ORDER BY y.message_offset LIMIT 1), 9223372036854775807) ORDER BY o.message_offset LIMIT $3)";

impl Database {
    /// The end of rooms that is purged.
    pub fn message_purge(&self) -> Arc<dyn MessagePurge> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl MessagePurge for Database {
    async fn purge_messages(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let old = statement(self.engine, OLD, [before.into(), i64::from(limit).into()]);
        let mut gone = 0;
        for row in all(&self.reader, old).await? {
            let room: Uuid = at(&row, 0)?;
            let left = i64::from(limit).saturating_sub(i64::try_from(gone).unwrap_or(i64::MAX));
            if left <= 0 {
                break;
            }
            let values = [room.into(), before.into(), left.into()];
            gone += execute(&self.writer, statement(self.engine, PURGE, values)).await?;
        }
        Ok(gone)
    }
}
