//! What keeps vectors, and what finds by them.

use std::sync::Arc;

use super::{ports::VectorStore, *};
use crate::{
    Principal,
    catalog::{
        Product, ProductPatch, ProductStatus, Statuses, delete_product, policy::Scope, queries::ProductFilter,
        restore_product, update_product,
    },
    page::Limit,
    testing::{Fixtures, PlainEmbedder, memory::MemoryStore},
};

struct Given {
    fixtures: Fixtures,
    store: MemoryStore,
    keeping: Keeping,
    embedder: Arc<PlainEmbedder>,
    index: Arc<Index>,
}

impl Given {
    fn new() -> Self {
        let (fixtures, store) = Fixtures::in_memory();
        let embedder = Arc::<PlainEmbedder>::default();
        let reader = Arc::new(store.clone());
        let keeping = Keeping {
            vectors: reader.clone(),
            feed: reader.clone(),
            products: reader.clone(),
            export: reader.clone(),
            categories: reader,
            embedder: embedder.clone(),
        };
        Self { fixtures, store, keeping, embedder, index: Arc::default() }
    }

    /// Until there is nothing to do; gives how many vectors were stored.
    async fn keep(&self) -> usize {
        let mut all = 0;
        loop {
            let kept = keep_vectors(&self.keeping).await.unwrap();
            all += kept.vectors;
            if !kept.more {
                follow(&self.index, &self.store).await.unwrap();
                return all;
            }
        }
    }

    fn finder(&self) -> Finder {
        let products = Arc::new(self.store.clone());
        Finder { index: self.index.clone(), embedder: self.embedder.clone(), products }
    }

    async fn names(&self, scope: Scope, text: &str, mode: Mode) -> Vec<String> {
        let filter =
            ProductFilter { statuses: Statuses::from_iter(ProductStatus::ALL), ..ProductFilter::published(scope) };
        let found = self.finder().search(&filter, text, mode, Limit::new(20).unwrap()).await.unwrap();
        found.found.into_iter().map(|one| one.summary.product.name).collect()
    }

    async fn product(&self, owner: &Principal, name: &str, status: ProductStatus) -> Product {
        self.fixtures
            .stored_product(owner.seller.unwrap(), |product| {
                (product.name, product.description, product.status) = (name.to_owned(), String::new(), status);
            })
            .await
    }
}

#[tokio::test]
async fn a_walk_takes_up_what_is_there_and_goes_on_where_it_was() {
    let given = Given::new();
    let owner = given.fixtures.seller().await;
    for n in 0..450 {
        given.product(&owner, &format!("Lamp {n}"), ProductStatus::Published).await;
    }
    given.product(&owner, "Old lamp", ProductStatus::Archived).await;
    keep_vectors(&given.keeping).await.unwrap();
    assert_eq!(keep_vectors(&given.keeping).await.unwrap(), Kept { vectors: 200, more: true });
    let progress = VectorStore::progress(&given.store).await.unwrap();
    assert!(progress.walking && progress.after.is_some());
    assert_eq!(given.keep().await, 250, "the rest, and not the archived one");
    assert_eq!((given.index.len(), VectorStore::count(&given.store, progress.began).await.unwrap()), (450, 450));
    assert_eq!(given.keep().await, 0);
}

#[tokio::test]
async fn another_model_makes_all_anew_and_an_index_forgets_the_old() {
    let mut given = Given::new();
    let owner = given.fixtures.seller().await;
    let lamp = given.product(&owner, "Lamp", ProductStatus::Published).await;
    given.keep().await;
    let before = given.index.vector(lamp.id).unwrap();
    let other = PlainEmbedder { model: Some("other".to_owned()), ..PlainEmbedder::default() };
    given.keeping.embedder = Arc::new(other);
    keep_vectors(&given.keeping).await.unwrap();
    follow(&given.index, &given.store).await.unwrap();
    assert!(given.index.is_empty(), "those of the old model are not compared with questions of the new one");
    assert_eq!(given.keep().await, 1);
    assert_eq!(given.index.vector(lamp.id), Some(before));
}

