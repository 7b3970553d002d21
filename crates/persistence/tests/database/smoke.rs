//! One product through every layer below HTTP.

use domain::{
    Actor, Principal, Violations,
    catalog::{
        ProductInput, ProductPatch, ProductStatus, create_product,
        policy::Scope,
        queries::{Order, ProductFilter, ProductSort, SortBy},
        update_product,
    },
    id::CategoryId,
    idempotency::Once,
    identity::{User, UserInput, open_seller, register},
    money::Amount,
    page::{Limit, PageRequest},
    permission::{ChangeAccount, Role, Roles, WriteProducts},
    text::Search,
};
use souk_persistence::Engine;

use crate::harness::{Fresh, migrated};

crate::on_both!(a_product_is_created_found_and_changed, lists_count_and_walk);

pub(crate) async fn seller(fresh: &Fresh) -> Actor {
    let shop = fresh.shop();
    let input = UserInput { email: Some("ada@example.com".into()), password: Some("correct horse".into()), name: None };
    let new = input.check(&mut Violations::default()).unwrap();
    let user: User =
        register(&shop, &domain::testing::PlainHasher::default(), new, &Once::always()).await.unwrap().fresh().unwrap();
    let actor = Actor::Signed(Principal::delivered(user.id, user.roles));
    open_seller(&shop, actor.authorize::<ChangeAccount>().unwrap(), "Ada's", &Once::always()).await.unwrap();
    let principal = fresh.database.users().principal(user.id).await.unwrap().unwrap();
    assert_eq!(principal.roles, Roles::new([Role::User, Role::Seller]));
    Actor::Signed(principal)
}

fn input(name: &str, price: &str) -> ProductInput {
    ProductInput {
        name: Some(name.into()),
        price: Some(price.into()),
        images: vec!["https://a.example/1.jpg".into(), "https://a.example/2.jpg".into()],
        ..ProductInput::default()
    }
}

pub(crate) async fn create(fresh: &Fresh, actor: &Actor, name: &str, price: &str) -> domain::catalog::Product {
    let shop = fresh.shop();
    let new = input(name, price).check(&shop.rules, &mut Violations::default()).unwrap();
    let by = actor.authorize::<WriteProducts>().unwrap();
    create_product(&shop, by, new, &Once::always()).await.unwrap().fresh().unwrap()
}

async fn a_product_is_created_found_and_changed(engine: Engine) {
    let fresh = migrated(engine).await;
    let actor = seller(&fresh).await;
    let one = create(&fresh, &actor, "Brass lamp", "19.95").await;
    let two = create(&fresh, &actor, "Brass lamp", "5").await;
    assert_eq!(one.slug.as_str(), "brass-lamp");
    assert!(two.slug.as_str().starts_with("brass-lamp-"));
    let read = fresh.database.products().get(one.id, Scope::Published).await.unwrap().unwrap();
    assert_eq!(read.product, one);

    let mut patch = ProductPatch::default();
    patch.status(ProductStatus::Archived);
    let by = actor.authorize::<WriteProducts>().unwrap();
    let after = update_product(&fresh.shop(), by, one.id, patch, Some(&[one.version])).await.unwrap();
    assert_eq!(after.version, one.version.next());
    assert!(fresh.database.products().get(one.id, Scope::Published).await.unwrap().is_none());
    assert_eq!(fresh.database.products().get(one.id, Scope::of(&actor)).await.unwrap().unwrap().product, after);
}

async fn lists_count_and_walk(engine: Engine) {
    let fresh = migrated(engine).await;
    let actor = seller(&fresh).await;
    for n in 1..=30 {
        create(&fresh, &actor, &format!("Lamp number {n}"), &format!("{n}.50")).await;
    }
    let queries = fresh.database.products();
    for by in [SortBy::CreatedAt, SortBy::Price] {
        for order in [Order::Ascending, Order::Descending] {
            let sort = ProductSort { by, order };
            let mut filter = ProductFilter::published(Scope::Published);
            let request = PageRequest { page: 2, limit: Limit::new(12).unwrap() };
            let page = queries.list(&filter, sort, request).await.unwrap();
            assert_eq!((page.total, page.pages, page.items.len()), (30, 3, 12));
            filter.min_price = Some(Amount(1050));
            filter.max_price = Some(Amount(2000));
            let page = queries.list(&filter, sort, request).await.unwrap();
            assert_eq!((page.total, page.items.len()), (10, 0));
            let page = queries.list(&filter, sort, PageRequest { page: 1, ..request }).await.unwrap();
            assert_eq!((page.total, page.items.len()), (10, 10));
            filter.search = Some(Search::new("number 1"));
            let page = queries.list(&filter, sort, PageRequest { page: 1, ..request }).await.unwrap();
            assert_eq!(page.total, 10);
            filter.category = Some(CategoryId(uuid::Uuid::nil()));
            assert_eq!(queries.list(&filter, sort, request).await.unwrap().total, 0);
            filter.search = None;
            assert_eq!(queries.list(&filter, sort, request).await.unwrap().total, 0);
            filter = ProductFilter::published(Scope::Published);
            let (mut after, mut seen) = (None, Vec::new());
            loop {
                let slice = queries.slice(&filter, sort, after, Limit::new(7).unwrap()).await.unwrap();
                seen.extend(slice.items.into_iter().map(|item| item.product.price.0));
                after = slice.next;
                if after.is_none() {
                    break;
                }
            }
            let mut expected: Vec<i64> = (1..=30).map(|n| n * 100 + 50).collect();
            if order == Order::Descending {
                expected.reverse();
            }
            assert_eq!(seen, expected);
        }
    }
}
