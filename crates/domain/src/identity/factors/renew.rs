//! Proving anew, within a session, who one is. It takes what signing in takes: where there is a second factor, that too.

use super::{Factors, events, ports::FactorQueries};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    identity::{
        Login, Mailroom, Method, Methods, Notice, Password,
        email::use_sign_in_code,
        passkeys::{PasskeyAnswer, Passkeys},
        ports::{Account, Session, Verified},
    },
    permission::{Authorized, ChangeAccount},
    shop::Shop,
};

/// By what somebody proves anew who they are.
#[derive(Debug, Clone)]
pub enum Anew {
    /// Their password.
    Password(Password),
    /// The eight digits of a letter.
    EmailCode(String),
    /// A passkey of theirs.
    Passkey(PasskeyAnswer),
}

/// What it stands on.
#[derive(Clone, Copy)]
pub struct Reauthentication<'a> {
    /// Finds the account, checks passwords, bounds tries.
    pub login: Login<'a>,
    /// Knows codes of letters.
    pub room: &'a Mailroom,
    /// Knows codes of apps.
    pub factors: &'a Factors,
    /// Reads whether there is an app.
    pub ways: &'a dyn FactorQueries,
    /// Knows passkeys.
    pub passkeys: &'a Passkeys,
}

impl std::fmt::Debug for Reauthentication<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reauthentication").finish_non_exhaustive()
    }
}

/// What a session is after its person proved anew who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewed {
    /// When they did.
    pub authenticated_at: Timestamp,
    /// Until when it counts as fresh.
    pub fresh_until: Timestamp,
    /// By what.
    pub methods: Methods,
}

