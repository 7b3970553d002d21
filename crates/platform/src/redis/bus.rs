//! The bus between nodes that share a Redis.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use ::redis::{
    Msg, RedisError,
    aio::{PubSub, PubSubSink},
};
use async_trait::async_trait;
use domain::{
    bus::{Bus, Envelope, Exchange, Fanout, Fate, Interest, Subscription},
    clock::Entropy,
};
use futures_util::StreamExt as _;
use tokio::{
    sync::{Mutex, mpsc, oneshot, watch},
    time::{sleep, timeout},
};

use super::Redis;

/// Most messages sent at once.
const BATCH: usize = 200;
/// The pause after a failure, and between two tellings of a loss while the link is away.
const PAUSE: Duration = Duration::from_secs(1);
/// How long Redis may take to confirm a subscription.
const PATIENCE: Duration = Duration::from_secs(1);
/// After so long without a message Redis is asked whether the connection still leads to it.
const SILENCE: Duration = Duration::from_secs(2);

/// Publishes on the node's connection and hears on one of its own, which listens to the topics that somebody on this node
/// wants.
#[derive(Clone)]
pub struct RedisBus(Arc<Shared>);

struct Shared {
    redis: Redis,
    exchange: Exchange,
    orders: mpsc::UnboundedSender<Order>,
    /// Locked for as long as the bus is carried.
    waiting: Mutex<mpsc::UnboundedReceiver<Order>>,
    link: watch::Sender<Link>,
}

/// How it stands with the connection that hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// Nothing is heard. What is subscribed to now is told of a loss when that changes.
    Away,
    /// It is there, and orders are obeyed; those given before it was are not all done.
    Joining,
    /// Every order is obeyed as it comes.
    There,
}

/// What the connection is to do, in this order.
enum Order {
    Subscribe(Arc<str>),
    Unsubscribe(Arc<str>),
    /// Everything before this is done.
    Confirm(oneshot::Sender<()>),
}

/// Turns interest into orders.
struct Wishes(mpsc::UnboundedSender<Order>);

impl Interest for Wishes {
    fn began(&self, topic: &Arc<str>) {
        // Without anybody to carry the bus there is nobody to order from.
        let _ = self.0.send(Order::Subscribe(Arc::clone(topic)));
    }

    fn ended(&self, topic: &Arc<str>) {
        let _ = self.0.send(Order::Unsubscribe(Arc::clone(topic)));
    }
}

impl std::fmt::Debug for RedisBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisBus").finish_non_exhaustive()
    }
}

impl RedisBus {
    /// The bus of all nodes over the same Redis and prefix. It carries nothing to the others before [`RedisBus::carry`]
    /// runs.
    pub fn new(redis: Redis, entropy: &dyn Entropy) -> Self {
        let (orders, waiting) = mpsc::unbounded_channel();
        let exchange = Exchange::new(entropy, Fanout::telling(Wishes(orders.clone())));
        let (waiting, link) = (Mutex::new(waiting), watch::Sender::new(Link::Away));
        Self(Arc::new(Shared { redis, exchange, orders, waiting, link }))
    }

    /// Carries messages until told to stop, whatever happens to Redis; then sends what is still to be sent. It MUST run on a
    /// runtime that outlives all subscriptions.
    pub async fn carry(&self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = self.0.send(stop) => {}
            () = self.0.listen() => {}
            () = self.0.tell_of_silence() => {}
        }
    }

    /// Waits until the link is there.
    pub async fn linked(&self) {
        // The sender lives as long as this.
        let _ = self.0.link.subscribe().wait_for(|link| *link == Link::There).await;
    }
}

#[async_trait]
impl Bus for RedisBus {
    fn publish(&self, topic: &str, payload: &[u8]) {
        if self.0.exchange.publish(topic, payload) == Fate::Dropped {
            metrics::counter!("bus_messages_total", "outcome" => "dropped").increment(1);
        }
    }

    async fn subscribe(&self, topics: &[&str]) -> Subscription {
        let subscription = self.0.exchange.subscribe(topics);
        if *self.0.link.borrow() == Link::Away {
            // When it is there, this is told of a loss.
            return subscription;
        }
        let (confirm, confirmed) = oneshot::channel();
        let _ = self.0.orders.send(Order::Confirm(confirm));
        // Whoever is confirmed later is told of a loss then.
        let _ = timeout(PATIENCE, confirmed).await;
        subscription
    }
}

