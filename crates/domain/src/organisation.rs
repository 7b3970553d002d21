//! Organisations: a seller account with several members, and how one becomes a member.

mod accept_invitation;
mod change_member;
mod events;
mod invitation;
mod invite;
mod member;
pub mod policy;
pub mod ports;
mod remove_member;
mod revoke_invitation;

pub use accept_invitation::{Joined, accept_invitation};
pub use change_member::change_member;
pub(crate) use events::member_left;
pub use invitation::{INVITATION_LIFE, Invitation, InvitationInput, NewInvitation};
pub use invite::{Invited, invite};
pub use member::{Account, Member, MemberRole};
pub use remove_member::remove_member;
pub use revoke_invitation::revoke_invitation;
