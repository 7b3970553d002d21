//! Events, append side.

use async_trait::async_trait;
use domain::{
    Result,
    event::{Event, Outbox},
};
use sea_orm::ActiveValue::Set;

use crate::{entity::event, tx::SeaTx};

#[async_trait]
impl Outbox for SeaTx {
    async fn append(&mut self, event: Event) -> Result<()> {
        self.told.events.push(event);
        Ok(())
    }
}

pub(super) fn row(event: Event) -> event::ActiveModel {
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
