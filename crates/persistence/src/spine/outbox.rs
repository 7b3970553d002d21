//! Events, append side.

use async_trait::async_trait;
use domain::{
    Result,
    event::{Event, Outbox},
};

use crate::tx::SeaTx;

#[async_trait]
impl Outbox for SeaTx {
    async fn append(&mut self, event: Event) -> Result<()> {
        self.told.events.push(event);
        Ok(())
    }
}
