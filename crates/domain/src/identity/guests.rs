//! Guests: people who come without saying who they are, and keep what they have when they do say it.

mod enter;
mod promote;
mod purge;

pub use self::{
    enter::enter_as_guest,
    promote::{Promoted, Promotion, promote_guest},
    purge::{GuestQueries, purge_guests},
};
pub(super) use promote::{become_user, is_guest, not_a_guest};
