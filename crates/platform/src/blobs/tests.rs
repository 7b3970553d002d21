//! What is true of files beside what every store keeps.

use std::os::unix::fs::PermissionsExt as _;

use domain::{
    assets::{Digest, Edition, Whole},
    testing::contract,
};

use super::*;
use crate::SystemEntropy;

fn now() -> Timestamp {
    SystemTime::now().into()
}

fn store() -> (tempfile::TempDir, FsBlobs) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = FsBlobs::open(folder.path().join("store"), Arc::new(SystemEntropy)).unwrap();
    (folder, blobs)
}

async fn put(blobs: &FsBlobs, bytes: &'static str) -> Place {
    let staged = blobs.stage(&mut Whole::new(bytes), &Terms::at_most(100)).await.unwrap();
    let place = Place { digest: staged.stored().digest, edition: Edition(1) };
    staged.publish(place.edition).await.unwrap();
    place
}

fn staged(blobs: &FsBlobs) -> usize {
    fs::read_dir(&blobs.folders.staging).unwrap().count()
}

#[tokio::test]
async fn files_keep_what_every_store_keeps() {
    let (_folder, blobs) = store();
    contract::blobs::run(&blobs, now()).await;
    assert_eq!(staged(&blobs), 0);
}

#[tokio::test]
async fn a_file_lies_two_levels_deep_for_its_owner_alone() {
    let (_folder, blobs) = store();
    let place = put(&blobs, "").await;
    let path = blobs.folders.root.join(format!("objects/e3/b0/{}.0000000000000001", Digest::of(b"")));
    assert_eq!(blobs.folders.path(&place), path);
    assert!(path.is_file());
    for folder in path.ancestors().skip(1).take(4) {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
    }
}

#[tokio::test]
async fn what_is_not_published_goes_with_its_value() {
    let (_folder, blobs) = store();
    let draft = blobs.stage(&mut Whole::new("draft"), &Terms::at_most(5)).await.unwrap();
    assert_eq!(staged(&blobs), 1);
    drop(draft);
    assert!(blobs.stage(&mut Whole::new("draft"), &Terms::at_most(4)).await.is_err());
    assert_eq!(staged(&blobs), 0);
}

#[tokio::test]
async fn files_of_others_are_left_alone() {
    let (_folder, blobs) = store();
    let place = put(&blobs, "ours").await;
    let theirs = [
        blobs.folders.path(&place).with_extension("bak"),
        blobs.folders.objects.join("note"),
        blobs.folders.staging.join("note.txt"),
    ];
    for path in &theirs {
        fs::write(path, "theirs").unwrap();
    }
    let listed = blobs.list(None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|found| found.place).collect::<Vec<_>>(), [place]);
    let tomorrow = now() + std::time::Duration::from_hours(24);
    assert_eq!(blobs.sweep(tomorrow).await.unwrap(), 0);
    assert!(theirs.iter().all(|path| path.is_file()));
}

#[tokio::test]
async fn a_file_that_became_shorter_breaks_off() {
    let (_folder, blobs) = store();
    let place = put(&blobs, "0123456789").await;
    fs::write(blobs.folders.path(&place), "0123").unwrap();
    let mut chunks = blobs.read(&place, 0..10).await.unwrap().unwrap();
    assert_eq!(chunks.next().await.unwrap().as_deref(), Some(b"0123".as_slice()));
    assert!(matches!(chunks.next().await, Err(Error::Internal(_))));
    assert!(chunks.next().await.is_err(), "and stays broken");
    // Putting it again mends it.
    put(&blobs, "0123456789").await;
    assert_eq!(blobs.size(&place).await.unwrap(), Some(10));
}

#[tokio::test]
async fn a_folder_that_is_away_is_said_to_be() {
    let (folder, blobs) = store();
    blobs.check().await.unwrap();
    fs::rename(&blobs.folders.root, folder.path().join("elsewhere")).unwrap();
    assert!(matches!(blobs.check().await, Err(Error::Unavailable { .. })));
    let refused = blobs.stage(&mut Whole::new("lost"), &Terms::at_most(4)).await.map(|_| ());
    assert!(matches!(refused, Err(Error::Unavailable { .. })));
}

#[test]
fn a_full_disk_is_told_apart() {
    for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
        assert!(matches!(away(kind.into()), Error::Full(_)));
    }
    assert!(matches!(away(ErrorKind::PermissionDenied.into()), Error::Unavailable { .. }));
}
