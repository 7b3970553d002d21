//! Opening a seller account.

use super::{Seller, Sellers, events};
use crate::{
    catalog::Slug,
    error::{Error, Result, Violations},
    id::SellerId,
    idempotency::{Once, Outcome},
    organisation::MemberRole,
    permission::{Authorized, ChangeAccount, Role},
    shop::Shop,
    text,
};

/// What a person sends to open a seller account, unchecked.
#[derive(Debug, Clone, Default)]
pub struct SellerInput {
    /// The name shown to buyers.
    pub name: Option<String>,
}

impl SellerInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(&self, violations: &mut Violations) -> Option<String> {
        let Some(name) = &self.name else {
            return violations.missing("/name");
        };
        violations.check("/name", text::line(name, 1, 100))
    }
}

/// Opens a seller account for the caller, who becomes its first owner and gains the role seller.
///
/// # Errors
/// [`Error::Conflict`] when the caller owns one already, or is a member of too many.
pub async fn open_seller(
    shop: &Shop,
    by: Authorized<ChangeAccount>,
    name: &str,
    once: &Once<'_, Seller>,
) -> Result<Outcome<Seller>> {
    by.in_person()?;
    let user = by.principal().user;
    shop.write_once("open_seller", once, |mut tx| async move {
        let accounts = tx.organisations().accounts_of(user).await?;
        if accounts.iter().any(|(_, role)| *role == MemberRole::Owner) {
            return Err(Error::conflict("You have a seller account already"));
        }
        if accounts.len() >= Sellers::MAX {
            return Err(Error::conflict(format!(
                "You are a member of {} seller accounts; leave one first",
                Sellers::MAX
            )));
        }
        let now = tx.now();
        let id = shop.id::<SellerId>();
        let base = Slug::of(name);
        let mut seller = Seller { id, name: name.to_owned(), slug: base.to_string(), created_at: now };
        if !tx.sellers().insert(&seller, user).await? {
            seller.slug = base.with_suffix(id.0).to_string();
            if !tx.sellers().insert(&seller, user).await? {
                return Err(Error::Transient("the slug was taken by another writer".into()));
            }
        }
        tx.users().grant(user, Role::Seller, now).await?;
        shop.record(&mut *tx, Some(user), events::seller_created(&seller, user)).await?;
        tx.commit(seller).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identity::ports::UserQueries, testing::Fixtures};

    #[tokio::test]
    async fn a_person_opens_one_account_and_becomes_a_seller() {
        let (given, store) = Fixtures::in_memory();
        let (ada, bob) = (given.person(Role::User).await, given.person(Role::User).await);
        let open = async |who| open_seller(&given.shop, given.authorized(who), "Lamps & Co", &Once::always()).await;
        let first = open(&ada).await.unwrap().fresh().unwrap();
        assert_eq!(first.slug, "lamps-co");
        let now = store.principal(ada.user).await.unwrap().unwrap();
        assert_eq!((now.seller, now.roles.highest()), (Some(first.id), Role::Seller));
        assert!(matches!(open(&ada).await, Err(Error::Conflict(_))));
        let second = open(&bob).await.unwrap().fresh().unwrap();
        assert!(second.slug.starts_with("lamps-co-"), "a taken slug gets a suffix");
        assert_eq!(store.traces(), vec![("seller.create".to_owned(), "seller.created".to_owned()); 2]);
    }

    #[test]
    fn a_name_is_required() {
        let mut violations = Violations::default();
        assert_eq!(SellerInput::default().check(&mut violations), None);
        assert_eq!(violations.iter().next().unwrap().rule, "required");
    }
}
