//! The ledger of the assistant: nothing is spent twice, and nothing is forgotten.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{Harness, at_once, fixtures};
use crate::{
    assistant::{
        Batch, Budget, BudgetBy, BudgetSpan, CallKind, CallState, NewCall, Settlement, Spent, Usage, WindowKey,
        ports::LedgerStore,
    },
    clock::Timestamp,
    id::UserId,
    permission::Role,
    shop::Shop,
};

/// Who calls, in a budget of their own.
struct Given {
    store: Arc<dyn LedgerStore>,
    shop: Shop,
    user: UserId,
    budget: Budget,
}

/// Runs every case.
pub async fn run(harness: &impl Harness) {
    concurrent_calls_never_overspend(harness).await;
    what_ended_counts_once_and_gives_back_the_rest(harness).await;
    a_lost_call_is_swept_and_stays_as_it_is(harness).await;
    what_is_old_is_purged(harness).await;
}

impl Given {
    async fn of(harness: &impl Harness, budget: impl FnOnce(&mut Budget)) -> Self {
        let fixtures = fixtures(harness);
        let user = fixtures.person(Role::User).await.user;
        let mut one = Budget {
            name: format!("budget {user}"),
            by: BudgetBy::User,
            subject: None,
            span: BudgetSpan::Month,
            model: None,
            cost: None,
            tokens: None,
            calls: None,
        };
        budget(&mut one);
        Self { store: harness.ledger(), shop: fixtures.shop, user, budget: one }
    }

    fn call(&self, cost: u64, at: Timestamp) -> NewCall {
        let mut call = NewCall {
            id: self.shop.id(),
            user: self.user,
            key: None,
            seller: None,
            request: "r-1".to_owned(),
            generation: None,
            kind: CallKind::Chat,
            model: "small".to_owned(),
            deployment: "plain/small".to_owned(),
            prompt: 10,
            completion: 20,
            cost: Some(cost),
            holds: Vec::new(),
            started_at: at,
        };
        call.holds = self.budget.hold(&call).into_iter().collect();
        call
    }

    fn ended(&self, call: &NewCall, state: CallState, completion: u64, cost: u64) -> Settlement {
        Settlement {
            id: call.id,
            windows: call.holds.iter().map(|hold| hold.window.clone()).collect(),
            held: call.most(),
            state,
            usage: Usage { prompt: 5, completion, ..Usage::default() },
            cost: Some(cost),
            fault: None,
            first_at: None,
            first_after: None,
            ended_at: self.shop.now(),
        }
    }

    async fn begin(&self, call: NewCall) -> bool {
        self.store.write(&Batch { calls: vec![call], settled: Vec::new() }).await.unwrap()[0].is_ok()
    }

    async fn end(&self, settled: Settlement) {
        self.store.write(&Batch { calls: Vec::new(), settled: vec![settled] }).await.unwrap();
    }

    /// What was spent, of all windows together.
    async fn spent(&self) -> Spent {
        let windows = self.windows().await;
        windows.into_iter().fold(Spent::default(), |sum, (_, spent)| sum.plus(spent))
    }

    async fn windows(&self) -> Vec<(WindowKey, Spent)> {
        self.store.spent(&self.budget.name, Timestamp::UNIX_EPOCH).await.unwrap()
    }
}

async fn concurrent_calls_never_overspend(harness: &impl Harness) {
    // A unit is a billionth: 33 calls of 0.03 fit in 1.00, and no 34th.
    let given = Given::of(harness, |budget| budget.cost = Some(1_000_000_000)).await;
    let now = given.shop.now();
    let batch = |size: usize| {
        let calls = (0..size).map(|_| given.call(30_000_000, now)).collect();
        let store = &given.store;
        let batch = Batch { calls, settled: Vec::new() };
        async move {
            for _ in 0..20 {
                match store.write(&batch).await {
                    Err(crate::Error::Transient(_)) => {}
                    other => return other.unwrap().iter().filter(|verdict| verdict.is_ok()).count(),
                }
            }
            panic!("it was run again twenty times");
        }
    };
    let futures = (0..40).map(|n| -> std::pin::Pin<Box<dyn Future<Output = usize> + Send + '_>> {
        Box::pin(batch(if n % 2 == 0 { 1 } else { 9 }))
    });
    let begun: usize = at_once(futures.collect()).await.into_iter().sum();
    assert_eq!(begun, 33);
    assert_eq!(given.spent().await, Spent { cost: 990_000_000, tokens: 33 * 30, calls: 33 });
    let refused = given.store.write(&Batch { calls: vec![given.call(30_000_000, now)], settled: Vec::new() }).await;
    let refusal = refused.unwrap()[0].clone().unwrap_err();
    assert_eq!((refusal.budget, refusal.ends_at), (given.budget.name.clone(), BudgetSpan::Month.end(now)));
    assert!(given.begin(given.call(10_000_000, now)).await, "what fits begins still");
}

