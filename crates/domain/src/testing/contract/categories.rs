//! The category tree.

use super::{Harness, begin, fixtures};
use crate::catalog::{Category, Deleted, Product, ProductStatus, ports::Stored};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_category_is_found_again(harness).await;
    a_slug_is_taken_once(harness).await;
    those_that_exist_are_named(harness).await;
    paths_follow_a_move(harness).await;
    a_leaf_is_removed(harness).await;
    the_tree_is_ordered_and_counted(harness).await;
}

async fn a_category_is_found_again(harness: &impl Harness) {
    let given = fixtures(harness);
    let top = given.stored_category(None).await;
    let below = given.stored_category(Some(&top)).await;
    let mut tx = begin(harness).await;
    tx.categories().lock_tree().await.unwrap();
    assert_eq!(tx.categories().find(below.id).await.unwrap().as_ref(), Some(&below));
    assert!(tx.categories().has_children(top.id).await.unwrap());
    assert!(!tx.categories().has_children(below.id).await.unwrap());
    let all = tx.categories().all().await.unwrap();
    assert!(all.contains(&top) && all.contains(&below));
    assert_eq!(tx.categories().find(given.shop.id()).await.unwrap(), None);
}

async fn a_slug_is_taken_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let first = given.stored_category(None).await;
    let mut second = given.category(None);
    second.slug.clone_from(&first.slug);
    let third = given.stored_category(None).await;
    let mut tx = begin(harness).await;
    assert!(!tx.categories().insert(&second).await.unwrap());
    let renamed = Category { slug: first.slug.clone(), ..third.clone() };
    assert!(!tx.categories().update(&renamed, &third.path).await.unwrap());
    assert!(tx.categories().update(&Category { rank: 7, ..first.clone() }, &first.path).await.unwrap());
    assert_eq!(tx.categories().find(third.id).await.unwrap(), Some(third));
    assert_eq!(tx.categories().find(first.id).await.unwrap().unwrap().rank, 7);
}

async fn those_that_exist_are_named(harness: &impl Harness) {
    let given = fixtures(harness);
    let (one, two) = (given.stored_category(None).await, given.stored_category(None).await);
    let gone = given.stored_category(Some(&one)).await;
    let mut tx = begin(harness).await;
    tx.categories().delete(gone.id).await.unwrap();
    assert_eq!(tx.categories().existing(&[gone.id]).await.unwrap(), [], "a transaction sees what it did");
    tx.commit().await.unwrap();
    let mut tx = begin(harness).await;
    assert_eq!(tx.categories().existing(&[]).await.unwrap(), []);
    let asked = [two.id, gone.id, given.shop.id(), one.id, two.id];
    let mut found = tx.categories().existing(&asked).await.unwrap();
    found.sort_unstable();
    let mut expected = [one.id, two.id];
    expected.sort_unstable();
    assert_eq!(found, expected, "each once");
}

async fn paths_follow_a_move(harness: &impl Harness) {
    let given = fixtures(harness);
    let old = given.stored_category(None).await;
    let new = given.stored_category(None).await;
    let moved = given.stored_category(Some(&old)).await;
    let below = given.stored_category(Some(&moved)).await;
    let deep = given.stored_category(Some(&below)).await;
    let beside = given.stored_category(Some(&old)).await;
    let path = Category::path_below(Some(&new), moved.id);
    let after = Category { parent: Some(new.id), path: path.clone(), ..moved.clone() };
    let mut tx = begin(harness).await;
    assert!(tx.categories().update(&after, &moved.path).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = begin(harness).await;
    assert_eq!(tx.categories().find(moved.id).await.unwrap(), Some(after));
    let below_now = tx.categories().find(below.id).await.unwrap().unwrap();
    assert_eq!(below_now.path, format!("{path}{}/", below.id.0.simple()));
    assert_eq!(below_now.parent, Some(moved.id));
    let deep_now = tx.categories().find(deep.id).await.unwrap().unwrap();
    assert_eq!(deep_now.path, Category::path_below(Some(&below_now), deep.id));
    assert_eq!(tx.categories().find(beside.id).await.unwrap(), Some(beside));
    assert!(tx.categories().has_children(moved.id).await.unwrap());
}

async fn a_leaf_is_removed(harness: &impl Harness) {
    let given = fixtures(harness);
    let leaf = given.stored_category(None).await;
    let mut tx = begin(harness).await;
    tx.categories().delete(leaf.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(begin(harness).await.categories().find(leaf.id).await.unwrap(), None);
    assert_eq!(harness.categories().get(leaf.id).await.unwrap(), None);
}

async fn the_tree_is_ordered_and_counted(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.seller().await;
    let seller = member.seller.unwrap();
    let top = given.stored_category(None).await;
    let mut children = Vec::new();
    for (name, rank) in [("Gamma", 0), ("Alpha", 1), ("Beta", 0)] {
        let mut child = given.category(Some(&top));
        (child.name, child.rank) = (name.to_owned(), rank);
        children.push(child);
    }
    let mut tx = begin(harness).await;
    for child in &children {
        assert!(tx.categories().insert(child).await.unwrap());
    }
    tx.commit().await.unwrap();
    let leaf = given.stored_category(Some(&children[0])).await;
    for status in [ProductStatus::Published, ProductStatus::Published, ProductStatus::Draft] {
        given.stored_product(seller, |p| (p.category, p.status) = (Some(leaf.id), status)).await;
    }
    let gone = given.stored_product(seller, |p| p.category = Some(leaf.id)).await;
    let mut tx = begin(harness).await;
    let deleted = Some(Deleted { at: given.shop.now(), by: member.user });
    let deleted = Product { deleted, version: gone.version.next(), ..gone.clone() };
    assert_eq!(tx.products().update(&deleted, gone.version).await.unwrap(), Stored::Yes);
    tx.commit().await.unwrap();
    let tree = harness.categories().tree().await.unwrap();
    let place = |id| tree.iter().position(|node| node.category.id == id).unwrap();
    assert!(place(top.id) < place(children[2].id), "parents before children");
    assert!(place(children[2].id) < place(children[0].id), "siblings of one rank by name");
    assert!(place(children[0].id) < place(children[1].id), "siblings by rank");
    assert!(place(children[0].id) < place(leaf.id));
    assert_eq!(tree[place(leaf.id)].products, 2, "published ones that are not deleted");
    assert_eq!(tree[place(top.id)].products, 0, "those below do not count");
    assert_eq!(harness.categories().get(leaf.id).await.unwrap().as_ref(), Some(&tree[place(leaf.id)]));
}
