//! Tickets of streams.

use std::time::Duration;

use super::{Harness, fixtures};
use crate::{
    behalf::Impersonator,
    id::UserId,
    identity::ports::Session,
    permission::Role,
    realtime::{TICKET_LIFE, Ticket},
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    for acted in [false, true] {
        a_ticket_is_good_once(harness, acted).await;
    }
    a_ticket_ends(harness).await;
}

/// A digest no other case has.
fn digest(user: UserId) -> [u8; 32] {
    let mut digest = [7; 32];
    digest[..16].copy_from_slice(user.0.as_bytes());
    digest
}

async fn kept(harness: &impl Harness, acted: bool) -> (Ticket, [u8; 32]) {
    let given = fixtures(harness);
    let user = given.person(Role::User).await.user;
    let now = given.shop.now();
    let by = Impersonator { user: given.person(Role::Admin).await.user, session: given.shop.id() };
    let impersonator = acted.then_some(by);
    let session = Session { id: given.shop.id(), user, until: now + Duration::from_mins(15), impersonator };
    let ticket = Ticket { session, expires_at: now + TICKET_LIFE };
    harness.tickets().keep(&digest(user), &ticket, now).await.unwrap();
    (ticket, digest(user))
}

async fn a_ticket_is_good_once(harness: &impl Harness, acted: bool) {
    let (ticket, digest) = kept(harness, acted).await;
    let now = fixtures(harness).shop.now();
    let tickets = harness.tickets();
    assert_eq!(tickets.take(&[8; 32], now).await.unwrap(), None);
    assert_eq!(tickets.take(&digest, now).await.unwrap(), Some(ticket.session));
    assert_eq!(tickets.take(&digest, now).await.unwrap(), None);
}

async fn a_ticket_ends(harness: &impl Harness) {
    let (ticket, digest) = kept(harness, false).await;
    let tickets = harness.tickets();
    assert_eq!(tickets.take(&digest, ticket.expires_at).await.unwrap(), None);
    // Those that ended are forgotten when the next is kept.
    harness.tickets().keep(&[9; 32], &ticket, ticket.expires_at).await.unwrap();
    assert_eq!(tickets.take(&digest, ticket.expires_at - Duration::from_secs(1)).await.unwrap(), None);
}
