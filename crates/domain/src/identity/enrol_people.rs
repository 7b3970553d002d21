//! Making many accounts at once, for trials and for the demo.

use super::{Email, Seller, User, events};
use crate::{
    catalog::Slug,
    clock::Timestamp,
    error::{Error, Result},
    id::{SellerId, UserId},
    permission::{Role, Roles},
    shop::Shop,
    store::Tx,
};

/// Stands in the place of a password hash where nobody can sign in; it is the hash of no password.
pub const NO_PASSWORD: &str = "!";

/// Somebody to make an account for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// Where they sign in; they are found again by it.
    pub email: Email,
    /// The name they go by, which is also that of their seller account.
    pub name: String,
    /// What they may do; a seller gets a seller account.
    pub role: Role,
}

/// Who somebody is in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrolled {
    /// The person.
    pub user: UserId,
    /// The seller account they act for.
    pub seller: Option<SellerId>,
    /// Whether the person was made just now.
    pub made: bool,
}

/// Makes the accounts that are not there yet, in one transaction, all with one password hash, such as
/// [`NO_PASSWORD`]. Gives everybody, in the order asked; who was there keeps name, roles and password. For the operator
/// at the command line, who needs no permission inside the shop.
///
/// # Errors
/// Those of the store.
pub async fn enrol_people(shop: &Shop, people: &[Newcomer], hash: &str) -> Result<Vec<Enrolled>> {
    shop.write("enrol_people", |mut tx| async move {
        let now = tx.now();
        let mut enrolled = Vec::with_capacity(people.len());
        for newcomer in people {
            enrolled.push(enrol(shop, &mut *tx, newcomer, hash, now).await?);
        }
        tx.commit(enrolled).await
    })
    .await
}

/// Makes one account when nobody has its address; and a seller account when a seller has none.
pub(crate) async fn enrol(
    shop: &Shop,
    tx: &mut dyn Tx,
    newcomer: &Newcomer,
    hash: &str,
    now: Timestamp,
) -> Result<Enrolled> {
    let (user, made) = match tx.users().by_email(&newcomer.email).await? {
        Some(user) => (user, false),
        None => (make_person(shop, tx, newcomer, hash, now).await?, true),
    };
    // Who was made just now has no account yet.
    let mut seller = if made { None } else { tx.sellers().of_member(user).await? };
    if seller.is_none() && newcomer.role == Role::Seller {
        if !made {
            tx.users().grant(user, Role::Seller, now).await?;
        }
        seller = Some(open_account(shop, tx, &newcomer.name, user, now).await?);
    }
    Ok(Enrolled { user, seller, made })
}

async fn make_person(shop: &Shop, tx: &mut dyn Tx, newcomer: &Newcomer, hash: &str, now: Timestamp) -> Result<UserId> {
    let user = User {
        id: shop.id::<UserId>(),
        email: newcomer.email.clone(),
        name: newcomer.name.clone(),
        email_verified_at: Some(now),
        roles: Roles::new([Role::User, newcomer.role]),
        created_at: now,
        updated_at: now,
    };
    if !tx.users().insert(&user, hash).await? {
        return Err(Error::Transient("the address was taken by another writer".into()));
    }
    shop.record(tx, Some(user.id), events::user_created(&user)).await?;
    Ok(user.id)
}

async fn open_account(shop: &Shop, tx: &mut dyn Tx, name: &str, member: UserId, now: Timestamp) -> Result<SellerId> {
    let base = Slug::of(name);
    let id = shop.id::<SellerId>();
    let mut seller = Seller { id, name: name.to_owned(), slug: base.to_string(), created_at: now };
    if !tx.sellers().insert(&seller, member).await? {
        seller.slug = base.with_suffix(id.0).to_string();
        if !tx.sellers().insert(&seller, member).await? {
            return Err(Error::Transient("the slug was taken by another writer".into()));
        }
    }
    shop.record(tx, Some(member), events::seller_created(&seller, member)).await?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identity::ports::UserQueries, testing::Fixtures};

    fn newcomer(email: &str, role: Role) -> Newcomer {
        Newcomer { email: Email::parse(email).unwrap(), name: "Ada & Co".to_owned(), role }
    }

    #[tokio::test]
    async fn everybody_is_made_once() {
        let (given, store) = Fixtures::in_memory();
        let people = [newcomer("a@example.com", Role::Seller), newcomer("b@example.com", Role::User)];
        let first = enrol_people(&given.shop, &people, "plain$x").await.unwrap();
        assert!(first.iter().all(|one| one.made));
        assert_eq!((first[0].seller.is_some(), first[1].seller.is_some()), (true, false));
        let kinds: Vec<String> = store.traces().into_iter().map(|(_, event)| event).collect();
        assert_eq!(kinds, ["user.created", "seller.created", "user.created"]);
        let second = enrol_people(&given.shop, &people, "plain$y").await.unwrap();
        assert!(second.iter().zip(&first).all(|(again, was)| !again.made && again.user == was.user));
        assert_eq!(second[0].seller, first[0].seller);
        assert_eq!(store.traces().len(), 3);
        let account = store.account(&people[0].email).await.unwrap().unwrap();
        assert_eq!((account.password_hash.as_str(), account.user.roles.highest()), ("plain$x", Role::Seller));
    }

    #[tokio::test]
    async fn who_was_there_gets_the_seller_account_they_lack() {
        let (given, store) = Fixtures::in_memory();
        enrol_people(&given.shop, &[newcomer("a@example.com", Role::User)], "plain$x").await.unwrap();
        let taken = [newcomer("b@example.com", Role::Seller), newcomer("a@example.com", Role::Seller)];
        let enrolled = enrol_people(&given.shop, &taken, "plain$x").await.unwrap();
        let account = store.account(&taken[1].email).await.unwrap().unwrap();
        assert_eq!((account.seller, account.user.roles.highest()), (enrolled[1].seller, Role::Seller));
        assert!(enrolled[1].seller.is_some() && enrolled[1].seller != enrolled[0].seller, "a taken slug gets a suffix");
    }
}