async fn what_ended_counts_once_and_gives_back_the_rest(harness: &impl Harness) {
    let given = Given::of(harness, |budget| {
        budget.tokens = Some(60);
        budget.calls = Some(3);
        budget.span = BudgetSpan::Second;
    })
    .await;
    let now = given.shop.now();
    let [one, two, three] = [given.call(100, now), given.call(100, now), given.call(100, now)];
    let both = Batch { calls: vec![one.clone(), two.clone(), three.clone()], settled: Vec::new() };
    let verdicts = given.store.write(&both).await.unwrap();
    assert_eq!(verdicts.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false], "in their order");
    let settled = given.ended(&one, CallState::Settled, 5, 30);
    given.end(settled.clone()).await;
    assert_eq!(given.spent().await, Spent { cost: 130, tokens: 40, calls: 2 });
    given.end(settled).await;
    given.end(given.ended(&three, CallState::Settled, 5, 30)).await;
    assert_eq!(
        given.spent().await,
        Spent { cost: 130, tokens: 40, calls: 2 },
        "twice is once, and never begun is never"
    );
    given.end(given.ended(&two, CallState::Overrun, 500, 900)).await;
    assert_eq!(given.spent().await, Spent { cost: 930, tokens: 515, calls: 2 }, "an overrun counts as it was");
    assert!(!given.begin(given.call(0, now)).await);
    let later = now + Duration::from_secs(1);
    // In one transaction with its own end.
    let call = given.call(7, later);
    let ended = given.ended(&call, CallState::Failed, 0, 0);
    let whole = Batch { calls: vec![call], settled: vec![ended] };
    assert_eq!(given.store.write(&whole).await.unwrap(), [Ok(())]);
    let windows = given.windows().await;
    assert_eq!(windows.len(), 2, "each second is a window: {windows:?}");
    assert_eq!(given.spent().await, Spent { cost: 930, tokens: 520, calls: 3 });
}

async fn a_lost_call_is_swept_and_stays_as_it_is(harness: &impl Harness) {
    let given = Given::of(harness, |budget| budget.cost = Some(1000)).await;
    let now = given.shop.now();
    let (lost, alive) = (given.call(600, now - Duration::from_hours(2)), given.call(300, now));
    assert!(given.begin(lost.clone()).await && given.begin(alive.clone()).await);
    assert!(given.store.sweep(now - Duration::from_hours(1), now).await.unwrap() >= 1);
    given.end(given.ended(&lost, CallState::Settled, 1, 1)).await;
    assert_eq!(given.spent().await.cost, 900, "what was lost counts as what it could have used");
    given.end(given.ended(&alive, CallState::Settled, 1, 1)).await;
    assert_eq!(given.spent().await.cost, 601);
}

async fn what_is_old_is_purged(harness: &impl Harness) {
    let given = Given::of(harness, |budget| budget.calls = Some(5)).await;
    let now = given.shop.now();
    let (old, new) = (given.call(1, now - Duration::from_hours(24 * 400)), given.call(1, now));
    for call in [&old, &new] {
        assert!(given.begin(call.clone()).await);
        let mut ended = given.ended(call, CallState::Settled, 1, 1);
        ended.ended_at = call.started_at;
        given.end(ended).await;
    }
    let unknown = given.call(1, now - Duration::from_hours(24 * 400));
    assert!(given.begin(NewCall { id: Uuid::from_u128(unknown.id.0.as_u128() ^ 1).into(), ..unknown }).await);
    let before = now - Duration::from_hours(24 * 365);
    assert!(given.store.purge(before, 1000).await.unwrap() >= 1);
    assert_eq!(given.windows().await.len(), 1, "the window of the new one is there");
    given.end(given.ended(&new, CallState::Overrun, 9, 9)).await;
    assert_eq!(given.spent().await.calls, 1, "what ended stays ended");
}
