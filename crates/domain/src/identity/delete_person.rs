//! Deleting somebody: what is left is a pseudonym, so that what others stand on stays whole.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Email, EndReason, Leave, Proof, User, end_sessions_of, events, outside::part};
use crate::{
    access::{keep_an_admin, policy},
    clock::Timestamp,
    error::{Error, Result},
    id::UserId,
    job::{Job, Policy, Request},
    organisation,
    permission::{Authorized, ChangeAccount, ManageUsers, Role},
    shop::Shop,
    store::Tx,
};

/// What a deleted person is called from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudonym {
    /// In the place of the name, and of the name of a seller account that was theirs alone.
    pub name: String,
    /// In the place of the address; no letter can reach it.
    pub email: Email,
}

impl Pseudonym {
    /// That of a person: of their id alone, so that it says no more than that does.
    pub fn of(user: UserId) -> Self {
        let id = user.0.simple().to_string();
        let short = id.get(20..).unwrap_or_default();
        Self { name: format!("deleted-{short}"), email: Email::stored(format!("{id}@deleted.invalid")) }
    }
}

/// Asks for one's own deletion. It takes the password or a fresh proof, so that a token alone deletes nobody. The caller is signed out everywhere; who
/// signs in again within `grace` may call it off ([`withdraw_deletion`]). Gives when it comes.
///
/// # Errors
/// [`Error::Forbidden`] for another password, [`Error::Limited`] after too many; [`Error::Conflict`] for the last administrator, and for
/// who alone owns a seller account that has other members.
pub async fn request_deletion(
    shop: &Shop,
    proof: Proof<'_>,
    by: &Authorized<ChangeAccount>,
    leave: Leave<'_>,
    grace: Duration,
) -> Result<Timestamp> {
    proof.leave(by, leave).await?;
    let id = by.principal().user;
    shop.write("request_deletion", |mut tx| async move {
        let user = tx.users().find(id).await?.ok_or(Error::Unauthenticated)?;
        let now = tx.now();
        let due = now + grace;
        if grace.is_zero() {
            erase(shop, &mut *tx, &user, Some(id), EndReason::Revoked).await?;
            return tx.commit(due).await;
        }
        may_go(&mut *tx, &user).await?;
        tx.users().set_deletion(id, Some(due)).await?;
        shop.enqueue(&mut *tx, Request::of(&DeletePerson { user: id, due }).after(grace)).await?;
        end_sessions_of(shop, &mut *tx, id, None, EndReason::Revoked, Some(id)).await?;
        shop.record(&mut *tx, Some(id), events::deletion_requested(id, due)).await?;
        tx.commit(due).await
    })
    .await
}

/// Calls one's own deletion off.
///
/// # Errors
/// [`Error::NotFound`] when none was asked for.
pub async fn withdraw_deletion(shop: &Shop, by: &Authorized<ChangeAccount>) -> Result<()> {
    by.in_person()?;
    let id = by.principal().user;
    shop.write("withdraw_deletion", |mut tx| async move {
        tx.users().deletion(id).await?.ok_or(Error::NotFound("Deletion"))?;
        tx.users().set_deletion(id, None).await?;
        shop.record(&mut *tx, Some(id), events::deletion_withdrawn(id)).await?;
        tx.commit(()).await
    })
    .await
}

/// Deletes somebody at once, whoever asked for it.
///
/// # Errors
/// [`Error::NotFound`] for the person; [`Error::Forbidden`] for who does not stand below; [`Error::Conflict`] for oneself, and as for
/// [`request_deletion`].
pub async fn delete_person(shop: &Shop, by: &Authorized<ManageUsers>, user: UserId) -> Result<()> {
    by.in_person()?;
    let who = by.principal();
    shop.write("delete_person", |mut tx| async move {
        if user == who.user {
            return Err(Error::conflict("Delete yourself by POST /api/v1/users/me/deletion"));
        }
        let person = living(&mut *tx, user).await?.ok_or(Error::NotFound("User"))?;
        policy::is_above(who, &person.roles)?;
        erase(shop, &mut *tx, &person, Some(who.user), EndReason::ByOperator).await?;
        tx.commit(()).await
    })
    .await
}

