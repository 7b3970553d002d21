//! Rooms, write side.

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::{MessageId, RoomId, UserId},
    room::{Member, Message, NewMessage, Room, Sanction, SanctionKind, Standing, ports::RoomRepo},
};

use super::row::{self, MESSAGE, ROOM, STANDING, STANDINGS};
use crate::{
    engine::Engine,
    statement::{count, execute, one, statement},
    tx::SeaTx,
};

const INSERT: &str = "INSERT INTO rooms (id, name, title, kind, owner_id, last_offset, epoch, version, created_at, \
    updated_at) VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
/// Only who exists.
const SET_MEMBER: &str = "INSERT INTO room_members (room_id, user_id, role, since) \
    SELECT $1, u.id, $3, $4 FROM users u WHERE u.id = $2 \
    ON CONFLICT (room_id, user_id) DO UPDATE SET role = excluded.role, since = excluded.since";
const SET_SANCTION: &str = "INSERT INTO room_sanctions (room_id, user_id, kind, until, by_id, reason, created_at) \
    SELECT $1, u.id, $3, $4, $5, $6, $7 FROM users u WHERE u.id = $2 \
    ON CONFLICT (room_id, user_id, kind) DO UPDATE SET until = excluded.until, by_id = excluded.by_id, \
    reason = excluded.reason, created_at = excluded.created_at";
/// The offset and the message in one round trip.
const APPEND: &str = "WITH next AS (UPDATE rooms SET last_offset = last_offset + 1 WHERE id = $1 RETURNING last_offset) \
    INSERT INTO room_messages (room_id, message_offset, id, user_id, client_id, content, created_at) \
    SELECT $1, last_offset, $2, $3, $4, $5, $6 FROM next RETURNING message_offset";
