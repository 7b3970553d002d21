//! Follows the numbered log and gives what is new to those who listen on this node.

use std::{sync::Arc, time::Duration};

use api::{Floor, Hub, Told};
use domain::{
    Result,
    assistant::kept::{ForgetAnswers, KeptAnswers, forgotten_by},
    bus::Bus,
    cache::Cache,
    clock::{Clock, Timestamp},
    event::Event,
    identity::{
        Known,
        known::{CHANGED, HEEDED},
    },
    realtime::{EventFeed, Notice},
    relay::{NUMBERED, Numbered},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::pause::Pause;
use crate::assistant::TOLD_BY;

/// Events read at a time.
const PAGE: u32 = 500;
/// How often the log is asked while it goes on.
const SOON: Duration = Duration::from_millis(200);
/// How often else: the last words of a relay that died may be missing, and nothing more.
const QUIET: Duration = Duration::from_secs(2);
/// How often changes of people and sessions are looked for that nobody called for: those of commands beside the server, and the last
/// words of a node that died.
const PEOPLE: Duration = Duration::from_secs(1);

/// What the loop works with.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(crate) log: Arc<dyn EventFeed>,
    pub(crate) cache: Arc<dyn Cache>,
    /// Who callers are, as this node knows.
    pub(crate) known: Arc<Known>,
    /// Told when the keys that sign tokens change.
    pub(crate) keys: Arc<Notify>,
    /// Told when the terms of the assistant change.
    pub(crate) terms: Arc<Notify>,
    /// What keeps answers on this node, if they are kept.
    pub(crate) kept: Option<KeptAnswers>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) floor: Arc<Floor>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) bus: Arc<dyn Bus>,
}

/// Runs until told to stop.
pub(crate) async fn feed_worker(feed: Feed, stop: CancellationToken) -> Result<()> {
    let mut numbered = feed.bus.subscribe(&[NUMBERED]).await;
    let mut changed = feed.bus.subscribe(&[CHANGED]).await;
    told_up_to(feed.hub.last());
    catch_up(&feed).await?;
    let mut pause = Pause::new(SOON, QUIET);
    let mut people = People { due: true, looked: feed.clock.now() };
    while !stop.is_cancelled() {
        match look(&feed, &mut people).await {
            Ok(0) => pause.nothing(),
            Ok(PAGE) => continue,
            Ok(_) => pause.found(),
            Err(error) => {
                pause.failed();
                tracing::warn!(error = crate::chain(&error), pauseMs = pause.millis(), "streams wait for the log");
            }
        }
        let wait = if pause.is_failing() { pause.length() } else { pause.length().min(PEOPLE) };
        tokio::select! {
            () = feed.clock.sleep(wait) => {}
            _ = numbered.next(), if !pause.is_failing() => numbered.clear(),
            // Whoever was called while the database is away looks when it looks again.
            _ = changed.next(), if !pause.is_failing() => {
                changed.clear();
                people.due = true;
            }
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// When to look for changes of people and sessions ahead of the page.
struct People {
    due: bool,
    looked: Timestamp,
}

/// Heeds what is committed of people and sessions and was not told here yet: that must neither wait for the relay, which may have died,
/// nor for all that comes before it in the log. Then delivers a page of the log.
async fn look(feed: &Feed, people: &mut People) -> Result<u32> {
    let began = feed.clock.now();
    if feed.known.is_in_doubt() {
        feed.known.reload().await?;
    }
    // A clock that was set back is no reason to wait.
    if people.due || (began - people.looked).to_std().map_or(true, |since| since >= PEOPLE) {
        people.due = true;
        let ahead = feed.log.ahead(feed.hub.last(), &HEEDED, PAGE).await?;
        if ahead.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX) {
            // More than are read at a time: whoever they concern, all are looked at anew.
            feed.known.reload().await?;
        }
        for event in &ahead {
            heed(feed, event);
        }
        // What was committed before has been heeded, now or with its page.
        feed.known.heard(began);
        metrics::gauge!("sessions_over").set(f64::from(u32::try_from(feed.known.over()).unwrap_or(u32::MAX)));
        (people.due, people.looked) = (false, began);
    }
    deliver(feed).await
}

/// Who somebody is, and then whose connections are to look at that.
fn heed(feed: &Feed, event: &Event) {
    if feed.known.heed(event) {
        let delay = (feed.clock.now() - event.at).to_std().unwrap_or_default();
        metrics::histogram!("revocation_delay_seconds").record(delay.as_secs_f64());
    }
    if event.entity.kind == "signing_key" {
        feed.keys.notify_one();
    }
    if TOLD_BY.contains(&event.entity.kind.as_str()) {
        feed.terms.notify_one();
    }
    feed.hub.heed(event);
    feed.floor.heed(event);
}

/// Shows the cache what was numbered before this node began, and that nobody may have heeded.
async fn catch_up(feed: &Feed) -> Result<()> {
    let last = feed.hub.last();
    let mut from = feed.cache.resume(last).await;
    while from < last {
        let page = feed.log.after(from, PAGE).await?;
        // What is purged by now was made long before anything that is kept.
        let Some(read) = page.last() else { break };
        feed.cache.follow(&page).await;
        from = read.seq;
    }
    feed.cache.resumed().await;
    Ok(())
}

/// Says how far the log is heard on this node.
fn told_up_to(seq: u64) {
    metrics::gauge!("feed_seq").set(f64::from(u32::try_from(seq).unwrap_or(u32::MAX)));
}

/// Forgets what this node keeps for who was deleted. What all nodes keep together is forgotten by a job, which is done again until it is.
async fn forget(feed: &Feed, page: &[Numbered]) {
    let Some(kept) = &feed.kept else { return };
    for user in page.iter().filter_map(|numbered| forgotten_by(&numbered.event)) {
        if let Err(error) = (ForgetAnswers { user }).run(kept).await {
            tracing::warn!(error = crate::chain(&error), "kept answers are forgotten later");
        }
    }
}

/// Delivers one page of the log; a full one says that more is likely to wait.
async fn deliver(feed: &Feed) -> Result<u32> {
    let page = feed.log.after(feed.hub.last(), PAGE).await?;
    let Some(last) = page.last().map(|numbered| numbered.seq) else { return Ok(0) };
    if page.first().is_some_and(|first| first.seq > feed.hub.last() + 1) {
        // What was to be read was purged meanwhile.
        feed.known.reload().await?;
    }
    let now = feed.clock.now();
    for numbered in &page {
        let lag = (now - numbered.event.at).to_std().unwrap_or_default();
        metrics::histogram!("event_lag_seconds").record(lag.as_secs_f64());
    }
    // Before anybody hears of it: who reads anew because of a notice reads what it tells of.
    feed.cache.follow(&page).await;
    // And before what comes after it: who is an administrator no more hears what the others hear.
    for numbered in &page {
        heed(feed, &numbered.event);
    }
    forget(feed, &page).await;
    let news: Vec<Arc<Told>> = page.iter().filter_map(Notice::of).map(|notice| Arc::new(Told::new(notice))).collect();
    feed.hub.deliver(&news, last);
    told_up_to(last);
    Ok(u32::try_from(page.len()).unwrap_or(PAGE))
}
