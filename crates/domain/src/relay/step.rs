//! One step of the relay, driven by a loop outside and by tests with a clock of their own.

use std::{sync::Arc, time::Duration};

use super::{Lease, Opened, RelayLog, plan};
use crate::{
    clock::{Clock, Entropy},
    error::Result,
    id::{JobId, time_sorted},
    job::Reactions,
    secrets::Mac,
};

/// What the relay runs with.
#[derive(Clone)]
pub struct Relay {
    /// The log.
    pub log: Arc<dyn RelayLog>,
    /// The key of the audit chain.
    pub key: Arc<dyn Mac>,
    /// What follows from an event.
    pub reactions: Reactions,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where the ids of jobs come from.
    pub entropy: Arc<dyn Entropy>,
    /// A name no other start of the program ever has.
    pub holder: String,
    /// For how long the lease is taken. After a crash another node waits so long.
    pub lease: Duration,
    /// Most events numbered in one transaction.
    pub batch: u32,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("holder", &self.holder).finish_non_exhaustive()
    }
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another node is the relay.
    Standby,
    /// This node is the relay.
    Led(Done),
}

/// The work of one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Events that got a number.
    pub numbered: usize,
    /// Events that were set aside.
    pub failed: usize,
    /// Jobs that follow from the events.
    pub jobs: usize,
    /// Changes of the product counts that were folded in.
    pub folded: u64,
    /// Whether more is likely to wait, so that the next step should follow at once.
    pub more: bool,
}

/// Takes or renews the lease, numbers one batch of events and folds the waiting product counts. `held` is the lease as
/// the last step left it; the step changes it.
///
/// # Errors
/// Those of the log; the lease is then kept and compared again by the next step.
pub async fn step(relay: &Relay, held: &mut Option<Lease>) -> Result<Step> {
    let now = relay.clock.now();
    // Renewed half way, so that one slow or failed step does not lose it.
    if held.as_ref().is_none_or(|lease| lease.until <= now + relay.lease / 2) {
        *held = relay.log.lease(&relay.holder, now, now + relay.lease).await?;
    }
    let Some(lease) = held.as_ref() else { return Ok(Step::Standby) };
    let mut done = Done::default();
    match relay.log.open(lease, relay.batch).await? {
        Opened::Fenced => {
            *held = None;
            return Ok(Step::Standby);
        }
        Opened::Idle => {}
        Opened::Batch(batch) => {
            let mut plan = plan(relay.key.as_ref(), relay.reactions, &batch.position(), batch.pending())?;
            for (event, request) in std::mem::take(&mut plan.wanted) {
                let id = JobId(time_sorted(now, &*relay.entropy));
                plan.jobs.push(request.into_job(id, now, Some(event)));
            }
            done.more = u32::try_from(batch.pending().len()).is_ok_and(|found| found >= relay.batch);
            batch.commit(&plan).await?;
            for (id, reason) in &plan.failed {
                tracing::error!(event = %id, reason, "event set aside; see `souk events failed`");
            }
            done.numbered = plan.numbered.len();
            done.failed = plan.failed.len();
            done.jobs = plan.jobs.len();
        }
    }
    // A change of a count is one small row; many fit in a transaction.
    let most = relay.batch.saturating_mul(10);
    let Some(folded) = relay.log.fold(lease, most).await? else {
        *held = None;
        return Ok(Step::Standby);
    };
    done.folded = folded;
    done.more |= folded >= u64::from(most);
    Ok(Step::Led(done))
}
