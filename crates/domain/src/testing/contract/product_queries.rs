//! The read side of products.

use std::time::Duration;

use super::{Harness, begin, fixtures, page};
use crate::{
    catalog::{
        Deleted, Product, ProductStatus,
        policy::Scope,
        ports::Stored,
        queries::{CategoryRef, Order, ProductFilter, ProductKey, ProductSort, SortBy},
    },
    id::{ProductId, SellerId},
    money::Amount,
    page::Limit,
    permission::Role,
    testing::Fixtures,
    text::Search,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    one_product_comes_with_everything_around_it(harness).await;
    scopes_hide_what_they_must(harness).await;
    a_list_is_filtered(harness).await;
    a_category_includes_those_below(harness).await;
    a_list_is_sorted_and_counted(harness).await;
    a_slice_walks_everything_once(harness).await;
    a_slice_is_stable_under_inserts(harness).await;
    deleted_products_are_listed_for_their_seller(harness).await;
}

const NEWEST: ProductSort = ProductSort { by: SortBy::CreatedAt, order: Order::Descending };

fn of(seller: SellerId, scope: Scope) -> ProductFilter {
    ProductFilter { seller: Some(seller), ..ProductFilter::published(scope) }
}

async fn ids(harness: &impl Harness, filter: &ProductFilter) -> Vec<ProductId> {
    let found = harness.products().list(filter, NEWEST, page(1, 100)).await.unwrap();
    assert_eq!(found.total, u64::try_from(found.items.len()).unwrap(), "the total counts what is listed");
    let mut ids: Vec<_> = found.items.iter().map(|item| item.product.id).collect();
    ids.sort();
    ids
}

fn sorted<const N: usize>(products: [&Product; N]) -> Vec<ProductId> {
    let mut ids: Vec<_> = products.iter().map(|product| product.id).collect();
    ids.sort();
    ids
}

async fn delete(given: &Fixtures, product: &Product, by: crate::id::UserId) -> Product {
    let deleted = Some(Deleted { at: given.shop.now(), by });
    let after = Product { deleted, version: product.version.next(), ..product.clone() };
    let mut tx = given.tx().await;
    assert_eq!(tx.products().update(&after, product).await.unwrap(), Stored::Yes);
    tx.commit().await.unwrap();
    after
}

async fn one_product_comes_with_everything_around_it(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.seller().await;
    let seller = member.seller.unwrap();
    let top = given.stored_category(None).await;
    let category = given.stored_category(Some(&top)).await;
    let images = vec![given.image(), given.image(), given.image()];
    let product = given
        .stored_product(seller, |p| {
            p.category = Some(category.id);
            p.images = images;
        })
        .await;
    let mut reviews = Vec::new();
    for stars in [1, 2, 3, 4, 5, 1, 2] {
        reviews.push(given.stored_review(product.id, stars).await);
        given.clock.advance(Duration::from_millis(1));
    }
    let mut tx = begin(harness).await;
    reviews[6].hidden = true;
    tx.reviews().update(&reviews[6]).await.unwrap();
    tx.commit().await.unwrap();
    let detail = harness.products().get(product.id, Scope::Published).await.unwrap().unwrap();
    assert_eq!(detail.product, product, "with all pictures, in order");
    let named = CategoryRef { id: category.id, name: category.name, slug: category.slug };
    assert_eq!(detail.category, Some(named));
    reviews.truncate(6);
    reviews.reverse();
    assert_eq!(detail.reviews, reviews[..5], "the newest five that are shown");

    let bare = given.stored_product(seller, |p| p.images.clear()).await;
    let detail = harness.products().get(bare.id, Scope::Published).await.unwrap().unwrap();
    assert_eq!((detail.product, detail.category, detail.reviews), (bare.clone(), None, Vec::new()));
    delete(&given, &bare, member.user).await;
    assert_eq!(harness.products().get(bare.id, Scope::All).await.unwrap(), None);
    assert_eq!(harness.products().get(given.shop.id(), Scope::All).await.unwrap(), None);
}

