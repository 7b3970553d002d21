//! Whose a conversation is: its owner's, and nobody else's.

use super::Conversation;
use crate::{
    actor::Principal,
    error::{Error, Result},
};

/// The answer to whoever may not know of a conversation.
pub fn unknown() -> Error {
    Error::NotFound("Conversation")
}

/// Makes sure that it is theirs. Administrators are no exception: what people say to a model is not for the shop.
///
/// # Errors
/// [`Error::NotFound`], also for what is somebody else's, and for an operator who acts as its owner.
pub fn may_see(who: &Principal, conversation: &Conversation) -> Result<()> {
    if conversation.owner == who.user && who.impersonator.is_none() { Ok(()) } else { Err(unknown()) }
}
