//! What the assistant costs, may spend and is known by: rows that hold as they were written.

use std::{sync::Arc, time::Duration};

use super::{Harness, fixtures};
use crate::{
    Error,
    assistant::{
        BudgetBy, BudgetSpan, Price,
        terms::{
            BudgetInput, BudgetPatch, PriceInput, Provider, ProviderKeyText, Settings, StoredTerms, create_budget,
            create_price, delete_budget, remove_provider_key, set_provider_key, update_budget, withdraw_price,
        },
    },
    error::Violations,
    idempotency::Once,
    permission::Role,
    testing::{PlainKeys, plain_terms},
};

/// Runs every case.
pub async fn run(harness: &impl Harness) {
    a_price_holds_from_its_moment_and_stays(harness).await;
    a_budget_is_kept_by_its_name(harness).await;
    a_key_of_a_provider_is_sealed_and_replaced(harness).await;
}

async fn stored(harness: &impl Harness) -> StoredTerms {
    harness.terms().terms().await.unwrap()
}

async fn a_price_holds_from_its_moment_and_stays(harness: &impl Harness) {
    let given = fixtures(harness);
    let admin = given.person(Role::Admin).await;
    let now = given.shop.now();
    let deployment = format!("near/model-{}", given.serial());
    let input = |from, input: &str| PriceInput {
        deployment: Some(deployment.clone()),
        from,
        input: Some(input.to_owned()),
        output: Some("2.5".to_owned()),
        ..PriceInput::default()
    };
    let check = |input: PriceInput| {
        let mut violations = Violations::default();
        input.check(now, &mut violations).ok_or_else(|| violations.iter().map(|one| one.rule).collect::<Vec<_>>())
    };
    assert_eq!(
        check(input(Some(now - Duration::from_secs(1)), "1")),
        Err(vec!["future"]),
        "what was spent keeps its price"
    );
    let later = now + Duration::from_hours(1);
    let mut made = Vec::new();
    for (from, price) in [(None, "0.15"), (Some(later), "0.30")] {
        let new = check(input(from, price)).unwrap();
        let by = given.authorized(&admin);
        made.push(create_price(&given.shop, by, new, &Once::always()).await.unwrap().fresh().unwrap());
    }
    let again = check(input(Some(later), "9")).unwrap();
    let again = create_price(&given.shop, given.authorized(&admin), again, &Once::always()).await;
    assert!(matches!(again, Err(Error::Conflict { .. })));
    let all = stored(harness).await;
    let own: Vec<_> = all.prices.iter().filter(|one| one.price.deployment == deployment).cloned().collect();
    assert_eq!(own, made, "by moment");
    let price = Price {
        deployment: deployment.clone(),
        from: now,
        until: None,
        input: 150_000,
        cached: 150_000,
        output: 2_500_000,
        reasoning: 2_500_000,
    };
    assert_eq!(own[0].price, price);

    let keeper = plain_terms(harness.terms(), Settings::default(), Arc::default());
    assert!(keeper.reload().await.unwrap() && !keeper.reload().await.unwrap(), "it is news once");
    let at = |moment| keeper.standing.now().prices.at(&deployment, moment).map(|price| price.input);
    assert_eq!([at(now), at(later)], [Some(150_000), Some(300_000)]);
    assert!(matches!(
        withdraw_price(&given.shop, given.authorized(&admin), made[0].id).await,
        Err(Error::Conflict { .. })
    ));
    withdraw_price(&given.shop, given.authorized(&admin), made[1].id).await.unwrap();
    let gone = withdraw_price(&given.shop, given.authorized(&admin), made[1].id).await;
    assert!(matches!(gone, Err(Error::NotFound(_))));
    assert!(keeper.reload().await.unwrap());
    assert_eq!(keeper.standing.now().prices.at(&deployment, later).map(|price| price.input), Some(150_000));
    let told = harness.events_of(made[1].id.0).await.unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
}