async fn scopes_hide_what_they_must(harness: &impl Harness) {
    let given = fixtures(harness);
    let (own, other) = (given.seller().await.seller.unwrap(), given.seller().await.seller.unwrap());
    for status in ProductStatus::ALL {
        let product = given.stored_product(own, |p| p.status = status).await;
        let open = status == ProductStatus::Published;
        for (scope, shown) in
            [(Scope::Published, open), (Scope::seller(other), open), (Scope::seller(own), true), (Scope::All, true)]
        {
            let got = harness.products().get(product.id, scope).await.unwrap();
            assert_eq!(got.is_some(), shown, "{status:?} for {scope:?}");
            let by_slug = harness.products().by_slug(&product.slug, scope).await.unwrap();
            assert_eq!(by_slug.is_some(), shown, "{status:?} by slug for {scope:?}");
            let listed = ids(harness, &ProductFilter { statuses: status.into(), ..of(own, scope) }).await;
            assert_eq!(listed.contains(&product.id), shown, "{status:?} listed for {scope:?}");
            let sort = ProductSort { by: SortBy::Price, order: Order::Ascending };
            let filter = ProductFilter { statuses: status.into(), ..of(own, scope) };
            let slice = harness.products().slice(&filter, sort, None, Limit::default()).await.unwrap();
            assert_eq!(slice.items.len(), usize::from(shown), "{status:?} in a slice for {scope:?}");
        }
    }
    let several = |statuses: &[ProductStatus], scope| ProductFilter {
        statuses: statuses.iter().copied().collect(),
        ..of(own, scope)
    };
    let hidden = [ProductStatus::Draft, ProductStatus::Archived];
    for (scope, of_hidden, of_all) in
        [(Scope::Published, 0, 1), (Scope::seller(other), 0, 1), (Scope::seller(own), 2, 3), (Scope::All, 2, 3)]
    {
        assert_eq!(ids(harness, &several(&hidden, scope)).await.len(), of_hidden, "{scope:?}");
        assert_eq!(ids(harness, &several(&ProductStatus::ALL, scope)).await.len(), of_all, "{scope:?}");
        assert_eq!(ids(harness, &several(&[], scope)).await.len(), 0, "{scope:?}");
    }
}

async fn a_list_is_filtered(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.seller().await;
    let seller = member.seller.unwrap();
    let cheap = given.stored_product(seller, |p| p.price = Amount(100)).await;
    let middle = given
        .stored_product(seller, |p| {
            p.price = Amount(200);
            p.name = format!("Café-Lantern {}", p.name);
        })
        .await;
    let dear = given
        .stored_product(seller, |p| {
            p.price = Amount(300);
            p.description = "A lanternfish in a glass".to_owned();
        })
        .await;
    let gone = given.stored_product(seller, |p| p.price = Amount(200)).await;
    delete(&given, &gone, member.user).await;
    given.stored_product(given.seller().await.seller.unwrap(), |p| p.price = Amount(200)).await;

    let base = of(seller, Scope::Published);
    assert_eq!(ids(harness, &base).await, sorted([&cheap, &middle, &dear]));
    let price = |min: Option<i64>, max: Option<i64>| ProductFilter {
        min_price: min.map(Amount),
        max_price: max.map(Amount),
        ..base.clone()
    };
    assert_eq!(ids(harness, &price(Some(200), None)).await, sorted([&middle, &dear]));
    assert_eq!(ids(harness, &price(None, Some(200))).await, sorted([&cheap, &middle]));
    assert_eq!(ids(harness, &price(Some(101), Some(299))).await, sorted([&middle]));
    assert_eq!(ids(harness, &price(Some(0), None)).await, sorted([&cheap, &middle, &dear]));
    assert_eq!(ids(harness, &price(None, Some(0))).await, [], "zero is a bound, not its absence");
    assert_eq!(ids(harness, &price(Some(300), Some(100))).await, []);
    let search = |text: &str| ProductFilter { search: Some(Search::new(text)), ..base.clone() };
    assert_eq!(ids(harness, &search("LANTERN")).await, sorted([&middle, &dear]), "the last word is a prefix");
    assert_eq!(ids(harness, &search("lantern lamp")).await, sorted([&middle]), "the others are whole");
    assert_eq!(ids(harness, &search("cafe")).await, sorted([&middle]));
    assert_eq!(ids(harness, &search("glass")).await, sorted([&cheap, &middle, &dear]));
    for nothing in ["nosuchword", "!!!", "' OR 1=1 --", "\"", "glass*nosuch", "a:b & c | !d", "NEAR("] {
        assert_eq!(ids(harness, &search(nothing)).await, [], "{nothing}");
    }
    let both = ProductFilter { max_price: Some(Amount(200)), ..search("lantern") };
    assert_eq!(ids(harness, &both).await, sorted([&middle]));
}

