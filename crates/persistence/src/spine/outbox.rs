//! Events, append side.

use async_trait::async_trait;
use domain::{
    Result,
    event::{Event, Outbox},
};
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{entity::event, error, tx::SeaTx};

/// Rows per statement of a bulk insert, inside the parameters either engine takes.
const BULK: usize = 1000;

#[async_trait]
impl Outbox for SeaTx {
    async fn append(&mut self, event: Event) -> Result<()> {
        event::Entity::insert(row(event)).exec_without_returning(&self.tx).await.map(|_| ()).map_err(error::of)
    }

    async fn append_many(&mut self, events: Vec<Event>) -> Result<()> {
        let mut rows = events.into_iter().map(row).peekable();
        while rows.peek().is_some() {
            let chunk = rows.by_ref().take(BULK);
            event::Entity::insert_many(chunk).exec_without_returning(&self.tx).await.map_err(error::of)?;
        }
        Ok(())
    }
}

fn row(event: Event) -> event::ActiveModel {
    event::ActiveModel {
        id: Set(event.id.0),
        seq: Set(None),
        kind: Set(event.kind),
        entity_type: Set(event.entity.kind),
        entity_id: Set(event.entity.id),
        actor_id: Set(event.actor.map(|user| user.0)),
        payload: Set(event.payload),
        occurred_at: Set(event.at),
        failure: Set(None),
    }
}