impl Shared {
    async fn send(&self, stop: impl Future<Output = ()>) {
        let (mut told, mut stop) = (false, pin!(stop));
        loop {
            let batch = tokio::select! {
                biased;
                batch = self.exchange.outgoing_batch(BATCH) => batch,
                () = &mut stop => return,
            };
            let count = u64::try_from(batch.len()).unwrap_or_default();
            let mut pipeline = ::redis::pipe();
            for envelope in batch {
                // Losses of everything go where everybody listens.
                let channel = match Envelope::decode(&envelope) {
                    Some(read) if !read.topic.is_empty() => self.channel(read.topic),
                    _ => self.everywhere(),
                };
                pipeline.cmd("PUBLISH").arg(channel).arg(envelope).ignore();
            }
            match self.redis.call_all::<()>(&pipeline).await {
                Ok(()) => {
                    told = false;
                    metrics::counter!("bus_messages_total", "outcome" => "sent").increment(count);
                }
                Err(failed) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(?failed, "the bus could not send; other nodes will be told of a loss");
                    }
                    self.exchange.not_sent();
                    metrics::counter!("bus_messages_total", "outcome" => "dropped").increment(count);
                    tokio::select! {
                        () = sleep(PAUSE) => {}
                        () = &mut stop => return,
                    }
                }
            }
        }
    }

    async fn listen(&self) {
        let mut waiting = self.waiting.lock().await;
        loop {
            let Err(error) = self.hear(&mut waiting).await;
            if self.link.send_replace(Link::Away) == Link::There {
                tracing::warn!(error, "the bus lost its connection; other nodes are not heard");
            }
            metrics::gauge!("bus_up").set(0.0);
            sleep(PAUSE).await;
        }
    }

    /// Tells of a loss again and again while the link is away.
    async fn tell_of_silence(&self) {
        loop {
            sleep(PAUSE).await;
            if *self.link.borrow() == Link::Away {
                self.lose_all();
            }
        }
    }

    /// Hears until the connection is lost.
    async fn hear(&self, waiting: &mut mpsc::UnboundedReceiver<Order>) -> Result<Infallible, String> {
        forget(waiting);
        let (mut sink, messages) = self.open().await?.split();
        let mut messages = pin!(messages);
        // Orders before this moment are part of what is listened to now.
        forget(waiting);
        let topics = self.exchange.fanout().topics();
        let mut channels: Vec<String> = topics.iter().map(|topic| self.channel(topic)).collect();
        channels.push(self.everywhere());
        in_time(sink.subscribe(channels)).await?;
        // Whoever came since then and did not wait for a confirmation has given its orders before this.
        self.link.send_replace(Link::Joining);
        while let Ok(order) = waiting.try_recv() {
            self.obey(order, &mut sink).await?;
        }
        self.lose_all();
        self.link.send_replace(Link::There);
        metrics::gauge!("bus_up").set(1.0);
        tracing::info!("the bus hears other nodes through Redis");
        loop {
            tokio::select! {
                message = messages.next() => self.arrived(&message.ok_or("the connection was closed")?),
                Some(order) = waiting.recv() => self.obey(order, &mut sink).await?,
                () = sleep(SILENCE) => drop(in_time(sink.ping::<::redis::Value>()).await?),
            }
        }
    }

    /// Opens a connection to hear on.
    async fn open(&self) -> Result<PubSub, String> {
        let Redis(redis) = &self.redis;
        let opened = timeout(redis.settings.connect_timeout, redis.client.get_async_pubsub()).await;
        opened.map_err(|_| "no answer in time".to_owned())?.map_err(|error| error.to_string())
    }

    async fn obey(&self, order: Order, sink: &mut PubSubSink) -> Result<(), String> {
        match order {
            Order::Subscribe(topic) => in_time(sink.subscribe(self.channel(&topic))).await,
            Order::Unsubscribe(topic) => in_time(sink.unsubscribe(self.channel(&topic))).await,
            Order::Confirm(confirm) => {
                if confirm.send(()).is_err() {
                    // It did not wait so long, and may have missed something.
                    self.lose_all();
                }
                Ok(())
            }
        }
    }

    fn arrived(&self, message: &Msg) {
        self.exchange.arrived(message.get_payload_bytes());
    }

    fn lose_all(&self) {
        metrics::counter!("bus_losses_total").increment(1);
        self.exchange.fanout().lose_all();
    }

    fn channel(&self, topic: &str) -> String {
        self.redis.name(&format!("bus:{topic}"))
    }

    /// The channel that every node listens to.
    fn everywhere(&self) -> String {
        self.redis.name("bus")
    }
}

fn forget(waiting: &mut mpsc::UnboundedReceiver<Order>) {
    while waiting.try_recv().is_ok() {}
}

async fn in_time<T>(work: impl Future<Output = Result<T, RedisError>>) -> Result<T, String> {
    let done = timeout(PATIENCE, work).await;
    done.map_err(|_| "no answer in time".to_owned())?.map_err(|error| error.to_string())
}