/// SQLite changes one table at a time.
const NEXT: &str = "UPDATE rooms SET last_offset = last_offset + 1 WHERE id = $1 RETURNING last_offset";
const STORE: &str = "INSERT INTO room_messages (room_id, message_offset, id, user_id, client_id, content, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const MARK_READ: &str = "INSERT INTO room_reads (room_id, user_id, message_offset, read_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (room_id, user_id) DO UPDATE SET message_offset = excluded.message_offset, read_at = excluded.read_at \
    WHERE room_reads.message_offset < excluded.message_offset";

#[async_trait]
impl RoomRepo for SeaTx {
    async fn insert(&mut self, room: &Room) -> Result<bool> {
        let values = [
            room.id.0.into(),
            room.name.as_str().into(),
            room.title.as_str().into(),
            room.kind.name().into(),
            room.owner.map(|user| user.0).into(),
            room.epoch.0.as_str().into(),
            room.version.0.into(),
            room.created_at.into(),
            room.updated_at.into(),
        ];
        if execute(&self.tx, statement(self.engine, INSERT, values)).await? == 0 {
            return Ok(false);
        }
        if let Some(owner) = room.owner {
            let values = [room.id.0.into(), owner.0.into(), "owner".into(), room.created_at.into()];
            execute(&self.tx, statement(self.engine, SET_MEMBER, values)).await?;
        }
        Ok(true)
    }

    async fn find(&mut self, id: RoomId) -> Result<Option<Room>> {
        // SQLite has one writer.
        let lock = self.engine.pick("", " FOR NO KEY UPDATE");
        let sql = format!("SELECT {ROOM} FROM rooms r WHERE r.id = $1{lock}");
        let found = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        found.map(|found| row::room(&found, 0)).transpose()
    }

    async fn update(&mut self, room: &Room) -> Result<()> {
        let sql = "UPDATE rooms SET title = $2, kind = $3, version = $4, updated_at = $5 WHERE id = $1";
        let values = [
            room.id.0.into(),
            room.title.as_str().into(),
            room.kind.name().into(),
            room.version.0.into(),
            room.updated_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn delete(&mut self, id: RoomId) -> Result<()> {
        execute(&self.tx, statement(self.engine, "DELETE FROM rooms WHERE id = $1", [id.0.into()])).await.map(|_| ())
    }

    async fn standing(&mut self, room: RoomId, user: UserId, now: Timestamp) -> Result<Standing> {
        let sql = format!("SELECT {STANDING} FROM rooms r {STANDINGS} WHERE r.id = $1");
        let found = one(&self.tx, statement(self.engine, sql, [room.0.into(), user.0.into(), now.into()])).await?;
        found.map_or(Ok(Standing::default()), |found| row::standing(&found, 0))
    }

    async fn set_member(&mut self, room: RoomId, member: &Member) -> Result<bool> {
        let values = [room.0.into(), member.user.0.into(), member.role.name().into(), member.since.into()];
        Ok(execute(&self.tx, statement(self.engine, SET_MEMBER, values)).await? > 0)
    }

    async fn remove_member(&mut self, room: RoomId, user: UserId) -> Result<bool> {
        let sql = "DELETE FROM room_members WHERE room_id = $1 AND user_id = $2";
        Ok(execute(&self.tx, statement(self.engine, sql, [room.0.into(), user.0.into()])).await? > 0)
    }

    async fn set_sanction(&mut self, room: RoomId, sanction: &Sanction) -> Result<bool> {
        let values = [
            room.0.into(),
            sanction.user.0.into(),
            sanction.kind.name().into(),
            sanction.until.into(),
            sanction.by.0.into(),
            sanction.reason.as_str().into(),
            sanction.at.into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, SET_SANCTION, values)).await? > 0)
    }

    async fn lift_sanction(&mut self, room: RoomId, user: UserId, kind: SanctionKind) -> Result<bool> {
        let sql = "DELETE FROM room_sanctions WHERE room_id = $1 AND user_id = $2 AND kind = $3";
        let values = [room.0.into(), user.0.into(), kind.name().into()];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? > 0)
    }

    async fn sent_as(&mut self, room: RoomId, user: UserId, client_id: &str) -> Result<Option<Message>> {
        let sql = format!("SELECT {MESSAGE} FROM room_messages WHERE user_id = $1 AND room_id = $2 AND client_id = $3");
        let values = [user.0.into(), room.0.into(), client_id.into()];
        let found = one(&self.tx, statement(self.engine, sql, values)).await?;
        found.map(|found| row::message(&found, 0)).transpose()
    }

    async fn append(
        &mut self,
        room: RoomId,
        id: MessageId,
        user: UserId,
        new: &NewMessage,
        at: Timestamp,
    ) -> Result<Message> {
        let gone = || Error::internal("the room is gone");
        let (client_id, content) = (new.client_id.clone().into(), new.content.as_str().into());
        let offset = match self.engine {
            Engine::Postgres => {
                let values = [room.0.into(), id.0.into(), user.0.into(), client_id, content, at.into()];
                count(&one(&self.tx, statement(self.engine, APPEND, values)).await?.ok_or_else(gone)?, 0)?
            }
            Engine::Sqlite => {
                let next = one(&self.tx, statement(self.engine, NEXT, [room.0.into()])).await?;
                let offset = count(&next.ok_or_else(gone)?, 0)?;
                let place = row::offset(offset).into();
                let values = [room.0.into(), place, id.0.into(), user.0.into(), client_id, content, at.into()];
                execute(&self.tx, statement(self.engine, STORE, values)).await?;
                offset
            }
        };
        Ok(Message { id, offset, user, content: new.content.clone(), at, deleted_at: None })
    }

    async fn message(&mut self, room: RoomId, offset: u64) -> Result<Option<Message>> {
        let sql = format!("SELECT {MESSAGE} FROM room_messages WHERE room_id = $1 AND message_offset = $2");
        let found = one(&self.tx, statement(self.engine, sql, [room.0.into(), row::offset(offset).into()])).await?;
        found.map(|found| row::message(&found, 0)).transpose()
    }

    async fn erase(&mut self, room: RoomId, offset: u64, at: Timestamp) -> Result<()> {
        let sql = "UPDATE room_messages SET content = '', deleted_at = $3 WHERE room_id = $1 AND message_offset = $2";
        let values = [room.0.into(), row::offset(offset).into(), at.into()];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn mark_read(&mut self, room: RoomId, user: UserId, offset: u64, at: Timestamp) -> Result<bool> {
        let values = [room.0.into(), user.0.into(), row::offset(offset).into(), at.into()];
        Ok(execute(&self.tx, statement(self.engine, MARK_READ, values)).await? > 0)
    }
}
