//! A shop in memory in which tests sign people in by every way.

use std::sync::Arc;

use super::{
    Admitted, Challenge, Client, Credentials, FRESH, Factors, Freshness, Login, Mailroom, Passkeys, Password,
    Promotion, SecondFactorLogin, SessionRules, Sessions, SignedIn, Throttle, Verification, enter_as_guest,
    factors::{Anew, Reauthentication, RecoveryCodes, Renewed, begin_totp, confirm_totp, ports::OneTimeCodes as _},
    passkeys::{Begun, NewPasskey, PasskeyAnswer, begin_passkey, create_passkey},
    ports::{Session, UserQueries as _},
};
use crate::{
    Principal,
    error::Result,
    mail::{Mail, Subject},
    permission::{Authorized, ChangeAccount, Role},
    secrets::Sealer as _,
    testing::{
        Fixtures, PlainCeremonies, PlainCodes, PlainHasher, PlainMac, PlainSealer, PlainTokens, Postbox, Turnstile,
        memory::MemoryStore,
    },
};

pub(crate) struct World {
    pub(crate) given: Fixtures,
    pub(crate) store: MemoryStore,
    pub(crate) room: Mailroom,
    pub(crate) factors: Factors,
    pub(crate) passkeys: Passkeys,
    pub(crate) turnstile: Turnstile,
    postbox: Arc<Postbox>,
    sessions: Sessions,
    hasher: PlainHasher,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::limited(&[])
    }

    pub(crate) fn limited(limits: &[(&str, u32)]) -> Self {
        let (given, store) = Fixtures::in_memory();
        Self {
            given,
            store,
            room: Postbox::room(Verification::Off),
            factors: Factors {
                sealer: Arc::new(PlainSealer),
                mac: Arc::new(PlainMac),
                codes: Arc::new(PlainCodes),
                issuer: "Souk".to_owned(),
                fresh: FRESH,
            },
            passkeys: Passkeys {
                ceremonies: Some(Arc::new(PlainCeremonies)),
                sealer: Arc::new(PlainSealer),
                mac: Arc::new(PlainMac),
            },
            turnstile: Turnstile::with(limits),
            postbox: Arc::default(),
            sessions: Sessions {
                tokens: Arc::new(PlainTokens),
                mac: Arc::new(PlainMac),
                rules: SessionRules::default(),
            },
            hasher: PlainHasher::default(),
        }
    }

    /// The same where people prove their addresses.
    pub(crate) fn verifying() -> Self {
        Self { room: Postbox::room(Verification::On), ..Self::new() }
    }

    pub(crate) fn with_limits(self, limits: &[(&str, u32)]) -> Self {
        Self { turnstile: Turnstile::with(limits), ..self }
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub(crate) async fn guest(&self) -> SignedIn {
        enter_as_guest(&self.given.shop, &self.sessions, &Client::default()).await.unwrap()
    }

    pub(crate) fn promotion(&self) -> Promotion<'_> {
        Promotion { hasher: &self.hasher, sessions: &self.sessions, room: &self.room, throttle: self.throttle(1) }
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<Admitted> {
        let (email, password) = (email.to_owned(), Password::given(password.to_owned()));
        self.login(1).with_password(&self.given.shop, Credentials { email, password, client: Client::default() }).await
    }

    pub(crate) async fn person(&self) -> Principal {
        self.given.person(Role::User).await
    }

    pub(crate) fn throttle(&self, last: u8) -> Throttle<'_> {
        self.turnstile.throttle(&self.store, [203, 0, 113, last])
    }

    pub(crate) fn login(&self, last: u8) -> Login<'_> {
        Login {
            users: &self.store,
            hasher: &self.hasher,
            sessions: &self.sessions,
            throttle: self.throttle(last),
            verification: self.room.verification,
        }
    }

    /// What their password is answered with.
    pub(crate) async fn password(&self, who: &Principal) -> Result<Admitted> {
        let email = self.store.profile(who.user).await?.unwrap().user.email.as_str().to_owned();
        self.sign_in(&email, "correct horse").await
    }

    /// The challenge that their password is answered with.
    pub(crate) async fn challenge(&self, who: &Principal) -> Challenge {
        match self.password(who).await.unwrap() {
            Admitted::Challenged(challenge) => challenge,
            Admitted::In(_) => panic!("one factor was enough"),
        }
    }

    pub(crate) async fn second(&self, challenge: &Challenge, code: &str, from: u8) -> Result<SignedIn> {
        let given =
            SecondFactorLogin { challenge: challenge.text.clone(), code: code.to_owned(), client: Client::default() };
        self.login(from).with_second_factor(&self.given.shop, &self.room, &self.factors, given).await
    }

    /// Gives them an app, and gives its secret.
    pub(crate) async fn app(&self, who: &Principal) -> (Vec<u8>, RecoveryCodes) {
        let by = self.given.fresh::<ChangeAccount>(who);
        begin_totp(&self.given.shop, &self.factors, &by).await.unwrap();
        let kept = self.given.tx().await.factors().totp(who.user).await.unwrap().unwrap();
        let secret = PlainSealer.open(&format!("totp/{}", who.user), &kept.sealed).unwrap();
        let code = self.code(&secret);
        let (shop, throttle) = (&self.given.shop, self.throttle(1));
        let codes = confirm_totp(shop, &self.room, &self.factors, throttle, &by, &code).await.unwrap();
        self.later(60);
        (secret, codes)
    }

    /// The code that the app shows now.
    pub(crate) fn code(&self, secret: &[u8]) -> String {
        let step = u64::try_from(self.given.shop.now().timestamp() / 30).unwrap();
        format!("{:06}", PlainCodes.code(secret, step).unwrap())
    }

    pub(crate) fn later(&self, seconds: u64) {
        self.given.clock.advance(std::time::Duration::from_secs(seconds));
    }

    pub(crate) async fn passkey(&self, who: &Principal, id: &str) -> Begun {
        let (shop, by) = (&self.given.shop, self.given.fresh::<ChangeAccount>(who));
        let begun = begin_passkey(shop, &self.passkeys, &by).await.unwrap();
        let credential = PlainCeremonies::answer(&begun.options, id, 1);
        let new = NewPasskey { ceremony: begun.ceremony.clone(), credential, name: "Phone".to_owned() };
        create_passkey(shop, &self.room, &self.passkeys, &by, new).await.unwrap();
        begun
    }

    /// What the authenticator with this credential answers to a new sign-in, at this count.
    pub(crate) fn answer(&self, id: &str, count: u64) -> PasskeyAnswer {
        let begun = self.passkeys.begin_sign_in(&self.given.shop).unwrap();
        PasskeyAnswer { credential: PlainCeremonies::answer(&begun.options, id, count), ceremony: begun.ceremony }
    }

    pub(crate) async fn with_passkey(&self, answer: &PasskeyAnswer) -> Result<Admitted> {
        self.login(1).with_passkey(&self.given.shop, &self.passkeys, answer, &Client::default()).await
    }

    pub(crate) async fn anew(
        &self,
        who: &Principal,
        session: Session,
        anew: Anew,
        code: Option<&str>,
    ) -> Result<Renewed> {
        let asked = Reauthentication {
            login: self.login(1),
            room: &self.room,
            factors: &self.factors,
            ways: &self.store,
            passkeys: &self.passkeys,
        };
        let by: Authorized<ChangeAccount> = self.given.authorized(who);
        asked.run(&self.given.shop, &by, session, &anew, code).await
    }

    pub(crate) fn freshness(&self) -> Freshness<'_> {
        Freshness { sessions: &self.store, factors: &self.store, within: FRESH, mail: true }
    }

    /// What letters were about that were sent since it was last asked.
    pub(crate) async fn letters(&self) -> Vec<Subject> {
        self.post().await.into_iter().map(|mail| mail.about).collect()
    }

    /// The letters that were sent since it was last asked.
    pub(crate) async fn post(&self) -> Vec<Mail> {
        self.postbox.deliver_all(&self.given.shop, &self.room, &self.store).await.unwrap()
    }

    /// The events told so far, but for those of sessions.
    pub(crate) fn told(&self) -> Vec<String> {
        let told = self.store.traces().into_iter().map(|(_, event)| event);
        told.filter(|event| !event.starts_with("session.")).collect()
    }
}