async fn a_budget_is_kept_by_its_name(harness: &impl Harness) {
    let given = fixtures(harness);
    let admin = given.person(Role::Admin).await;
    let keeper = plain_terms(harness.terms(), Settings::default(), Arc::default());
    let name = format!("budget-{}", given.serial());
    let new = |name: &str| {
        let input = BudgetInput {
            name: Some(name.to_owned()),
            by: Some(BudgetBy::User),
            subject: Some(admin.user.0),
            span: Some(BudgetSpan::Day),
            model: Some("small".to_owned()),
            cost: Some("999999999.999999999".to_owned()),
            ..BudgetInput::default()
        };
        input.check(&mut Violations::default()).unwrap()
    };
    let create =
        async || create_budget(&given.shop, &keeper, given.authorized(&admin), new(&name), &Once::always()).await;
    let made = create().await.unwrap().fresh().unwrap();
    assert!(matches!(create().await, Err(Error::Conflict { .. })), "the name is taken");
    let own = async || stored(harness).await.budgets.into_iter().find(|one| one.id == made.id);
    assert_eq!(own().await.as_ref(), Some(&made));
    assert_eq!(made.budget.cost, Some(999_999_999_999_999_999));

    let mut violations = Violations::default();
    let mut patch = BudgetPatch::default();
    patch.tokens(Some(5), &mut violations);
    patch.cost(None, &mut violations);
    given.clock.advance(Duration::from_secs(1));
    let changed = update_budget(&given.shop, given.authorized(&admin), made.id, patch).await.unwrap();
    assert_eq!((changed.budget.cost, changed.budget.tokens, changed.budget.calls), (None, Some(5), None));
    assert!(changed.updated_at > made.updated_at);
    assert_eq!(own().await.as_ref(), Some(&changed));
    let mut nothing = BudgetPatch::default();
    nothing.tokens(None, &mut violations);
    let refused = update_budget(&given.shop, given.authorized(&admin), made.id, nothing).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    assert!(keeper.reload().await.unwrap());
    assert!(keeper.standing.now().budgets.contains(&changed.budget));
    delete_budget(&given.shop, given.authorized(&admin), made.id).await.unwrap();
    assert_eq!(own().await, None);
    assert!(matches!(delete_budget(&given.shop, given.authorized(&admin), made.id).await, Err(Error::NotFound(_))));
    assert_eq!(harness.events_of(made.id.0).await.unwrap().len(), 3);
}

async fn a_key_of_a_provider_is_sealed_and_replaced(harness: &impl Harness) {
    let given = fixtures(harness);
    let admin = given.person(Role::Admin).await;
    let name = format!("provider-{}", given.serial());
    let provider =
        Provider { name: name.clone(), protocol: "openai", url: "https://a.example".to_owned(), has_key: false };
    let keys = Arc::<PlainKeys>::default();
    let settings = Settings { providers: vec![provider], ..Settings::default() };
    let keeper = plain_terms(harness.terms(), settings, Arc::clone(&keys));
    let set = async |provider: &str, text: &str| {
        let text = ProviderKeyText::read(text.to_owned()).unwrap();
        set_provider_key(&given.shop, &keeper, given.fresh(&admin), provider, &text).await
    };
    assert!(matches!(set("unheard-of", "sk-12345678").await, Err(Error::NotFound(_))));
    let short = set(&name, "sk-12345678").await.unwrap();
    assert_eq!(short.hint, "", "of a short one nothing is shown");
    let first = set(&name, "sk-0123456789abcdef").await.unwrap();
    assert_eq!((first.hint.as_str(), first.id), ("cdef", short.id));
    keeper.reload().await.unwrap();
    assert_eq!(keys.of(&name).as_deref(), Some("sk-0123456789abcdef"));
    let kept = stored(harness).await.keys.into_iter().find(|key| key.provider == name);
    assert_eq!(kept.as_ref(), Some(&first));
    let told = serde_json::to_string(&harness.events_of(first.id.0).await.unwrap()).unwrap();
    assert!(!told.contains("cdef") && told.contains(&name), "{told}");
    remove_provider_key(&given.shop, given.authorized(&admin), &name).await.unwrap();
    let gone = remove_provider_key(&given.shop, given.authorized(&admin), &name).await;
    assert!(matches!(gone, Err(Error::NotFound(_))));
    keeper.reload().await.unwrap();
    assert_eq!(keys.of(&name), None, "the settings' counts again");
}
