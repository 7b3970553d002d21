//! Another Rust service embeds the shop: no HTTP, no database, the same rules.
//!
//! `cargo run -p souk-domain --example embed --features testing`

use std::sync::Arc;

use souk_domain::{
    Actor, Error, Result, Rules, Shop, Violations,
    catalog::{ProductInput, create_product},
    id::UserId,
    idempotency::Once,
    identity::{
        Admitted, Client, Credentials, Login, Password, SellerInput, SessionRules, Sessions, UserInput, Verification,
        open_seller, ports::UserQueries, register,
    },
    permission::{ChangeAccount, ManageCatalog, OwnAccount, WriteProducts},
    testing::{FakeClock, PlainHasher, PlainMac, PlainTokens, SeededEntropy, Turnstile, memory::MemoryStore},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // A real service brings its own adapters here; these are the ones for tests.
    let store = MemoryStore::new();
    let shop = Shop {
        store: Arc::new(store.clone()),
        clock: Arc::new(FakeClock::default()),
        entropy: Arc::new(SeededEntropy::new(1)),
        meter: Arc::new(()),
        rules: Rules::default(),
    };

    let mut violations = Violations::default();
    let ada = UserInput {
        email: Some("ada@example.com".to_owned()),
        password: Some("correct horse".to_owned()),
        name: Some("Ada".to_owned()),
    };
    let Some(ada) = ada.check(&mut violations) else { return Err(violations.into()) };
    let ada = fresh(register(&shop, &PlainHasher::default(), ada, &Once::always()).await?.fresh())?;
    println!("registered {} with the roles {:?}", ada.name, ada.roles.iter().collect::<Vec<_>>());

    // Signing in makes a session; a token of it says who calls.
    let sessions = Sessions { tokens: Arc::new(PlainTokens), mac: Arc::new(PlainMac), rules: SessionRules::default() };
    let (hasher, turnstile) = (PlainHasher::default(), Turnstile::default());
    let login = Login {
        users: &store,
        hasher: &hasher,
        sessions: &sessions,
        throttle: turnstile.throttle(&store, [127, 0, 0, 1]),
        verification: Verification::Off,
    };
    let credentials = Credentials {
        email: "ada@example.com".to_owned(),
        password: Password::given("correct horse".to_owned()),
        client: Client::default(),
    };
    let signed = login.with_password(&shop, credentials).await?;
    let Admitted::In(signed) = signed else { return Err(Error::internal("a second factor that nobody added")) };
    let calling = sessions.tokens.verify(&signed.token.token, shop.now()).ok_or(Error::Unauthenticated)?;
    actor(&store, calling.user).await?.authorize::<OwnAccount>()?;
    println!("signed in until {}", calling.until);

    // Without a seller account the proof that `create_product` demands cannot be had.
    let refused = actor(&store, ada.id).await?.authorize::<WriteProducts>();
    println!("before opening a shop: {}", refused.err().map(|error| error.to_string()).unwrap_or_default());

    let name = SellerInput { name: Some("Ada's lamps".to_owned()) }.check(&mut violations);
    let Some(name) = name else { return Err(violations.into()) };
    let account = actor(&store, ada.id).await?.authorize::<ChangeAccount>()?;
    let seller = fresh(open_seller(&shop, account, &name, &Once::always()).await?.fresh())?;
    println!("opened {} at /{}", seller.name, seller.slug);

    let lamp = ProductInput {
        name: Some("Brass lamp".to_owned()),
        price: Some("19.95".to_owned()),
        stock: Some(3),
        ..ProductInput::default()
    };
    let Some(lamp) = lamp.check(&shop.rules, &mut violations) else { return Err(violations.into()) };
    let may_write = actor(&store, ada.id).await?.authorize::<WriteProducts>()?;
    let lamp = fresh(create_product(&shop, may_write, lamp, &Once::always()).await?.fresh())?;
    println!("created {} for {} {}", lamp.slug, shop.rules.currency.format(lamp.price), shop.rules.currency);

    for refused in [
        Actor::Anonymous.authorize::<WriteProducts>().err(),
        actor(&store, ada.id).await?.authorize::<ManageCatalog>().err(),
    ] {
        println!("refused: {}", refused.map(|error| error.to_string()).unwrap_or_default());
    }
    println!("events: {:?}", store.events().iter().map(|event| event.kind.as_str()).collect::<Vec<_>>());
    Ok(())
}

/// The caller as the store knows them now.
async fn actor(store: &MemoryStore, user: UserId) -> Result<Actor> {
    Ok(store.principal(user).await?.map_or(Actor::Anonymous, Actor::Signed))
}

/// What a command without an idempotency key always gives.
fn fresh<T>(value: Option<T>) -> Result<T> {
    value.ok_or(Error::NotFound("Result"))
}
