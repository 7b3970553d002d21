//! Seller accounts.

use super::{Harness, begin, fixtures};
use crate::{
    id::SellerId,
    identity::{Seller, ports::Owner},
    permission::Role,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    an_account_is_found_by_its_member(harness).await;
    a_slug_is_taken_once(harness).await;
    an_account_is_found_by_its_slug(harness).await;
    the_oldest_come_first(harness).await;
}

async fn an_account_is_found_by_its_member(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.seller().await;
    let stranger = given.person(Role::User).await;
    let mut tx = begin(harness).await;
    assert_eq!(tx.sellers().of_member(member.user).await.unwrap(), member.seller);
    assert_eq!(tx.sellers().of_member(stranger.user).await.unwrap(), None);
    drop(tx);
    assert_eq!(harness.users().principal(member.user).await.unwrap(), Some(member.clone()));
    assert_eq!(harness.users().profile(member.user).await.unwrap().unwrap().seller, member.seller);
}

async fn a_slug_is_taken_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let (first, second) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let slug = format!("twin-{}", given.serial());
    let seller = |slug: &str| Seller {
        id: given.shop.id::<SellerId>(),
        name: "Twin".to_owned(),
        slug: slug.to_owned(),
        created_at: given.shop.now(),
    };
    let mut tx = begin(harness).await;
    assert!(tx.sellers().insert(&seller(&slug), first).await.unwrap());
    assert!(!tx.sellers().insert(&seller(&slug), second).await.unwrap());
    let other = seller(&format!("{slug}-2"));
    assert!(tx.sellers().insert(&other, second).await.unwrap(), "the transaction goes on after a conflict");
    tx.commit().await.unwrap();
    assert_eq!(begin(harness).await.sellers().of_member(second).await.unwrap(), Some(other.id));
}

async fn an_account_is_found_by_its_slug(harness: &impl Harness) {
    let given = fixtures(harness);
    let member = given.person(Role::User).await.user;
    let (id, slug) = (given.shop.id::<SellerId>(), format!("by-slug-{}", given.serial()));
    let seller = Seller { id, name: "By slug".to_owned(), slug: slug.clone(), created_at: given.shop.now() };
    let mut tx = begin(harness).await;
    assert_eq!(tx.sellers().by_slug(&slug).await.unwrap(), None);
    assert!(tx.sellers().insert(&seller, member).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = begin(harness).await;
    assert_eq!(tx.sellers().by_slug(&slug).await.unwrap(), Some(Owner { seller: id, user: member }));
    for other in [slug.to_uppercase(), format!("{slug}-"), "%".to_owned(), String::new()] {
        assert_eq!(tx.sellers().by_slug(&other).await.unwrap(), None, "{other}");
    }
}

async fn the_oldest_come_first(harness: &impl Harness) {
    let given = fixtures(harness);
    let mut opened = Vec::new();
    for _ in 0..3 {
        // Ids sort by the time they were made.
        given.clock.advance(std::time::Duration::from_millis(1));
        let member = given.seller().await;
        opened.push(Owner { seller: member.seller.unwrap(), user: member.user });
    }
    let mut tx = begin(harness).await;
    let all = tx.sellers().oldest(10_000).await.unwrap();
    let ours: Vec<Owner> = all.iter().copied().filter(|owner| opened.contains(owner)).collect();
    assert_eq!(ours, opened);
    assert!(all.is_sorted_by_key(|owner| owner.seller));
    assert_eq!(tx.sellers().oldest(2).await.unwrap(), all[..2]);
    assert_eq!(tx.sellers().oldest(0).await.unwrap(), []);
}
