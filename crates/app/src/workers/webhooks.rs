//! The loops of webhooks: one tells the events of the log to endpoints, one sends what is due, one counts.

mod desk;
mod errand;
mod lane;
mod send;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use desk::Desk;
use domain::{
    Result, Shop,
    bus::Bus,
    clock::Clock,
    identity::Mailroom,
    relay::NUMBERED,
    webhooks::{
        FanOut, Keyring, QUEUED, fan_out,
        ports::{Courier, Dispatch},
    },
};
use tokio_util::sync::CancellationToken;

use super::pause::Pause;

/// For how long messages are taken: so long those of a node that died wait for another one.
pub(crate) const LEASE: Duration = Duration::from_secs(10);
/// How often the log and the queue are asked after there was something; who has something calls.
const SOON: Duration = Duration::from_millis(250);
/// How often while there is nothing.
const QUIET: Duration = Duration::from_secs(1);
/// How often messages are counted.
const COUNTED: Duration = Duration::from_secs(5);
/// A message that is due for longer than this is late.
const LATE: Duration = Duration::from_secs(5);

/// What sends webhooks.
#[derive(Clone)]
pub(crate) struct Dispatcher {
    pub(crate) dispatch: Arc<dyn Dispatch>,
    pub(crate) courier: Arc<dyn Courier>,
    pub(crate) keyring: Keyring,
    /// Tells owners what was switched off.
    pub(crate) room: Mailroom,
    /// Whose clock counts.
    pub(crate) shop: Shop,
    /// Tells when there is something to send, on any node.
    pub(crate) bus: Arc<dyn Bus>,
    /// Most at the same time.
    pub(crate) at_once: u32,
    /// Most at the same time to one endpoint.
    pub(crate) endpoint_at_once: u32,
    /// After failing for so long an endpoint is switched off.
    pub(crate) endured: Duration,
    /// For how long messages are taken.
    pub(crate) lease: Duration,
    /// How long what is being sent may take to end when told to stop.
    pub(crate) drain: Duration,
}

/// Tells the events of the log to endpoints until told to stop. Every node looks; the one whose transaction moves the cursor did it.
pub(crate) async fn fan_out_worker(fan: FanOut, bus: Arc<dyn Bus>, stop: CancellationToken) -> Result<()> {
    let mut numbered = bus.subscribe(&[NUMBERED]).await;
    let mut pause = Pause::new(SOON, QUIET);
    while !stop.is_cancelled() {
        match fan_out(&fan).await {
            Ok(fanned) => {
                if fanned.messages > 0 {
                    let made = u64::try_from(fanned.messages).unwrap_or(u64::MAX);
                    metrics::counter!("webhook_messages_total").increment(made);
                    bus.publish(QUEUED, b"");
                    pause.found();
                } else {
                    pause.nothing();
                }
                if fanned.more {
                    continue;
                }
            }
            Err(error) => {
                pause.failed();
                tracing::warn!(error = crate::chain(&error), pauseMs = pause.millis(), "webhooks wait for the log");
            }
        }
        tokio::select! {
            _ = numbered.next(), if !pause.is_failing() => numbered.clear(),
            () = fan.shop.clock.sleep(pause.length()) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// Sends what is due until told to stop; then waits for what is being sent, and gives back the rest. Errors of the database end
/// nothing: what is being sent goes on, and how it ended is stored later.
pub(crate) async fn dispatch_worker(dispatcher: Dispatcher, stop: CancellationToken) -> Result<()> {
    let clock = Arc::clone(&dispatcher.shop.clock);
    let mut queued = dispatcher.bus.subscribe(&[QUEUED]).await;
    let mut desk = Desk::new(dispatcher);
    let mut pause = Pause::new(SOON, QUIET);
    let (mut look, mut next_look) = (true, clock.now());
    while !stop.is_cancelled() {
        let now = clock.now();
        look |= now >= next_look || desk.is_hungry();
        let failing = pause.is_failing();
        if (!failing || now >= next_look) && desk.turn_to_store(look) {
            (look, next_look) = (false, now + pause.length());
        }
        let next = if failing { next_look } else { next_look.min(desk.beat()) };
        let wait = (next - now).to_std().unwrap_or_default();
        tokio::select! {
            answered = desk.happens(!failing) => match answered {
                None => {}
                Some(Ok(0)) => pause.nothing(),
                Some(Ok(_)) => pause.found(),
                Some(Err(error)) => {
                    pause.failed();
                    next_look = clock.now() + pause.length();
                    let pause_ms = pause.millis();
                    tracing::warn!(error = crate::chain(&error), pauseMs = pause_ms, "webhooks wait for the database");
                }
            },
            _ = queued.next(), if !failing => {
                queued.clear();
                look = true;
            }
            () = clock.sleep(wait), if !desk.is_asking() => {}
            () = stop.cancelled() => {}
        }
    }
    desk.drain().await
}

/// Counts until told to stop. While the database is away the last numbers stand.
pub(crate) async fn webhook_gauges(
    dispatch: Arc<dyn Dispatch>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<()> {
    while !stop.is_cancelled() {
        match dispatch.depth(clock.now() - LATE).await {
            Ok(depth) => {
                let gauges = [
                    ("webhook_messages_open", depth.open),
                    ("webhook_messages_late", depth.late),
                    ("webhook_circuits_open", depth.circuits),
                ];
                for (name, number) in gauges {
                    metrics::gauge!(name).set(f64::from(u32::try_from(number).unwrap_or(u32::MAX)));
                }
            }
            Err(error) => tracing::debug!(error = crate::chain(&error), "webhooks were not counted"),
        }
        tokio::select! {
            () = clock.sleep(COUNTED) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}