#[tokio::test]
async fn the_log_is_heeded_and_what_stays_the_same_is_left_alone() {
    let given = Given::new();
    given.keep().await;
    let owner = given.fixtures.seller().await;
    let shop = &given.fixtures.shop;
    let may = || given.fixtures.authorized(&owner);
    let lamp = given.product(&owner, "Green lamp", ProductStatus::Published).await;
    let rename = |name: &str| ProductPatch { name: Some(name.to_owned()), ..ProductPatch::default() };
    update_product(shop, may(), lamp.id, rename("Boat"), None).await.unwrap();
    assert_eq!(given.keep().await, 1);
    assert_eq!(given.names(Scope::Published, "ship", Mode::Hybrid).await, ["Boat"], "by its meaning");
    assert_eq!(given.names(Scope::Published, "ship", Mode::Text).await, [""; 0]);
    delete_product(shop, may(), lamp.id, None).await.unwrap();
    assert_eq!((given.keep().await, given.index.len()), (1, 0));
    restore_product(shop, may(), lamp.id).await.unwrap();
    assert_eq!((given.keep().await, given.index.len()), (1, 1));
    let archive = ProductPatch { status: Some(ProductStatus::Archived), ..ProductPatch::default() };
    update_product(shop, may(), lamp.id, archive, None).await.unwrap();
    assert_eq!((given.keep().await, given.index.len()), (1, 0));
}

#[tokio::test]
async fn a_category_with_another_name_walks_the_catalogue() {
    let given = Given::new();
    let owner = given.fixtures.seller().await;
    given.product(&owner, "Lamp", ProductStatus::Published).await;
    given.keep().await;
    let began = VectorStore::progress(&given.store).await.unwrap().began;
    let category = given.fixtures.stored_category(None).await;
    let shop = &given.fixtures.shop;
    let admin = given.fixtures.person(crate::permission::Role::Admin).await;
    let patch = crate::catalog::CategoryPatch { name: Some("Lights".to_owned()), ..Default::default() };
    crate::catalog::update_category(shop, given.fixtures.authorized(&admin), category.id, patch, None).await.unwrap();
    keep_vectors(&given.keeping).await.unwrap();
    assert!(VectorStore::progress(&given.store).await.unwrap().walking);
    assert_eq!(given.keep().await, 0, "no product is in it, so none is made anew");
    assert_eq!(VectorStore::progress(&given.store).await.unwrap().began, began);
}

#[tokio::test]
async fn an_embedder_that_is_away_leaves_everything_as_it_is_and_search_goes_on_by_words() {
    let given = Given::new();
    let owner = given.fixtures.seller().await;
    given.product(&owner, "Lamp", ProductStatus::Published).await;
    given.keep().await;
    given.embedder.be_away(true);
    let patch = ProductPatch { name: Some("Boat".to_owned()), ..ProductPatch::default() };
    let lamp = given.store.events().first().map(|event| event.entity.id);
    assert_eq!(lamp, None, "fixtures tell nothing");
    let boat = given.product(&owner, "Bote", ProductStatus::Published).await.id;
    update_product(&given.fixtures.shop, given.fixtures.authorized(&owner), boat, patch, None).await.unwrap();
    let before = VectorStore::progress(&given.store).await.unwrap();
    assert!(matches!(keep_vectors(&given.keeping).await, Err(crate::Error::Unavailable { .. })));
    assert_eq!(VectorStore::progress(&given.store).await.unwrap(), before);
    let filter = ProductFilter::published(Scope::Published);
    let limit = Limit::new(20).unwrap();
    let found = given.finder().search(&filter, "boat", Mode::Hybrid, limit).await.unwrap();
    assert_eq!((found.mode, found.found.len()), (Mode::Text, 1));
    given.embedder.be_away(false);
    assert_eq!(given.keep().await, 1);
    let found = given.finder().search(&filter, "ship", Mode::Hybrid, limit).await.unwrap();
    assert_eq!((found.mode, found.found.len()), (Mode::Hybrid, 1));
}

#[tokio::test]
async fn nobody_finds_what_they_may_not_see_however_near_it_is() {
    let given = Given::new();
    let (owner, other) = (given.fixtures.seller().await, given.fixtures.seller().await);
    given.product(&owner, "Secret boat", ProductStatus::Draft).await;
    let open = given.product(&owner, "Open boat", ProductStatus::Published).await;
    given.keep().await;
    for mode in [Mode::Text, Mode::Hybrid] {
        assert!(!given.names(Scope::Published, "secret boat", mode).await.contains(&"Secret boat".to_owned()));
        let stranger = Scope::seller(other.seller.unwrap());
        assert!(!given.names(stranger, "secret boat", mode).await.contains(&"Secret boat".to_owned()));
        let own = Scope::seller(owner.seller.unwrap());
        assert_eq!(given.names(own, "secret boat", mode).await.first().map(String::as_str), Some("Secret boat"));
    }
    let similar = given.finder().similar(open.id, Scope::All, Limit::new(20).unwrap()).await.unwrap();
    assert_eq!(similar, Some(Vec::new()), "drafts are like nothing, even for who may see them");
}

