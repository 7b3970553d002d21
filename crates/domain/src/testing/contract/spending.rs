//! What was spent: the ledger told by groups and by calls, the same by every adapter.

use std::time::Duration;

use super::{Harness, fixtures};
use crate::{
    assistant::{
        Batch, CallKind, CallState, NewCall, Settlement, Usage,
        spending::{Spending, SpendingBy, SpendingFilter},
    },
    clock::Timestamp,
    permission::Role,
    testing::Fixtures,
};

/// Runs every case.
pub async fn run(harness: &impl Harness) {
    groups_add_up_and_go_on_after_a_key(harness).await;
    the_largest_figures_do_not_break_the_sum(harness).await;
}

struct Given {
    fixtures: Fixtures,
    user: crate::id::UserId,
    key: crate::id::ApiKeyId,
    seller: crate::id::SellerId,
    day: Timestamp,
}

impl Given {
    async fn of(harness: &impl Harness) -> Self {
        let fixtures = fixtures(harness);
        let user = fixtures.person(Role::User).await.user;
        let (key, seller) = (fixtures.shop.id(), fixtures.shop.id());
        Self { fixtures, user, key, seller, day: "2031-05-06T00:00:00Z".parse().unwrap() }
    }

    fn call(&self, at: Timestamp, model: &str, is_keyed: bool) -> NewCall {
        NewCall {
            id: self.fixtures.shop.id(),
            user: self.user,
            key: is_keyed.then_some(self.key),
            seller: is_keyed.then_some(self.seller),
            request: "r-1".to_owned(),
            generation: None,
            kind: CallKind::Chat,
            model: model.to_owned(),
            deployment: format!("near/{model}"),
            prompt: 10,
            completion: 20,
            cost: Some(500),
            holds: Vec::new(),
            started_at: at,
        }
    }

    fn filter(&self) -> SpendingFilter {
        let week = self.day + Duration::from_hours(24 * 7);
        SpendingFilter { user: Some(self.user), ..SpendingFilter::within(self.day, week) }
    }
}

fn ended(call: &NewCall, state: CallState, usage: Usage, cost: Option<u64>) -> Settlement {
    Settlement {
        id: call.id,
        windows: Vec::new(),
        held: call.most(),
        state,
        usage,
        cost,
        fault: (state == CallState::Failed).then_some("timeout"),
        first_at: Some(call.started_at),
        first_after: None,
        ended_at: call.started_at + Duration::from_secs(1),
    }
}

const USED: Usage = Usage { prompt: 5, completion: 4, cached: 2, reasoning: 1 };

