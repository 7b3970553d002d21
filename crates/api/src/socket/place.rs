//! How many connections there are, and of whom.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::id::UserId;

/// The connections of a node, counted.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of_users: HashMap<UserId, usize>,
    of_addresses: HashMap<IpAddr, usize>,
}

/// Whose connection it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// A person's.
    User(UserId),
    /// That of somebody at this address.
    Address(IpAddr),
}

/// Why there is no room for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowded {
    /// On this node.
    Node,
    /// For this person or address.
    Caller,
}

/// The place of one connection; dropping it makes room.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    whose: Whose,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.open();
        open.all = open.all.saturating_sub(1);
        let open = &mut *open;
        match self.whose {
            Whose::User(user) => release(&mut open.of_users, user),
            Whose::Address(address) => release(&mut open.of_addresses, address),
        }
        metrics::gauge!("streams_open", "protocol" => "ws").decrement(1.0);
    }
}

fn release<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: K) {
    if let std::collections::hash_map::Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}

impl Places {
    /// Counts a connection in, unless there are too many already; a limit of 0 is none.
    pub(super) fn admit(self: &Arc<Self>, whose: Whose, most: usize, most_of_caller: usize) -> Result<Place, Crowded> {
        let mut open = self.open();
        if open.all >= most {
            return Err(Crowded::Node);
        }
        let of_caller = match whose {
            Whose::User(user) => open.of_users.entry(user).or_default(),
            Whose::Address(address) => open.of_addresses.entry(address).or_default(),
        };
        if most_of_caller > 0 && *of_caller >= most_of_caller {
            return Err(Crowded::Caller);
        }
        *of_caller += 1;
        open.all += 1;
        metrics::gauge!("streams_open", "protocol" => "ws").increment(1.0);
        Ok(Place { places: Arc::clone(self), whose })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