impl Reauthentication<'_> {
    /// Renews the proof of a session; `code` is that of the second factor, where there is one.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for what does not prove it, [`Error::Limited`] after too many tries, [`Error::Invalid`] when the
    /// second factor is missing.
    pub async fn run(
        self,
        shop: &Shop,
        by: &Authorized<ChangeAccount>,
        session: Session,
        anew: &Anew,
        code: Option<&str>,
    ) -> Result<Renewed> {
        let user = by.principal().user;
        let account = &self.login.users.own_account(user).await?.ok_or(Error::Unauthenticated)?;
        let strong = matches!(anew, Anew::Passkey(_));
        let app = self.ways.ways(user).await?.is_some_and(|ways| ways.totp.is_some());
        if app && !strong && code.is_none() {
            return Err(Error::invalid("/code", "required", "is required: the account has a second factor"));
        }
        let first = self.first(shop, account, anew).await?;
        if app && !strong {
            self.login.throttle.second_factor(user).await?;
        }
        shop.write("reauthenticate", |mut tx| async move {
            let now = tx.now();
            let found = tx.sessions().find(session.id).await?.filter(|one| one.user == user && one.ended.is_none());
            let mut session = found.ok_or(Error::Unauthenticated)?;
            let confirmed = tx.factors().totp(user).await?.is_some_and(|app| app.confirmed_at.is_some());
            session.methods = Methods::of(first);
            if confirmed && !session.methods.are_two_factors() {
                let second = self.factors.use_code(&mut *tx, user, code.unwrap_or_default(), now).await?;
                let method = second.ok_or_else(|| Error::forbidden("code is wrong, or was used before"))?;
                session.methods = session.methods.with(method);
                if method == Method::Recovery {
                    shop.record(&mut *tx, Some(user), events::recovery_code_used(user)).await?;
                    self.room.notify(shop, &mut *tx, &account.user.email, Notice::RecoveryCodeUsed).await?;
                }
            }
            session.authenticated_at = now;
            tx.sessions().update(&session).await?;
            shop.record(&mut *tx, Some(user), events::session_authenticated(&session)).await?;
            let (fresh_until, methods) = (now + self.factors.fresh, session.methods);
            tx.commit(Renewed { authenticated_at: now, fresh_until, methods }).await
        })
        .await
    }

    async fn first(self, shop: &Shop, account: &Account, anew: &Anew) -> Result<Method> {
        let user = account.user.id;
        match anew {
            Anew::Password(password) => {
                self.login.throttle.admit(account.user.email.as_str(), Some(user)).await?;
                match self.login.hasher.verify(password, Some(&account.password_hash)).await? {
                    Verified::No => Err(Error::forbidden("password is wrong")),
                    Verified::Yes | Verified::YesButOld => Ok(Method::Password),
                }
            }
            Anew::EmailCode(code) => {
                self.login.throttle.admit(account.user.email.as_str(), Some(user)).await?;
                if use_sign_in_code(shop, self.room, user, code).await? {
                    Ok(Method::EmailCode)
                } else {
                    Err(Error::forbidden("emailCode is wrong, was used or has ended; ask for a new one"))
                }
            }
            Anew::Passkey(answer) => match self.passkeys.prove(shop, answer).await? {
                Some(proven) if proven == user => Ok(Method::Passkey),
                _ => Err(Error::forbidden("The passkey was not accepted")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Principal,
        identity::{Admitted, FRESH, world::World},
        testing::Fixtures,
    };

    async fn session(given: &Fixtures, who: &Principal) -> Session {
        let stored = given.stored_session(who.user).await;
        Session { id: stored.id, user: who.user, until: stored.tokens_until, impersonator: None }
    }

    fn password(text: &str) -> Anew {
        Anew::Password(Password::given(text.to_owned()))
    }

    #[tokio::test]
    async fn the_password_makes_a_session_fresh_again() {
        let world = World::new();
        let ada = world.person().await;
        let session = session(&world.given, &ada).await;
        world.given.clock.advance(FRESH);
        let check = async || {
            let by = world.given.authorized::<ChangeAccount>(&ada);
            world.freshness().check(by, session, world.given.shop.now()).await
        };
        assert!(matches!(check().await, Err(Error::NotFresh(_))));
        let wrong = world.anew(&ada, session, password("wrong"), None).await;
        assert!(matches!(wrong, Err(Error::Forbidden(_))) && check().await.is_err());
        let renewed = world.anew(&ada, session, password("correct horse"), None).await.unwrap();
        assert_eq!(renewed.fresh_until, world.given.shop.now() + FRESH);
        check().await.unwrap();
        assert_eq!(world.store.traces().last().unwrap().1, "session.authenticated");
    }

    #[tokio::test]
    async fn where_there_is_an_app_the_password_alone_does_not() {
        let world = World::new();
        let ada = world.person().await;
        let (secret, codes) = world.app(&ada).await;
        let session = session(&world.given, &ada).await;
        let anew = async |code| world.anew(&ada, session, password("correct horse"), code).await;
        assert!(matches!(anew(None).await, Err(Error::Invalid(_))));
        assert!(matches!(anew(Some("000000")).await, Err(Error::Forbidden(_))));
        let code = world.code(&secret);
        let renewed = anew(Some(&code)).await.unwrap();
        assert_eq!(renewed.methods, Methods::of(Method::Password).with(Method::Totp));
        assert!(matches!(anew(Some(&code)).await, Err(Error::Forbidden(_))), "a second time");
        anew(Some(&codes.0[3])).await.unwrap();
        assert!(matches!(anew(Some(&codes.0[3])).await, Err(Error::Forbidden(_))));
    }

    #[tokio::test]
    async fn a_passkey_does_and_no_other_persons() {
        let world = World::new();
        let (ada, bob) = (world.person().await, world.person().await);
        world.app(&ada).await;
        world.passkey(&ada, "hers").await;
        world.passkey(&bob, "his").await;
        let session = session(&world.given, &ada).await;
        let his = world.anew(&ada, session, Anew::Passkey(world.answer("his", 2)), None).await;
        assert!(matches!(his, Err(Error::Forbidden(_))), "{his:?}");
        let renewed = world.anew(&ada, session, Anew::Passkey(world.answer("hers", 2)), None).await.unwrap();
        assert_eq!(renewed.methods, Methods::of(Method::Passkey));
        assert!(matches!(world.password(&ada).await.unwrap(), Admitted::Challenged(_)));
    }

    #[tokio::test]
    async fn the_session_must_be_ones_own_and_go_on() {
        let world = World::new();
        let (ada, bob) = (world.person().await, world.person().await);
        let (mine, his) = (session(&world.given, &ada).await, session(&world.given, &bob).await);
        let other = world.anew(&ada, his, password("correct horse"), None).await;
        assert!(matches!(other, Err(Error::Unauthenticated)));
        crate::identity::sign_out(&world.given.shop, &world.given.authorized(&ada), mine).await.unwrap();
        assert!(matches!(world.anew(&ada, mine, password("correct horse"), None).await, Err(Error::Unauthenticated)));
    }
}