#[tokio::test]
async fn what_is_like_a_product_comes_the_likest_first_and_without_itself() {
    let given = Given::new();
    let owner = given.fixtures.seller().await;
    let boat = given.product(&owner, "Red boat", ProductStatus::Published).await;
    let draft = given.product(&owner, "Red boat at sea", ProductStatus::Draft).await;
    given.product(&owner, "Red ship at anchor", ProductStatus::Published).await;
    given.product(&owner, "Red ship", ProductStatus::Published).await;
    given.product(&owner, "Marble bust", ProductStatus::Published).await;
    given.keep().await;
    let finder = given.finder();
    let limit = Limit::new(20).unwrap();
    let found = finder.similar(boat.id, Scope::Published, limit).await.unwrap().unwrap();
    let names: Vec<_> = found.iter().map(|one| one.product.name.as_str()).collect();
    assert_eq!(names, ["Red ship", "Red ship at anchor"]);
    let one = finder.similar(boat.id, Scope::Published, Limit::new(1).unwrap()).await.unwrap().unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!(finder.similar(draft.id, Scope::Published, limit).await.unwrap(), None, "not for strangers to know of");
    assert_eq!(finder.similar(draft.id, Scope::All, limit).await.unwrap().map(|found| found.len()), Some(3));
    let unknown = given.fixtures.shop.id();
    assert_eq!(finder.similar(unknown, Scope::All, limit).await.unwrap(), None);
}

#[tokio::test]
async fn an_index_gives_what_a_walk_through_all_gives() {
    use std::collections::BTreeMap;

    use crate::{catalog::similar::ports::Changed, id::ProductId};

    let index = Index::new();
    let mut all: BTreeMap<ProductId, Vec<i8>> = BTreeMap::new();
    let mut seed = 1_u64;
    let mut next = |most: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % most
    };
    for head in 1..2_000 {
        let product = ProductId(uuid::Uuid::from_u128(u128::from(next(100))));
        let vector: Option<Vec<i8>> =
            (next(4) > 0).then(|| (0..8).map(|_| i8::try_from(next(255)).unwrap_or(-7)).collect());
        match &vector {
            Some(vector) => all.insert(product, vector.clone()),
            None => all.remove(&product),
        };
        index.apply(vec![Changed { product, head, vector }]);
        assert_eq!(index.len(), all.len());
    }
    let asked = Vector::from_bytes((1..9).collect()).unwrap();
    let near = index.nearest(&asked, 1_000).await;
    assert_eq!(near.len(), all.len());
    for found in &near {
        let vector = Vector::from_bytes(all[&found.product].clone()).unwrap();
        assert_eq!(index.vector(found.product), Some(vector));
    }
    assert!(near.is_sorted_by(|a, b| (b.score, a.product) <= (a.score, b.product)));
    for most in [1, 3, 10] {
        assert_eq!(index.nearest(&asked, most).await, near[..most], "of a few only the best are kept");
    }
    assert_eq!(index.nearest(&Vector::from_bytes(vec![1; 4]).unwrap(), 3).await, [], "of another length");
}

#[test]
fn an_index_holds_little_more_than_its_vectors_however_it_grew() {
    use crate::{catalog::similar::ports::Changed, id::ProductId};

    let index = Index::new();
    for portion in 0..40_u128 {
        let product = |n: u128| Changed {
            product: ProductId(uuid::Uuid::from_u128(n)),
            head: u64::try_from(n).unwrap(),
            vector: Some(vec![1; 64]),
        };
        index.apply((portion * 100..(portion + 1) * 100).map(product).collect());
        // A vector, its length and the id of its product.
        let needed = index.len() * (64 + 4 + 16);
        assert!((needed..=needed * 9 / 8).contains(&index.bytes()), "{} bytes for {needed}", index.bytes());
    }
    assert_eq!(index.len(), 4_000);
}

#[tokio::test]
async fn a_large_index_lets_others_have_their_turn_and_stands_still_for_who_looks_through_it() {
    use std::{future::Future, pin::pin, task::Context};

    use crate::{catalog::similar::ports::Changed, id::ProductId};

    let index = Index::new();
    let product = |n: u128| ProductId(uuid::Uuid::from_u128(n));
    let vector = |n: u128| Some(vec![i8::try_from(n % 100).unwrap() + 1; 1024]);
    let all = (0..9_000).map(|n| Changed { product: product(n), head: 1, vector: vector(n) });
    index.apply(all.collect());
    let asked = Vector::from_bytes(vec![1; 1024]).unwrap();
    let mut looking = pin!(index.nearest(&asked, 9_000));
    let mut context = Context::from_waker(std::task::Waker::noop());
    assert!(looking.as_mut().poll(&mut context).is_pending(), "it gave way");
    index.apply((0..9_000).map(|n| Changed { product: product(n), head: 2, vector: None }).collect());
    assert_eq!((looking.await.len(), index.len()), (9_000, 0));
}
