//! Readers that go on asking whatever happens, and what became of each request.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::Client;

/// How long until a reader that was refused asks again.
const PAUSE: Duration = Duration::from_millis(20);

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// When it was sent.
    pub at: Instant,
    /// How long its answer took.
    pub took: Duration,
    /// The status; 0 when there was no answer.
    pub status: u16,
    /// What `Retry-After` said.
    pub retry_after: Option<u64>,
}

/// Readers. They end with this value.
#[derive(Debug)]
pub struct Load {
    all: Arc<Mutex<Vec<Asked>>>,
    count: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    readers: JoinSet<()>,
}

impl Load {
    /// So many readers, each on connections of its own, who ask for these paths in turn.
    pub fn begin(client: &Client, url: &str, readers: usize, paths: &[String]) -> Self {
        let mut load =
            Self { all: Arc::default(), count: Arc::default(), over: Arc::default(), readers: JoinSet::new() };
        for number in 0..readers {
            let (client, paths) = (client.apart(url.to_owned()), paths.to_vec());
            let (all, count, over) = (Arc::clone(&load.all), Arc::clone(&load.count), Arc::clone(&load.over));
            load.readers.spawn(async move {
                let mut next = number;
                while !over.load(Ordering::Relaxed) {
                    let asked = ask(&client, &paths[next % paths.len()]).await;
                    next += 1;
                    let refused = asked.status != 200;
                    all.lock().unwrap().push(asked);
                    count.fetch_add(1, Ordering::Relaxed);
                    if refused {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            });
        }
        load
    }

    /// Waits until so many more were answered, and at least for this long.
    pub async fn flows(&self, more: usize, least: Duration) {
        let (from, begun) = (self.count.load(Ordering::Relaxed), Instant::now());
        let until = begun + least + Duration::from_mins(1);
        while self.count.load(Ordering::Relaxed) < from + more || begun.elapsed() < least {
            assert!(Instant::now() < until, "the readers get no answers");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What was asked from one moment on and before another.
    pub fn between(&self, from: Instant, until: Instant) -> Vec<Asked> {
        self.all.lock().unwrap().iter().filter(|asked| asked.at >= from && asked.at < until).cloned().collect()
    }

    /// Ends the readers, and gives all they asked.
    pub async fn end(mut self) -> Vec<Asked> {
        self.over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.readers.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut self.all.lock().unwrap())
    }
}

async fn ask(client: &Client, path: &str) -> Asked {
    let at = Instant::now();
    let reply = client.try_send(client.request("GET", path).timeout(Duration::from_secs(40))).await;
    let (status, retry_after) = match &reply {
        Ok(reply) => (reply.status, reply.header("retry-after").parse().ok()),
        Err(_) => (0, None),
    };
    Asked { at, took: at.elapsed(), status, retry_after }
}

/// The time that so many of a thousand answers took at most.
pub fn permille(asked: &[Asked], share: usize) -> Duration {
    let mut took: Vec<Duration> = asked.iter().map(|asked| asked.took).collect();
    took.sort_unstable();
    took.get((took.len() * share / 1000).min(took.len().saturating_sub(1))).copied().unwrap_or_default()
}
