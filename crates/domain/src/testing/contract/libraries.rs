//! Libraries of large files.

use std::{collections::BTreeSet, time::Duration};

use super::{Harness, begin, fixtures};
use crate::{
    actor::Principal,
    assets::{
        Digest, Edition, Holder, Kept, Place, Stored,
        lfs::{
            Address, LibraryName, LockFilter, LockPath, Locked, Wanted, delete_library, find_object, keep_object,
            lock_file, unlock_file,
        },
    },
    error::Error,
    id::{LibraryId, LockId},
    page::{Limit, PageRequest},
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_library_begins_with_its_first_object(harness).await;
    an_object_is_held_and_counted_once_in_each_library(harness).await;
    strangers_find_nothing(harness).await;
    a_file_is_locked_once_and_let_go(harness).await;
    locks_are_listed_in_order(harness).await;
    a_library_goes_with_all_that_is_in_it(harness).await;
}

async fn address(harness: &impl Harness, who: &Principal, name: &str) -> Address {
    let seller = begin(harness).await.organisations().seller(who.seller.unwrap()).await.unwrap().unwrap();
    Address { seller: seller.slug, name: LibraryName::parse(name).unwrap() }
}

/// Bytes of this many zeros and a mark, as if they had been put away.
async fn put(harness: &impl Harness, given: &Fixtures, size: u64) -> Kept {
    let mark = format!("{} {size}", given.serial());
    let stored = Stored { digest: Digest::of(mark.as_bytes()), size };
    let mut tx = begin(harness).await;
    let edition = tx.blobs().claim(&stored, Edition(size), given.shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    Kept { place: Place { digest: stored.digest, edition }, size }
}

async fn a_library_begins_with_its_first_object(harness: &impl Harness) {
    let given = fixtures(harness);
    let ada = given.seller().await;
    let by = given.authorized(&ada);
    let at = address(harness, &ada, "models").await;
    let kept = put(harness, &given, 70).await;
    let queries = harness.libraries();
    assert_eq!(queries.account(&at.seller).await.unwrap(), ada.seller);
    assert_eq!(queries.find(ada.seller.unwrap(), &at.name).await.unwrap(), None);
    assert_eq!(find_object(&*queries, &by, &at, kept.digest()).await.unwrap(), None);
    for _ in 0..2 {
        keep_object(&given.shop, &by, &at, &kept).await.unwrap();
    }
    assert_eq!(find_object(&*queries, &by, &at, kept.digest()).await.unwrap(), Some(70));
    let library = queries.find(ada.seller.unwrap(), &at.name).await.unwrap().unwrap();
    let other = Digest::of(b"other");
    assert_eq!(queries.sizes(library.id, &[other, kept.digest()]).await.unwrap(), [(kept.digest(), 70)]);
    assert_eq!(queries.sizes(library.id, &[]).await.unwrap(), []);
    let summary = queries.get(library.id).await.unwrap().unwrap();
    assert_eq!((summary.objects, summary.bytes, summary.locks, &summary.seller_slug), (1, 70, 0, &at.seller));
    let kinds: Vec<_> = harness.events_of(library.id.0).await.unwrap().into_iter().map(|event| event.kind).collect();
    let mut kinds = kinds;
    kinds.sort();
    assert_eq!(kinds, ["library.created", "library.object_added"], "each once");
}

async fn an_object_is_held_and_counted_once_in_each_library(harness: &impl Harness) {
    let given = fixtures(harness);
    let ada = given.seller().await;
    let by = given.authorized(&ada);
    let kept = put(harness, &given, 30).await;
    for name in ["one", "two", "one"] {
        keep_object(&given.shop, &by, &address(harness, &ada, name).await, &kept).await.unwrap();
    }
    let held = harness.blobs().find(&kept.digest()).await.unwrap().unwrap();
    assert_eq!((held.references, held.public), (2, 0));
    for holder in [Holder::Person(ada.user), Holder::Seller(ada.seller.unwrap())] {
        assert_eq!(harness.blobs().usage(holder).await.unwrap(), 60);
    }
    let page = PageRequest { page: 1, limit: Limit::default() };
    let listed = harness.libraries().list(&[ada.seller.unwrap()], page).await.unwrap();
    // They began at the same moment, so either may come first.
    let names: BTreeSet<_> = listed.items.iter().map(|one| one.library.name.as_str()).collect();
    assert_eq!((listed.total, names), (2, BTreeSet::from(["one", "two"])));
    assert_eq!(harness.libraries().list(&[], page).await.unwrap().total, 0);
}

async fn strangers_find_nothing(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, eve) = (given.seller().await, given.seller().await);
    let (at, kept) = (address(harness, &ada, "models").await, put(harness, &given, 5).await);
    keep_object(&given.shop, &given.authorized(&ada), &at, &kept).await.unwrap();
    let path = LockPath::parse("a.stl").unwrap();
    let by = given.authorized(&eve);
    let unknown = |error: Error| assert!(matches!(error, Error::NotFound("Library")), "{error:?}");
    unknown(keep_object(&given.shop, &by, &at, &kept).await.unwrap_err());
    unknown(find_object(&*harness.libraries(), &by, &at, kept.digest()).await.unwrap_err());
    unknown(lock_file(&given.shop, &by, &at, &path).await.unwrap_err());
    let library = harness.libraries().find(ada.seller.unwrap(), &at.name).await.unwrap().unwrap();
    unknown(delete_library(&given.shop, &by, library.id).await.unwrap_err());
    unknown(delete_library(&given.shop, &by, LibraryId(given.shop.id())).await.unwrap_err());
    let nowhere = Address { seller: "no-such-account".to_owned(), ..at };
    unknown(keep_object(&given.shop, &by, &nowhere, &kept).await.unwrap_err());
    let _: Wanted = Wanted { digest: kept.digest(), size: 5 };
}

