//! Which seller account the operator's own commands, such as an import, work for.

use super::{Email, Enrolled, NO_PASSWORD, Newcomer, enrol, ports::Owner};
use crate::{
    catalog::ImportMode,
    error::{Error, Result},
    permission::Role,
    shop::{Shop, Unit},
    store::Tx,
};

/// The address of the house account. No mail can reach it.
const HOUSE_EMAIL: &str = "catalogue@localhost";
/// The name of the house account, as buyers see it.
const HOUSE_NAME: &str = "Catalogue";

/// Which seller account is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selling {
    /// The only one there is; when there is none, a house account is opened.
    TheOnly,
    /// The one of this slug, or the one the person of this address acts for.
    Named(String),
}

/// Finds the seller account an operator means. For the command line, which needs no permission inside the shop. In a
/// trial nothing is written: the house account that would be opened is given, and is there in no transaction yet.
///
/// # Errors
/// [`Error::Conflict`] when none or more than one could be meant; the message names the remedy.
pub async fn seller_for(shop: &Shop, meant: &Selling, mode: ImportMode) -> Result<Owner> {
    shop.write("seller_for", |mut tx| async move {
        let owner = match meant {
            Selling::Named(name) => named(&mut tx, name).await?,
            Selling::TheOnly => {
                let owners = tx.sellers().oldest(2).await?;
                match owners.as_slice() {
                    [only] => *only,
                    [] => open_house(shop, &mut *tx).await?,
                    _ => {
                        return Err(Error::conflict(
                            "There are several seller accounts; say which one with --seller EMAIL or --seller SLUG",
                        ));
                    }
                }
            }
        };
        match mode {
            ImportMode::Keep => tx.commit(owner).await,
            ImportMode::Trial => Ok(tx.discard(owner)),
        }
    })
    .await
}

/// Within the transaction of a trial, an owner that exists: the one given, or a house account that goes with the trial.
pub(crate) async fn stand_in(shop: &Shop, tx: &mut dyn Tx, owner: Owner) -> Result<Owner> {
    if tx.sellers().of_member(owner.user).await?.is_some() {
        return Ok(owner);
    }
    open_house(shop, tx).await
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

/// The house account's address and name may be somebody else's already, who must not be given the products.
async fn open_house(shop: &Shop, tx: &mut dyn Tx) -> Result<Owner> {
    let email = Email::parse(HOUSE_EMAIL).map_err(|breach| Error::internal(breach.message))?;
    let house = Newcomer { email, name: HOUSE_NAME.to_owned(), role: Role::Seller };
    match enrol(shop, tx, &house, NO_PASSWORD, shop.now()).await? {
        Enrolled { user, seller: Some(seller), made: true } => Ok(Owner { seller, user }),
        _ => Err(Error::conflict("The address of the house account is taken; name a seller with --seller")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixtures;

    #[tokio::test]
    async fn an_empty_shop_gets_a_house_account_once() {
        let (fixtures, store) = Fixtures::in_memory();
        let first = seller_for(&fixtures.shop, &Selling::TheOnly, ImportMode::Keep).await.unwrap();
        let second = seller_for(&fixtures.shop, &Selling::TheOnly, ImportMode::Keep).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(store.events().len(), 2);
        let named = seller_for(&fixtures.shop, &Selling::Named("catalogue".into()), ImportMode::Keep).await.unwrap();
        assert_eq!(named, first);
    }

    #[tokio::test]
    async fn a_trial_opens_nothing() {
        let (fixtures, store) = Fixtures::in_memory();
        seller_for(&fixtures.shop, &Selling::TheOnly, ImportMode::Trial).await.unwrap();
        assert_eq!(store.traces(), []);
    }

    #[tokio::test]
    async fn of_several_one_must_be_named() {
        let (fixtures, _) = Fixtures::in_memory();
        let one = fixtures.seller().await;
        fixtures.seller().await;
        let refused = seller_for(&fixtures.shop, &Selling::TheOnly, ImportMode::Keep).await.unwrap_err();
        assert!(refused.to_string().contains("--seller"), "{refused}");
        assert!(
            seller_for(&fixtures.shop, &Selling::Named("nobody@example.com".into()), ImportMode::Keep).await.is_err()
        );
        assert!(one.seller.is_some());
    }
}
