//! What makes a guest a user of the shop, under the same id: an address and a password.

use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::UserId,
    identity::{
        Client, EndReason, Mailroom, NewUser, Profile, Proven, Sessions, SignedIn, Throttle, User, Verification,
        email::Errand, end_sessions_of, events, ports::PasswordHasher,
    },
    permission::{Authorized, OwnAccount, Role},
    shop::Shop,
    store::Tx,
};

/// What a promotion stands on.
#[derive(Clone, Copy)]
pub struct Promotion<'a> {
    /// Hashes the password.
    pub hasher: &'a dyn PasswordHasher,
    /// Begins the session.
    pub sessions: &'a Sessions,
    /// Sends the letter, where addresses are to be proven.
    pub room: &'a Mailroom,
    /// Bounds letters.
    pub throttle: Throttle<'a>,
}

impl std::fmt::Debug for Promotion<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Promotion").finish_non_exhaustive()
    }
}

/// What became of a guest who said who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Promoted {
    /// They are a user, signed in anew.
    In(Box<SignedIn>),
    /// They are when they follow the link of a letter, if the address is free.
    ByLetter,
}

/// Gives the caller, who is a guest, an address and a password, with which they sign in from then on. What is theirs stays theirs: the
/// id is the same.
///
/// Their sessions end, and they get a new one: whoever gave them the session they came with is not let into their account. Where
/// addresses are to be proven, this happens when the link of a letter is followed, and whether the address was free is told by it
/// alone (ruling R36).
///
/// # Errors
/// [`Error::Conflict`] for who is no guest, and for an address that is taken; [`Error::Limited`] for too many letters,
/// [`Error::Unavailable`] when none can be sent.
pub async fn promote_guest(
    shop: &Shop,
    with: Promotion<'_>,
    by: &Authorized<OwnAccount>,
    new: &NewUser,
    client: &Client,
) -> Result<Promoted> {
    by.in_person()?;
    let id = by.principal().user;
    if !by.principal().is_guest() {
        return Err(not_a_guest());
    }
    let by_letter = with.room.verification != Verification::Off;
    if by_letter {
        with.room.must_be_open()?;
        with.throttle.letter(new.email()).await?;
    }
    let hash = &with.hasher.hash(new.password()).await?;
    shop.write("promote_guest", |mut tx| async move {
        let now = tx.now();
        if by_letter {
            let user = guest(&mut *tx, id).await?;
            tx.users().set_password_hash(id, hash, now).await?;
            tx.users().set_name(id, new.name(), now).await?;
            shop.record(&mut *tx, Some(id), events::promotion_requested(user.id)).await?;
            let errand = Errand::Change { user: id, email: new.email().clone(), redirect: None };
            with.room.send(shop, &mut *tx, &errand).await?;
            return tx.commit(Promoted::ByLetter).await;
        }
        end_sessions_of(shop, &mut *tx, id, None, EndReason::PasswordChanged, Some(id)).await?;
        let user = guest(&mut *tx, id).await?;
        if !tx.users().set_email(id, new.email(), None, now).await? {
            return Err(Error::conflict("This email is registered already; sign in instead"));
        }
        tx.users().set_password_hash(id, hash, now).await?;
        tx.users().set_name(id, new.name(), now).await?;
        become_user(shop, &mut *tx, &user, now).await?;
        let user = tx.users().find(id).await?.ok_or(Error::Unauthenticated)?;
        let profile = Profile { user, seller: None };
        let signed = with.sessions.begin(shop, &mut *tx, &profile, client, Proven::by_password(hash)).await?;
        let signed = signed.ok_or(Error::Unauthenticated)?;
        tx.commit(Promoted::In(Box::new(signed))).await
    })
    .await
}

/// Gives a guest the role of those who signed up.
pub(in crate::identity) async fn become_user(shop: &Shop, tx: &mut dyn Tx, guest: &User, now: Timestamp) -> Result<()> {
    tx.users().revoke(guest.id, Role::Guest, now).await?;
    tx.users().grant(guest.id, Role::User, now).await?;
    shop.record(tx, Some(guest.id), events::user_promoted(guest.id)).await
}

/// The guest as they are now. Of two who promote at once, the second finds a user.
async fn guest(tx: &mut dyn Tx, id: UserId) -> Result<User> {
    let user = tx.users().find(id).await?.ok_or(Error::Unauthenticated)?;
    if is_guest(&user) { Ok(user) } else { Err(not_a_guest()) }
}

/// Whether somebody is a guest.
pub(in crate::identity) fn is_guest(user: &User) -> bool {
    user.roles.has(Role::Guest)
}

