//! The demo shop of an empty installation: accounts and products in one transaction, so that a process that is killed
//! while it loads leaves nothing behind, and the next start loads it whole.

use crate::{
    catalog::{Goods, KnownCategories, plant, shelve},
    error::{Error, Result},
    identity::{Newcomer, enrol, ports::Owner},
    permission::Role,
    shop::Shop,
};

/// Somebody who gets an account in the demo.
#[derive(Debug, Clone)]
pub struct Player {
    /// Who.
    pub newcomer: Newcomer,
    /// The hash of their password.
    pub hash: String,
}

/// Makes the accounts, the categories in the name of the administrator among them, and the products of the seller among
/// them. `false`, and nothing made, when one of the accounts is there already: another process was first. For the
/// start of the program, which needs no permission inside the shop.
///
/// # Errors
/// Those of the store; [`Error::Internal`] when the players lack an administrator or a seller.
pub async fn open_demo(shop: &Shop, players: &[Player], goods: &[Goods]) -> Result<bool> {
    shop.write("open_demo", |mut tx| async move {
        let now = tx.now();
        let (mut admin, mut owner) = (None, None);
        for Player { newcomer, hash } in players {
            let enrolled = enrol(shop, &mut *tx, newcomer, hash, now).await?;
            if !enrolled.made {
                return Ok(tx.discard(false));
            }
            match newcomer.role {
                Role::Admin => admin = Some(enrolled.user),
                Role::Seller => owner = enrolled.seller.map(|seller| Owner { seller, user: enrolled.user }),
                Role::Guest | Role::User | Role::Custom(_) => {}
            }
        }
        let (Some(admin), Some(owner)) = (admin, owner) else {
            return Err(Error::internal("a demo needs an administrator and a seller"));
        };
        let mut known = KnownCategories::default();
        plant(shop, &mut *tx, admin, goods, &mut known).await?;
        shelve(shop, &mut *tx, owner, goods, &known).await?;
        tx.commit(true).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{ImportInput, ProductInput, ReviewInput},
        id::UserId,
        identity::{Email, ports::UserQueries},
        testing::Fixtures,
    };

    fn players() -> Vec<Player> {
        let player = |role: Role| Player {
            newcomer: Newcomer {
                email: Email::stored(format!("{}@demo.example", role.name())),
                name: format!("Demo {}", role.name()),
                role,
            },
            hash: format!("plain${}", role.name()),
        };
        [Role::Admin, Role::Seller, Role::User].map(player).to_vec()
    }

    fn goods(shop: &Shop, sku: &str, reviewers: &[UserId]) -> Goods {
        let product = ProductInput {
            sku: Some(sku.to_owned()),
            name: Some(format!("Lamp {sku}")),
            price: Some("2.50".to_owned()),
            ..ProductInput::default()
        };
        let category = Some(vec!["Lamps".to_owned()]);
        let row = ImportInput { line: 1, product, category, ..ImportInput::default() }.check(&shop.rules).unwrap();
        let said = ReviewInput { stars: Some(5), comment: None }.check(&mut crate::Violations::default()).unwrap();
        Goods { row, reviews: reviewers.iter().map(|author| (*author, said.clone())).collect() }
    }

    #[tokio::test]
    async fn everything_is_made_once() {
        let (given, store) = Fixtures::in_memory();
        let shelf = [goods(&given.shop, "1", &[]), goods(&given.shop, "2", &[])];
        assert!(open_demo(&given.shop, &players(), &shelf).await.unwrap());
        let kinds: Vec<String> = store.traces().into_iter().map(|(_, event)| event).collect();
        let people = ["user.created", "user.created", "seller.created", "user.created"];
        assert_eq!(kinds, [&people[..], &["category.created", "product.created", "product.created"]].concat());
        let events = store.events();
        let admin = store.account(&players()[0].newcomer.email).await.unwrap().unwrap();
        assert_eq!((admin.password_hash.as_str(), admin.user.roles.highest()), ("plain$admin", Role::Admin));
        assert_eq!((events[4].actor, events[5].actor), (Some(admin.user.id), events[1].actor));
        assert!(!open_demo(&given.shop, &players(), &shelf).await.unwrap(), "another process was first");
        assert_eq!(store.traces().len(), 7);
    }

    #[tokio::test]
    async fn of_a_demo_that_fails_half_way_nothing_stays_and_the_next_start_makes_it() {
        let (given, store) = Fixtures::in_memory();
        let ada = given.person(Role::User).await.user;
        // The planted fault is in the last product: a person reviews it twice.
        let broken = [goods(&given.shop, "1", &[]), goods(&given.shop, "2", &[ada, ada])];
        assert!(open_demo(&given.shop, &players(), &broken).await.is_err());
        assert_eq!(store.traces(), []);
        for player in players() {
            assert_eq!(store.account(&player.newcomer.email).await.unwrap(), None);
        }
        assert!(open_demo(&given.shop, &players(), &broken[..1]).await.unwrap());
    }
}
