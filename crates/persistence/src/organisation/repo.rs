//! Members and invitations, write side.

use async_trait::async_trait;
use domain::{
    Result,
    clock::Timestamp,
    id::{InvitationId, SellerId, UserId},
    identity::Seller,
    organisation::{Invitation, MemberRole, ports::OrganisationRepo},
};

use super::row::{self, INVITATION, SELLER};
use crate::{
    engine::Engine,
    statement::{all, at, count, execute, one, statement},
    tx::SeaTx,
};

#[async_trait]
impl OrganisationRepo for SeaTx {
    async fn accounts_of(&mut self, user: UserId) -> Result<Vec<(SellerId, MemberRole)>> {
        if self.engine == Engine::Postgres {
            let held = "SELECT id FROM users WHERE id = $1 FOR UPDATE";
            one(&self.tx, statement(self.engine, held, [user.0.into()])).await?;
        }
        let sql = "SELECT seller_id, role FROM seller_members WHERE user_id = $1 ORDER BY seller_id";
        let rows = all(&self.tx, statement(self.engine, sql, [user.0.into()])).await?;
        rows.iter().map(|found| Ok((SellerId(at(found, 0)?), row::role(found, 1)?))).collect()
    }

    async fn seller(&mut self, seller: SellerId) -> Result<Option<Seller>> {
        let held = self.engine.pick("", " FOR UPDATE");
        let sql = format!("SELECT {SELLER} FROM sellers s WHERE s.id = $1{held}");
        let found = one(&self.tx, statement(self.engine, sql, [seller.0.into()])).await?;
        found.map(|found| row::seller(&found, 0)).transpose()
    }

    async fn member(&mut self, seller: SellerId, user: UserId) -> Result<Option<MemberRole>> {
        let sql = "SELECT role FROM seller_members WHERE seller_id = $1 AND user_id = $2";
        let found = one(&self.tx, statement(self.engine, sql, [seller.0.into(), user.0.into()])).await?;
        found.map(|found| row::role(&found, 0)).transpose()
    }

    async fn owners(&mut self, seller: SellerId) -> Result<u64> {
        let sql = "SELECT count(*) FROM seller_members WHERE seller_id = $1 AND role = 'owner'";
        let counted = one(&self.tx, statement(self.engine, sql, [seller.0.into()])).await?;
        counted.map_or(Ok(0), |found| count(&found, 0))
    }

    async fn others(&mut self, seller: SellerId, but: UserId) -> Result<u64> {
        let sql = "SELECT count(*) FROM seller_members WHERE seller_id = $1 AND user_id <> $2";
        let counted = one(&self.tx, statement(self.engine, sql, [seller.0.into(), but.0.into()])).await?;
        counted.map_or(Ok(0), |found| count(&found, 0))
    }

    async fn rename(&mut self, seller: SellerId, name: &str, slug: &str) -> Result<()> {
        let sql = "UPDATE sellers SET name = $2, slug = $3 WHERE id = $1";
        let values = [seller.0.into(), name.into(), slug.into()];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn put(&mut self, seller: SellerId, user: UserId, role: MemberRole, at: Timestamp) -> Result<()> {
        let sql = "INSERT INTO seller_members (user_id, seller_id, created_at, role) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (user_id, seller_id) DO UPDATE SET role = excluded.role";
        let values = [user.0.into(), seller.0.into(), at.into(), role.name().into()];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn remove(&mut self, seller: SellerId, user: UserId) -> Result<()> {
        let sql = "DELETE FROM seller_members WHERE seller_id = $1 AND user_id = $2";
        execute(&self.tx, statement(self.engine, sql, [seller.0.into(), user.0.into()])).await.map(|_| ())
    }

    async fn keep(&mut self, one: &Invitation, digest: &[u8; 32]) -> Result<()> {
        let sql =
            format!("INSERT INTO seller_invitations ({INVITATION}, digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
        let values = [
            one.id.0.into(),
            one.seller.0.into(),
            one.email.as_str().into(),
            one.role.name().into(),
            one.by.0.into(),
            one.expires_at.into(),
            one.created_at.into(),
            digest.to_vec().into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn invitation(&mut self, id: InvitationId) -> Result<Option<Invitation>> {
        let sql = format!("SELECT {INVITATION} FROM seller_invitations WHERE id = $1");
        let found = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        found.map(|found| row::invitation(&found, 0)).transpose()
    }

    async fn invitation_of(&mut self, digest: &[u8; 32]) -> Result<Option<Invitation>> {
        let sql = format!("SELECT {INVITATION} FROM seller_invitations WHERE digest = $1");
        let found = one(&self.tx, statement(self.engine, sql, [digest.to_vec().into()])).await?;
        found.map(|found| row::invitation(&found, 0)).transpose()
    }

    async fn forget(&mut self, id: InvitationId) -> Result<bool> {
        let sql = "DELETE FROM seller_invitations WHERE id = $1";
        Ok(execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await? == 1)
    }

    async fn open_invitations(&mut self, seller: SellerId, now: Timestamp) -> Result<u64> {
        let ended = "DELETE FROM seller_invitations WHERE seller_id = $1 AND expires_at <= $2";
        execute(&self.tx, statement(self.engine, ended, [seller.0.into(), now.into()])).await?;
        let sql = "SELECT count(*) FROM seller_invitations WHERE seller_id = $1";
        let counted = one(&self.tx, statement(self.engine, sql, [seller.0.into()])).await?;
        counted.map_or(Ok(0), |found| count(&found, 0))
    }
}
