//! Members and invitations, read side.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    clock::Timestamp,
    id::{SellerId, UserId},
    organisation::{Account, Invitation, Member, MemberRole, ports::OrganisationQueries},
    page::{Page, PageRequest},
};

use super::row::{self, INVITATION, SELLER};
use crate::{
    database::Database,
    paging::{Paged, paged},
    statement::{all, one, statement},
};

impl Database {
    /// The read side of who the members of seller accounts are.
    pub fn organisations(&self) -> Arc<dyn OrganisationQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl OrganisationQueries for Database {
    async fn accounts(&self, user: UserId) -> Result<Vec<Account>> {
        let sql = format!(
            "SELECT {SELLER}, m.role FROM seller_members m JOIN sellers s ON s.id = m.seller_id \
             WHERE m.user_id = $1 ORDER BY s.id"
        );
        let rows = all(&self.reader, statement(self.engine, sql, [user.0.into()])).await?;
        rows.iter().map(|found| Ok(Account { seller: row::seller(found, 0)?, role: row::role(found, 4)? })).collect()
    }

    async fn role_in(&self, seller: SellerId, user: UserId) -> Result<Option<MemberRole>> {
        let sql = "SELECT role FROM seller_members WHERE seller_id = $1 AND user_id = $2";
        let found = one(&self.reader, statement(self.engine, sql, [seller.0.into(), user.0.into()])).await?;
        found.map(|found| row::role(&found, 0)).transpose()
    }

    async fn members(&self, seller: SellerId, page: PageRequest) -> Result<Page<Member>> {
        let listed = Paged {
            columns: "m.user_id, u.name, m.role, m.created_at",
            from: "seller_members m JOIN users u ON u.id = m.user_id WHERE m.seller_id = $3",
            order: "CASE m.role WHEN 'owner' THEN 0 WHEN 'manager' THEN 1 ELSE 2 END, m.created_at, m.user_id",
        };
        paged(self, &listed, vec![seller.0.into()], page, row::member).await
    }

    async fn invitations(&self, seller: SellerId, now: Timestamp, page: PageRequest) -> Result<Page<Invitation>> {
        let listed = Paged {
            columns: INVITATION,
            from: "seller_invitations WHERE seller_id = $3 AND expires_at > $4",
            order: "id DESC",
        };
        paged(self, &listed, vec![seller.0.into(), now.into()], page, row::invitation).await
    }
}
