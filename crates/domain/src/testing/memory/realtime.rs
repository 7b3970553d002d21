//! The numbered log and tickets in memory. Commits follow each other, so that the place of an event is its number.

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    clock::Timestamp,
    error::Result,
    event::Event,
    identity::ports::Session,
    realtime::{EventFeed, Reach, Ticket, TicketBox},
    relay::Numbered,
};

#[async_trait]
impl EventFeed for MemoryStore {
    async fn reach(&self) -> Result<Reach> {
        Ok(Reach { first: 1, last: u64::try_from(self.state().events.len()).unwrap_or(u64::MAX) })
    }

    async fn after(&self, seq: u64, limit: u32) -> Result<Vec<Numbered>> {
        let state = self.state();
        let all = (1..).zip(&state.events).map(|(seq, event)| Numbered { seq, event: event.clone() });
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(all.filter(|numbered| numbered.seq > seq).take(limit).collect())
    }

    async fn ahead(&self, seq: u64, types: &[&str], limit: u32) -> Result<Vec<Event>> {
        let after = self.after(seq, u32::MAX).await?.into_iter().map(|numbered| numbered.event);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(after.filter(|event| types.contains(&event.entity.kind.as_str())).take(limit).collect())
    }
}

#[async_trait]
impl TicketBox for MemoryStore {
    async fn keep(&self, digest: &[u8; 32], ticket: &Ticket, now: Timestamp) -> Result<()> {
        let mut shared = self.shared();
        shared.tickets.retain(|_, kept| kept.expires_at > now);
        shared.tickets.insert(*digest, *ticket);
        Ok(())
    }

    async fn take(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<Session>> {
        let taken = self.shared().tickets.remove(digest);
        Ok(taken.filter(|ticket| ticket.expires_at > now).map(|ticket| ticket.session))
    }
}
