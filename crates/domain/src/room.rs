//! Rooms: where people talk, who may be in them, what was said, and who is there just now.
//!
//! A room numbers its messages by offset, without gaps, in the transaction that stores them. So a message is told live as a
//! hint, and whoever misses one reads on from the offset they have.

mod create_room;
mod delete_room;
mod erase_message;
mod events;
mod hint;
mod mark_read;
mod membership;
mod message;
pub mod policy;
pub mod ports;
mod post_message;
mod presence;
mod purge_messages;
mod resume;
mod room_input;
mod sanctions;
mod stored;
mod update_room;

pub use create_room::create_room;
pub use delete_room::delete_room;
pub use erase_message::erase_message;
pub use hint::Hint;
pub use mark_read::mark_read;
pub use membership::{remove_member, set_member};
pub use message::{CONTENT_MAX, Message, MessageInput, NewMessage};
pub use post_message::{Posted, post_message};
pub use presence::{Change, Crowd, Moved, NodeId, Presence, Renewed};
pub use purge_messages::{KeepMessages, purge_messages};
pub use resume::{Gap, Resume};
pub use room_input::{NewRoom, RoomInput, RoomName, RoomPatch};
pub use sanctions::{SanctionInput, lift_sanction, sanction};
pub use stored::{Epoch, GLOBAL, Member, Reach, Room, RoomKind, RoomRole, Sanction, SanctionKind, Standing};
pub use update_room::update_room;
