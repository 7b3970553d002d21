//! Ending sessions: signing out, revoking one, revoking many.

use super::{EndReason, StoredSession, events, ports::Session};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::{SessionId, UserId},
    permission::{Authorized, OwnAccount},
    shop::Shop,
    store::Tx,
};

/// Ends a session in the transaction of whoever wants it ended.
pub(crate) async fn end(
    shop: &Shop,
    tx: &mut dyn Tx,
    mut session: StoredSession,
    reason: EndReason,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<()> {
    session.ended = Some((now, reason));
    tx.sessions().update(&session).await?;
    shop.record(tx, by, events::session_ended(&session, reason)).await?;
    // What an operator began from it as somebody else goes with it.
    end_acting(shop, tx, session.user, Some(session.id), by, now).await
}

/// Ends what an operator does as others: all of it, or what they began from one session of theirs.
pub(crate) async fn end_acting(
    shop: &Shop,
    tx: &mut dyn Tx,
    operator: UserId,
    from: Option<SessionId>,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<()> {
    for mut begun in tx.sessions().begun_by(operator, from, now).await? {
        begun.ended = Some((now, EndReason::ByOperator));
        tx.sessions().update(&begun).await?;
        shop.record(tx, by, events::session_ended(&begun, EndReason::ByOperator)).await?;
    }
    Ok(())
}

/// Ends the sessions of a person, but for `except`, in the transaction of a use case after which they shall not go on: a changed
/// password, a ban. Their access tokens hold no more, on any node. Gives how many it ended. Whoever signs in at the same time does
/// so before this, and is ended too, or after what this transaction changed of the person.
///
/// # Errors
/// Those of the store.
pub async fn end_sessions_of(
    shop: &Shop,
    tx: &mut dyn Tx,
    user: UserId,
    except: Option<SessionId>,
    reason: EndReason,
    by: Option<UserId>,
) -> Result<usize> {
    let now = shop.now();
    let mut live = tx.sessions().live_of(user, now).await?;
    live.retain(|session| Some(session.id) != except);
    let ended = live.len();
    for session in live {
        end(shop, tx, session, reason, by, now).await?;
    }
    Ok(ended)
}

/// Signs out: ends the session the caller calls with.
///
/// # Errors
/// Those of the store.
pub async fn sign_out(shop: &Shop, by: &Authorized<OwnAccount>, session: Session) -> Result<()> {
    match end_own(shop, by, session.id, EndReason::SignedOut).await {
        // It ended meanwhile, or there never was one to end.
        Err(Error::NotFound(_)) => Ok(()),
        other => other,
    }
}

/// Ends one of the caller's sessions.
///
/// # Errors
/// [`Error::NotFound`] also for a session of somebody else, and for one that is over.
pub async fn revoke_session(shop: &Shop, by: &Authorized<OwnAccount>, id: SessionId) -> Result<()> {
    by.in_person()?;
    end_own(shop, by, id, EndReason::Revoked).await
}

/// Ends all of the caller's sessions, but for `except`. Gives how many.
///
/// # Errors
/// Those of the store.
pub async fn revoke_sessions(shop: &Shop, by: &Authorized<OwnAccount>, except: Option<SessionId>) -> Result<usize> {
    by.in_person()?;
    let user = by.principal().user;
    shop.write("revoke_sessions", |mut tx| async move {
        let ended = end_sessions_of(shop, &mut *tx, user, except, EndReason::Revoked, Some(user)).await?;
        tx.commit(ended).await
    })
    .await
}

async fn end_own(shop: &Shop, by: &Authorized<OwnAccount>, id: SessionId, reason: EndReason) -> Result<()> {
    let user = by.principal().user;
    shop.write("end_session", |mut tx| async move {
        let now = tx.now();
        let found = tx.sessions().find(id).await?.filter(|session| session.user == user && session.is_live(now));
        let session = found.ok_or(Error::NotFound("Session"))?;
        end(shop, &mut *tx, session, reason, Some(user), now).await?;
        tx.commit(()).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{permission::Role, testing::Fixtures};

    #[tokio::test]
    async fn a_person_ends_their_own_sessions_and_no_others() {
        let (given, store) = Fixtures::in_memory();
        let (ada, bob) = (given.person(Role::User).await, given.person(Role::User).await);
        let (hers, his) = (given.stored_session(ada.user).await, given.stored_session(bob.user).await);
        let by = given.authorized(&ada);
        let nowhere: SessionId = given.shop.id();
        for other in [his.id, nowhere] {
            assert!(matches!(revoke_session(&given.shop, &by, other).await, Err(Error::NotFound("Session"))));
        }
        revoke_session(&given.shop, &by, hers.id).await.unwrap();
        assert!(matches!(revoke_session(&given.shop, &by, hers.id).await, Err(Error::NotFound("Session"))));
        let until = given.shop.now();
        for _ in 0..2 {
            sign_out(&given.shop, &by, Session { id: hers.id, user: ada.user, until, impersonator: None })
                .await
                .unwrap();
        }
        assert_eq!(revoke_sessions(&given.shop, &by, None).await.unwrap(), 0);
        assert_eq!(store.traces(), [("session.end".to_owned(), "session.ended".to_owned())]);
        let event = &store.events()[0];
        assert_eq!((event.entity.id, event.actor), (hers.id.0, Some(ada.user)));
    }
}
