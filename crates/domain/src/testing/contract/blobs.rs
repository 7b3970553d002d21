//! What every store of bytes keeps.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    Error, Result,
    assets::{
        Chunks, Digest, Edition, Place, Stored, Terms, Whole,
        ports::{Blobs, Listed},
    },
    clock::Timestamp,
};

/// More than any adapter takes at a time.
const LARGE: usize = 23 * 1024 * 1024 + 11;

/// Runs the cases on a store that is empty. `now` is the moment by its clock.
pub async fn run(blobs: &dyn Blobs, now: Timestamp) {
    blobs.check().await.unwrap();
    nothing_is_found_where_nothing_lies(blobs).await;
    bytes_read_back_whole_and_in_part(blobs).await;
    what_is_staged_does_not_show(blobs).await;
    what_breaks_its_terms_or_off_leaves_nothing(blobs).await;
    publishing_again_changes_nothing(blobs).await;
    editions_lie_apart(blobs).await;
    what_is_read_can_be_read_on_when_it_is_removed(blobs).await;
    a_large_one_is_whole(blobs).await;
    all_are_listed_by_place(blobs, now).await;
    what_was_left_behind_is_swept(blobs, now).await;
}

/// Pieces of a size, each of another byte; breaks off when it is told to.
struct Pieces {
    left: usize,
    piece: usize,
    breaks: bool,
}

#[async_trait]
impl Chunks for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let size = self.piece.min(self.left);
        if size == 0 && self.breaks {
            return Err(Error::invalid("body", "cut", "the source broke off"));
        }
        let fill = u8::try_from(self.left % 251).unwrap_or_default();
        self.left -= size;
        Ok((size > 0).then(|| Bytes::from(vec![fill; size])))
    }
}

async fn all(mut chunks: Box<dyn Chunks>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(piece) = chunks.next().await.unwrap() {
        assert!(!piece.is_empty(), "a piece has bytes");
        bytes.extend_from_slice(&piece);
    }
    assert!(chunks.next().await.unwrap().is_none(), "the end stays the end");
    bytes
}

async fn put(blobs: &dyn Blobs, bytes: &'static [u8], edition: u64) -> Place {
    let staged = blobs.stage(&mut Whole::new(bytes), &Terms::at_most(1 << 20)).await.unwrap();
    let Stored { digest, size } = staged.stored();
    assert_eq!((digest, size), (Digest::of(bytes), u64::try_from(bytes.len()).unwrap()));
    staged.publish(Edition(edition)).await.unwrap();
    Place { digest, edition: Edition(edition) }
}

async fn listed(blobs: &dyn Blobs) -> Vec<Listed> {
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let some = blobs.list(after.as_ref(), 3).await.unwrap();
        assert!(some.len() <= 3);
        let Some(last) = some.last() else { return listed };
        after = Some(last.place);
        listed.extend(some);
    }
}

async fn nothing_is_found_where_nothing_lies(blobs: &dyn Blobs) {
    let nowhere = Place { digest: Digest::of(b"nowhere"), edition: Edition(1) };
    assert!(blobs.read(&nowhere, 0..1).await.unwrap().is_none());
    assert_eq!(blobs.size(&nowhere).await.unwrap(), None);
    blobs.remove(&nowhere).await.unwrap();
    assert!(listed(blobs).await.is_empty());
}

async fn bytes_read_back_whole_and_in_part(blobs: &dyn Blobs) {
    let place = put(blobs, b"0123456789", 1).await;
    assert_eq!(blobs.size(&place).await.unwrap(), Some(10));
    for (range, expected) in [(0..10, "0123456789"), (0..1, "0"), (9..10, "9"), (3..7, "3456"), (4..4, "")] {
        let chunks = blobs.read(&place, range).await.unwrap().unwrap();
        assert_eq!(all(chunks).await, expected.as_bytes());
    }
    let empty = put(blobs, b"", 1).await;
    assert_eq!(blobs.size(&empty).await.unwrap(), Some(0));
    assert!(all(blobs.read(&empty, 0..0).await.unwrap().unwrap()).await.is_empty());
    for place in [place, empty] {
        blobs.remove(&place).await.unwrap();
        assert!(blobs.read(&place, 0..0).await.unwrap().is_none());
    }
}

async fn what_is_staged_does_not_show(blobs: &dyn Blobs) {
    let staged = blobs.stage(&mut Whole::new("staged"), &Terms::at_most(10)).await.unwrap();
    assert!(listed(blobs).await.is_empty());
    drop(staged);
    assert!(listed(blobs).await.is_empty());
}

async fn what_breaks_its_terms_or_off_leaves_nothing(blobs: &dyn Blobs) {
    for size in [7, LARGE] {
        let source = |breaks| Pieces { left: size, piece: 1 << 16, breaks };
        let most = u64::try_from(size).unwrap();
        let too_long = blobs.stage(&mut source(false), &Terms::at_most(most - 1)).await;
        assert!(matches!(too_long.map(|_| ()), Err(Error::TooLarge(_))));
        let broken = blobs.stage(&mut source(true), &Terms::at_most(most)).await;
        assert!(matches!(broken.map(|_| ()), Err(Error::Invalid(_))));
        let other = Terms { digest: Some(Digest::of(b"other")), ..Terms::at_most(most) };
        assert!(matches!(blobs.stage(&mut source(false), &other).await.map(|_| ()), Err(Error::Invalid(_))));
        let short = Terms { size: Some(most + 1), ..Terms::at_most(most + 1) };
        assert!(matches!(blobs.stage(&mut source(false), &short).await.map(|_| ()), Err(Error::Invalid(_))));
    }
    assert!(listed(blobs).await.is_empty());
}