/// The job that deletes somebody when the time to call it off is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletePerson {
    /// Who.
    pub user: UserId,
    /// When it was to come; one that was asked for anew has a job of its own.
    pub due: Timestamp,
}

impl Job for DeletePerson {
    const NAME: &'static str = "delete_person";

    fn policy() -> Policy {
        // Somebody may have become the only owner of an account meanwhile, until they hand it over.
        Policy { attempts: 1_000, ..Policy::default() }
    }
}

/// Deletes somebody who did not call it off. Run again, it finds nothing to do.
///
/// # Errors
/// [`Error::Conflict`] as for [`request_deletion`]: then it is to be tried again.
pub async fn delete_when_due(shop: &Shop, job: DeletePerson) -> Result<()> {
    shop.write(DeletePerson::NAME, |mut tx| async move {
        if tx.users().deletion(job.user).await? == Some(job.due)
            && let Some(user) = living(&mut *tx, job.user).await?
        {
            erase(shop, &mut *tx, &user, None, EndReason::Revoked).await?;
        }
        tx.commit(()).await
    })
    .await
}

/// The person, unless they are deleted.
async fn living(tx: &mut dyn Tx, id: UserId) -> Result<Option<User>> {
    let pseudonym = Pseudonym::of(id).email;
    Ok(tx.users().find(id).await?.filter(|user| user.email != pseudonym))
}

/// Whether nobody is left behind with what only this person could mend.
async fn may_go(tx: &mut dyn Tx, user: &User) -> Result<()> {
    if user.roles.has(Role::Admin) {
        keep_an_admin(tx, user.id).await?;
    }
    for (seller, role) in tx.organisations().accounts_of(user.id).await? {
        tx.organisations().seller(seller).await?;
        let alone = role == organisation::MemberRole::Owner && tx.organisations().owners(seller).await? <= 1;
        if alone && tx.organisations().others(seller, user.id).await? > 0 {
            return Err(Error::conflict(
                "They alone own a seller account that has other members; make one of those an owner first",
            ));
        }
    }
    Ok(())
}

