//! Taking out what nobody holds, and finding out whether what is held is there.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Gauge, Place, Storeroom, Terms,
    ports::{Blobs, Held, Listed},
};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    job::{Job, Policy},
};

/// Places looked at together.
const PORTION: u32 = 500;

/// Of so many that lie in a store, not more than half may be unknown: else it is the store of another shop, or the database of
/// another day.
const FEW: u64 = 100;

/// The job that takes out what nobody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepFiles {}

impl Job for SweepFiles {
    const NAME: &'static str = "sweep_files";

    fn policy() -> Policy {
        Policy { attempts: 3, timeout: Duration::from_hours(6), at_once: 1, ..Policy::default() }
    }
}

/// The job that lets models and uploads fail whose own job was given up or cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettleFiles {}

impl Job for SettleFiles {
    const NAME: &'static str = "settle_files";

    fn policy() -> Policy {
        Policy { attempts: 3, timeout: Duration::from_mins(10), at_once: 1, ..Policy::default() }
    }
}

/// What was taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// What nobody held any more.
    pub released: u64,
    /// What lay there and was known to nobody: it was put by a process that died, or its removal was cut short.
    pub unknown: u64,
    /// What never became whole.
    pub staged: u64,
}

/// How far a walk through a store got.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

impl Storeroom {
    /// Takes out what nobody held for `grace`, and what lies in the store for so long and is known to nobody. Run again, or by
    /// several at once, or cut short, it takes out nothing else.
    ///
    /// # Errors
    /// [`Error::Conflict`], before anything of it is taken out, when most of what lies there is unknown, unless `whatever`; those of
    /// the ports.
    pub async fn sweep(
        &self,
        now: Timestamp,
        grace: Duration,
        whatever: bool,
        progress: Progress<'_>,
    ) -> Result<Swept> {
        let before = now - grace;
        let mut swept = Swept { staged: self.blobs.sweep(before).await?, ..Swept::default() };
        loop {
            // From here on nobody can hold these, so whenever they go is early enough.
            let gone = self.index.condemn(before, PORTION).await?;
            for place in &gone {
                self.blobs.remove(place).await?;
                swept.released += 1;
                progress(swept.released);
            }
            if gone.is_empty() {
                break;
            }
        }
        let (unknown, known) = self.unknown(before).await?;
        let total = count(&unknown).saturating_add(known);
        if !whatever && total > FEW && count(&unknown) > known {
            return Err(Error::conflict(format!(
                "{} of the {total} files in the store are unknown to this database; is it the store of this shop? \
                 `souk assets gc --whatever` removes them all the same",
                unknown.len()
            )));
        }
        for place in &unknown {
            self.blobs.remove(place).await?;
            swept.unknown += 1;
            progress(swept.released + swept.unknown);
        }
        Ok(swept)
    }

    /// The places in the store that are old and that nobody knows, and how many are known.
    async fn unknown(&self, before: Timestamp) -> Result<(Vec<Place>, u64)> {
        let (mut unknown, mut known, mut after) = (Vec::new(), 0, None);
        while let Some(listed) = self.page(after.as_ref()).await? {
            after = listed.last().map(|last| last.place);
            let places: Vec<Place> = listed.iter().map(|one| one.place).collect();
            let found = self.index.known(&places).await?;
            known += count(&found);
            let old = listed.iter().filter(|one| one.since < before).map(|one| one.place);
            unknown.extend(old.filter(|place| !found.contains(place)));
        }
        Ok((unknown, known))
    }

    async fn page(&self, after: Option<&Place>) -> Result<Option<Vec<Listed>>> {
        let listed = self.blobs.list(after, PORTION).await?;
        Ok(Some(listed).filter(|listed| !listed.is_empty()))
    }
}

/// What is wrong with bytes that are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// They are not there.
    Missing,
    /// There are more of them, or fewer.
    Size,
    /// They are others.
    Digest,
}

/// What was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many that are held.
    pub held: u64,
    /// How many bytes were read.
    pub bytes: u64,
    /// What is wrong.
    pub wrong: Vec<(Place, Wrong)>,
}