async fn publishing_again_changes_nothing(blobs: &dyn Blobs) {
    let place = put(blobs, b"twice", 7).await;
    assert_eq!(put(blobs, b"twice", 7).await, place);
    assert_eq!(listed(blobs).await.len(), 1);
    assert_eq!(all(blobs.read(&place, 0..5).await.unwrap().unwrap()).await, b"twice");
    blobs.remove(&place).await.unwrap();
}

async fn editions_lie_apart(blobs: &dyn Blobs) {
    let (first, second) = (put(blobs, b"again", 1).await, put(blobs, b"again", 2).await);
    blobs.remove(&first).await.unwrap();
    assert!(blobs.read(&first, 0..5).await.unwrap().is_none());
    assert_eq!(all(blobs.read(&second, 0..5).await.unwrap().unwrap()).await, b"again");
    blobs.remove(&second).await.unwrap();
}

async fn what_is_read_can_be_read_on_when_it_is_removed(blobs: &dyn Blobs) {
    let place = put(blobs, b"read on", 1).await;
    let chunks = blobs.read(&place, 0..7).await.unwrap().unwrap();
    blobs.remove(&place).await.unwrap();
    // A store far away may have nothing left to read; then it says so, and never ends early.
    let mut chunks = chunks;
    let mut read = Vec::new();
    loop {
        match chunks.next().await {
            Ok(Some(piece)) => read.extend_from_slice(&piece),
            Ok(None) => {
                assert_eq!(read, b"read on");
                break;
            }
            Err(_) => break,
        }
    }
}

async fn a_large_one_is_whole(blobs: &dyn Blobs) {
    let source = || Pieces { left: LARGE, piece: 100_003, breaks: false };
    let mut expected = Vec::new();
    let mut pieces = source();
    while let Some(piece) = pieces.next().await.unwrap() {
        expected.extend_from_slice(&piece);
    }
    let size = u64::try_from(LARGE).unwrap();
    let digest = Digest::of(&expected);
    let said = Terms { size: Some(size), digest: Some(digest), ..Terms::at_most(size) };
    let staged = blobs.stage(&mut source(), &said).await.unwrap();
    assert_eq!(staged.stored(), Stored { digest, size });
    let place = Place { digest, edition: Edition(u64::MAX) };
    staged.publish(place.edition).await.unwrap();
    assert_eq!(blobs.size(&place).await.unwrap(), Some(size));
    assert!(all(blobs.read(&place, 0..size).await.unwrap().unwrap()).await == expected);
    let (from, to) = (9 * 1024 * 1024 + 1, 17 * 1024 * 1024 + 3);
    let part = blobs.read(&place, u64::try_from(from).unwrap()..u64::try_from(to).unwrap()).await.unwrap().unwrap();
    assert!(all(part).await == expected[from..to]);
    blobs.remove(&place).await.unwrap();
}

async fn all_are_listed_by_place(blobs: &dyn Blobs, now: Timestamp) {
    let mut places = Vec::new();
    for bytes in [b"a".as_slice(), b"bb", b"ccc", b"dddd", b"eeeee", b"ffffff", b"ggggggg"] {
        places.push((put(blobs, bytes, 5).await, u64::try_from(bytes.len()).unwrap()));
    }
    places.push((put(blobs, b"a", 6).await, 1));
    places.sort_unstable();
    let found = listed(blobs).await;
    assert_eq!(found.iter().map(|listed| (listed.place, listed.size)).collect::<Vec<_>>(), places);
    // By the clock of the store, which need not be ours.
    let hour = Duration::from_hours(1);
    assert!(found.iter().all(|listed| listed.since > now - hour && listed.since < now + hour));
    for (place, _) in places {
        blobs.remove(&place).await.unwrap();
    }
    assert!(listed(blobs).await.is_empty());
}

async fn what_was_left_behind_is_swept(blobs: &dyn Blobs, now: Timestamp) {
    let place = put(blobs, b"stays", 1).await;
    for size in [5, LARGE] {
        let source = &mut Pieces { left: size, piece: 1 << 16, breaks: false };
        // As by a process that dies.
        std::mem::forget(blobs.stage(source, &Terms::at_most(1 << 30)).await.unwrap());
    }
    assert_eq!(blobs.sweep(now - Duration::from_hours(1)).await.unwrap(), 0, "somebody may be at it");
    blobs.sweep(now + Duration::from_hours(1)).await.unwrap();
    assert_eq!(blobs.sweep(now + Duration::from_hours(1)).await.unwrap(), 0, "nothing is left");
    assert_eq!(blobs.size(&place).await.unwrap(), Some(5));
    blobs.remove(&place).await.unwrap();
}
