//! Signing in by a passkey alone: it names its person, and counts as both factors.

use serde_json::Value;

use super::{
    Begun, Passkeys,
    ceremony::{self, Kind},
    ports::Credential,
};
use crate::{
    error::{Error, Result},
    id::UserId,
    identity::{Admitted, Client, Login, Method, Proven},
    shop::Shop,
};

/// What ends a sign-in by a passkey.
#[derive(Clone)]
pub struct PasskeyAnswer {
    /// What the beginning gave.
    pub ceremony: String,
    /// What the browser made: a `PublicKeyCredential` with an assertion.
    pub credential: Value,
}

impl std::fmt::Debug for PasskeyAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasskeyAnswer(..)")
    }
}

impl Passkeys {
    /// Begins a sign-in of somebody unknown, or a proof anew. Nothing is stored.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when this installation has no passkeys.
    pub fn begin_sign_in(&self, shop: &Shop) -> Result<Begun> {
        ceremony::begin(&*self.sealer, Kind::SignIn, None, self.ceremonies()?.begin_sign_in()?, shop.now())
    }

    /// Whose passkey made this answer; `None` for one that proves nothing, and for a ceremony that was used or has ended. The
    /// ceremony is used up either way.
    pub(in crate::identity) async fn prove(&self, shop: &Shop, answer: &PasskeyAnswer) -> Result<Option<UserId>> {
        let ceremonies = self.ceremonies()?;
        let Some(kept) = ceremony::open(&*self.sealer, Kind::SignIn, &answer.ceremony, shop.now()) else {
            return Ok(None);
        };
        let Some(claimed) = ceremonies.claimed(&answer.credential) else { return Ok(None) };
        let (digest, claimed, kept) = (&self.digest(&answer.ceremony), &claimed, &kept);
        shop.write("prove_passkey", |mut tx| async move {
            let now = tx.now();
            if !tx.challenges().spend(digest, kept.until, now).await? {
                return Ok(tx.discard(None));
            }
            // Held, so that of two answers at once the second is compared with the counter of the first.
            let Some(passkey) = tx.passkeys().by_credential(claimed).await? else { return tx.commit(None).await };
            let known = Credential { id: passkey.credential.clone(), key: passkey.key.clone() };
            match ceremonies.end_sign_in(&kept.state, &answer.credential, passkey.user, &known)? {
                Some(proven) => {
                    tx.passkeys().used(passkey.id, &proven.key, now).await?;
                    tx.commit(Some(passkey.user)).await
                }
                None => tx.commit(None).await,
            }
        })
        .await
    }
}

impl Login<'_> {
    /// Signs a person in by a passkey.
    ///
    /// # Errors
    /// [`Error::NotProven`] for every cause; [`Error::Forbidden`] for who has the passkey and is banned, or must prove their address
    /// first.
    pub async fn with_passkey(
        self,
        shop: &Shop,
        passkeys: &Passkeys,
        answer: &PasskeyAnswer,
        client: &Client,
    ) -> Result<Admitted> {
        let user = passkeys.prove(shop, answer).await?.ok_or_else(refused)?;
        let account = self.users.own_account(user).await?.ok_or_else(refused)?;
        self.must_be_verified(&account)?;
        self.open(shop, account, client, Proven::by(Method::Passkey)).await?.ok_or_else(refused)
    }
}