impl Storeroom {
    /// Looks whether everything that is held lies in the store and, when it shall be read, is what it is said to be. It goes on
    /// behind `after`; `progress` is told after each portion how far it got.
    ///
    /// # Errors
    /// Those of the ports.
    pub async fn verify(
        &self,
        after: Option<super::Digest>,
        read: bool,
        progress: &(dyn Fn(&super::Digest, &Verified) + Sync),
    ) -> Result<Verified> {
        let (mut verified, mut after) = (Verified::default(), after);
        loop {
            let portion = self.index.list(after.as_ref(), PORTION).await?;
            let Some(last) = portion.last().map(|held| held.place.digest) else { return Ok(verified) };
            for held in portion.iter().filter(|held| held.references > 0) {
                verified.held += 1;
                if let Some(wrong) = self.wrong(held, read, &mut verified.bytes).await? {
                    verified.wrong.push((held.place, wrong));
                }
            }
            progress(&last, &verified);
            after = Some(last);
        }
    }

    async fn wrong(&self, held: &Held, read: bool, bytes: &mut u64) -> Result<Option<Wrong>> {
        match self.blobs.size(&held.place).await? {
            None => return Ok(Some(Wrong::Missing)),
            Some(size) if size != held.size => return Ok(Some(Wrong::Size)),
            Some(_) => {}
        }
        if !read {
            return Ok(None);
        }
        let Some(mut chunks) = self.blobs.read(&held.place, 0..held.size).await? else {
            return Ok(Some(Wrong::Missing));
        };
        let mut gauge = Gauge::new(&Terms::at_most(held.size))?;
        while let Some(piece) = chunks.next().await? {
            gauge.pass(&piece)?;
        }
        *bytes += gauge.passed();
        Ok((gauge.end()?.digest != held.place.digest).then_some(Wrong::Digest))
    }
}

/// What was copied from one store to another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// How many.
    pub copied: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How many were there already.
    pub there: u64,
}

/// Copies everything that lies in one store to another, each checked on its way. What is there already is left; so it is run
/// again after it was cut short, and once more to fetch what came meanwhile.
///
/// # Errors
/// [`Error::Invalid`] for what is not what it is said to be; those of the stores.
pub async fn copy_all(from: &dyn Blobs, to: &dyn Blobs, progress: &(dyn Fn(&Copied) + Sync)) -> Result<Copied> {
    let (mut done, mut after) = (Copied::default(), None);
    loop {
        let listed = from.list(after.as_ref(), PORTION).await?;
        let Some(last) = listed.last() else { return Ok(done) };
        after = Some(last.place);
        for Listed { place, size, .. } in &listed {
            if to.size(place).await? == Some(*size) {
                done.there += 1;
                continue;
            }
            // What was taken out since it was listed is missed by nobody.
            let Some(mut chunks) = from.read(place, 0..*size).await? else { continue };
            let terms = Terms { size: Some(*size), digest: Some(place.digest), ..Terms::at_most(*size) };
            to.stage(&mut *chunks, &terms).await?.publish(place.edition).await?;
            done.copied += 1;
            done.bytes += size;
            progress(&done);
        }
        progress(&done);
    }
}

