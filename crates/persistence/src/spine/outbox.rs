//! Events, append side.

use async_trait::async_trait;
use domain::{
    Result,
    event::{Event, Outbox},
};
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{entity::event, error, tx::SeaTx};

#[async_trait]
impl Outbox for SeaTx {
    async fn append(&mut self, new: Event) -> Result<()> {
        let row = event::ActiveModel {
            id: Set(new.id.0),
            seq: Set(None),
            kind: Set(new.kind),
            entity_type: Set(new.entity.kind),
            entity_id: Set(new.entity.id),
            actor_id: Set(new.actor.map(|user| user.0)),
            payload: Set(new.payload),
            occurred_at: Set(new.at),
            failure: Set(None),
        };
        event::Entity::insert(row).exec_without_returning(&self.tx).await.map(|_| ()).map_err(error::of)
    }
}
