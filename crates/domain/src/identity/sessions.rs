//! Beginning sessions, and going on with them.

use std::sync::Arc;

use super::{
    Client, EndReason, Profile, Proven, RefreshToken, SessionRules, StoredSession,
    end_sessions::end,
    events,
    ports::{AccessToken, Tokens},
};
use crate::{clock::Timestamp, error::Result, id::SessionId, secrets::Mac, shop::Shop, store::Tx};

/// Makes sessions and their tokens. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    /// Makes access tokens.
    pub tokens: Arc<dyn Tokens>,
    /// Makes refresh tokens.
    pub mac: Arc<dyn Mac>,
    /// How long they last.
    pub rules: SessionRules,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// A person signed in, or gone on with their session.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub profile: Profile,
    /// The token they use from now on.
    pub token: AccessToken,
    /// Their session.
    pub session: SessionId,
    /// With what they get the next token, once.
    pub refresh: String,
    /// Until when.
    pub refresh_until: Timestamp,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Sessions {
    /// Begins a session in the transaction of a use case that made sure who it is: any way to sign in ends here. Whether what
    /// they have proved is enough is asked before. `None` comes back when the person is gone, or has another password by now than the one
    /// that was checked.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn begin(
        &self,
        shop: &Shop,
        tx: &mut dyn Tx,
        profile: &Profile,
        client: &Client,
        proven: Proven<'_>,
    ) -> Result<Option<SignedIn>> {
        let (now, user) = (shop.now(), profile.user.id);
        let mut family = [0; 32];
        shop.entropy.fill(&mut family);
        let mut session = StoredSession {
            id: shop.id::<SessionId>(),
            user,
            family,
            generation: 0,
            rotated_at: now,
            client: client.clone(),
            created_at: now,
            authenticated_at: now,
            methods: proven.methods,
            last_used_at: now,
            idle_until: now,
            expires_at: now + self.rules.longest(proven.methods),
            tokens_until: now,
            ended: None,
            impersonation: None,
        };
        session.touch(now, &self.rules);
        let token = self.tokens.issue(profile, session.id, session.expires_at, now)?;
        session.tokens_until = token.expires_at;
        if !tx.sessions().insert(&session, proven.checked).await? {
            return Ok(None);
        }
        shop.record(tx, Some(user), events::session_created(&session)).await?;
        self.make_room(shop, tx, &session, now).await?;
        Ok(Some(self.signed_in(profile.clone(), token, &session)))
    }

    /// Ends those that were used least lately when the person has more than the shop allows.
    async fn make_room(&self, shop: &Shop, tx: &mut dyn Tx, newest: &StoredSession, now: Timestamp) -> Result<()> {
        let most = usize::try_from(self.rules.most.max(1)).unwrap_or(usize::MAX);
        let mut live = tx.sessions().live_of(newest.user, now).await?;
        live.retain(|session| session.id != newest.id && session.is_live(now) && session.impersonation.is_none());
        live.sort_by_key(|session| (session.last_used_at, session.id));
        let beyond = (live.len() + 1).saturating_sub(most);
        for session in live.into_iter().take(beyond) {
            end(shop, tx, session, EndReason::Replaced, Some(newest.user), now).await?;
        }
        Ok(())
    }

    /// Goes on with a session: a refresh token for the next one and an access token. Used again within the grace, by tabs that
    /// race, it gives the same successor; used again later, somebody may have stolen it, and the whole session ends. `None`
    /// for a token that does not hold, whatever the cause.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn refresh(&self, shop: &Shop, given: &str, client: &Client) -> Result<Option<SignedIn>> {
        let Some(given) = RefreshToken::parse(given) else { return Ok(None) };
        shop.write("refresh_session", |mut tx| async move {
            let now = tx.now();
            let Some(mut session) = tx.sessions().find(given.session).await? else { return Ok(tx.discard(None)) };
            if !given.fits(&*self.mac, &session) || !session.is_live(now) || session.impersonation.is_some() {
                return Ok(tx.discard(None));
            }
            let behind = session.generation.checked_sub(given.generation);
            let again = behind == Some(1) && now < session.rotated_at + self.rules.grace;
            if behind != Some(0) && !again {
                end(shop, &mut *tx, session, EndReason::Reused, None, now).await?;
                return tx.commit(None).await;
            }
            let Some(user) = tx.users().find(session.user).await? else { return Ok(tx.discard(None)) };
            let profile = Profile { seller: tx.sellers().of_member(user.id).await?, user };
            if again {
                // Nothing is written: what the others were given holds for this one too, and its access token ends with theirs.
                let token = self.tokens.issue(&profile, session.id, session.tokens_until, now)?;
                return Ok(tx.discard(Some(self.signed_in(profile, token, &session))));
            }
            session.generation += 1;
            session.rotated_at = now;
            session.client = client.clone();
            session.touch(now, &self.rules);
            let token = self.tokens.issue(&profile, session.id, session.expires_at, now)?;
            session.tokens_until = session.tokens_until.max(token.expires_at);
            tx.sessions().update(&session).await?;
            shop.record(&mut *tx, Some(session.user), events::session_refreshed(&session)).await?;
            let signed = self.signed_in(profile, token, &session);
            tx.commit(Some(signed)).await
        })
        .await
    }

    fn signed_in(&self, profile: Profile, token: AccessToken, session: &StoredSession) -> SignedIn {
        let refresh = RefreshToken::of(&*self.mac, session).expose();
        SignedIn { profile, token, session: session.id, refresh, refresh_until: session.idle_until }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        id::UserId,
        identity::{
            Method, end_sessions_of,
            ports::{SessionQueries, UserQueries},
        },
        page::{Limit, PageRequest},
        permission::Role,
        testing::{Fixtures, PlainMac, PlainTokens, memory::MemoryStore},
    };

    fn desk(rules: SessionRules) -> Sessions {
        Sessions { tokens: Arc::new(PlainTokens), mac: Arc::new(PlainMac), rules }
    }

    async fn sign_in(given: &Fixtures, store: &MemoryStore, desk: &Sessions, user: UserId) -> SignedIn {
        let profile = store.profile(user).await.unwrap().unwrap();
        let profile = &profile;
        let begin = given.shop.write("sign_in", |mut tx| async move {
            let proven = Proven::by(Method::EmailCode);
            let signed = desk.begin(&given.shop, &mut *tx, profile, &Client::default(), proven).await?;
            tx.commit(signed).await
        });
        begin.await.unwrap().unwrap()
    }

    async fn sessions_of(store: &MemoryStore, given: &Fixtures, user: UserId) -> Vec<SessionId> {
        let all = PageRequest { page: 1, limit: Limit::default() };
        let live = store.live(user, given.shop.now(), all).await.unwrap();
        live.items.iter().map(|session| session.id).collect()
    }

    #[tokio::test]
    async fn each_refresh_token_is_good_once_and_the_grace_gives_the_same_again() {
        let (given, store) = Fixtures::in_memory();
        let desk = desk(SessionRules::default());
        let user = given.person(Role::User).await.user;
        let first = sign_in(&given, &store, &desk, user).await;
        let refresh = async |token: &str| desk.refresh(&given.shop, token, &Client::default()).await.unwrap();
        given.clock.advance(Duration::from_mins(10));
        let second = refresh(&first.refresh).await.unwrap();
        assert_ne!(second.refresh, first.refresh);
        assert_eq!((second.session, second.profile.user.id), (first.session, user));
        given.clock.advance(Duration::from_secs(9));
        let again = refresh(&first.refresh).await.unwrap();
        assert_eq!((&again.refresh, again.token.expires_at), (&second.refresh, second.token.expires_at));
        assert_eq!(store.traces().len(), 2, "a repetition changes nothing");
        given.clock.advance(Duration::from_mins(10));
        let third = refresh(&second.refresh).await.unwrap();
        // The first one again, long after: the whole family is over.
        assert_eq!(refresh(&first.refresh).await, None);
        assert_eq!(refresh(&third.refresh).await, None);
        assert_eq!(sessions_of(&store, &given, user).await, []);
        let told: Vec<_> = store.traces().into_iter().map(|(_, event)| event).collect();
        assert_eq!(told, ["session.created", "session.refreshed", "session.refreshed", "session.ended"]);
        assert_eq!(store.audit_entries().last().unwrap().metadata["reason"], "reused");
        let logs = serde_json::to_string(&(store.events(), store.audit_entries())).unwrap();
        assert!(!logs.contains(&third.refresh[60..]) && !logs.contains(&third.token.token));
    }

    #[tokio::test]
    async fn after_the_grace_a_token_used_twice_ends_the_session() {
        let (given, store) = Fixtures::in_memory();
        let desk = desk(SessionRules::default());
        let user = given.person(Role::User).await.user;
        let first = sign_in(&given, &store, &desk, user).await;
        let second = desk.refresh(&given.shop, &first.refresh, &Client::default()).await.unwrap().unwrap();
        given.clock.advance(Duration::from_secs(10));
        assert_eq!(desk.refresh(&given.shop, &first.refresh, &Client::default()).await.unwrap(), None);
        assert_eq!(desk.refresh(&given.shop, &second.refresh, &Client::default()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_session_ends_unused_and_after_its_longest_time_and_no_token_outlives_it() {
        let (given, store) = Fixtures::in_memory();
        let hours = Duration::from_hours;
        let rules = SessionRules { longest: hours(5), idle: hours(2), ..SessionRules::default() };
        let desk = desk(rules);
        let ada = given.person(Role::User).await.user;
        let unused = sign_in(&given, &store, &desk, ada).await;
        let mut used = sign_in(&given, &store, &desk, ada).await;
        let began = given.shop.now();
        for _ in 0..3 {
            given.clock.advance(Duration::from_mins(98));
            used = desk.refresh(&given.shop, &used.refresh, &Client::default()).await.unwrap().unwrap();
        }
        assert_eq!((used.token.expires_at, used.refresh_until), (began + hours(5), began + hours(5)));
        assert_eq!(desk.refresh(&given.shop, &unused.refresh, &Client::default()).await.unwrap(), None);
        given.clock.advance(Duration::from_mins(6));
        assert_eq!(desk.refresh(&given.shop, &used.refresh, &Client::default()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn nothing_else_is_a_refresh_token() {
        let (given, store) = Fixtures::in_memory();
        let desk = desk(SessionRules::default());
        let (ada, bob) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
        let (hers, his) = (sign_in(&given, &store, &desk, ada).await, sign_in(&given, &store, &desk, bob).await);
        let mixed = format!("{}{}", &hers.refresh[..48], &his.refresh[48..]);
        let stranger = RefreshToken::of(&PlainMac, &given.session(ada)).expose();
        for bad in [hers.token.token.as_str(), "", "souk_rt_", &mixed, &stranger] {
            assert_eq!(desk.refresh(&given.shop, bad, &Client::default()).await.unwrap(), None, "{bad}");
        }
        assert!(desk.refresh(&given.shop, &hers.refresh, &Client::default()).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn the_sign_in_beyond_the_most_ends_the_one_used_least_lately() {
        let (given, store) = Fixtures::in_memory();
        let desk = desk(SessionRules { most: 2, ..SessionRules::default() });
        let user = given.person(Role::User).await.user;
        let mut signed = Vec::new();
        for _ in 0..2 {
            given.clock.advance(Duration::from_secs(1));
            signed.push(sign_in(&given, &store, &desk, user).await);
        }
        given.clock.advance(Duration::from_secs(1));
        desk.refresh(&given.shop, &signed[0].refresh, &Client::default()).await.unwrap().unwrap();
        given.clock.advance(Duration::from_secs(1));
        signed.push(sign_in(&given, &store, &desk, user).await);
        assert_eq!(sessions_of(&store, &given, user).await, [signed[2].session, signed[0].session]);
    }

    #[tokio::test]
    async fn who_changed_their_password_meanwhile_is_not_signed_in_by_the_old_one() {
        let (given, store) = Fixtures::in_memory();
        let desk = desk(SessionRules::default());
        let user = given.person(Role::User).await.user;
        let profile = store.profile(user).await.unwrap().unwrap();
        for (verified, begins) in [(Some("plain$correct horse"), true), (Some("plain$other"), false), (None, true)] {
            let mut tx = given.tx().await;
            let proven = verified.map_or(Proven::by(Method::EmailCode), Proven::by_password);
            let signed = desk.begin(&given.shop, &mut *tx, &profile, &Client::default(), proven).await.unwrap();
            assert_eq!(signed.is_some(), begins, "{verified:?}");
        }
        let mut tx = given.tx().await;
        let gone = given.user(Role::User);
        let (gone, proven) = (Profile { user: gone, seller: None }, Proven::by(Method::EmailCode));
        assert_eq!(desk.begin(&given.shop, &mut *tx, &gone, &Client::default(), proven).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_use_case_ends_all_sessions_but_one() {
        let (given, store) = Fixtures::in_memory();
        let desk = desk(SessionRules::default());
        let user = given.person(Role::User).await.user;
        let kept = sign_in(&given, &store, &desk, user).await.session;
        for _ in 0..3 {
            sign_in(&given, &store, &desk, user).await;
        }
        let mut tx = given.tx().await;
        let reason = EndReason::PasswordChanged;
        assert_eq!(end_sessions_of(&given.shop, &mut *tx, user, Some(kept), reason, Some(user)).await.unwrap(), 3);
        assert_eq!(end_sessions_of(&given.shop, &mut *tx, user, Some(kept), reason, Some(user)).await.unwrap(), 0);
        tx.commit().await.unwrap();
        assert_eq!(sessions_of(&store, &given, user).await, [kept]);
    }
}