async fn a_category_includes_those_below(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let top = given.stored_category(None).await;
    let below = given.stored_category(Some(&top)).await;
    let deep = given.stored_category(Some(&below)).await;
    let beside = given.stored_category(None).await;
    let at = async |category| given.stored_product(seller, |p| p.category = category).await;
    let (a, b, c) = (at(Some(top.id)).await, at(Some(below.id)).await, at(Some(deep.id)).await);
    let (d, _without) = (at(Some(beside.id)).await, at(None).await);
    let within = |category| ProductFilter { category: Some(category), ..of(seller, Scope::Published) };
    assert_eq!(ids(harness, &within(top.id)).await, sorted([&a, &b, &c]));
    assert_eq!(ids(harness, &within(below.id)).await, sorted([&b, &c]));
    assert_eq!(ids(harness, &within(deep.id)).await, sorted([&c]));
    assert_eq!(ids(harness, &within(beside.id)).await, sorted([&d]));
    assert_eq!(ids(harness, &within(given.shop.id())).await, []);
    let all = ProductFilter { seller: None, ..within(top.id) };
    assert_eq!(ids(harness, &all).await, sorted([&a, &b, &c]), "also without a seller");
}

async fn a_list_is_sorted_and_counted(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let products = many(&given, seller, 7).await;
    for sort in sorts() {
        let expected = in_order(&products, sort);
        let first = harness.products().list(&of(seller, Scope::Published), sort, page(1, 3)).await.unwrap();
        assert_eq!((first.total, first.page, first.pages), (7, 1, 3));
        let mut walked = Vec::new();
        for n in 1..=3 {
            let part = harness.products().list(&of(seller, Scope::Published), sort, page(n, 3)).await.unwrap();
            assert_eq!(part.total, 7);
            walked.extend(part.items.into_iter().map(|item| item.product.id));
        }
        assert_eq!(walked, expected, "{sort:?}");
        let beyond = harness.products().list(&of(seller, Scope::Published), sort, page(4, 3)).await.unwrap();
        assert_eq!((beyond.items, beyond.total, beyond.pages), (Vec::new(), 7, 3));
        let far = harness.products().list(&of(seller, Scope::Published), sort, page(u32::MAX, 100)).await.unwrap();
        assert_eq!((far.items.len(), far.total), (0, 7));
    }
    let first = harness.products().list(&of(seller, Scope::Published), NEWEST, page(1, 1)).await.unwrap();
    let shown = &first.items[0].product;
    let whole = products.iter().find(|product| product.id == shown.id).unwrap();
    let expected = Product { images: whole.images[..1].to_vec(), ..whole.clone() };
    assert_eq!(*shown, expected, "a list shows the first picture only");
    let nobody = of(given.seller().await.seller.unwrap(), Scope::Published);
    let empty = harness.products().list(&nobody, NEWEST, page(1, 20)).await.unwrap();
    assert_eq!((empty.items, empty.total, empty.pages), (Vec::new(), 0, 0));
}

/// Products of which several share price and moment, so that only the id tells them apart.
async fn many(given: &Fixtures, seller: SellerId, count: i64) -> Vec<Product> {
    let mut products = Vec::new();
    for n in 0..count {
        products.push(
            given
                .stored_product(seller, |p| {
                    p.price = Amount(100 * (n % 3 + 1));
                    p.images = vec![given.image(), given.image()];
                })
                .await,
        );
        if n % 2 == 0 {
            given.clock.advance(Duration::from_micros(1));
        }
    }
    products
}

