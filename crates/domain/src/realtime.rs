//! Live streams: which topics an event belongs to, and what a listener may hear of it.

mod notice;
mod ports;
mod ticket;
mod topic;

pub use notice::{Heard, Notice, Subject};
pub use ports::{EventFeed, Reach, TicketBox};
pub use ticket::{TICKET_LIFE, Ticket, issue_ticket, redeem_ticket};
pub use topic::{Topic, UnknownTopic};
