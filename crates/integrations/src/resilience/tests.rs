//! A dependency as a whole, on a clock and with randomness that the test decides.

use std::{
    cell::{Cell, RefCell},
    future::{pending, ready},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use domain::{
    clock::{Clock as _, Entropy},
    deadline::Within,
    testing::FakeClock,
};

use super::*;

struct Longest;

impl Entropy for Longest {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(255);
    }
}

fn dependency(terms: Terms) -> (Arc<FakeClock>, Dependency) {
    let clock = Arc::new(FakeClock::default());
    (Arc::clone(&clock), Dependency::new("test", terms, clock, Arc::new(Longest)))
}

/// Makes a call whose attempts end like this, one after the other, and gives what came of it and how many there were.
async fn attempts(one: &Dependency, repeat: Repeat, classes: &[Class]) -> (Result<Class, Refused>, usize) {
    let made = Cell::new(0);
    let ended = one.call(repeat, |_| {
        let class = classes[made.get()];
        made.set(made.get() + 1);
        ready((class, class))
    });
    (ended.await, made.get())
}

#[tokio::test]
async fn what_fails_is_tried_again_after_growing_pauses() {
    let (clock, one) = dependency(Terms::default());
    // What a tenth is of.
    for _ in 0..20 {
        assert_eq!(attempts(&one, Repeat::Always, &[Class::Answered]).await, (Ok(Class::Answered), 1));
    }
    let before = clock.now();
    let ended = attempts(&one, Repeat::Always, &[Class::Failed, Class::Failed, Class::Answered]).await;
    assert_eq!(ended, (Ok(Class::Answered), 3));
    assert_eq!((clock.now() - before).num_milliseconds(), 299, "100 and 200, nearly");
    assert_eq!(attempts(&one, Repeat::Always, &[Class::Failed; 9]).await.1, 2, "the budget is spent");
    assert_eq!(attempts(&one, Repeat::Always, &[Class::Failed; 9]).await.1, 1);
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again() {
    for (class, repeat, expected) in [
        (Class::Failed, Repeat::Unsent, 1),
        (Class::Unsent, Repeat::Unsent, 2),
        (Class::Failed, Repeat::Always, 2),
        (Class::Answered, Repeat::Always, 1),
        (Class::Ours, Repeat::Always, 1),
        (Class::TooMuch { after: None, failed: false }, Repeat::Unsent, 2),
    ] {
        let (_, one) = dependency(Terms { attempts: 2, ..Terms::default() });
        assert_eq!(attempts(&one, repeat, &[class; 2]).await, (Ok(class), expected), "{class:?} {repeat:?}");
    }
}

#[tokio::test]
async fn an_attempt_that_does_not_end_is_dropped_in_time() {
    let (clock, one) = dependency(Terms::default());
    let before = clock.now();
    let ended = one.call(Repeat::Always, |_| pending::<((), Class)>()).await;
    assert_eq!(ended, Err(Refused::TimedOut(Duration::from_secs(3))));
    assert_eq!((clock.now() - before).num_seconds(), 3);
}

#[tokio::test]
async fn nobody_is_called_for_longer_than_somebody_waits() {
    let (clock, one) = dependency(Terms::default());
    let told = RefCell::new(Vec::new());
    let call = || {
        one.call(Repeat::Always, |left| {
            told.borrow_mut().push(left.as_millis());
            pending::<((), Class)>()
        })
    };
    let mut work = pin!(call());
    let ended = Within::new(clock.now() + Duration::from_millis(700), work.as_mut()).await;
    assert_eq!(ended, Err(Refused::TimedOut(Duration::from_millis(700))));
    let mut work = pin!(call());
    let ended = Within::new(clock.now(), work.as_mut()).await;
    assert_eq!(ended, Err(Refused::Late), "and not at all when they have gone");
    assert_eq!(*told.borrow(), [700]);
}

#[tokio::test]
async fn a_pause_that_would_be_too_long_is_not_begun() {
    let (clock, one) = dependency(Terms { timeout: Duration::from_millis(99), ..Terms::default() });
    let before = clock.now();
    assert_eq!(attempts(&one, Repeat::Always, &[Class::Failed; 3]).await, (Ok(Class::Failed), 1));
    assert_eq!(clock.now(), before);
}

#[tokio::test]
async fn after_too_many_failures_nobody_is_called_until_it_is_well_again() {
    let (clock, one) = dependency(Terms { attempts: 1, ..Terms::default() });
    for _ in 0..5 {
        assert!(one.is_well());
        assert_eq!(attempts(&one, Repeat::Always, &[Class::Failed]).await.1, 1);
    }
    assert!(!one.is_well());
    assert_eq!(attempts(&one, Repeat::Always, &[]).await, (Err(Refused::Open(Duration::from_secs(30))), 0));
    clock.advance(Duration::from_secs(30));
    for _ in 0..2 {
        assert_eq!(attempts(&one, Repeat::Always, &[Class::Answered]).await.1, 1);
    }
    assert!(one.is_well());
}

#[tokio::test]
async fn too_much_is_heeded_and_is_no_failure() {
    let (clock, one) = dependency(Terms { attempts: 1, ..Terms::default() });
    let too_much = Class::TooMuch { after: Some(Duration::from_secs(7)), failed: false };
    assert_eq!(attempts(&one, Repeat::Always, &[too_much]).await.1, 1);
    assert_eq!(attempts(&one, Repeat::Always, &[]).await, (Err(Refused::TooMuch(Duration::from_secs(7))), 0));
    assert!(one.is_well());
    clock.advance(Duration::from_secs(7));
    assert_eq!(attempts(&one, Repeat::Always, &[Class::Answered]).await.1, 1);
}

#[tokio::test]
async fn only_so_many_are_called_at_once() {
    let (_, one) = dependency(Terms { at_once: 1, waiting: 0, ..Terms::default() });
    let inner = one.clone();
    let ended = one
        .call(Repeat::Unsent, |_| {
            let inner = inner.clone();
            async move { (attempts(&inner, Repeat::Unsent, &[]).await, Class::Answered) }
        })
        .await;
    assert_eq!(ended, Ok((Err(Refused::Full), 0)), "within the one, there is no place for another");
    assert_eq!(attempts(&one, Repeat::Unsent, &[Class::Answered]).await.1, 1);
}

#[tokio::test]
async fn who_is_called_under_one_name_counts_together() {
    let clock = Arc::new(FakeClock::default());
    let terms = [(Kind::Providers, Terms { attempts: 1, ..Terms::default() })].into();
    let all = Arc::new(Dependencies::new(terms, clock, Arc::new(Longest)));
    for _ in 0..5 {
        let one = all.named(Kind::Providers, "ada");
        assert_eq!(attempts(&one, Repeat::Always, &[Class::Failed]).await.1, 1);
    }
    assert!(!all.named(Kind::Providers, "ada").is_well());
    assert!(all.named(Kind::Providers, "bob").is_well(), "one who is away is no matter of another");
    assert!(!all.probe(Kind::Providers).check().await);
    assert!(all.probe(Kind::Issuers).check().await);
    assert_eq!(all.one(Kind::Mail).name(), "mail");
    assert_eq!(all.named(Kind::Issuers, "x").name(), "issuers.x");
}

#[test]
fn nobody_is_waited_for_longer_than_half_a_minute() {
    // An answer of a model is as long as it is: each provider has times of its own, for the first word and for the whole.
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Assistant) {
        assert!(kind.usual().timeout <= Terms::LONGEST, "{kind:?}");
    }
    assert_eq!(Terms::default().timeout, Duration::from_secs(3));
}