fn sorts() -> impl Iterator<Item = ProductSort> {
    [SortBy::CreatedAt, SortBy::Price]
        .into_iter()
        .flat_map(|by| [Order::Ascending, Order::Descending].map(|order| ProductSort { by, order }))
}

fn in_order(products: &[Product], sort: ProductSort) -> Vec<ProductId> {
    let mut keys: Vec<_> = products.iter().map(|product| ProductKey::of(product, sort.by)).collect();
    keys.sort_by_key(|key| (key.value, key.id));
    if sort.order == Order::Descending {
        keys.reverse();
    }
    keys.into_iter().map(|key| key.id).collect()
}

async fn a_slice_walks_everything_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let products = many(&given, seller, 12).await;
    let filter = of(seller, Scope::Published);
    for sort in sorts() {
        for limit in [1, 5, 6, 12, 100] {
            let limit = Limit::new(limit).unwrap();
            let (mut walked, mut after) = (Vec::new(), None);
            loop {
                let slice = harness.products().slice(&filter, sort, after, limit).await.unwrap();
                walked.extend(slice.items.iter().map(|item| item.product.id));
                assert!(walked.len() <= products.len(), "a walk ends: {sort:?}");
                let Some(next) = slice.next else { break };
                let last = slice.items.last().map(|item| ProductKey::of(&item.product, sort.by));
                assert_eq!(last, Some(next), "the key is that of the last item");
                after = Some(next);
            }
            assert_eq!(walked, in_order(&products, sort), "{sort:?} by {limit:?}");
        }
    }
}

async fn a_slice_is_stable_under_inserts(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let mut products = many(&given, seller, 6).await;
    products.reverse();
    let filter = of(seller, Scope::Published);
    let limit = Limit::new(3).unwrap();
    let first = harness.products().slice(&filter, NEWEST, None, limit).await.unwrap();
    given.clock.advance(Duration::from_secs(1));
    given.stored_product(seller, |_| ()).await;
    let second = harness.products().slice(&filter, NEWEST, first.next, limit).await.unwrap();
    let walked: Vec<_> = first.items.iter().chain(&second.items).map(|item| item.product.id).collect();
    assert_eq!(walked, in_order(&products, NEWEST), "what is inserted before is neither doubled nor in the way");
    assert_eq!(second.next, None);
}

async fn deleted_products_are_listed_for_their_seller(harness: &impl Harness) {
    let given = fixtures(harness);
    let (member, other) = (given.seller().await, given.seller().await);
    let buyer = given.person(Role::User).await;
    let own = member.seller.unwrap();
    let mut deleted = Vec::new();
    for _ in 0..3 {
        let product = given.stored_product(own, |p| p.images = vec![given.image(), given.image()]).await;
        given.clock.advance(Duration::from_secs(1));
        deleted.push(delete(&given, &product, buyer.user).await);
    }
    given.stored_product(own, |_| ()).await;
    let listed = harness.products().deleted(Scope::seller(own), page(1, 2)).await.unwrap();
    assert_eq!((listed.total, listed.pages), (3, 2));
    let ids: Vec<_> = listed.items.iter().map(|item| item.product.id).collect();
    assert_eq!(ids, [deleted[2].id, deleted[1].id], "the newest deletion first");
    assert_eq!(listed.items[0].product.deleted, deleted[2].deleted);
    assert_eq!(listed.items[0].product.images.len(), 1);
    let rest = harness.products().deleted(Scope::seller(own), page(2, 2)).await.unwrap();
    assert_eq!(rest.items[0].product.id, deleted[0].id);
    for scope in [Scope::seller(other.seller.unwrap()), Scope::Published] {
        assert_eq!(harness.products().deleted(scope, page(1, 20)).await.unwrap().total, 0, "{scope:?}");
    }
    let all = harness.products().deleted(Scope::All, page(1, 100)).await.unwrap();
    assert!(deleted.iter().all(|product| all.items.iter().any(|item| item.product.id == product.id)));
}
