//! Signing up.

use super::{Email, Mailroom, Password, User, email::Errand, events, ports::PasswordHasher};
use crate::{
    clock::Timestamp,
    error::{Error, Result, Violations},
    id::UserId,
    idempotency::{Once, Outcome},
    permission::{Role, Roles},
    shop::Shop,
    text,
};

/// What a person sends to sign up, unchecked.
#[derive(Debug, Clone, Default)]
pub struct UserInput {
    /// Their address.
    pub email: Option<String>,
    /// The password they chose.
    pub password: Option<String>,
    /// The name they go by; without one, the part of the address before the `@`.
    pub name: Option<String>,
}

/// A checked [`UserInput`].
#[derive(Debug, Clone)]
pub struct NewUser {
    email: Email,
    password: Password,
    name: String,
}

impl UserInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(&self, violations: &mut Violations) -> Option<NewUser> {
        let email = match &self.email {
            Some(text) => violations.check("/email", Email::parse(text)),
            None => violations.missing("/email"),
        };
        let password = match &self.password {
            Some(text) => violations.check("/password", Password::parse(text)),
            None => violations.missing("/password"),
        };
        let name = match &self.name {
            Some(text) => violations.check("/name", text::line(text, 1, 100)),
            None => email.as_ref().map(|email| email.as_str().split('@').next().unwrap_or_default().to_owned()),
        };
        Some(NewUser { email: email?, password: password?, name: name? })
    }
}

impl NewUser {
    /// The address they sign up with.
    pub fn email(&self) -> &Email {
        &self.email
    }

    /// The password they chose.
    pub(super) fn password(&self) -> &Password {
        &self.password
    }

    /// The name they go by.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn user(&self, shop: &Shop, roles: Roles, email_verified_at: Option<Timestamp>, now: Timestamp) -> User {
        User {
            id: shop.id::<UserId>(),
            email: self.email.clone(),
            name: self.name.clone(),
            email_verified_at,
            roles,
            created_at: now,
            updated_at: now,
        }
    }
}

/// Signs a person up with the role user. Open to everybody.
///
/// # Errors
/// [`Error::Conflict`] when the address is taken.
pub async fn register(
    shop: &Shop,
    hasher: &dyn PasswordHasher,
    new: NewUser,
    once: &Once<'_, User>,
) -> Result<Outcome<User>> {
    store(shop, hasher, new, Roles::new([Role::User]), false, once).await
}

/// Signs a person up where addresses must be proven: whether the address was free is told by a letter to it, and to nobody
/// else (ruling R36). Open to everybody.
///
/// # Errors
/// Those of the store; [`Error::Unavailable`] when no mail can be sent.
pub async fn register_unseen(
    shop: &Shop,
    hasher: &dyn PasswordHasher,
    room: &Mailroom,
    new: NewUser,
    once: &Once<'_, ()>,
) -> Result<Outcome<()>> {
    room.must_be_open()?;
    // A taken address costs a hash too.
    let hash = &hasher.hash(&new.password).await?;
    let new = &new;
    shop.write_once("register", once, |mut tx| async move {
        let now = tx.now();
        let user = new.user(shop, Roles::new([Role::User]), None, now);
        let errand = if tx.users().insert(&user, hash).await? {
            shop.record(&mut *tx, Some(user.id), events::user_created(&user)).await?;
            Errand::Verify { email: user.email, redirect: None }
        } else {
            Errand::AddressInUse { email: user.email }
        };
        room.send(shop, &mut *tx, &errand).await?;
        tx.commit(()).await
    })
    .await
}

/// Makes a person with any role: for the operator at the command line, who needs no permission inside the shop, and vouches
/// for the address.
pub async fn create_user(shop: &Shop, hasher: &dyn PasswordHasher, new: NewUser, role: Role) -> Result<User> {
    let once = Once::always();
    let outcome = store(shop, hasher, new, Roles::new([Role::User, role]), true, &once).await?;
    outcome.fresh().ok_or_else(|| Error::internal("a command without a key cannot be a replay"))
}

async fn store(
    shop: &Shop,
    hasher: &dyn PasswordHasher,
    new: NewUser,
    roles: Roles,
    verified: bool,
    once: &Once<'_, User>,
) -> Result<Outcome<User>> {
    // Before the transaction: hashing takes tens of milliseconds.
    let hash = &hasher.hash(&new.password).await?;
    let (new, roles) = (&new, &roles);
    shop.write_once("register", once, |mut tx| async move {
        let now = tx.now();
        let user = new.user(shop, roles.clone(), verified.then_some(now), now);
        if !tx.users().insert(&user, hash).await? {
            return Err(Error::conflict("This email is registered already; sign in instead"));
        }
        shop.record(&mut *tx, Some(user.id), events::user_created(&user)).await?;
        tx.commit(user).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::ports::UserQueries,
        testing::{Fixtures, PlainHasher},
    };

    fn new(email: &str) -> NewUser {
        let input = UserInput { email: Some(email.to_owned()), password: Some("correct horse".to_owned()), name: None };
        input.check(&mut Violations::default()).unwrap()
    }

    #[tokio::test]
    async fn a_person_signs_up_once() {
        let (given, store) = Fixtures::in_memory();
        let hasher = PlainHasher::default();
        let send = async |email: &str| register(&given.shop, &hasher, new(email), &Once::always()).await;
        let user = send("Ada@Example.com").await.unwrap().fresh().unwrap();
        assert_eq!((user.name.as_str(), user.roles.highest()), ("ada", Role::User));
        assert!(matches!(send("ada@example.COM").await, Err(Error::Conflict(_))));
        assert_eq!(store.traces(), [("user.create".to_owned(), "user.created".to_owned())]);
        let account = store.account(&user.email).await.unwrap().unwrap();
        assert_eq!((account.user, account.password_hash.as_str()), (user, "plain$correct horse"));
        let told =
            serde_json::to_string(&store.events()).unwrap() + &serde_json::to_string(&store.audit_entries()).unwrap();
        assert!(
            !told.contains("\"ada") && !told.contains("example.com") && !told.contains("horse"),
            "no personal value is in a log"
        );
    }

    #[tokio::test]
    async fn the_operator_makes_any_role() {
        let (given, store) = Fixtures::in_memory();
        let admin =
            create_user(&given.shop, &PlainHasher::default(), new("root@example.com"), Role::Admin).await.unwrap();
        assert!(store.principal(admin.id).await.unwrap().unwrap().is_admin());
    }

    #[test]
    fn every_breach_is_told_at_once() {
        let mut violations = Violations::default();
        let input = UserInput { email: None, password: Some("short".to_owned()), name: Some(String::new()) };
        assert!(input.check(&mut violations).is_none());
        let fields: Vec<_> = violations.iter().map(|breach| breach.field.as_str()).collect();
        assert_eq!(fields, ["/email", "/password", "/name"]);
    }
}
