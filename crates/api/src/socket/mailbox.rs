//! What waits to be told to one connection.

use std::sync::Arc;

use domain::id::{RoomId, UserId};
use tokio::sync::{Notify, mpsc};

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

/// The end that is filled.
#[derive(Debug, Clone)]
pub struct Mailbox {
    sender: mpsc::Sender<Arc<Parcel>>,
    overrun: Arc<Notify>,
}

/// The end that is emptied.
#[derive(Debug)]
pub struct Post {
    /// What waits.
    pub parcels: mpsc::Receiver<Arc<Parcel>>,
    /// Told when something found no room.
    pub overrun: Arc<Notify>,
}

/// A mailbox in which so many may wait.
pub fn mailbox(room_for: usize) -> (Mailbox, Post) {
    let (sender, parcels) = mpsc::channel(room_for);
    let overrun = Arc::new(Notify::new());
    (Mailbox { sender, overrun: Arc::clone(&overrun) }, Post { parcels, overrun })
}

impl Mailbox {
    /// Puts something in. Without room, the one who should empty it is told that it is too slow, and the others go on.
    pub fn put(&self, parcel: &Arc<Parcel>) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(Arc::clone(parcel)) {
            metrics::counter!("socket_messages_dropped_total").increment(1);
            self.overrun.notify_one();
        }
    }
}
