//! Which seller account the operator's own commands, such as an import, work for.

use serde_json::json;

use super::{Email, Seller, User, ports::Owner};
use crate::{
    catalog::Slug,
    error::{Error, Result},
    event::{Change, Entity},
    id::{SellerId, UserId},
    permission::{Role, Roles},
    shop::{Shop, Unit},
};

/// The address of the house account. No mail can reach it.
const HOUSE_EMAIL: &str = "catalogue@localhost";
/// The name of the house account, as buyers see it.
const HOUSE_NAME: &str = "Catalogue";
/// A bcrypt hash whose salt and digest nobody chose a password for: no password fits it.
const NO_PASSWORD: &str = "$2b$04$......................0000000000000000000000000000000";

/// Which seller account is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selling {
    /// The only one there is; when there is none, a house account is opened.
    TheOnly,
    /// The one of this slug, or the one the person of this address acts for.
    Named(String),
}

/// Finds the seller account an operator means. For the command line, which needs no permission inside the shop.
///
/// # Errors
/// [`Error::Conflict`] when none or more than one could be meant; the message names the remedy.
pub async fn seller_for(shop: &Shop, meant: &Selling) -> Result<Owner> {
    shop.write("seller_for", |mut tx| async move {
        let owner = match meant {
            Selling::Named(name) => named(&mut tx, name).await?,
            Selling::TheOnly => {
                let owners = tx.sellers().oldest(2).await?;
                match owners.as_slice() {
                    [only] => *only,
                    [] => open_house(shop, &mut tx).await?,
                    _ => {
                        return Err(Error::conflict(
                            "There are several seller accounts; say which one with --seller EMAIL or --seller SLUG",
                        ));
                    }
                }
            }
        };
        tx.commit(owner).await
    })
    .await
}

async fn named(tx: &mut Unit<'_, Owner>, name: &str) -> Result<Owner> {
    if let Some(owner) = tx.sellers().by_slug(name).await? {
        return Ok(owner);
    }
    let unknown = || Error::conflict(format!("No seller account has the slug or the address {name:?}"));
    let email = Email::parse(name).map_err(|_| unknown())?;
    let user = tx.users().by_email(&email).await?.ok_or_else(unknown)?;
    let seller = tx.sellers().of_member(user).await?.ok_or_else(|| {
        Error::conflict(format!("{name} has no seller account; open one first, or name another with --seller"))
    })?;
    Ok(Owner { seller, user })
}

async fn open_house(shop: &Shop, tx: &mut Unit<'_, Owner>) -> Result<Owner> {
    let now = tx.now();
    let email = Email::parse(HOUSE_EMAIL).map_err(|breach| Error::internal(breach.message))?;
    let user = User {
        id: shop.id::<UserId>(),
        email,
        name: HOUSE_NAME.to_owned(),
        roles: Roles::new([Role::User, Role::Seller]),
        created_at: now,
        updated_at: now,
    };
    let taken = || Error::conflict("The address or slug of the house account is taken; name a seller with --seller");
    if !tx.users().insert(&user, NO_PASSWORD).await? {
        return Err(taken());
    }
    let seller = Seller {
        id: shop.id::<SellerId>(),
        name: HOUSE_NAME.to_owned(),
        slug: Slug::of(HOUSE_NAME).to_string(),
        created_at: now,
    };
    if !tx.sellers().insert(&seller, user.id).await? {
        return Err(taken());
    }
    let changes = vec![
        Change {
            action: "user.create",
            event: "user.created",
            entity: Entity::new("user", user.id),
            payload: json!({ "userId": user.id }),
            metadata: json!({ "roles": user.roles }),
        },
        Change {
            action: "seller.create",
            event: "seller.created",
            entity: Entity::new("seller", seller.id),
            payload: json!({ "sellerId": seller.id, "slug": seller.slug }),
            metadata: json!({ "member": user.id }),
        },
    ];
    for change in changes {
        shop.record(&mut **tx, Some(user.id), change).await?;
    }
    Ok(Owner { seller: seller.id, user: user.id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixtures;

    #[tokio::test]
    async fn an_empty_shop_gets_a_house_account_once() {
        let (fixtures, store) = Fixtures::in_memory();
        let first = seller_for(&fixtures.shop, &Selling::TheOnly).await.unwrap();
        let second = seller_for(&fixtures.shop, &Selling::TheOnly).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(store.events().len(), 2);
        let named = seller_for(&fixtures.shop, &Selling::Named("catalogue".into())).await.unwrap();
        assert_eq!(named, first);
    }

    #[tokio::test]
    async fn of_several_one_must_be_named() {
        let (fixtures, _) = Fixtures::in_memory();
        let one = fixtures.seller().await;
        fixtures.seller().await;
        let refused = seller_for(&fixtures.shop, &Selling::TheOnly).await.unwrap_err();
        assert!(refused.to_string().contains("--seller"), "{refused}");
        assert!(seller_for(&fixtures.shop, &Selling::Named("nobody@example.com".into())).await.is_err());
        assert!(one.seller.is_some());
    }
}
