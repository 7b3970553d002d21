//! The bus of a node that is alone.

use async_trait::async_trait;
use domain::bus::{Bus, Fanout, PAYLOAD_MAX, Subscription, TOPIC_MAX};

/// Passes messages on within the process.
#[derive(Debug, Clone, Default)]
pub struct LocalBus(Fanout);

#[async_trait]
impl Bus for LocalBus {
    fn publish(&self, topic: &str, payload: &[u8]) {
        // What other buses cannot carry is not carried here either, so that nobody comes to rely on it.
        let outcome = if topic.len() > TOPIC_MAX {
            self.0.lose_all();
            "dropped"
        } else if payload.len() > PAYLOAD_MAX {
            self.0.lose(topic);
            "dropped"
        } else {
            self.0.deliver(topic, payload);
            "sent"
        };
        metrics::counter!("bus_messages_total", "outcome" => outcome).increment(1);
    }

    async fn subscribe(&self, topics: &[&str]) -> Subscription {
        self.0.subscribe(topics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_keeps_the_contract() {
        let bus = LocalBus::default();
        domain::testing::contract::bus::run(&bus, &bus).await;
    }
}
