//! Whom an event concerns, and who tells the nodes of it.

use std::sync::Arc;

use super::{CHANGED, HEEDED, Known};
use crate::{
    bus::Bus,
    event::{Event, Fact},
    id::UserId,
};

/// Who is somebody else after an event, or may not go on: their live connections look again.
pub fn concerns(event: &Event) -> Option<UserId> {
    if !HEEDED.contains(&event.entity.kind.as_str()) {
        return None;
    }
    match Fact::of(event) {
        Ok(Fact::User(user)) => Some(user),
        // Who opens an account is a seller from now on, and so is who becomes a member of it; who leaves it is none.
        Ok(Fact::Seller(_)) => member(event).or(event.actor),
        // Its open connections are those of whoever made it.
        Ok(Fact::ApiKey(_)) => member(event),
        Ok(Fact::Session(fact)) if event.kind == "session.ended" => Some(fact.user_id),
        _ => None,
    }
}

/// Whom the event names.
fn member(event: &Event) -> Option<UserId> {
    uuid::Uuid::parse_str(event.payload.get("userId")?.as_str()?).ok().map(UserId)
}

/// Hears of the events of a transaction right after its commit, before it is acknowledged.
pub trait Witness: Send + Sync {
    /// They are committed, or may be: a connection that was lost in the middle of a commit does not tell.
    fn committed(&self, events: &[Event]);
}

/// Heeds what this node changes, and calls the others.
#[derive(Clone)]
pub struct Herald {
    /// What this node knows.
    pub known: Arc<Known>,
    /// Calls the others.
    pub bus: Arc<dyn Bus>,
}

impl std::fmt::Debug for Herald {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Herald")
    }
}

impl Witness for Herald {
    fn committed(&self, events: &[Event]) {
        let mut told = false;
        for event in events {
            self.known.heed(event);
            told |=
                concerns(event).is_some() || ["signing_key", "role", "api_key"].contains(&event.entity.kind.as_str());
        }
        if told {
            self.bus.publish(CHANGED, b"");
        }
    }
}
