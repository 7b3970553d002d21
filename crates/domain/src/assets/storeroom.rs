//! Putting bytes away and finding them again.

use std::{ops::Range, sync::Arc};

use super::{
    Chunks, Digest, Edition, Holder, Place, Quotas, Stored, Terms,
    ports::{BlobQueries, Blobs, Held},
};
use crate::{
    error::{Error, Result},
    shop::Shop,
};

/// Bytes that were put away, for whoever is going to hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Where they lie.
    pub place: Place,
    /// How many they are.
    pub size: u64,
}

impl Kept {
    /// What they are.
    pub fn digest(&self) -> Digest {
        self.place.digest
    }
}

/// The store of bytes and what is known of them.
#[derive(Clone)]
pub struct Storeroom {
    /// Where bytes lie.
    pub blobs: Arc<dyn Blobs>,
    /// Who holds them.
    pub index: Arc<dyn BlobQueries>,
}

impl std::fmt::Debug for Storeroom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Storeroom(..)")
    }
}

impl Storeroom {
    /// Puts away all that a source gives, before the transaction that refers to it and holds it. Nobody may be in a
    /// transaction while they wait for this.
    ///
    /// # Errors
    /// Those of [`Blobs::stage`] and of the database; then nothing shows.
    pub async fn put(&self, shop: &Shop, source: &mut dyn Chunks, terms: &Terms) -> Result<Kept> {
        let staged = self.blobs.stage(source, terms).await?;
        let stored = staged.stored();
        let edition = self.claim(shop, &stored).await?;
        staged.publish(edition).await?;
        Ok(Kept { place: Place { digest: stored.digest, edition }, size: stored.size })
    }

    /// The edition is noted first: what lies in the store and was never noted belongs to nobody.
    async fn claim(&self, shop: &Shop, stored: &Stored) -> Result<Edition> {
        let fresh = Edition::new(&*shop.entropy);
        shop.write("put_blob", |mut tx| async move {
            let now = tx.now();
            let edition = tx.blobs().claim(stored, fresh, now).await?;
            tx.commit(edition).await
        })
        .await
    }

    /// How many bytes may still be kept for all of these, as far as can be told before they come; [`charge`](super::charge) has the last
    /// word.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when fewer than `bytes` may be kept for one of them.
    pub async fn left(&self, quotas: &Quotas, holders: &[Holder], bytes: u64) -> Result<u64> {
        let mut least = u64::MAX;
        for holder in holders {
            let left = quotas.of(*holder).saturating_sub(self.index.usage(*holder).await?);
            if left < bytes {
                return Err(quotas.exceeded(*holder));
            }
            least = least.min(left);
        }
        Ok(least)
    }

    /// What is known of bytes that somebody holds.
    pub async fn find(&self, digest: &Digest) -> Result<Option<Held>> {
        Ok(self.index.find(digest).await?.filter(|held| held.references > 0))
    }

    /// These bytes of what somebody holds; all of them without a range. `None` when nobody holds them.
    ///
    /// # Errors
    /// [`Error::Internal`] when they are held but do not lie there; those of the ports.
    pub async fn read(&self, digest: &Digest, range: Option<Range<u64>>) -> Result<Option<Box<dyn Chunks>>> {
        match self.find(digest).await? {
            Some(held) => self.open(&held, range).await.map(Some),
            None => Ok(None),
        }
    }

    /// These bytes of what was found.
    ///
    /// # Errors
    /// Those of [`Storeroom::read`].
    pub async fn open(&self, held: &Held, range: Option<Range<u64>>) -> Result<Box<dyn Chunks>> {
        let chunks = self.blobs.read(&held.place, range.unwrap_or(0..held.size)).await?;
        chunks.ok_or_else(|| Error::internal(format!("{} is held but not in the store", held.place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        assets::{Whole, ports::Reach},
        testing::{Fixtures, MemoryBlobs},
    };

    #[tokio::test]
    async fn what_was_put_is_read_once_it_is_held() {
        let (given, store) = Fixtures::in_memory();
        let room = Storeroom { blobs: Arc::new(MemoryBlobs::default()), index: Arc::new(store) };
        let kept = room.put(&given.shop, &mut Whole::new("some bytes"), &Terms::at_most(10)).await.unwrap();
        assert_eq!((kept.digest(), kept.size), (Digest::of(b"some bytes"), 10));
        assert!(room.read(&kept.digest(), None).await.unwrap().is_none(), "nobody holds it");
        let mut tx = given.tx().await;
        tx.blobs().hold(&kept, Reach::Private).await.unwrap();
        tx.commit().await.unwrap();
        let mut part = room.read(&kept.digest(), Some(5..8)).await.unwrap().unwrap();
        assert_eq!(part.next().await.unwrap().as_deref(), Some(b"byt".as_slice()));
        let again = room.put(&given.shop, &mut Whole::new("some bytes"), &Terms::at_most(10)).await.unwrap();
        assert_eq!(again, kept, "the same bytes lie once");
    }

    #[tokio::test]
    async fn what_is_refused_leaves_nothing() {
        let (given, store) = Fixtures::in_memory();
        let room = Storeroom { blobs: Arc::new(MemoryBlobs::default()), index: Arc::new(store) };
        let refused = room.put(&given.shop, &mut Whole::new("long"), &Terms::at_most(3)).await;
        assert!(matches!(refused, Err(Error::TooLarge(_))));
        assert!(room.blobs.list(None, 10).await.unwrap().is_empty());
        assert!(room.index.list(None, 10).await.unwrap().is_empty());
    }
}