fn refused() -> Error {
    Error::NotProven("The passkey was not accepted, or its ceremony was used or has ended; begin again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::{
            Methods, NO_PASSWORD,
            passkeys::{CEREMONY, NewPasskey, create_passkey, delete_passkey, rename_passkey},
            ports::SessionQueries as _,
            world::World,
        },
        mail::Subject,
        testing::PlainCeremonies,
    };

    fn refused<T: std::fmt::Debug>(result: &Result<T>) {
        assert!(matches!(result, Err(Error::NotProven(_))), "{result:?}");
    }

    #[tokio::test]
    async fn a_passkey_signs_in_alone_and_counts_as_both_factors() {
        let world = World::new();
        let ada = world.person().await;
        world.app(&ada).await;
        world.passkey(&ada, "phone").await;
        let signed = world.with_passkey(&world.answer("phone", 2)).await.unwrap().signed_in().unwrap();
        let session = world.store.find(signed.session).await.unwrap().unwrap();
        assert_eq!((session.user, session.methods), (ada.user, Methods::of(Method::Passkey)));
        assert_eq!(world.letters().await, [Subject::FactorAdded, Subject::PasskeyAdded]);
    }

    #[tokio::test]
    async fn an_answer_is_good_once_for_a_while_and_its_counter_only_goes_up() {
        let world = World::new();
        let ada = world.person().await;
        world.passkey(&ada, "phone").await;
        let answer = world.answer("phone", 7);
        world.with_passkey(&answer).await.unwrap();
        refused(&world.with_passkey(&answer).await);
        let shouted = PasskeyAnswer { ceremony: answer.ceremony.to_uppercase(), ..answer.clone() };
        refused(&world.with_passkey(&shouted).await);
        refused(&world.with_passkey(&world.answer("phone", 7)).await);
        refused(&world.with_passkey(&world.answer("phone", 6)).await);
        refused(&world.with_passkey(&world.answer("unknown", 8)).await);
        let late = world.answer("phone", 8);
        world.given.clock.advance(CEREMONY);
        refused(&world.with_passkey(&late).await);
        let mut changed = world.answer("phone", 8);
        changed.ceremony.replace_range(2..4, "00");
        refused(&world.with_passkey(&changed).await);
        world.with_passkey(&world.answer("phone", 8)).await.unwrap();
    }

    #[tokio::test]
    async fn a_ceremony_is_for_one_thing_and_one_person() {
        let world = World::new();
        let (ada, bob) = (world.person().await, world.person().await);
        let used = world.passkey(&ada, "hers").await;
        let (shop, hers, his) = (&world.given.shop, world.given.fresh(&ada), world.given.fresh(&bob));
        let create = async |by, begun: &Begun, id: &str| {
            let credential = PlainCeremonies::answer(&begun.options, id, 1);
            let new = NewPasskey { ceremony: begun.ceremony.clone(), credential, name: "Phone".to_owned() };
            create_passkey(shop, &world.room, &world.passkeys, by, new).await
        };
        assert!(matches!(create(&hers, &used, "another").await, Err(Error::Unprocessable(_))), "used");
        let another = async || super::super::begin_passkey(shop, &world.passkeys, &hers).await.unwrap();
        let begun = another().await;
        assert_eq!(begun.options["excluded"], 1);
        assert!(matches!(create(&his, &begun, "another").await, Err(Error::Unprocessable(_))), "hers");
        let sign_in = world.passkeys.begin_sign_in(shop).unwrap();
        assert!(matches!(create(&hers, &sign_in, "another").await, Err(Error::Unprocessable(_))));
        let credential = PlainCeremonies::answer(&begun.options, "hers", 2);
        refused(&world.with_passkey(&PasskeyAnswer { ceremony: begun.ceremony.clone(), credential }).await);
        assert!(matches!(create(&hers, &begun, "hers").await, Err(Error::Conflict(_))), "known");
        create(&hers, &another().await, "another").await.unwrap();
    }

    #[tokio::test]
    async fn passkeys_are_renamed_and_deleted_by_their_owner_but_for_the_last_way_in() {
        let world = World::new();
        let (ada, bob) = (world.person().await, world.person().await);
        world.passkey(&ada, "phone").await;
        let (shop, hers, his) = (&world.given.shop, world.given.fresh(&ada), world.given.fresh(&bob));
        let mut tx = world.given.tx().await;
        let phone = tx.passkeys().by_credential(b"phone").await.unwrap().unwrap().id;
        tx.users().set_password_hash(ada.user, NO_PASSWORD, shop.now()).await.unwrap();
        tx.commit().await.unwrap();
        let delete = async |by| delete_passkey(shop, &world.room, &world.store, by, phone).await;
        assert!(matches!(delete(&his).await, Err(Error::NotFound(_))));
        let renamed = rename_passkey(shop, &world.given.authorized(&bob), phone, "Mine").await;
        assert!(matches!(renamed, Err(Error::NotFound(_))));
        assert!(matches!(delete(&hers).await, Err(Error::Conflict(_))), "it is the last way in");
        world.passkey(&ada, "stick").await;
        let renamed = rename_passkey(shop, &world.given.authorized(&ada), phone, "Old phone").await.unwrap();
        assert_eq!(renamed.name, "Old phone");
        delete(&hers).await.unwrap();
        refused(&world.with_passkey(&world.answer("phone", 9)).await);
        let told = ["user.factor_added", "user.factor_added", "user.passkey_renamed", "user.factor_removed"];
        assert_eq!(world.told(), told);
        assert!(world.letters().await.contains(&Subject::PasskeyRemoved));
    }
}
