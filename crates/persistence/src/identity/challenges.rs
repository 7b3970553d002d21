//! Sign-ins that wait for their second factor, and ceremonies of passkeys that were used.

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::UserId,
    identity::{
        Methods,
        factors::{StoredChallenge, ports::ChallengeRepo},
    },
};
use sea_orm::QueryResult;

use crate::{
    statement::{at, execute, one, statement},
    tx::SeaTx,
};

const COLUMNS: &str = "digest, user_id, methods, expires_at";
const SPEND: &str = "INSERT INTO spent_ceremonies (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";

#[async_trait]
impl ChallengeRepo for SeaTx {
    async fn put(&mut self, new: &StoredChallenge, verified: Option<&str>, now: Timestamp) -> Result<bool> {
        let forget = statement(self.engine, "DELETE FROM sign_in_challenges WHERE expires_at <= $1", [now.into()]);
        execute(&self.tx, forget).await?;
        // Whoever changes the person waits for us, or we for them; SQLite has one writer.
        let lock = self.engine.pick("", " FOR NO KEY UPDATE OF u");
        let sql = format!(
            "INSERT INTO sign_in_challenges ({COLUMNS}, guesses) SELECT $1, u.id, $3, $4, 0 FROM users u \
             WHERE u.id = $2 AND u.password_hash = coalesce($5, u.password_hash){lock}"
        );
        let values = [
            new.digest.to_vec().into(),
            new.user.0.into(),
            new.methods.stored().into(),
            new.expires_at.into(),
            verified.map(str::to_owned).into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? == 1)
    }

    async fn guess(&mut self, digest: &[u8; 32], most: u32, now: Timestamp) -> Result<Option<StoredChallenge>> {
        let sql = format!(
            "UPDATE sign_in_challenges SET guesses = guesses + 1 WHERE digest = $1 AND expires_at > $2 AND guesses < $3 \
             RETURNING {COLUMNS}"
        );
        let values = [digest.to_vec().into(), now.into(), i64::from(most).into()];
        one(&self.tx, statement(self.engine, sql, values)).await?.map(|row| challenge(&row)).transpose()
    }

    async fn take(&mut self, digest: &[u8; 32], now: Timestamp) -> Result<bool> {
        let sql = "DELETE FROM sign_in_challenges WHERE digest = $1 AND expires_at > $2";
        Ok(execute(&self.tx, statement(self.engine, sql, [digest.to_vec().into(), now.into()])).await? == 1)
    }

    async fn clear(&mut self, user: UserId) -> Result<()> {
        let sql = "DELETE FROM sign_in_challenges WHERE user_id = $1";
        execute(&self.tx, statement(self.engine, sql, [user.0.into()])).await.map(|_| ())
    }

    async fn spend(&mut self, ceremony: &[u8; 32], until: Timestamp, now: Timestamp) -> Result<bool> {
        let forget = statement(self.engine, "DELETE FROM spent_ceremonies WHERE expires_at <= $1", [now.into()]);
        execute(&self.tx, forget).await?;
        Ok(execute(&self.tx, statement(self.engine, SPEND, [ceremony.to_vec().into(), until.into()])).await? == 1)
    }
}

fn challenge(row: &QueryResult) -> Result<StoredChallenge> {
    let digest: Vec<u8> = at(row, 0)?;
    Ok(StoredChallenge {
        digest: digest.try_into().map_err(|_| Error::internal("a digest has another length"))?,
        user: UserId(at(row, 1)?),
        methods: Methods::read(&at::<String>(row, 2)?),
        expires_at: at(row, 3)?,
    })
}
