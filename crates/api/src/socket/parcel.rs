//! News of a room, as it is brought to the workers that have somebody in it.

use std::sync::Arc;

use domain::id::{RoomId, UserId};
use uuid::Uuid;

use super::{frame::Frame, outgoing::LeftReason};

/// News of a room for those in it.
#[derive(Debug)]
pub struct Parcel {
    /// The room.
    pub room: RoomId,
    /// What it is.
    pub news: News,
}

/// What is new.
#[derive(Debug)]
pub enum News {
    /// A message of this offset.
    Message(u64, Frame),
    /// What passes: for who is signed in, for others, and a person whose own connections are left out.
    Passing {
        /// For who is signed in.
        full: Frame,
        /// For who is not.
        bare: Option<Frame>,
        /// Whose connections are left out.
        except: Option<UserId>,
    },
    /// One is in the room no more.
    Removed(LeftReason),
}

impl News {
    /// Whether it is for a connection of this person, or of nobody who has a name.
    pub(super) fn is_for(&self, user: Option<UserId>) -> bool {
        match (self, user) {
            (Self::Passing { except, .. }, Some(user)) => *except != Some(user),
            (Self::Passing { bare, .. }, None) => bare.is_some(),
            (Self::Message(..) | Self::Removed(_), _) => true,
        }
    }
}

/// What is brought to a worker.
#[derive(Debug, Clone)]
pub struct Load {
    /// The news.
    pub parcel: Arc<Parcel>,
    /// The only connection it is for, if it is not for all in the room.
    pub only: Option<Uuid>,
}
