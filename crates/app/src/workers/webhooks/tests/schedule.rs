//! The whole schedule and its end, by a clock that stands still until it is set.

use domain::{
    clock::{Clock, Timestamp},
    mail::Subject,
    permission::Role,
    testing::{FakeClock, Fixtures},
    webhooks::{Cause, ENDURED, Message, PAUSES},
};

use super::*;

/// A clock that stands still. Who sleeps waits until it is set.
#[derive(Default)]
struct SetClock(FakeClock, Notify);

impl SetClock {
    fn set(&self, now: Timestamp) {
        self.0.set(now);
        self.1.notify_waiters();
    }
}

#[async_trait]
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, time: Duration) {
        let end = self.now() + time;
        loop {
            let mut set = std::pin::pin!(self.1.notified());
            set.as_mut().enable();
            if self.now() >= end {
                return;
            }
            set.await;
        }
    }
}

impl House {
    /// The message, once it was tried so often and is not being sent.
    async fn tried(&self, of: EndpointId, id: WebhookMessageId, times: u32) -> Message {
        let there = async {
            loop {
                let message = self.store.message(of, id).await.unwrap().unwrap();
                assert!(message.attempts <= times, "it was not due");
                if message.attempts == times && message.state != MessageState::Sending {
                    return message;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.unwrap_or_else(|_| panic!("it was not tried {times} times"))
    }
}

#[tokio::test]
async fn the_whole_schedule_is_kept_and_after_five_days_the_owner_gets_a_letter() {
    let (mut house, clock) = (House::new(), Arc::new(SetClock::default()));
    house.shop.clock = clock.clone();
    house.endured = ENDURED;
    let keeper = Fixtures::new(Arc::clone(&house.shop.store), Arc::default()).person(Role::User).await;
    let fails = house.endpoint_of("fails", keeper.user).await;
    let well = house.endpoint("well").await;
    let id = house.tell(fails, 1).await.remove(0);
    let began = clock.now();
    house.start();
    let mut arrived = 0;
    for (pause, tried) in PAUSES.into_iter().zip(1..) {
        let message = house.tried(fails, id, tried).await;
        assert_eq!(message.state, MessageState::Waiting);
        let due = message.next_attempt_at.unwrap();
        let wait = (due - clock.now()).to_std().unwrap();
        assert!(pause * 4 / 5 <= wait && wait <= pause * 6 / 5, "{wait:?} in the place of {pause:?}");
        // Just before, the desk looks and sends another's, and not this one.
        clock.set(due - Duration::from_millis(1));
        house.tell(well, 1).await;
        arrived += 1;
        house.until(well, MessageState::Delivered, arrived).await;
        assert_eq!(house.tried(fails, id, tried).await.attempts, tried);
        // By then it looks again by itself.
        clock.set(due + QUIET);
    }
    let message = house.tried(fails, id, 8).await;
    assert_eq!((message.state, message.cause), (MessageState::Failed, Some(Cause::Exhausted)));
    let stored = WebhookQueries::get(&house.store, fails).await.unwrap().unwrap();
    assert_eq!((stored.off, stored.failing_since), (None, Some(began)));

    // Nothing arrives for five days: with the next attempt that fails it is switched off.
    for (after, off) in [(ENDURED.saturating_sub(Duration::from_secs(1)), None), (ENDURED, Some(Off::Failing))] {
        clock.set(began + after);
        let last = house.tell(fails, 1).await.remove(0);
        house.tried(fails, last, 1).await;
        let there = async {
            while WebhookQueries::get(&house.store, fails).await.unwrap().unwrap().off != off {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.unwrap();
    }
    house.stop().await;
    let (postbox, room) = (Arc::new(Postbox::default()), Postbox::room(Verification::Off));
    let sent = postbox.deliver_all(&house.shop, &room, &house.store).await.unwrap();
    assert_eq!(sent.iter().map(|mail| mail.about).collect::<Vec<_>>(), [Subject::WebhookDisabled]);
}