async fn groups_add_up_and_go_on_after_a_key(harness: &impl Harness) {
    let given = Given::of(harness).await;
    let next = given.day + Duration::from_hours(25);
    let calls = [
        given.call(given.day, "Large", false),
        given.call(given.day, "small", true),
        given.call(given.day + Duration::from_mins(1), "small", false),
        given.call(next, "small", false),
        given.call(next, "small", true),
        given.call(next, "small", true),
        // Not of this week.
        given.call(given.day - Duration::from_micros(1), "small", false),
    ];
    let mut settled = vec![
        ended(&calls[0], CallState::Settled, USED, Some(100)),
        ended(&calls[1], CallState::Estimated, USED, None),
        ended(&calls[2], CallState::Failed, Usage::default(), Some(0)),
        ended(&calls[3], CallState::Overrun, USED, Some(7)),
        ended(&calls[5], CallState::Cached, USED, Some(0)),
        ended(&calls[6], CallState::Settled, USED, Some(1)),
    ];
    // Some end where they begin, others later.
    let later = settled.split_off(2);
    harness.ledger().write(&Batch { calls: calls.to_vec(), settled }).await.unwrap();
    harness.ledger().write(&Batch { calls: Vec::new(), settled: later }).await.unwrap();
    let (queries, filter) = (harness.spending(), given.filter());

    let all = queries.spending(&filter, &[], None, 10).await.unwrap();
    let usage = Usage { prompt: 15, completion: 12, cached: 6, reasoning: 3 };
    let expected = Spending {
        group: Vec::new(),
        calls: 6,
        open: 1,
        settled: 1,
        estimated: 1,
        overrun: 1,
        failed: 1,
        cached: 1,
        unpriced: 1,
        usage,
        saved: 9,
        cost: 107,
    };
    assert_eq!(all, [expected]);
    let none = SpendingFilter { until: filter.from, ..filter.clone() };
    assert!(queries.spending(&none, &[], None, 10).await.unwrap().is_empty());

    let by = [SpendingBy::Day, SpendingBy::Model, SpendingBy::Key];
    let groups = queries.spending(&filter, &by, None, 10).await.unwrap();
    let key = given.key.0.simple().to_string();
    let told: Vec<_> = groups.iter().map(|one| (one.group.join(" "), one.calls, one.cost)).collect();
    let expected = [
        ("2031-05-06 Large ".to_owned(), 1, 100),
        ("2031-05-06 small ".to_owned(), 1, 0),
        (format!("2031-05-06 small {key}"), 1, 0),
        ("2031-05-07 small ".to_owned(), 1, 7),
        (format!("2031-05-07 small {key}"), 2, 0),
    ];
    assert_eq!(told, expected, "byte by byte: capitals first");
    let mut walked = Vec::new();
    let mut after = None;
    loop {
        let page = queries.spending(&filter, &by, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.group.clone());
        walked.extend(page);
    }
    assert_eq!(walked, groups, "no group twice, none left out");
    for (narrow, calls) in [
        (SpendingFilter { key: Some(given.key), ..filter.clone() }, 3),
        (SpendingFilter { seller: Some(given.seller), ..filter.clone() }, 3),
        (SpendingFilter { model: Some("Large".to_owned()), ..filter.clone() }, 1),
        (SpendingFilter { deployment: Some("near/small".to_owned()), ..filter.clone() }, 5),
        (SpendingFilter { state: Some(CallState::Failed), ..filter.clone() }, 1),
        (SpendingFilter { state: Some(CallState::Cached), ..filter.clone() }, 1),
    ] {
        let found =
            queries.spending(&narrow, &[SpendingBy::User, SpendingBy::Seller, SpendingBy::Deployment], None, 10);
        assert_eq!(found.await.unwrap().iter().map(|one| one.calls).sum::<u64>(), calls, "{narrow:?}");
        assert_eq!(u64::try_from(queries.calls(&narrow, None, 10).await.unwrap().len()).unwrap(), calls);
    }

    let listed = queries.calls(&filter, None, 10).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|call| call.id).collect();
    let mut newest = calls[..6].to_vec();
    newest.sort_by_key(|call| std::cmp::Reverse((call.started_at, call.id)));
    assert_eq!(ids, newest.iter().map(|call| call.id).collect::<Vec<_>>(), "the newest first");
    let failed = listed.iter().find(|call| call.id == calls[2].id).unwrap();
    assert_eq!((failed.state, failed.fault.as_deref(), failed.cost), (CallState::Failed, Some("timeout"), Some(0)));
    let whole = listed.iter().find(|call| call.id == calls[0].id).unwrap();
    assert_eq!((whole.state, whole.usage, whole.cost), (CallState::Settled, USED, Some(100)));
    assert_eq!((whole.first_at, whole.ended_at), (Some(given.day), Some(given.day + Duration::from_secs(1))));
    let open = listed.iter().find(|call| call.id == calls[4].id).unwrap();
    assert_eq!((open.state, open.cost, open.ended_at, open.key), (CallState::Reserved, None, None, Some(given.key)));
    let rest = queries.calls(&filter, Some((listed[1].started_at, listed[1].id)), 10).await.unwrap();
    assert_eq!(rest, listed[2..]);
}

async fn the_largest_figures_do_not_break_the_sum(harness: &impl Harness) {
    let given = Given::of(harness).await;
    let huge = Usage { prompt: u64::MAX, completion: 1, ..Usage::default() };
    let calls = [given.call(given.day, "m", false), given.call(given.day, "m", false)];
    let settled = calls.iter().map(|call| ended(call, CallState::Overrun, huge, Some(u64::MAX))).collect();
    harness.ledger().write(&Batch { calls: calls.to_vec(), settled }).await.unwrap();
    let found = harness.spending().spending(&given.filter(), &[SpendingBy::Model], None, 1).await.unwrap();
    // What no honest number reaches is stored as the largest that a database has.
    let most = i64::MAX.unsigned_abs();
    assert!(found[0].cost >= most && found[0].usage.prompt >= most, "{found:?}");
    assert_eq!((found[0].calls, found[0].usage.completion), (2, 2));
}
