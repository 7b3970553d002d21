//! Who the shop itself is where a person must be named, such as in the ledger of the assistant.

use uuid::Uuid;

use super::{Email, NO_PASSWORD, User, events};
use crate::{
    error::{Error, Result},
    id::UserId,
    permission::{Role, Roles},
    shop::Shop,
};

/// Its address. No mail can reach it.
const EMAIL: &str = "shop@localhost";
/// Its name, as administrators see it.
const NAME: &str = "Shop";
/// The same in every shop, so that nobody else can be taken for it.
const ID: UserId = UserId(Uuid::from_u128(0x7000_8000_0000_0000_0001));

/// Finds the person that the shop itself is, and makes it when there is none. Nobody can sign in as it.
///
/// # Errors
/// [`Error::Conflict`] when somebody else has its address.
pub async fn shop_person(shop: &Shop) -> Result<UserId> {
    let email = Email::parse(EMAIL).map_err(|breach| Error::internal(breach.message))?;
    let email = &email;
    shop.write("shop_person", |mut tx| async move {
        if tx.users().find(ID).await?.is_some() {
            return tx.commit(ID).await;
        }
        if tx.users().by_email(email).await?.is_some() {
            return Err(Error::conflict(format!("Somebody has the address {EMAIL}, which is the shop's own")));
        }
        let now = tx.now();
        let user = User {
            id: ID,
            email: email.clone(),
            name: NAME.to_owned(),
            email_verified_at: Some(now),
            roles: Roles::new([Role::User]),
            created_at: now,
            updated_at: now,
        };
        if !tx.users().insert(&user, NO_PASSWORD).await? {
            return Err(Error::Transient("another node was faster".into()));
        }
        shop.record(&mut *tx, Some(ID), events::user_created(&user)).await?;
        tx.commit(ID).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixtures;

    #[tokio::test]
    async fn there_is_one_and_it_is_made_once() {
        let (given, store) = Fixtures::in_memory();
        assert_eq!(shop_person(&given.shop).await.unwrap(), ID);
        assert_eq!(shop_person(&given.shop).await.unwrap(), ID);
        assert_eq!(store.traces().len(), 1);
    }

    #[tokio::test]
    async fn nobody_is_taken_for_it() {
        let (given, _) = Fixtures::in_memory();
        let mut somebody = given.user(Role::User);
        somebody.email = Email::parse(EMAIL).unwrap();
        let mut tx = given.tx().await;
        assert!(tx.users().insert(&somebody, "plain$secret").await.unwrap());
        tx.commit().await.unwrap();
        assert!(matches!(shop_person(&given.shop).await, Err(Error::Conflict(_))));
    }
}
