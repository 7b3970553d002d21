//! Walking the whole catalogue.

use super::{Harness, begin, fixtures};
use crate::{
    catalog::{Deleted, Image, Product, ProductStatus, ports::Stored},
    id::{ProductId, SellerId},
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    every_product_comes_once_in_order(harness).await;
    one_seller_can_be_asked_for(harness).await;
}

/// Everything, in steps of this size.
async fn walk(harness: &impl Harness, seller: Option<SellerId>, step: u32) -> Vec<Product> {
    let mut all: Vec<Product> = Vec::new();
    loop {
        let after = all.last().map(|product| product.id);
        let next = harness.export().next(seller, after, step).await.unwrap();
        assert!(next.len() <= usize::try_from(step).unwrap());
        if next.is_empty() {
            return all;
        }
        all.extend(next);
    }
}

async fn every_product_comes_once_in_order(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.seller().await;
    let seller = member.seller.unwrap();
    let mut stored = Vec::new();
    for (n, status) in (0..).zip(ProductStatus::ALL) {
        let images: Vec<Image> = (0..n).map(|_| given.image()).collect();
        let product = given.stored_product(seller, |product| (product.status, product.images) = (status, images)).await;
        stored.push(product);
    }
    let before = given.stored_product(seller, |_| ()).await;
    let deleted = Some(Deleted { at: given.shop.now(), by: member.user });
    let gone = Product { deleted, version: before.version.next(), ..before.clone() };
    let mut tx = begin(harness).await;
    assert_eq!(tx.products().update(&gone, &before).await.unwrap(), Stored::Yes);
    tx.commit().await.unwrap();
    stored.sort_by_key(|product| product.id);
    for step in [1, 2, 100] {
        let all = walk(harness, None, step).await;
        assert!(all.is_sorted_by(|a, b| a.id < b.id), "in steps of {step}");
        let ours: Vec<&Product> = all.iter().filter(|product| product.seller == seller).collect();
        assert_eq!(ours, stored.iter().collect::<Vec<_>>(), "whole, with pictures in order, in steps of {step}");
    }
}

async fn one_seller_can_be_asked_for(harness: &impl Harness) {
    let given = fixtures(harness);
    let (one, two) = (given.seller().await.seller.unwrap(), given.seller().await.seller.unwrap());
    let mut own: Vec<ProductId> = Vec::new();
    for _ in 0..3 {
        own.push(given.stored_product(one, |_| ()).await.id);
        given.stored_product(two, |_| ()).await;
    }
    own.sort_unstable();
    let ids = |products: Vec<Product>| products.iter().map(|product| product.id).collect::<Vec<_>>();
    assert_eq!(ids(walk(harness, Some(one), 2).await), own);
    assert_eq!(ids(harness.export().next(Some(one), Some(own[0]), 1).await.unwrap()), [own[1]]);
    assert_eq!(walk(harness, Some(given.shop.id()), 2).await, []);
}