/// Makes somebody a pseudonym, and ends what hangs on them.
pub(super) async fn erase(
    shop: &Shop,
    tx: &mut dyn Tx,
    user: &User,
    by: Option<UserId>,
    reason: EndReason,
) -> Result<()> {
    may_go(tx, user).await?;
    let (id, now) = (user.id, shop.now());
    let pseudonym = Pseudonym::of(id);
    end_sessions_of(shop, tx, id, None, reason, by).await?;
    for (seller, role) in tx.organisations().accounts_of(id).await? {
        if tx.organisations().others(seller, id).await? == 0 {
            let name = format!("{}-{}", pseudonym.name, seller.0.simple());
            tx.organisations().rename(seller, &pseudonym.name, &name).await?;
        }
        tx.organisations().remove(seller, id).await?;
        shop.record(tx, by, organisation::member_left(seller, id, role)).await?;
    }
    for link in tx.foreign_ids().of(id).await? {
        part(tx, &link.id, now).await?;
    }
    tx.users().erase(id, &pseudonym, now).await?;
    shop.record(tx, by, events::user_deleted(id)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actor::Principal,
        identity::{Password, known::concerns, ports::UserQueries, throttle},
        testing::{Fixtures, PlainHasher, Turnstile, memory::MemoryStore},
    };

    const DAY: Duration = Duration::from_hours(24);

    async fn ask(given: &Fixtures, store: &MemoryStore, who: &Principal, word: &str, grace: Duration) -> Result<()> {
        let (hasher, turnstile) = (PlainHasher::default(), Turnstile::with(&[(throttle::TRIES, 3)]));
        let proof = Proof { users: store, hasher: &hasher, throttle: turnstile.throttle(store, [127, 0, 0, 1]) };
        let current = Password::given(word.to_owned());
        request_deletion(&given.shop, proof, &given.authorized(who), Leave::Current(&current), grace).await.map(|_| ())
    }

    async fn email(store: &MemoryStore, who: &Principal) -> String {
        store.profile(who.user).await.unwrap().unwrap().user.email.as_str().to_owned()
    }

    #[tokio::test]
    async fn who_asks_is_signed_out_and_may_think_again() {
        let (given, store) = Fixtures::in_memory();
        let ada = given.person(Role::User).await;
        let session = given.stored_session(ada.user).await;
        assert!(matches!(ask(&given, &store, &ada, "wrong", DAY).await, Err(Error::Forbidden(_))));
        ask(&given, &store, &ada, "correct horse", DAY).await.unwrap();
        assert!(given.tx().await.sessions().find(session.id).await.unwrap().unwrap().ended.is_some());
        let due = given.tx().await.users().deletion(ada.user).await.unwrap().unwrap();
        assert_eq!(due, given.shop.now() + DAY);
        let by = given.authorized(&ada);
        withdraw_deletion(&given.shop, &by).await.unwrap();
        assert!(matches!(withdraw_deletion(&given.shop, &by).await, Err(Error::NotFound("Deletion"))));
        let job = DeletePerson { user: ada.user, due };
        delete_when_due(&given.shop, job).await.unwrap();
        assert!(store.principal(ada.user).await.unwrap().is_some());
        // Asked for anew, the older job means nothing.
        given.clock.advance(DAY);
        ask(&given, &store, &ada, "correct horse", DAY).await.unwrap();
        delete_when_due(&given.shop, job).await.unwrap();
        assert!(store.principal(ada.user).await.unwrap().is_some());
        let job = DeletePerson { due: given.shop.now() + DAY, ..job };
        for _ in 0..2 {
            delete_when_due(&given.shop, job).await.unwrap();
        }
        assert_eq!(store.principal(ada.user).await.unwrap(), None);
        let told = store.events().into_iter().filter(|event| event.kind == "user.deleted").collect::<Vec<_>>();
        assert_eq!((told.len(), concerns(&told[0]), told[0].actor), (1, Some(ada.user), None));
    }

    #[tokio::test]
    async fn without_a_grace_it_comes_at_once() {
        let (given, store) = Fixtures::in_memory();
        let ada = given.person(Role::User).await;
        let before = email(&store, &ada).await;
        ask(&given, &store, &ada, "correct horse", Duration::ZERO).await.unwrap();
        assert_eq!(store.principal(ada.user).await.unwrap(), None);
        let left = store.profile(ada.user).await.unwrap().unwrap().user;
        assert_eq!((left.email, left.name), (Pseudonym::of(ada.user).email, Pseudonym::of(ada.user).name));
        assert!(store.account(&Email::stored(before)).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_operator_deletes_whoever_stands_below_and_nobody_left_behind_suffers() {
        let (given, store) = Fixtures::in_memory();
        let (admin, ada, seller) =
            (given.person(Role::Admin).await, given.person(Role::User).await, given.seller().await);
        let by = given.authorized(&admin);
        assert!(matches!(delete_person(&given.shop, &by, admin.user).await, Err(Error::Conflict(_))));
        assert!(matches!(ask(&given, &store, &admin, "correct horse", DAY).await, Err(Error::Conflict(_))));
        let account = seller.seller.unwrap();
        let mut tx = given.tx().await;
        tx.organisations().put(account, ada.user, organisation::MemberRole::Member, given.shop.now()).await.unwrap();
        tx.commit().await.unwrap();
        let refused = delete_person(&given.shop, &by, seller.user).await.unwrap_err();
        assert!(refused.to_string().contains("make one of those an owner first"));
        delete_person(&given.shop, &by, ada.user).await.unwrap();
        assert!(matches!(delete_person(&given.shop, &by, ada.user).await, Err(Error::NotFound("User"))));
        delete_person(&given.shop, &by, seller.user).await.unwrap();
        let left = given.tx().await.organisations().seller(account).await.unwrap().unwrap();
        assert_eq!(left.name, Pseudonym::of(seller.user).name, "the account was theirs alone");
        let actors: Vec<_> = store.audit_entries().iter().map(|entry| entry.actor).collect();
        assert!(actors.iter().all(|actor| *actor == Some(admin.user)));
    }
}
