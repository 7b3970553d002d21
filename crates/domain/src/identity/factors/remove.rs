//! Taking second factors away, and making new recovery codes.

use super::{Factors, RecoveryCodes, events};
use crate::{
    access,
    error::{Error, Result},
    id::UserId,
    identity::{Fresh, Mailroom, Method, Notice},
    permission::{ChangeAccount, ManageUsers},
    shop::Shop,
    store::Tx,
};

/// Removes one's own authenticator app, and the recovery codes with it.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn remove_totp(shop: &Shop, room: &Mailroom, by: &Fresh<ChangeAccount>) -> Result<()> {
    let user = by.principal().user;
    shop.write("remove_totp", |mut tx| async move {
        remove(shop, room, &mut *tx, user, user).await?;
        tx.commit(()).await
    })
    .await
}

/// Removes the authenticator app of somebody who has lost it with their recovery codes. Whoever does it must know by other means who
/// asks.
///
/// # Errors
/// [`Error::NotFound`] for the person, or when they have none; [`Error::Forbidden`] for who does not stand below.
pub async fn remove_factors_of(shop: &Shop, room: &Mailroom, by: &Fresh<ManageUsers>, user: UserId) -> Result<()> {
    let who = by.principal();
    shop.write("remove_factors_of", |mut tx| async move {
        let other = tx.users().find(user).await?.ok_or(Error::NotFound("User"))?;
        access::is_above(who, &other.roles)?;
        remove(shop, room, &mut *tx, user, who.user).await?;
        tx.commit(()).await
    })
    .await
}

async fn remove(shop: &Shop, room: &Mailroom, tx: &mut dyn Tx, user: UserId, by: UserId) -> Result<()> {
    let person = tx.users().find(user).await?.ok_or(Error::NotFound("User"))?;
    let had = tx.factors().totp(user).await?.is_some_and(|app| app.confirmed_at.is_some());
    if !had || !tx.factors().remove_totp(user).await? {
        return Err(Error::NotFound("Authenticator app"));
    }
    // Whoever has proved one factor begins again.
    tx.challenges().clear(user).await?;
    shop.record(tx, Some(by), events::factor_removed(user, Method::Totp)).await?;
    room.notify(shop, tx, &person.email, Notice::FactorRemoved).await
}

/// Makes new recovery codes; the older ones are good for nothing any more.
///
/// # Errors
/// [`Error::Conflict`] without an authenticator app.
pub async fn renew_recovery_codes(shop: &Shop, factors: &Factors, by: &Fresh<ChangeAccount>) -> Result<RecoveryCodes> {
    let user = by.principal().user;
    let codes = &RecoveryCodes::draw(&*shop.entropy);
    shop.write("renew_recovery_codes", |mut tx| async move {
        let app = tx.factors().totp(user).await?.filter(|app| app.confirmed_at.is_some());
        app.ok_or_else(|| Error::conflict("Recovery codes stand in for an authenticator app; add one first"))?;
        tx.factors().put_recovery(user, &codes.digests(&*factors.mac, user)).await?;
        shop.record(&mut *tx, Some(user), events::recovery_codes_renewed(user)).await?;
        tx.commit(codes.clone()).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::{
            Admitted,
            factors::{begin_totp, ports::FactorQueries as _},
            world::World,
        },
        mail::Subject,
        permission::Role,
    };

    #[tokio::test]
    async fn an_app_goes_with_its_recovery_codes() {
        let world = World::new();
        let ada = world.person().await;
        let by = world.given.fresh(&ada);
        let shop = &world.given.shop;
        assert!(matches!(remove_totp(shop, &world.room, &by).await, Err(Error::NotFound(_))));
        assert!(matches!(renew_recovery_codes(shop, &world.factors, &by).await, Err(Error::Conflict(_))));
        begin_totp(shop, &world.factors, &by).await.unwrap();
        assert!(matches!(remove_totp(shop, &world.room, &by).await, Err(Error::NotFound(_))), "it was not confirmed");
        let (_, older) = world.app(&ada).await;
        assert!(matches!(begin_totp(shop, &world.factors, &by).await, Err(Error::Conflict(_))));
        let newer = renew_recovery_codes(shop, &world.factors, &by).await.unwrap();
        let waiting = world.challenge(&ada).await;
        assert!(world.second(&waiting, &older.0[0], 1).await.is_err());
        remove_totp(shop, &world.room, &by).await.unwrap();
        assert!(world.second(&waiting, &newer.0[0], 1).await.is_err());
        assert!(matches!(world.password(&ada).await.unwrap(), Admitted::In(_)));
        assert_eq!(world.store.ways(ada.user).await.unwrap().unwrap().recovery_codes, 0);
        assert_eq!(world.told(), ["user.factor_added", "user.recovery_codes_renewed", "user.factor_removed"]);
        assert_eq!(world.letters().await, [Subject::FactorAdded, Subject::FactorRemoved]);
    }

    #[tokio::test]
    async fn an_administrator_lets_somebody_in_who_lost_it_and_the_log_says_who() {
        let world = World::new();
        let (ada, admin) = (world.person().await, world.given.person(Role::Admin).await);
        world.app(&ada).await;
        let (shop, by) = (&world.given.shop, world.given.fresh(&admin));
        remove_factors_of(shop, &world.room, &by, ada.user).await.unwrap();
        assert!(matches!(world.password(&ada).await.unwrap(), Admitted::In(_)));
        let audited = world.store.audit_entries();
        let entry = audited.iter().find(|entry| entry.action == "user.remove_factor").unwrap();
        assert_eq!((entry.actor, entry.entity.id), (Some(admin.user), ada.user.0));
        for (whom, what) in [(ada.user, "Authenticator app not found"), (shop.id(), "User not found")] {
            assert_eq!(remove_factors_of(shop, &world.room, &by, whom).await.unwrap_err().to_string(), what);
        }
    }
}
