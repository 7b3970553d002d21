//! Changing one's own password, and what every new password ends.

use super::{
    Email, EndReason, Fresh, Mailroom, Password, Throttle, User,
    email::Errand,
    end_sessions_of, events,
    ports::{PasswordHasher, UserQueries, Verified},
};
use crate::{
    error::{Error, Result},
    id::SessionId,
    permission::{Authorized, ChangeAccount},
    shop::Shop,
    store::Tx,
};

/// What proves anew, beside their token, that somebody is who they say: their password.
#[derive(Clone, Copy)]
pub struct Proof<'a> {
    /// Finds the account.
    pub users: &'a dyn UserQueries,
    /// Checks the password.
    pub hasher: &'a dyn PasswordHasher,
    /// Bounds guesses.
    pub throttle: Throttle<'a>,
}

impl std::fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proof").finish_non_exhaustive()
    }
}

/// What lets somebody change how they sign in.
#[derive(Debug, Clone, Copy)]
pub enum Leave<'a> {
    /// The password they have.
    Current(&'a Password),
    /// That they proved a short while ago who they are: whoever has no password may choose one.
    Fresh(&'a Fresh<ChangeAccount>),
}

impl Proof<'_> {
    /// # Errors
    /// [`Error::Forbidden`] for another password, [`Error::Limited`] after too many.
    pub(super) async fn leave(&self, by: &Authorized<ChangeAccount>, leave: Leave<'_>) -> Result<()> {
        by.in_person()?;
        match leave {
            Leave::Current(password) => self.password(by, password).await.map(|_| ()),
            Leave::Fresh(fresh) if fresh.principal().user == by.principal().user => Ok(()),
            Leave::Fresh(_) => Err(Error::Unauthenticated),
        }
    }

    /// # Errors
    /// [`Error::Forbidden`] for another password, [`Error::Limited`] after too many.
    pub(super) async fn password(&self, by: &Authorized<ChangeAccount>, current: &Password) -> Result<Email> {
        by.in_person()?;
        let user = by.principal().user;
        let account = self.users.own_account(user).await?.ok_or(Error::Unauthenticated)?;
        self.throttle.admit(account.user.email.as_str(), Some(user)).await?;
        match self.hasher.verify(current, Some(&account.password_hash)).await? {
            Verified::No => Err(Error::forbidden("currentPassword is wrong")),
            Verified::Yes | Verified::YesButOld => Ok(account.user.email),
        }
    }
}

/// Changes the caller's own password. It takes the one they have, or a fresh proof, so that a token alone does not take an account over. Every
/// session but the one they call with is over.
///
/// # Errors
/// [`Error::Forbidden`] when the present password is another, [`Error::Limited`] after too many wrong ones.
pub async fn change_password(
    shop: &Shop,
    room: &Mailroom,
    proof: Proof<'_>,
    by: &Authorized<ChangeAccount>,
    session: SessionId,
    leave: Leave<'_>,
    new: &Password,
) -> Result<()> {
    proof.leave(by, leave).await?;
    let hash = &proof.hasher.hash(new).await?;
    let user = by.principal().user;
    shop.write("change_password", |mut tx| async move {
        let user = tx.users().find(user).await?.ok_or(Error::Unauthenticated)?;
        replace_password(shop, room, &mut *tx, &user, hash, Some(session)).await?;
        tx.commit(()).await
    })
    .await
}

/// Every new password of somebody comes through here, and this is where what hangs on the old one ends: codes that wait, and the
/// sessions of whoever signed in with it, but for `except`. The owner is told, in case it was not them.
pub(super) async fn replace_password(
    shop: &Shop,
    room: &Mailroom,
    tx: &mut dyn Tx,
    user: &User,
    hash: &str,
    except: Option<SessionId>,
) -> Result<()> {
    tx.users().set_password_hash(user.id, hash, shop.now()).await?;
    tx.codes().clear(user.id).await?;
    tx.challenges().clear(user.id).await?;
    end_sessions_of(shop, tx, user.id, except, EndReason::PasswordChanged, Some(user.id)).await?;
    shop.record(tx, Some(user.id), events::password_changed(user.id)).await?;
    if room.open {
        room.send(shop, tx, &Errand::PasswordChanged { email: user.email.clone() }).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::Verification,
        permission::Role,
        testing::{Fixtures, PlainHasher, Postbox, Turnstile},
    };

    #[tokio::test]
    async fn the_present_password_gives_a_new_one_and_wrong_ones_are_counted() {
        let (given, store) = Fixtures::in_memory();
        let ada = given.person(Role::User).await;
        let (hasher, room) = (PlainHasher::default(), Postbox::room(Verification::Off));
        let turnstile = Turnstile::with(&[(super::super::throttle::TRIES, 3)]);
        let proof = Proof { users: &store, hasher: &hasher, throttle: turnstile.throttle(&store, [127, 0, 0, 1]) };
        let (by, new) = (given.authorized(&ada), Password::parse("a new one of mine").unwrap());
        let (mine, other) = (given.stored_session(ada.user).await, given.stored_session(ada.user).await);
        let change = async |current: &str| {
            let current = Password::given(current.to_owned());
            change_password(&given.shop, &room, proof, &by, mine.id, Leave::Current(&current), &new).await
        };
        assert!(matches!(change("wrong").await, Err(Error::Forbidden(_))));
        assert_eq!((hasher.hashed(), store.traces().len()), (0, 0));
        change("correct horse").await.unwrap();
        assert_eq!(store.own_account(ada.user).await.unwrap().unwrap().password_hash, "plain$a new one of mine");
        let told = [("session.end", "session.ended"), ("user.change_password", "user.password_changed")];
        assert_eq!(store.traces(), told.map(|(action, event)| (action.to_owned(), event.to_owned())));
        assert_eq!(store.events()[0].entity.id, other.id.0, "the one it was changed with goes on");
        assert!(store.events().iter().all(|event| event.actor == Some(ada.user)));
        assert!(matches!(change("correct horse").await, Err(Error::Forbidden(_))), "the old one is no more");
        assert!(matches!(change("a new one of mine").await, Err(Error::Limited(_))));
    }
}
