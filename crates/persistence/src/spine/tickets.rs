//! Tickets of streams.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    behalf::Impersonator,
    clock::Timestamp,
    id::{SessionId, UserId},
    identity::ports::Session,
    realtime::{Ticket, TicketBox},
};
use uuid::Uuid;

use crate::{
    database::Database,
    statement::{at, execute, one, statement},
};

impl Database {
    /// Tickets of streams.
    pub fn tickets(&self) -> Arc<dyn TicketBox> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl TicketBox for Database {
    async fn keep(&self, digest: &[u8; 32], ticket: &Ticket, now: Timestamp) -> Result<()> {
        let forget = statement(self.engine, "DELETE FROM stream_tickets WHERE expires_at <= $1", [now.into()]);
        execute(&self.writer, forget).await?;
        let sql = "INSERT INTO stream_tickets (digest, user_id, session_id, session_until, expires_at, impersonator_id, \
                   impersonator_session) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let Session { id, user, until, impersonator } = ticket.session;
        let values = [
            digest.to_vec().into(),
            user.0.into(),
            id.0.into(),
            until.into(),
            ticket.expires_at.into(),
            impersonator.map(|by| by.user.0).into(),
            impersonator.map(|by| by.session.0).into(),
        ];
        execute(&self.writer, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn take(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<Session>> {
        let sql = "DELETE FROM stream_tickets WHERE digest = $1 AND expires_at > $2 \
                   RETURNING user_id, session_until, session_id, impersonator_id, impersonator_session";
        let taken = one(&self.writer, statement(self.engine, sql, [digest.to_vec().into(), now.into()])).await?;
        let Some(row) = taken else { return Ok(None) };
        // One that an older version made belongs to no session.
        let id = at::<Option<Uuid>>(&row, 2)?.map(SessionId);
        let by = at::<Option<Uuid>>(&row, 3)?.zip(at::<Option<Uuid>>(&row, 4)?);
        let impersonator = by.map(|(user, session)| Impersonator { user: UserId(user), session: SessionId(session) });
        id.map(|id| Ok(Session { id, user: UserId(at(&row, 0)?), until: at(&row, 1)?, impersonator })).transpose()
    }
}
