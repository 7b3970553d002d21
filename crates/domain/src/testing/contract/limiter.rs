//! What every rate limiter is held to. Its time is the real one, so the cases leave room for what a slow machine takes.

use std::{net::IpAddr, time::Duration};

use crate::{
    id::UserId,
    limit::{Decision, Policy, RateLimiter, Subject},
};

/// A window so long that nothing rests while a case runs.
const LONG: Duration = Duration::from_hours(10);
/// What a case may take on a slow machine, and little beside a share of that window.
const ROOM: Duration = Duration::from_mins(5);

/// Runs the cases. The policies are the cases' own, so `limiter` must not have seen them before.
pub async fn run(limiter: &dyn RateLimiter) {
    a_rested_subject_may_call_limit_times_at_once(limiter).await;
    subjects_and_policies_count_apart(limiter).await;
    a_call_is_counted_by_all_or_by_none(limiter).await;
    a_limit_of_none_admits_nothing(limiter).await;
    who_rests_may_call_again(limiter).await;
    calls_above_the_limit_are_held_back_where_the_policy_says_so(limiter).await;
}

/// Calls at the same time on several nodes are counted together: together they admit one limit.
pub async fn run_shared(nodes: &[&dyn RateLimiter]) {
    let policy = policy("contract_shared", 100, LONG);
    let mut admitted = 0;
    for _ in 0..60 {
        for node in nodes {
            admitted += u32::from(one(*node, &policy, Subject::Everybody).await.allowed);
        }
    }
    assert_eq!(admitted, 100);
}

fn policy(name: &str, limit: u32, window: Duration) -> Policy {
    Policy { name: name.into(), limit, window, patience: Duration::ZERO }
}

fn address(last: u8) -> Subject {
    Subject::Address(IpAddr::from([203, 0, 113, last]))
}

async fn one(limiter: &dyn RateLimiter, policy: &Policy, subject: Subject) -> Decision {
    limiter.check(&[(policy, subject)]).await[0]
}

async fn a_rested_subject_may_call_limit_times_at_once(limiter: &dyn RateLimiter) {
    let policy = policy("contract_burst", 10, LONG);
    for left in (0..10).rev() {
        let said = one(limiter, &policy, address(1)).await;
        assert_eq!((said.allowed, said.limit, said.remaining, said.wait), (true, 10, left, Duration::ZERO));
        let full = LONG / 10 * (10 - left);
        assert!(said.reset <= full && said.reset + ROOM > full, "{said:?}");
        assert_eq!(said.retry_after.is_zero(), left > 0, "{said:?}");
    }
    let said = one(limiter, &policy, address(1)).await;
    assert_eq!((said.allowed, said.remaining), (false, 0));
    assert!(said.retry_after <= LONG / 10 && said.retry_after + ROOM > LONG / 10, "{said:?}");
}

async fn subjects_and_policies_count_apart(limiter: &dyn RateLimiter) {
    let (some, other) = (policy("contract_some", 1, LONG), policy("contract_other", 1, LONG));
    let six = |last| Subject::Address(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]));
    let user = |n| Subject::User(UserId(uuid::Uuid::from_u128(n)));
    for subject in [Subject::Everybody, address(1), address(2), six(1), six(2), user(1), user(2)] {
        for policy in [&some, &other] {
            assert!(one(limiter, policy, subject).await.allowed, "{} {subject}", policy.name);
            assert!(!one(limiter, policy, subject).await.allowed, "{} {subject}", policy.name);
        }
    }
}

async fn a_call_is_counted_by_all_or_by_none(limiter: &dyn RateLimiter) {
    let (wide, narrow) = (policy("contract_wide", 10, LONG), policy("contract_narrow", 2, LONG));
    let asked = [(&wide, Subject::Everybody), (&narrow, address(1))];
    for (left, narrow_left) in [(9, 1), (8, 0)] {
        let said = limiter.check(&asked).await;
        assert_eq!(said.iter().map(|one| one.remaining).collect::<Vec<_>>(), [left, narrow_left]);
    }
    for _ in 0..3 {
        let said = limiter.check(&asked).await;
        assert_eq!(said.iter().map(|one| (one.allowed, one.remaining)).collect::<Vec<_>>(), [(true, 8), (false, 0)]);
    }
    let said = limiter.check(&[(&narrow, address(2)), (&wide, Subject::Everybody)]).await;
    assert_eq!(said.iter().map(|one| (one.allowed, one.remaining)).collect::<Vec<_>>(), [(true, 1), (true, 7)]);
    assert!(limiter.check(&[]).await.is_empty());
}

async fn a_limit_of_none_admits_nothing(limiter: &dyn RateLimiter) {
    assert!(!one(limiter, &policy("contract_none", 0, LONG), address(1)).await.allowed);
}

async fn who_rests_may_call_again(limiter: &dyn RateLimiter) {
    let policy = policy("contract_rest", 1, Duration::from_millis(20));
    let mut allowed = 0;
    // A fifth of a second at the least: hammering does not put off the next call.
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_millis(200) {
        allowed += u32::from(one(limiter, &policy, address(1)).await.allowed);
    }
    let most = began.elapsed().as_millis() / 20 + 2;
    assert!(allowed > 1 && u128::from(allowed) <= most, "{allowed} of at most {most}");
}

async fn calls_above_the_limit_are_held_back_where_the_policy_says_so(limiter: &dyn RateLimiter) {
    let held = Policy { patience: LONG / 2, ..policy("contract_held", 4, LONG) };
    let mut waits = Vec::new();
    for _ in 0..6 {
        let said = one(limiter, &held, address(1)).await;
        assert!(said.allowed);
        // In shares of the window, rounded up: what the cases took is little beside it.
        waits.push(said.wait.as_secs().div_ceil((LONG / 4).as_secs()));
    }
    assert_eq!(waits, [0, 0, 0, 0, 1, 2]);
    let refused = one(limiter, &held, address(1)).await;
    assert!(!refused.allowed && refused.wait.is_zero() && !refused.retry_after.is_zero(), "{refused:?}");
}
