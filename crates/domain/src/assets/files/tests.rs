//! Files from the upload to the last download, by every kind of caller.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    Actor, Error, Principal, Shop,
    assets::{
        Holder, Storeroom, Whole,
        ports::{BlobQueries as _, Reach},
        uploads::Origin,
    },
    catalog::{Product, delete_product, purge_products},
    idempotency::{Once, Outcome},
    page::{Limit, PageRequest},
    permission::Role,
    testing::{Fixtures, MemoryBlobs, PlainMac, memory::MemoryStore},
};

struct World {
    given: Fixtures,
    store: MemoryStore,
    room: Storeroom,
    library: Library,
    owner: Principal,
    product: Product,
}

fn told(reach: Reach) -> NewFile {
    NewFile { name: FileName::new("plan.stl").unwrap(), media_type: MediaType::default(), licence: None, reach }
}

impl World {
    async fn new() -> Self {
        let (given, store) = Fixtures::in_memory();
        let room = Storeroom { blobs: Arc::new(MemoryBlobs::default()), index: Arc::new(store.clone()) };
        let library = Library { queries: Arc::new(store.clone()), links: Links::new(Arc::new(PlainMac)) };
        let owner = given.seller().await;
        let product = given.stored_product(owner.seller.unwrap(), |_| ()).await;
        Self { given, store, room, library, owner, product }
    }

    fn shop(&self) -> &Shop {
        &self.given.shop
    }

    async fn add(&self, by: &Principal, bytes: &'static str, reach: Reach) -> crate::Result<ProductFile> {
        let by = self.given.authorized(by);
        let terms = admit(self.shop(), &self.room, &by, self.product.id, (None, None)).await?;
        let kept = self.room.put(self.shop(), &mut Whole::new(bytes), &terms).await?;
        let once = Once { key: None, render: &|_| unreachable!() };
        match add_file(self.shop(), &by, self.product.id, &told(reach), &kept, Origin::Direct, &once).await? {
            Outcome::Fresh(file) => Ok(file),
            Outcome::Replay(_) => unreachable!(),
        }
    }

    async fn takes(&self, who: &Actor, file: &ProductFile) -> bool {
        match self.library.take(who, file.id, None, self.given.shop.now()).await {
            Ok(_) => true,
            Err(Error::NotFound("File")) => false,
            Err(other) => panic!("{other:?}"),
        }
    }

    async fn used(&self) -> [u64; 2] {
        let seller = Holder::Seller(self.product.seller);
        [self.store.usage(Holder::Person(self.owner.user)).await.unwrap(), self.store.usage(seller).await.unwrap()]
    }
}

#[tokio::test]
async fn who_may_take_which_file_away() {
    let world = World::new().await;
    let (stranger, buyer) = (world.given.seller().await, world.given.person(Role::User).await);
    let admin = world.given.person(Role::Admin).await;
    let public = world.add(&world.owner, "public", Reach::Public).await.unwrap();
    let private = world.add(&world.owner, "private", Reach::Private).await.unwrap();
    give_grant(world.shop(), &world.given.authorized(&world.owner), world.product.id, buyer.user).await.unwrap();
    let mut everybody = vec![Actor::Anonymous];
    everybody.extend([stranger, buyer.clone(), world.owner.clone(), admin].map(Actor::Signed));
    let mut verdicts = Vec::new();
    for who in &everybody {
        let seller = world.product.seller;
        let page = PageRequest { page: 1, limit: Limit::default() };
        let seen = list_files(&world.library, who, (world.product.id, seller), page).await.unwrap().total;
        verdicts.push((world.takes(who, &public).await, world.takes(who, &private).await, seen));
    }
    let all = (true, true, 2);
    assert_eq!(verdicts, [(true, false, 1), (true, false, 1), all, all, all]);
    delete_product(world.shop(), world.given.authorized(&world.owner), world.product.id, None).await.unwrap();
    let mut after = Vec::new();
    for who in &everybody {
        after.push((world.takes(who, &public).await, world.takes(who, &private).await));
    }
    let all = (true, true);
    assert_eq!(after, [(false, false), (false, false), all, all, all], "who was granted it keeps it");
    let refused = take_grant(world.shop(), &world.given.authorized(&world.owner), world.product.id, buyer.user).await;
    assert!(matches!(refused, Err(Error::NotFound("Product"))), "it is deleted");
}

#[tokio::test]
async fn grants_are_for_who_may_change_the_product_to_give() {
    let world = World::new().await;
    let (buyer, stranger) = (world.given.person(Role::User).await, world.given.seller().await);
    let (by, other) = (world.given.authorized(&world.owner), world.given.authorized(&stranger));
    let give = |by| give_grant(world.shop(), by, world.product.id, buyer.user);
    assert!(matches!(give(&other).await, Err(Error::Forbidden(_))));
    assert!(give(&by).await.unwrap());
    assert!(!give(&by).await.unwrap(), "they have one");
    let nobody = give_grant(world.shop(), &by, world.product.id, world.given.shop.id()).await;
    assert!(matches!(nobody, Err(Error::NotFound("Person"))));
    assert!(matches!(take_grant(world.shop(), &other, world.product.id, buyer.user).await, Err(Error::Forbidden(_))));
    take_grant(world.shop(), &by, world.product.id, buyer.user).await.unwrap();
    assert!(matches!(take_grant(world.shop(), &by, world.product.id, buyer.user).await, Err(Error::NotFound("Grant"))));
    let kinds: Vec<_> = world.store.traces().into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["grant.given", "grant.taken"]);
}

