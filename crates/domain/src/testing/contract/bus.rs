//! What every bus is held to, between two nodes and within one.

use crate::bus::{Bus, Heard, Message, PAYLOAD_MAX, QUEUE, Subscription, TOPIC_MAX};

/// Messages that are published before anybody is given time to hear them.
const BURST: usize = 50;

/// Runs the cases: what is published on `here` is heard on `there`. They may be the same node. The topics are the cases' own
/// unless somebody else runs them on the same bus at the same time.
pub async fn run(here: &dyn Bus, there: &dyn Bus) {
    messages_arrive_unchanged_and_in_order(here, there).await;
    every_subscription_hears_each_message_once(here, there).await;
    other_topics_stay_silent(here, there).await;
    a_dropped_subscription_leaves_nothing_behind(here, there).await;
    publishers_do_not_mix_up_the_order_of_each(here, there).await;
    who_is_too_slow_is_told_and_goes_on(here, there).await;
    what_cannot_be_carried_is_told_as_lost(here, there).await;
}

async fn messages_arrive_unchanged_and_in_order(here: &dyn Bus, there: &dyn Bus) {
    let mut hears = there.subscribe(&["contract:order"]).await;
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let payloads = [&b""[..], b"{}", "Größe".as_bytes(), &[0, 255, 0], &every_byte, &vec![7; PAYLOAD_MAX]];
    // Equal ones too: none may be taken for a repetition.
    for payload in payloads.iter().chain(&payloads) {
        here.publish("contract:order", payload);
    }
    for payload in payloads.iter().chain(&payloads) {
        assert_eq!(message(&mut hears).await, (*payload).into());
    }
    for n in 0..4 * BURST {
        here.publish("contract:order", &[u8::try_from(n % 256).unwrap()]);
    }
    for n in 0..4 * BURST {
        assert_eq!(*message(&mut hears).await, [u8::try_from(n % 256).unwrap()]);
    }
}

async fn every_subscription_hears_each_message_once(here: &dyn Bus, there: &dyn Bus) {
    let mut one = there.subscribe(&["contract:many"]).await;
    let mut two = there.subscribe(&["contract:other", "contract:many", "contract:many"]).await;
    let mut near = here.subscribe(&["contract:many"]).await;
    for payload in [b"1", b"2"] {
        here.publish("contract:many", payload);
    }
    for hears in [&mut one, &mut two, &mut near] {
        assert_eq!((&*message(hears).await, &*message(hears).await), (&b"1"[..], &b"2"[..]));
    }
    there.publish("contract:other", b"3");
    assert_eq!(two.next().await, heard("contract:other", b"3"));
}

async fn other_topics_stay_silent(here: &dyn Bus, there: &dyn Bus) {
    let mut hears = there.subscribe(&["contract:a"]).await;
    for other in ["contract:", "contract:a:b", "contract:A", "*", "contract:*", ""] {
        here.publish(other, b"other");
    }
    here.publish("contract:a", b"own");
    assert_eq!(hears.next().await, heard("contract:a", b"own"));
}

async fn a_dropped_subscription_leaves_nothing_behind(here: &dyn Bus, there: &dyn Bus) {
    let mut witness = there.subscribe(&["contract:gone"]).await;
    let gone = there.subscribe(&["contract:gone", "contract:gone too"]).await;
    drop(gone);
    here.publish("contract:gone", b"old");
    assert_eq!(&*message(&mut witness).await, b"old");
    let mut anew = there.subscribe(&["contract:gone too", "contract:gone"]).await;
    here.publish("contract:gone too", b"new");
    assert_eq!(anew.next().await, heard("contract:gone too", b"new"));
    drop(witness);
    here.publish("contract:gone", b"newer");
    assert_eq!(anew.next().await, heard("contract:gone", b"newer"));
}

async fn publishers_do_not_mix_up_the_order_of_each(here: &dyn Bus, there: &dyn Bus) {
    let mut hears = there.subscribe(&["contract:two"]).await;
    for n in 0..BURST {
        let n = u8::try_from(n).unwrap();
        here.publish("contract:two", &[1, n]);
        there.publish("contract:two", &[2, n]);
    }
    let mut awaited = [0, 0];
    for _ in 0..2 * BURST {
        let payload = message(&mut hears).await;
        let next = &mut awaited[usize::from(payload[0]) - 1];
        assert_eq!(payload[1], *next);
        *next += 1;
    }
}

async fn who_is_too_slow_is_told_and_goes_on(here: &dyn Bus, there: &dyn Bus) {
    let mut witness = there.subscribe(&["contract:slow"]).await;
    let mut slow = there.subscribe(&["contract:slow"]).await;
    for _ in 0..=QUEUE / BURST {
        for _ in 0..BURST {
            here.publish("contract:slow", b"many");
        }
        // The witness hears them all, so they have arrived.
        for _ in 0..BURST {
            assert_eq!(witness.next().await, heard("contract:slow", b"many"));
        }
    }
    here.publish("contract:slow", b"last");
    assert_eq!(witness.next().await, heard("contract:slow", b"last"));
    assert_eq!(slow.next().await, Heard::Lost, "the loss stands before what came after it");
    let mut left = 0;
    while &*message(&mut slow).await != b"last" {
        left += 1;
    }
    assert!(left < QUEUE, "{left} of them were kept");
}

async fn what_cannot_be_carried_is_told_as_lost(here: &dyn Bus, there: &dyn Bus) {
    let mut hears = there.subscribe(&["contract:large"]).await;
    let mut near = here.subscribe(&["contract:large"]).await;
    here.publish("contract:large", &vec![0; PAYLOAD_MAX + 1]);
    here.publish("contract:large", b"next");
    for hears in [&mut hears, &mut near] {
        assert_eq!((hears.next().await, hears.next().await), (Heard::Lost, heard("contract:large", b"next")));
    }
    let longest = "t".repeat(TOPIC_MAX);
    let mut hears = there.subscribe(&[&longest]).await;
    here.publish(&longest, &[1; PAYLOAD_MAX]);
    assert_eq!(hears.next().await, heard(&longest, &[1; PAYLOAD_MAX]));
    here.publish(&"t".repeat(TOPIC_MAX + 1), b"");
    assert_eq!(hears.next().await, Heard::Lost, "nobody can say who was meant");
}

async fn message(hears: &mut Subscription) -> std::sync::Arc<[u8]> {
    match hears.next().await {
        Heard::Message(message) => message.payload,
        Heard::Lost => panic!("something was lost"),
    }
}

fn heard(topic: &str, payload: &[u8]) -> Heard {
    Heard::Message(Message { topic: topic.into(), payload: payload.into() })
}