fn count(places: &[Place]) -> u64 {
    u64::try_from(places.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        assets::{Edition, Kept, Whole, ports::Reach},
        testing::{Fixtures, MemoryBlobs},
    };

    const GRACE: Duration = Duration::from_hours(24);

    struct World {
        given: Fixtures,
        room: Storeroom,
    }

    impl World {
        fn new() -> Self {
            let (given, store) = Fixtures::in_memory();
            let blobs = MemoryBlobs::new(Arc::clone(&given.clock));
            Self { given, room: Storeroom { blobs: Arc::new(blobs), index: Arc::new(store) } }
        }

        async fn put(&self, text: &str) -> Kept {
            let source = &mut Whole::new(text.to_owned());
            self.room.put(&self.given.shop, source, &Terms::at_most(100)).await.unwrap()
        }

        async fn hold(&self, kept: &Kept) -> Result<()> {
            let mut tx = self.given.tx().await;
            tx.blobs().hold(kept, Reach::Private).await?;
            tx.commit().await
        }

        /// Bytes that nobody ever noted.
        async fn lost(&self, text: &str) -> Place {
            let source = &mut Whole::new(text.to_owned());
            let staged = self.room.blobs.stage(source, &Terms::at_most(100)).await.unwrap();
            let place = Place { digest: staged.stored().digest, edition: Edition(9) };
            staged.publish(place.edition).await.unwrap();
            place
        }

        async fn sweep(&self) -> Result<Swept> {
            self.room.sweep(self.given.shop.now(), GRACE, false, &|_| ()).await
        }

        async fn lies(&self, place: &Place) -> bool {
            self.room.blobs.size(place).await.unwrap().is_some()
        }
    }

    #[tokio::test]
    async fn only_what_nobody_held_for_a_while_is_taken_out() {
        let world = World::new();
        let (idle, held) = (world.put("idle").await, world.put("held").await);
        world.hold(&held).await.unwrap();
        let lost = world.lost("lost").await;
        world.given.clock.advance(GRACE);
        assert_eq!(world.sweep().await.unwrap(), Swept::default(), "not a moment too early");
        world.given.clock.advance(Duration::from_secs(1));
        let young = world.put("young").await;
        assert_eq!(world.sweep().await.unwrap(), Swept { released: 1, unknown: 1, staged: 0 });
        assert!(!world.lies(&idle.place).await && !world.lies(&lost).await);
        assert!(world.lies(&held.place).await && world.lies(&young.place).await);
        assert!(matches!(world.hold(&idle).await, Err(Error::Unavailable { .. })));
        let again = world.put("idle").await;
        assert_ne!(again.place, idle.place, "another edition");
        world.hold(&again).await.unwrap();
        world.hold(&young).await.unwrap();
        assert_eq!(world.sweep().await.unwrap(), Swept::default());
    }

    #[tokio::test]
    async fn who_removes_late_removes_nothing_that_is_held() {
        let world = World::new();
        let kept = world.put("bytes").await;
        world.given.clock.advance(GRACE + Duration::from_secs(1));
        // A sweep that stands still between the two steps.
        let gone = world.room.index.condemn(world.given.shop.now() - GRACE, 10).await.unwrap();
        assert_eq!(gone, [kept.place]);
        let again = world.put("bytes").await;
        world.hold(&again).await.unwrap();
        world.room.blobs.remove(&gone[0]).await.unwrap();
        let mut chunks = world.room.read(&again.digest(), None).await.unwrap().unwrap();
        assert_eq!(chunks.next().await.unwrap().as_deref(), Some(b"bytes".as_slice()));
    }

    #[tokio::test]
    async fn the_store_of_another_shop_is_left_alone() {
        let world = World::new();
        let mut lost = Vec::new();
        for n in 0..=FEW {
            lost.push(world.lost(&format!("lost {n}")).await);
        }
        world.given.clock.advance(GRACE + Duration::from_secs(1));
        assert!(matches!(world.sweep().await, Err(Error::Conflict(_))));
        assert!(world.lies(&lost[0]).await);
        let swept = world.room.sweep(world.given.shop.now(), GRACE, true, &|_| ()).await.unwrap();
        assert_eq!(swept.unknown, FEW + 1);
        assert!(!world.lies(&lost[0]).await);
    }

    #[tokio::test]
    async fn what_is_wrong_is_found() {
        let world = World::new();
        let (good, missing) = (world.put("good").await, world.put("missing").await);
        world.hold(&good).await.unwrap();
        world.hold(&missing).await.unwrap();
        world.put("held by nobody").await;
        world.room.blobs.remove(&missing.place).await.unwrap();
        for read in [false, true] {
            let found = world.room.verify(None, read, &|_, _| ()).await.unwrap();
            let bytes = if read { 4 } else { 0 };
            assert_eq!(found, Verified { held: 2, bytes, wrong: vec![(missing.place, Wrong::Missing)] });
        }
        let last = good.digest().max(missing.digest());
        assert!(world.room.verify(Some(last), true, &|_, _| ()).await.unwrap().held < 2, "it goes on where it was");
    }

    #[tokio::test]
    async fn a_store_is_copied_and_what_is_there_is_left() {
        let world = World::new();
        for n in 0..3 {
            world.put(&format!("{n}")).await;
        }
        let other = MemoryBlobs::default();
        let copied = copy_all(&*world.room.blobs, &other, &|_| ()).await.unwrap();
        assert_eq!(copied, Copied { copied: 3, bytes: 3, there: 0 });
        world.put("later").await;
        let copied = copy_all(&*world.room.blobs, &other, &|_| ()).await.unwrap();
        assert_eq!(copied, Copied { copied: 1, bytes: 5, there: 3 });
        let (one, two) = (world.room.blobs.list(None, 10).await.unwrap(), other.list(None, 10).await.unwrap());
        let places = |all: Vec<Listed>| all.into_iter().map(|listed| listed.place).collect::<Vec<_>>();
        assert_eq!(places(one), places(two));
    }
}
