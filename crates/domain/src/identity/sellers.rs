//! The seller accounts somebody is a member of.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::id::SellerId;

/// The seller accounts somebody is a member of, at most [`Sellers::MAX`]; each once.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sellers {
    /// In order; what is free is nil, so that equal sets are equal.
    ids: [SellerId; Sellers::MAX],
    count: usize,
}

impl Sellers {
    /// The most accounts one person may be a member of.
    pub const MAX: usize = 8;

    /// No account.
    pub const NONE: Self = Self { ids: [SellerId(Uuid::nil()); Self::MAX], count: 0 };

    /// A set of these; those beyond [`Sellers::MAX`] are left out.
    pub fn new(sellers: impl IntoIterator<Item = SellerId>) -> Self {
        let mut all: Vec<SellerId> = sellers.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        all.truncate(Self::MAX);
        let mut set = Self { count: all.len(), ..Self::NONE };
        for (place, seller) in set.ids.iter_mut().zip(all) {
            *place = seller;
        }
        set
    }

    /// One account alone.
    pub fn one(seller: SellerId) -> Self {
        Self::new([seller])
    }

    /// The accounts, in order.
    pub fn as_slice(&self) -> &[SellerId] {
        self.ids.get(..self.count).unwrap_or_default()
    }

    /// Whether this account is among them.
    pub fn has(&self, seller: SellerId) -> bool {
        self.as_slice().contains(&seller)
    }

    /// The only one, when there is one.
    pub fn sole(&self) -> Option<SellerId> {
        match self.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }
}

impl Default for Sellers {
    fn default() -> Self {
        Self::NONE
    }
}

/// Short, since it is part of keys of the cache.
impl fmt::Debug for Sellers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.as_slice().iter().map(|seller| seller.0)).finish()
    }
}

impl Serialize for Sellers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sellers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<SellerId>::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_each_once_in_order_and_a_bound() {
        let id = |n| SellerId(Uuid::from_u128(n));
        let set = Sellers::new([id(3), id(1), id(3)]);
        assert_eq!((set.as_slice(), set.sole()), (&[id(1), id(3)][..], None));
        assert_eq!(set, Sellers::new([id(1), id(3)]));
        assert_eq!(Sellers::one(id(7)).sole(), Some(id(7)));
        assert_eq!(Sellers::new((1..=20).map(id)).as_slice().len(), Sellers::MAX);
        let kept = serde_json::to_string(&set).unwrap();
        assert_eq!(serde_json::from_str::<Sellers>(&kept).unwrap(), set);
    }
}
