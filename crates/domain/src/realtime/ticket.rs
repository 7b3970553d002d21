//! Tickets: how a browser's stream says who it is without a long-lived secret in its address (ruling R33).

use std::time::Duration;

use super::TicketBox;
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    identity::ports::Session,
    permission::{Authorized, OwnAccount},
    secrets::{Mac, hex},
    shop::Shop,
};

/// How long a ticket may wait to be used, once.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);

/// A ticket as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// The session it stands for: a stream opened with it ends when that does.
    pub session: Session,
    /// When it ends unused.
    pub expires_at: Timestamp,
}

/// Makes a ticket for the caller's session: its secret, of 64 hexadecimal digits, and when it ends. Only a keyed digest
/// is kept.
///
/// # Errors
/// Those of the box; [`Error::Unauthenticated`] for the session of somebody else.
pub async fn issue_ticket(
    shop: &Shop,
    mac: &dyn Mac,
    tickets: &dyn TicketBox,
    by: &Authorized<OwnAccount>,
    session: Session,
) -> Result<(String, Timestamp)> {
    if session.user != by.principal().user {
        return Err(Error::Unauthenticated);
    }
    let mut secret = [0_u8; 32];
    shop.entropy.fill(&mut secret);
    let (secret, now) = (hex(&secret), shop.now());
    let ticket = Ticket { session, expires_at: now + TICKET_LIFE };
    tickets.keep(&digest(mac, &secret), &ticket, now).await?;
    Ok((secret, ticket.expires_at))
}

/// Uses a ticket up: the session it stands for, or `None` when it was used, has ended or never was.
///
/// # Errors
/// Those of the box.
pub async fn redeem_ticket(
    shop: &Shop,
    mac: &dyn Mac,
    tickets: &dyn TicketBox,
    secret: &str,
) -> Result<Option<Session>> {
    tickets.take(&digest(mac, secret), shop.now()).await
}

fn digest(mac: &dyn Mac, secret: &str) -> [u8; 32] {
    mac.mac(format!("ticket:{secret}").as_bytes())
}
