//! Seller accounts, write side.

use async_trait::async_trait;
use domain::{
    Result,
    id::{SellerId, UserId},
    identity::{
        Seller,
        ports::{Owner, SellerRepo},
    },
    organisation::MemberRole,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value, sea_query::OnConflict};

use crate::{
    entity::{seller, seller_member},
    error,
    statement::{all, at, statement},
    tx::SeaTx,
};

#[async_trait]
impl SellerRepo for SeaTx {
    async fn insert(&mut self, new: &Seller, member: UserId) -> Result<bool> {
        let row = seller::ActiveModel {
            id: Set(new.id.0),
            name: Set(new.name.clone()),
            slug: Set(new.slug.clone()),
            created_at: Set(new.created_at),
        };
        let stored = seller::Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.tx)
            .await
            .map_err(error::of)?;
        if stored == 0 {
            return Ok(false);
        }
        let membership = seller_member::ActiveModel {
            user_id: Set(member.0),
            seller_id: Set(new.id.0),
            created_at: Set(new.created_at),
            role: Set(MemberRole::Owner.name().to_owned()),
        };
        seller_member::Entity::insert(membership).exec_without_returning(&self.tx).await.map_err(error::of)?;
        Ok(true)
    }

    async fn of_member(&mut self, user: UserId) -> Result<Option<SellerId>> {
        let oldest = seller_member::Entity::find()
            .filter(seller_member::Column::UserId.eq(user.0))
            .order_by_asc(seller_member::Column::SellerId);
        let row = oldest.one(&self.tx).await.map_err(error::of)?;
        Ok(row.map(|row| SellerId(row.seller_id)))
    }

    async fn by_slug(&mut self, slug: &str) -> Result<Option<Owner>> {
        Ok(self.owners("s.slug = $1", slug.into(), 1).await?.pop())
    }

    async fn oldest(&mut self, limit: u32) -> Result<Vec<Owner>> {
        self.owners("$1 = $1", true.into(), limit).await
    }
}

impl SeaTx {
    async fn owners(&self, condition: &str, value: Value, limit: u32) -> Result<Vec<Owner>> {
        let sql = format!(
            "SELECT s.id, (SELECT m.user_id FROM seller_members m WHERE m.seller_id = s.id ORDER BY m.created_at, m.user_id LIMIT 1) \
             FROM sellers s WHERE {condition} AND EXISTS (SELECT 1 FROM seller_members m WHERE m.seller_id = s.id) \
             ORDER BY s.id LIMIT {limit}"
        );
        let rows = all(&self.tx, statement(self.engine, sql, [value])).await?;
        rows.iter().map(|row| Ok(Owner { seller: SellerId(at(row, 0)?), user: UserId(at(row, 1)?) })).collect()
    }
}
