//! Sessions, write side.

use async_trait::async_trait;
use domain::{
    Error, Result,
    behalf::Impersonator,
    clock::Timestamp,
    id::{SessionId, UserId},
    identity::{Client, EndReason, Impersonation, Methods, StoredSession, ports::SessionRepo},
};
use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use crate::{
    statement::{all, at, execute, one, statement},
    tx::SeaTx,
};

/// The columns of a session under the alias `s`, as [`session`] reads them.
pub(super) const SESSION: &str = "s.id, s.user_id, s.family, s.generation, s.rotated_at, s.device, s.address, \
    s.created_at, s.last_used_at, s.idle_until, s.expires_at, s.tokens_until, s.ended_at, s.ended_by, \
    s.impersonator_id, s.impersonator_session, s.impersonation_reason, s.authenticated_at, s.methods";
const UPDATE: &str = "UPDATE sessions SET generation = $2, rotated_at = $3, device = $4, address = $5, last_used_at = $6, \
    idle_until = $7, tokens_until = $8, ended_at = $9, ended_by = $10, \
    authenticated_at = $11, methods = $12 WHERE id = $1";

#[async_trait]
impl SessionRepo for SeaTx {
    async fn insert(&mut self, new: &StoredSession, verified: Option<&str>) -> Result<bool> {
        // Whoever changes the person waits for us, or we for them. So does who signs them in too: of two who share the row, neither could
        // take it for what follows. SQLite has one writer.
        let lock = self.engine.pick("", " FOR NO KEY UPDATE OF u");
        let sql = format!(
            "INSERT INTO sessions (id, user_id, family, generation, rotated_at, device, address, created_at, last_used_at, \
             idle_until, expires_at, tokens_until, ended_at, ended_by, authenticated_at, methods, impersonator_id, \
             impersonator_session, impersonation_reason) \
             SELECT $1, u.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $18, $19, $20 FROM users u \
             WHERE u.id = $2 AND u.password_hash = coalesce($17, u.password_hash){lock}"
        );
        let acted = new.impersonation.as_ref();
        let values: [Value; 20] = [
            new.id.0.into(),
            new.user.0.into(),
            new.family.to_vec().into(),
            generation(new)?,
            new.rotated_at.into(),
            new.client.device.clone().into(),
            new.client.address.clone().into(),
            new.created_at.into(),
            new.last_used_at.into(),
            new.idle_until.into(),
            new.expires_at.into(),
            new.tokens_until.into(),
            new.ended.map(|(at, _)| at).into(),
            new.ended.map(|(_, reason)| reason.name()).into(),
            new.authenticated_at.into(),
            new.methods.stored().into(),
            verified.map(str::to_owned).into(),
            acted.map(|acted| acted.by.user.0).into(),
            acted.map(|acted| acted.by.session.0).into(),
            acted.map(|acted| acted.reason.clone()).into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? == 1)
    }

    async fn find(&mut self, id: SessionId) -> Result<Option<StoredSession>> {
        let lock = self.engine.pick("", " FOR NO KEY UPDATE");
        let sql = format!("SELECT {SESSION} FROM sessions s WHERE s.id = $1{lock}");
        let row = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        row.map(|row| session(&row, 0)).transpose()
    }

    async fn update(&mut self, changed: &StoredSession) -> Result<()> {
        let values: [Value; 12] = [
            changed.id.0.into(),
            generation(changed)?,
            changed.rotated_at.into(),
            changed.client.device.clone().into(),
            changed.client.address.clone().into(),
            changed.last_used_at.into(),
            changed.idle_until.into(),
            changed.tokens_until.into(),
            changed.ended.map(|(at, _)| at).into(),
            changed.ended.map(|(_, reason)| reason.name()).into(),
            changed.authenticated_at.into(),
            changed.methods.stored().into(),
        ];
        execute(&self.tx, statement(self.engine, UPDATE, values)).await.map(|_| ())
    }

    async fn live_of(&mut self, user: UserId, now: Timestamp) -> Result<Vec<StoredSession>> {
        if !self.engine.pick("", "lock").is_empty() {
            // Who signs them in holds this row; what follows sees what they did, since each statement looks anew.
            let sql = "SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE";
            one(&self.tx, statement(self.engine, sql, [user.0.into()])).await?;
        }
        let lock = self.engine.pick("", " FOR NO KEY UPDATE");
        let sql = format!(
            "SELECT {SESSION} FROM sessions s WHERE s.user_id = $1 AND s.ended_at IS NULL \
             AND (s.tokens_until > $2 OR s.idle_until > $2 AND s.expires_at > $2) ORDER BY s.id{lock}"
        );
        let rows = all(&self.tx, statement(self.engine, sql, [user.0.into(), now.into()])).await?;
        rows.iter().map(|row| session(row, 0)).collect()
    }

    async fn begun_by(
        &mut self,
        operator: UserId,
        from: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Vec<StoredSession>> {
        let lock = self.engine.pick("", " FOR NO KEY UPDATE");
        let one = if from.is_some() { " AND s.impersonator_session = $3" } else { "" };
        let mut values: Vec<Value> = vec![operator.0.into(), now.into()];
        values.extend(from.map(|from| Value::from(from.0)));
        let sql = format!(
            "SELECT {SESSION} FROM sessions s WHERE s.impersonator_id = $1{one} AND s.ended_at IS NULL \
             AND s.tokens_until > $2 ORDER BY s.id{lock}"
        );
        let rows = all(&self.tx, statement(self.engine, sql, values)).await?;
        rows.iter().map(|row| session(row, 0)).collect()
    }
}

fn generation(session: &StoredSession) -> Result<Value> {
    i32::try_from(session.generation).map(Into::into).map_err(Error::internal)
}

/// The session whose columns begin at `first`.
pub(super) fn session(row: &QueryResult, first: usize) -> Result<StoredSession> {
    let family: Vec<u8> = at(row, first + 2)?;
    let ended: Option<Timestamp> = at(row, first + 12)?;
    let reason: Option<String> = at(row, first + 13)?;
    let by = at::<Option<Uuid>>(row, first + 14)?.zip(at::<Option<Uuid>>(row, first + 15)?);
    let why: Option<String> = at(row, first + 16)?;
    let (created_at, authenticated): (_, Option<Timestamp>) = (at(row, first + 7)?, at(row, first + 17)?);
    Ok(StoredSession {
        id: SessionId(at(row, first)?),
        user: UserId(at(row, first + 1)?),
        family: family.try_into().map_err(|_| Error::internal("a family of refresh tokens has not 32 bytes"))?,
        generation: u32::try_from(at::<i32>(row, first + 3)?).map_err(Error::internal)?,
        rotated_at: at(row, first + 4)?,
        client: Client { device: at(row, first + 5)?, address: at(row, first + 6)? },
        created_at,
        // One of before Souk kept it.
        authenticated_at: authenticated.unwrap_or(created_at),
        methods: Methods::read(&at::<String>(row, first + 18)?),
        last_used_at: at(row, first + 8)?,
        idle_until: at(row, first + 9)?,
        expires_at: at(row, first + 10)?,
        tokens_until: at(row, first + 11)?,
        // A reason of a later version is some reason all the same.
        ended: ended.map(|at| (at, reason.and_then(|name| EndReason::named(&name)).unwrap_or(EndReason::Revoked))),
        impersonation: by.map(|(user, session)| Impersonation {
            by: Impersonator { user: UserId(user), session: SessionId(session) },
            reason: why.unwrap_or_default(),
        }),
    })
}
