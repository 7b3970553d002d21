//! Follows the numbered log and gives what is new to those who listen on this node.

use std::{sync::Arc, time::Duration};

use api::{Floor, Hub, Told};
use domain::{
    Result,
    bus::Bus,
    cache::Cache,
    clock::Clock,
    realtime::{EventFeed, Notice},
    relay::NUMBERED,
};
use tokio_util::sync::CancellationToken;

use super::pause::Pause;

/// Events read at a time.
const PAGE: u32 = 500;
/// How often the log is asked while it goes on.
const SOON: Duration = Duration::from_millis(200);
/// How often else: the last words of a relay that died may be missing, and nothing more.
const QUIET: Duration = Duration::from_secs(2);

/// What the loop works with.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(crate) log: Arc<dyn EventFeed>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) floor: Arc<Floor>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) bus: Arc<dyn Bus>,
}

/// Runs until told to stop.
pub(crate) async fn feed_worker(feed: Feed, stop: CancellationToken) -> Result<()> {
    let mut numbered = feed.bus.subscribe(&[NUMBERED]).await;
    told_up_to(feed.hub.last());
    catch_up(&feed).await?;
    let mut pause = Pause::new(SOON, QUIET);
    while !stop.is_cancelled() {
        match deliver(&feed).await {
            Ok(0) => pause.nothing(),
            Ok(PAGE) => continue,
            Ok(_) => pause.found(),
            Err(error) => {
                pause.failed();
                tracing::warn!(error = crate::chain(&error), pauseMs = pause.millis(), "streams wait for the log");
            }
        }
        tokio::select! {
            () = feed.clock.sleep(pause.length()) => {}
            _ = numbered.next(), if !pause.is_failing() => numbered.clear(),
            () = stop.cancelled() => {}
        }
    }
    Ok(())
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

/// Delivers one page of the log; a full one says that more is likely to wait.
async fn deliver(feed: &Feed) -> Result<u32> {
    let page = feed.log.after(feed.hub.last(), PAGE).await?;
    let Some(last) = page.last().map(|numbered| numbered.seq) else { return Ok(0) };
    let now = feed.clock.now();
    for numbered in &page {
        let lag = (now - numbered.event.at).to_std().unwrap_or_default();
        metrics::histogram!("event_lag_seconds").record(lag.as_secs_f64());
    }
    // Before anybody hears of it: who reads anew because of a notice reads what it tells of.
    feed.cache.follow(&page).await;
    // And before what comes after it: who is an administrator no more hears what the others hear.
    for numbered in &page {
        feed.hub.heed(&numbered.event);
        feed.floor.heed(&numbered.event);
    }
    let news: Vec<Arc<Told>> = page.iter().filter_map(Notice::of).map(|notice| Arc::new(Told::new(notice))).collect();
    feed.hub.deliver(&news, last);
    told_up_to(last);
    Ok(u32::try_from(page.len()).unwrap_or(PAGE))
}