async fn a_file_is_locked_once_and_let_go(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, bob) = (given.seller().await, given.seller().await);
    let mut tx = begin(harness).await;
    let role = crate::organisation::MemberRole::Member;
    tx.organisations().put(ada.seller.unwrap(), bob.user, role, given.shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    let bob = harness.users().principal(bob.user).await.unwrap().unwrap();
    let (at, path) = (address(harness, &ada, "models").await, LockPath::parse("parts/Zoë's.stl").unwrap());
    let (hers, his) = (given.authorized(&ada), given.authorized(&bob));
    let Locked::New(lock) = lock_file(&given.shop, &hers, &at, &path).await.unwrap() else { panic!("it was free") };
    assert_eq!((lock.lock.owner, lock.lock.path.as_str()), (ada.user, path.as_str()));
    for by in [&his, &hers] {
        let Locked::Taken(taken) = lock_file(&given.shop, by, &at, &path).await.unwrap() else { panic!("taken") };
        assert_eq!(taken, lock);
    }
    let refused = unlock_file(&given.shop, &his, &at, lock.lock.id, false).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    assert_eq!(unlock_file(&given.shop, &his, &at, lock.lock.id, true).await.unwrap(), lock);
    let gone = unlock_file(&given.shop, &hers, &at, lock.lock.id, true).await;
    assert!(matches!(gone, Err(Error::NotFound("Lock"))));
    assert!(matches!(lock_file(&given.shop, &his, &at, &path).await.unwrap(), Locked::New(_)));
}

async fn locks_are_listed_in_order(harness: &impl Harness) {
    let given = fixtures(harness);
    let ada = given.seller().await;
    let (by, at) = (given.authorized(&ada), address(harness, &ada, "models").await);
    let mut made = Vec::new();
    for n in 0..5 {
        given.clock.advance(Duration::from_millis(1));
        let path = LockPath::parse(&format!("{n}.stl")).unwrap();
        let Locked::New(lock) = lock_file(&given.shop, &by, &at, &path).await.unwrap() else { panic!() };
        made.push(lock);
    }
    let library = made[0].lock.library;
    let list = async |filter: &LockFilter, after: Option<LockId>, limit| {
        harness.libraries().locks(library, filter, after, limit).await.unwrap()
    };
    let all = LockFilter::default();
    assert_eq!(list(&all, None, 2).await, made[..2]);
    assert_eq!(list(&all, Some(made[1].lock.id), 10).await, made[2..]);
    let path = LockFilter { path: Some("3.stl".to_owned()), id: None };
    assert_eq!(list(&path, None, 10).await, made[3..4]);
    let id = LockFilter { path: None, id: Some(made[4].lock.id) };
    assert_eq!(list(&id, None, 10).await, made[4..]);
    assert_eq!(list(&LockFilter { path: Some("3.stl".to_owned()), ..id }, None, 10).await, []);
}

async fn a_library_goes_with_all_that_is_in_it(harness: &impl Harness) {
    let given = fixtures(harness);
    let ada = given.seller().await;
    let (by, at) = (given.authorized(&ada), address(harness, &ada, "models").await);
    let kept = [put(harness, &given, 1).await, put(harness, &given, 2).await];
    for one in &kept {
        keep_object(&given.shop, &by, &at, one).await.unwrap();
    }
    lock_file(&given.shop, &by, &at, &LockPath::parse("a").unwrap()).await.unwrap();
    let library = harness.libraries().find(ada.seller.unwrap(), &at.name).await.unwrap().unwrap();
    delete_library(&given.shop, &by, library.id).await.unwrap();
    assert_eq!(harness.libraries().get(library.id).await.unwrap(), None);
    assert!(matches!(delete_library(&given.shop, &by, library.id).await, Err(Error::NotFound("Library"))));
    for one in &kept {
        assert_eq!(harness.blobs().find(&one.digest()).await.unwrap().unwrap().references, 0);
    }
    assert_eq!(harness.blobs().usage(Holder::Seller(ada.seller.unwrap())).await.unwrap(), 0);
    assert_eq!(harness.blobs().usage(Holder::Person(ada.user)).await.unwrap(), 0);
    // The name is free again.
    keep_object(&given.shop, &by, &at, &kept[0]).await.unwrap();
}
