//! Rooms as readers meet them.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::{RoomId, UserId},
    page::{Page, PageRequest},
    room::{
        Epoch, Member, Message, Reach, Room, RoomKind, RoomName, Sanction, SanctionKind,
        ports::{Admission, Listed, RoomQueries, Seen, Window},
    },
};
use sea_orm::Value;
use uuid::Uuid;

use super::row::{self, MESSAGE, ROOM, ROOM_WIDTH, STANDING, STANDINGS};
use crate::{
    bulk,
    database::Database,
    paging::{Paged, paged},
    statement::{all, at, count, one, statement},
};

impl Database {
    /// The read side of rooms.
    pub fn rooms(&self) -> Arc<dyn RoomQueries> {
        Arc::new(self.clone())
    }

    async fn seen_where(&self, these: &str, key: Value, by: Option<UserId>, now: Timestamp) -> Result<Option<Seen>> {
        let sql = format!(
            "SELECT {ROOM}, {STANDING}, d.message_offset FROM rooms r {STANDINGS} \
             LEFT JOIN room_reads d ON d.room_id = r.id AND d.user_id = $2 WHERE {these} = $1"
        );
        // Nobody has the id of zeros.
        let user = by.map_or(Uuid::nil(), |user| user.0);
        let found = one(&self.reader, statement(self.engine, sql, [key, user.into(), now.into()])).await?;
        let Some(found) = found else { return Ok(None) };
        let read: Option<i64> = at(&found, ROOM_WIDTH + 5)?;
        Ok(Some(Seen {
            room: row::room(&found, 0)?,
            standing: row::standing(&found, ROOM_WIDTH)?,
            read_offset: read.and_then(|read| u64::try_from(read).ok()),
        }))
    }
}

#[async_trait]
impl RoomQueries for Database {
    async fn seen(&self, id: RoomId, by: Option<UserId>, now: Timestamp) -> Result<Option<Seen>> {
        self.seen_where("r.id", id.0.into(), by, now).await
    }

    async fn seen_by_name(&self, name: &RoomName, by: Option<UserId>, now: Timestamp) -> Result<Option<Seen>> {
        self.seen_where("r.name", name.as_str().into(), by, now).await
    }

    async fn list(&self, listed: Listed, page: PageRequest) -> Result<Page<Room>> {
        let (these, values) = match listed {
            Listed::All => ("rooms r", Vec::new()),
            Listed::Public => ("rooms r WHERE r.kind = 'public'", Vec::new()),
            Listed::Of(user) => (
                "rooms r WHERE (r.kind = 'public' OR EXISTS (SELECT 1 FROM room_members m \
                 WHERE m.room_id = r.id AND m.user_id = $3))",
                vec![user.0.into()],
            ),
        };
        // By code points on both engines.
        let order = self.engine.pick("r.name", "r.name COLLATE \"C\"");
        let listed = Paged { columns: ROOM, from: these, order };
        paged(self, &listed, values, page, row::room).await
    }

    async fn members(&self, room: RoomId, page: PageRequest) -> Result<Page<Member>> {
        let order = "CASE role WHEN 'owner' THEN 0 WHEN 'moderator' THEN 1 ELSE 2 END, since, user_id";
        let listed = Paged { columns: "user_id, role, since", from: "room_members WHERE room_id = $3", order };
        paged(self, &listed, vec![room.0.into()], page, row::member).await
    }

    async fn sanctions(
        &self,
        room: RoomId,
        kind: SanctionKind,
        now: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Sanction>> {
        let listed = Paged {
            columns: "user_id, until, by_id, reason, created_at",
            from: "room_sanctions WHERE room_id = $3 AND kind = $4 AND (until IS NULL OR until > $5)",
            order: "created_at DESC, user_id",
        };
        let values = vec![room.0.into(), kind.name().into(), now.into()];
        paged(self, &listed, values, page, |row, first| {
            Ok(Sanction {
                kind,
                user: UserId(at(row, first)?),
                until: at(row, first + 1)?,
                by: UserId(at(row, first + 2)?),
                reason: at(row, first + 3)?,
                at: at(row, first + 4)?,
            })
        })
        .await
    }

    async fn admission(&self, room: RoomId, now: Timestamp) -> Result<Option<Admission>> {
        // The room first, then the people with a word before each; a room without any gives one row.
        let sql = "SELECT r.kind, p.word, p.user_id FROM rooms r LEFT JOIN (\
                   SELECT room_id, 'ban' AS word, user_id FROM room_sanctions \
                   WHERE room_id = $1 AND kind = 'ban' AND (until IS NULL OR until > $2) UNION ALL \
                   SELECT m.room_id, 'role', m.user_id FROM room_members m JOIN rooms o ON o.id = m.room_id \
                   WHERE m.room_id = $1 AND o.kind = 'private') p ON p.room_id = r.id WHERE r.id = $1";
        let rows = all(&self.reader, statement(self.engine, sql, [room.0.into(), now.into()])).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let kind: String = at(first, 0)?;
        let kind = RoomKind::named(&kind).ok_or_else(|| Error::internal(format!("a room is {kind:?}")))?;
        let (mut banned, mut members) = (HashSet::new(), HashSet::new());
        for row in &rows {
            if let (Some(word), Some(user)) = (at::<Option<String>>(row, 1)?, at::<Option<Uuid>>(row, 2)?) {
                let people = if word == "ban" { &mut banned } else { &mut members };
                people.insert(UserId(user));
            }
        }
        Ok(Some(Admission { kind, banned, members }))
    }

    async fn reach(&self, room: RoomId) -> Result<Option<Reach>> {
        let sql = "SELECT r.last_offset, coalesce((SELECT min(message_offset) FROM room_messages WHERE room_id = $1), \
                   r.last_offset + 1), r.epoch FROM rooms r WHERE r.id = $1";
        let found = one(&self.reader, statement(self.engine, sql, [room.0.into()])).await?;
        found
            .map(|row| Ok(Reach { first: count(&row, 1)?, last: count(&row, 0)?, epoch: Epoch(at(&row, 2)?) }))
            .transpose()
    }

    async fn heads(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, u64)>> {
        let ids: Vec<_> = rooms.iter().map(|room| bulk::hex(*room)).collect();
        let wanted = bulk::ids(self.engine, 1);
        let sql = format!("SELECT r.id, r.last_offset FROM {wanted} JOIN rooms r ON r.id = wanted.v");
        let found = all(&self.reader, statement(self.engine, sql, [bulk::json(&ids)?])).await?;
        found.iter().map(|row| Ok((RoomId(at(row, 0)?), count(row, 1)?))).collect()
    }

    async fn messages(&self, room: RoomId, window: Window, limit: u32) -> Result<Vec<Message>> {
        let (these, order, bound) = match window {
            Window::After(offset) => ("message_offset > $2", "", row::offset(offset)),
            Window::Before(offset) => ("message_offset < $2", "DESC", row::offset(offset)),
            Window::Last => ("message_offset <= $2", "DESC", i64::MAX),
        };
        let sql = format!(
            "SELECT {MESSAGE} FROM room_messages WHERE room_id = $1 AND {these} ORDER BY message_offset {order} LIMIT $3"
        );
        let values = [room.0.into(), bound.into(), i64::from(limit).into()];
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        let mut messages = rows.iter().map(|row| row::message(row, 0)).collect::<Result<Vec<_>>>()?;
        if !matches!(window, Window::After(_)) {
            messages.reverse();
        }
        Ok(messages)
    }
}