/// What somebody is told who wants to become what they are.
pub(in crate::identity) fn not_a_guest() -> Error {
    Error::conflict("You are no guest: the account is yours already")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Principal,
        error::Violations,
        identity::{
            Email, UserInput, confirm_email_change,
            known::concerns,
            ports::{SessionQueries as _, UserQueries as _},
            throttle::LETTERS,
            world::World,
        },
        mail::{Mail, Subject},
    };

    fn new(email: &str) -> NewUser {
        let input = UserInput { email: Some(email.to_owned()), password: Some("correct horse".to_owned()), name: None };
        input.check(&mut Violations::default()).unwrap()
    }

    async fn promote(world: &World, who: &Principal, email: &str) -> Result<Promoted> {
        let by = world.given.authorized(who);
        promote_guest(&world.given.shop, world.promotion(), &by, &new(email), &Client::default()).await
    }

    async fn guest(world: &World) -> (SignedIn, Principal) {
        let signed = world.guest().await;
        let who = world.store.principal(signed.profile.user.id).await.unwrap().unwrap();
        (signed, who)
    }

    async fn roles(world: &World, who: &Principal) -> Vec<Role> {
        world.store.principal(who.user).await.unwrap().unwrap().roles.iter().collect()
    }

    #[tokio::test]
    async fn a_guest_becomes_a_user_under_the_same_id_and_signs_in_by_password_from_then_on() {
        let world = World::new();
        let (before, who) = guest(&world).await;
        let Promoted::In(signed) = promote(&world, &who, "ada@example.com").await.unwrap() else { panic!() };
        let user = &signed.profile.user;
        assert_eq!((user.id, user.name.as_str(), user.email_verified_at), (who.user, "ada", None));
        assert_eq!((user.email.as_str(), user.roles.highest()), ("ada@example.com", Role::User));
        assert_eq!(roles(&world, &who).await, [Role::User]);
        world.sign_in("ada@example.com", "correct horse").await.unwrap();
        // Whoever gave them the session they came with is out.
        assert_ne!(signed.session, before.session);
        assert!(world.store.find(before.session).await.unwrap().unwrap().ended.is_some());
        assert!(matches!(promote(&world, &who, "bob@example.com").await, Err(Error::Conflict(_))), "once");
        let events = world.store.events();
        let told = events.iter().find(|event| event.kind == "user.promoted").unwrap();
        assert_eq!((told.actor, concerns(told)), (Some(who.user), Some(who.user)));
    }

    #[tokio::test]
    async fn nobody_else_is_promoted_and_nothing_is_half_done() {
        let world = World::new();
        let ada = world.person().await;
        let (before, who) = guest(&world).await;
        assert!(matches!(promote(&world, &ada, "new@example.com").await, Err(Error::Conflict(_))));
        let taken = world.store.profile(ada.user).await.unwrap().unwrap().user.email;
        assert!(matches!(promote(&world, &who, taken.as_str()).await, Err(Error::Conflict(_))));
        let still = world.store.own_account(who.user).await.unwrap().unwrap();
        assert!(still.user.email.is_nowhere() && is_guest(&still.user));
        assert!(world.store.find(before.session).await.unwrap().unwrap().ended.is_none(), "they go on as they were");
    }

    #[tokio::test]
    async fn where_addresses_are_proven_a_letter_makes_the_user() {
        let world = World::verifying();
        let ada = world.person().await;
        let (before, who) = guest(&world).await;
        let taken = world.store.profile(ada.user).await.unwrap().unwrap().user.email;
        for email in [taken.as_str(), "guest@example.com"] {
            assert_eq!(promote(&world, &who, email).await.unwrap(), Promoted::ByLetter, "told alike");
            assert_eq!(roles(&world, &who).await, [Role::Guest]);
        }
        assert!(world.sign_in("guest@example.com", "correct horse").await.is_err(), "not yet");
        let letters = world.post().await;
        let to = |mail: &Mail| (mail.to.as_str().to_owned(), mail.about);
        let expected = [
            (taken.as_str().to_owned(), Subject::AddressInUse),
            ("guest@example.com".to_owned(), Subject::ChangeEmail),
        ];
        assert_eq!(letters.iter().map(to).collect::<Vec<_>>(), expected);
        let code = letters[1].text.split_once("#token=").unwrap().1;
        confirm_email_change(&world.given.shop, &world.room, code).await.unwrap();
        assert_eq!(roles(&world, &who).await, [Role::User]);
        let account = world.store.account(&Email::stored("guest@example.com".to_owned())).await.unwrap().unwrap();
        assert_eq!((account.user.id, account.user.email_verified_at), (who.user, Some(world.given.shop.now())));
        assert!(world.store.find(before.session).await.unwrap().unwrap().ended.is_some());
        world.sign_in("guest@example.com", "correct horse").await.unwrap();
    }

    #[tokio::test]
    async fn letters_of_guests_are_counted() {
        let world = World::verifying().with_limits(&[(LETTERS, 1)]);
        let (_, who) = guest(&world).await;
        promote(&world, &who, "ada@example.com").await.unwrap();
        assert!(matches!(promote(&world, &who, "ada@example.com").await, Err(Error::Limited(_))));
    }
}
