//! The relay's loop: one step after another while there is work, else it sleeps until a commit wakes it.

use std::{sync::Arc, time::Duration};

use domain::{
    Result,
    bus::{Bus, Subscription},
    relay::{COMMITTED, Done, NUMBERED, Relay, Step, step},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::pause::Pause;
use crate::{audit, foundation::Foundation, jobs};

/// For how long the lease is taken: after a crash another node, or this one after its restart, waits so long.
const LEASE: Duration = Duration::from_secs(5);
/// Most events numbered in one transaction: few enough that SQLite's other writers wait only some milliseconds.
const BATCH: u32 = 500;
/// How often the log is asked while events come from commands beside the server, which call nobody.
const SOON: Duration = Duration::from_millis(200);
/// How often else: so late they are noticed, and so late after its lease a relay that died is replaced.
const QUIET: Duration = Duration::from_secs(1);
/// Under load others are waited for after a commit, so that one transaction numbers many events. On a quiet shop a
/// commit is numbered, and heard of, at once.
const GATHER: Duration = Duration::from_millis(25);
/// More events than this in one step are load.
const BUSY: usize = 8;

/// A relay with a name that no other start of the program ever has.
pub(crate) fn relay(foundation: &Foundation) -> Result<Relay> {
    Ok(Relay {
        log: foundation.database.relay_log(),
        key: Arc::new(foundation.mac(audit::PURPOSE)?),
        reactions: jobs::REACTIONS,
        clock: Arc::clone(&foundation.shop.clock),
        entropy: Arc::clone(&foundation.shop.entropy),
        holder: foundation.shop.id::<Uuid>().to_string(),
        lease: LEASE,
        batch: BATCH,
    })
}

/// Runs the relay until told to stop; then numbers what is left and gives the lease back. `committed` is told of commits in
/// this process.
pub(crate) async fn relay_worker(
    relay: Relay,
    bus: Arc<dyn Bus>,
    committed: Arc<Notify>,
    stop: CancellationToken,
) -> Result<()> {
    let mut calls = Calls { news: bus.subscribe(&[COMMITTED]).await, bus, committed };
    let mut held = None;
    let (mut pause, mut gather) = (Pause::new(SOON, QUIET), Duration::ZERO);
    loop {
        let last = stop.is_cancelled();
        let stepped = step(&relay, &mut held).await;
        match &stepped {
            Ok(Step::Led(done)) => {
                if done.numbered > 0 {
                    pause.found();
                } else {
                    pause.nothing();
                }
                gather = if done.numbered > BUSY { GATHER } else { Duration::ZERO };
                led(&calls, done);
                if done.more {
                    continue;
                }
            }
            Ok(Step::Standby) => {
                pause.nothing();
                metrics::gauge!("relay_leader").set(0.0);
            }
            Err(error) => {
                pause.failed();
                tracing::warn!(error = crate::chain(error), pauseMs = pause.millis(), "the relay tries again");
            }
        }
        if last {
            break;
        }
        tokio::select! {
            () = relay.clock.sleep(pause.length()) => {}
            () = calls.next(held.is_some()), if !pause.is_failing() => if !gather.is_zero() {
                relay.clock.sleep(gather).await;
            },
            () = stop.cancelled() => {}
        }
    }
    match &held {
        Some(lease) => relay.log.release(lease).await,
        None => Ok(()),
    }
}

fn led(calls: &Calls, done: &Done) {
    if done.numbered > 0 {
        calls.bus.publish(NUMBERED, b"");
    }
    metrics::counter!("events_numbered_total").increment(u64::try_from(done.numbered).unwrap_or_default());
    metrics::counter!("events_jobs_total").increment(u64::try_from(done.jobs).unwrap_or_default());
    metrics::counter!("events_set_aside_total").increment(u64::try_from(done.failed).unwrap_or_default());
    metrics::gauge!("relay_leader").set(1.0);
}

/// What calls the relay: commits, here and on other nodes.
struct Calls {
    bus: Arc<dyn Bus>,
    news: Subscription,
    committed: Arc<Notify>,
}

impl Calls {
    /// Waits for a call to the relay. A node that is not the relay passes its own commits on to the one that is.
    async fn next(&mut self, leads: bool) {
        loop {
            tokio::select! {
                () = self.committed.notified() => {
                    if leads {
                        return;
                    }
                    self.bus.publish(COMMITTED, b"");
                }
                _ = self.news.next() => {
                    // However many called, one look finds what they all mean.
                    self.news.clear();
                    if leads {
                        return;
                    }
                }
            }
        }
    }
}