#[tokio::test]
async fn only_who_may_change_a_product_adds_and_deletes_its_files() {
    let world = World::new().await;
    let stranger = world.given.seller().await;
    assert!(matches!(world.add(&stranger, "theirs", Reach::Public).await, Err(Error::Forbidden(_))));
    let public = world.add(&world.owner, "public", Reach::Public).await.unwrap();
    let private = world.add(&world.owner, "private", Reach::Private).await.unwrap();
    let by = world.given.authorized(&stranger);
    assert!(matches!(delete_file(world.shop(), &by, public.id).await, Err(Error::Forbidden(_))));
    assert!(matches!(delete_file(world.shop(), &by, private.id).await, Err(Error::NotFound("File"))));
    let by = world.given.authorized(&world.owner);
    delete_file(world.shop(), &by, private.id).await.unwrap();
    assert!(matches!(delete_file(world.shop(), &by, private.id).await, Err(Error::NotFound("File"))));
    assert_eq!(world.store.find(&private.digest).await.unwrap().unwrap().references, 0);
    assert_eq!(world.used().await, [public.size; 2]);
    let kinds: Vec<_> = world.store.traces().into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["file.created", "file.created", "file.deleted"]);
}

#[tokio::test]
async fn the_same_bytes_lie_once_and_count_each_time() {
    let world = World::new().await;
    let one = world.add(&world.owner, "same", Reach::Public).await.unwrap();
    let two = world.add(&world.owner, "same", Reach::Private).await.unwrap();
    assert_eq!(one.digest, two.digest);
    let held = world.store.find(&one.digest).await.unwrap().unwrap();
    assert_eq!((held.references, held.public), (2, 1));
    assert_eq!(world.room.blobs.list(None, 10).await.unwrap().len(), 1);
    assert_eq!(world.used().await, [8; 2]);
}

#[tokio::test]
async fn quotas_are_told_before_the_bytes_are_sent() {
    let mut world = World::new().await;
    world.given.shop.rules.assets.quotas.seller = 10;
    world.add(&world.owner, "12345678", Reach::Private).await.unwrap();
    let by = world.given.authorized(&world.owner);
    let terms = admit(world.shop(), &world.room, &by, world.product.id, (Some(2), None)).await.unwrap();
    assert_eq!((terms.most, terms.size), (2, Some(2)));
    let refused = admit(world.shop(), &world.room, &by, world.product.id, (Some(3), None)).await;
    assert!(matches!(refused, Err(Error::TooLarge(why)) if why.contains("of this seller account")));
    // Both were let begin, and there is room for one.
    let kept = world.room.put(world.shop(), &mut Whole::new("ab"), &terms).await.unwrap();
    let once = Once { key: None, render: &|_| unreachable!() };
    let add = async || {
        add_file(world.shop(), &by, world.product.id, &told(Reach::Private), &kept, Origin::Direct, &once).await
    };
    assert!(add().await.is_ok());
    assert!(matches!(add().await, Err(Error::TooLarge(_))));
    assert_eq!(world.used().await, [10; 2], "what was refused is not counted for the person either");
}

#[tokio::test]
async fn a_link_leads_to_its_file_whoever_follows_it() {
    let world = World::new().await;
    let file = world.add(&world.owner, "private", Reach::Private).await.unwrap();
    let now = world.given.shop.now();
    let link = world.library.links.sign(file.id, now + LINK_DEFAULT);
    let follow = async |link: &Link| {
        world.library.take(&Actor::Anonymous, file.id, Some(link), world.given.shop.now()).await.map(|file| file.id)
    };
    assert_eq!(follow(&link).await.unwrap(), file.id);
    let wrong = Link { signature: link.signature.replace(|_| true, "0"), ..link.clone() };
    assert!(matches!(follow(&wrong).await, Err(Error::Forbidden(_))));
    delete_file(world.shop(), &world.given.authorized(&world.owner), file.id).await.unwrap();
    assert!(matches!(follow(&link).await, Err(Error::NotFound("File"))));
    world.given.clock.advance(LINK_DEFAULT);
    assert!(matches!(follow(&link).await, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn files_go_with_their_product_when_it_is_purged() {
    let world = World::new().await;
    let file = world.add(&world.owner, "gone", Reach::Public).await.unwrap();
    let keep = Duration::from_hours(1);
    assert_eq!(purge_files(world.shop(), keep).await.unwrap(), 0);
    delete_product(world.shop(), world.given.authorized(&world.owner), world.product.id, None).await.unwrap();
    world.given.clock.advance(keep + Duration::from_secs(1));
    assert_eq!(purge_products(world.shop(), keep).await.unwrap(), 1);
    assert!(world.store.product(world.product.id).is_none());
    assert_eq!(world.store.find(&file.digest).await.unwrap().unwrap().references, 0);
    assert_eq!(world.used().await, [0; 2]);
    let kinds: Vec<_> = world.store.traces().into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["file.created", "product.deleted", "file.deleted", "product.purged"]);
}
