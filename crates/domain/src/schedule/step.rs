//! One look at the schedule, driven by a loop outside and by tests with a clock of their own.

use std::sync::Arc;

use super::{Entry, Run, ScheduleQueries};
use crate::{clock::Timestamp, error::Result, shop::Shop};

/// What the scheduler runs with.
#[derive(Clone)]
pub struct Scheduler {
    /// Where jobs are stored, and whose clock counts.
    pub shop: Shop,
    /// How far entries were looked at.
    pub log: Arc<dyn ScheduleQueries>,
    /// What is run when.
    pub entries: Arc<[Entry]>,
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler").field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// Looks at every entry and stores the jobs of the ticks that have passed. An entry that was never seen, or was off, begins
/// with the first tick after now. Gives how many jobs were stored.
///
/// # Errors
/// Those of the store; entries that were looked at before stay so.
pub async fn step(scheduler: &Scheduler) -> Result<u64> {
    let looked_at = scheduler.log.looked_at().await?;
    let now = scheduler.shop.now();
    let mut stored = 0;
    for entry in scheduler.entries.iter() {
        let last = looked_at.get(entry.name).copied();
        let (ticks, to) = match last {
            // What passes while it is off is not missed.
            Some(_) if entry.cron.is_none() => (Vec::new(), None),
            None if entry.cron.is_none() => continue,
            None => (Vec::new(), Some(now)),
            Some(last) => match entry.due(last, now) {
                None => continue,
                Some((ticks, passed)) => (ticks, Some(passed)),
            },
        };
        stored += advance(scheduler, entry, last, to, &ticks).await?;
    }
    Ok(stored)
}

async fn advance(
    scheduler: &Scheduler,
    entry: &Entry,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    ticks: &[Timestamp],
) -> Result<u64> {
    let shop = &scheduler.shop;
    shop.write("run_schedule", |mut tx| async move {
        if !tx.schedules().advance(entry.name, from, to).await? {
            return tx.commit(0).await;
        }
        let mut stored = 0;
        for tick in ticks {
            let request = entry.job.clone().keyed(entry.key(*tick));
            let Some(job) = shop.enqueue(&mut *tx, request).await? else { continue };
            let run =
                Run { name: entry.name.to_owned(), tick: *tick, by_hand: false, job, state: None, finished_at: None };
            // Its row would be there only if somebody set the mark back by hand.
            if tx.schedules().record(&run).await? {
                stored += 1;
            }
        }
        tx.commit(stored).await
    })
    .await
}
