//! Many clients listen while one publisher goes on; every delivery is timed and put in order.
//!
//! ```text
//! streams sse HOST:PORT CLIENTS RATE SECONDS TOKEN PRODUCT   events of one product, whose stock is changed
//! streams ws HOST:PORT CLIENTS RATE SECONDS TOKEN            messages in the room of all
//! streams peer HOST:PORT CLIENTS RATE SECONDS                what is POSTed to /broadcast of another server of WebSockets
//! ```
//!
//! `HOST:PORT,HOST:PORT` listens at the first and publishes at the second: the way from node to node.
//! RATE is changes per second; 0 publishes the next change when every client has the last one, and w16 when every client
//! has all but the last 16. What is published is its number, so that one clock, this process's, times the way from the
//! request to each client. Prints one JSON line.

mod peer;
mod sse;
mod ws;

use std::{
    error::Error,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Notify, time::timeout};

const USAGE: &str = "usage: streams sse|ws|peer HOST:PORT CLIENTS RATE|wWINDOW SECONDS [TOKEN [PRODUCT]]";
/// Most changes of one run.
const CHANGES: usize = 100_000;

/// What the clients and the publisher share.
struct Run {
    sent: Vec<OnceLock<Instant>>,
    delivered: AtomicUsize,
    disordered: AtomicUsize,
    listening: AtomicUsize,
    round: Notify,
    /// From the request to each client, in microseconds.
    waits: Mutex<Vec<u32>>,
    clients: usize,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, address, clients, rate, seconds, rest @ ..] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let to = match (kind.as_str(), rest) {
        ("sse", [token, product]) => To::Sse { token, product },
        ("ws", [token]) => To::Ws { token },
        ("peer", []) => To::Peer,
        _ => return Err(USAGE.into()),
    };
    let (clients, seconds): (usize, f64) = (clients.parse()?, seconds.parse()?);
    let pace = match rate.strip_prefix('w') {
        Some(window) => Pace::Window(window.parse()?),
        None => match rate.parse()? {
            0.0 => Pace::Window(1),
            rate => Pace::Rate(rate),
        },
    };
    let (address, published_at) = address.split_once(',').unwrap_or((address, address));
    if [address, published_at].iter().any(|address| !address.starts_with("127.0.0.1:")) {
        return Err("only 127.0.0.1 is measured".into());
    }
    let run = Arc::new(Run {
        sent: (0..CHANGES).map(|_| OnceLock::new()).collect(),
        delivered: AtomicUsize::new(0),
        disordered: AtomicUsize::new(0),
        listening: AtomicUsize::new(0),
        round: Notify::new(),
        waits: Mutex::default(),
        clients,
    });
    let mut readers = tokio::task::JoinSet::new();
    for n in 0..clients {
        let (shared, address) = (Arc::clone(&run), address.to_owned());
        match to {
            To::Sse { .. } => readers.spawn(sse::listen(shared, address)),
            To::Ws { .. } => readers.spawn(ws::listen(shared, address, Some("\"room_joined\""))),
            To::Peer => readers.spawn(ws::listen(shared, address, None)),
        };
        // As many as may wait to be accepted.
        while run.listening.load(Ordering::Relaxed) + 500 < n {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    while run.listening.load(Ordering::Relaxed) < clients {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let publisher = match to {
        To::Sse { token, product } => Publisher::Sse(sse::Publisher::connect(published_at, token, product).await?),
        To::Ws { token } => Publisher::Ws(ws::Publisher::connect(published_at, token).await?),
        To::Peer => Publisher::Peer(peer::Publisher::connect(published_at).await?),
    };
    let began = Instant::now();
    let changes = publish(&run, publisher, pace, seconds).await?;
    let elapsed = began.elapsed().as_secs_f64();
    // What is still on its way.
    let _ = timeout(Duration::from_secs(5), async {
        while run.delivered.load(Ordering::Relaxed) < changes * clients {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    readers.abort_all();
    while readers.join_next().await.is_some() {}
    let mut waits = run.waits.lock().map(|mut waits| std::mem::take(&mut *waits)).unwrap_or_default();
    waits.sort_unstable();
    let at = |share: f64| {
        waits.get((waits.len() as f64 * share) as usize).or(waits.last()).map_or(0.0, |us| f64::from(*us) / 1000.0)
    };
    let delivered = run.delivered.load(Ordering::Relaxed);
    println!(
        "{{\"kind\":\"{kind}\",\"clients\":{clients},\"rate\":\"{rate}\",\"changes\":{changes},\"delivered\":{delivered},\"lost\":{},\"disordered\":{},\"perSecond\":{:.0},\"p50\":{:.2},\"p99\":{:.2},\"max\":{:.2}}}",
        (changes * clients).saturating_sub(delivered),
        run.disordered.load(Ordering::Relaxed),
        delivered as f64 / elapsed,
        at(0.5),
        at(0.99),
        at(1.0),
    );
    Ok(())
}

impl Run {
    /// One more client listens.
    fn listens(&self) {
        self.listening.fetch_add(1, Ordering::Relaxed);
    }

    /// A client heard this number; `last` is what it heard before.
    fn heard(&self, number: usize, last: &mut usize, now: Instant) {
        if number != *last + 1 && *last != 0 {
            self.disordered.fetch_add(1, Ordering::Relaxed);
        }
        *last = number;
        if let Some(sent) = self.sent.get(number).and_then(OnceLock::get) {
            let wait = u32::try_from((now - *sent).as_micros()).unwrap_or(u32::MAX);
            if let Ok(mut waits) = self.waits.lock() {
                waits.push(wait);
            }
        }
        if (self.delivered.fetch_add(1, Ordering::Relaxed) + 1) % self.clients == 0 {
            self.round.notify_one();
        }
    }
}

/// What is measured.
#[derive(Clone, Copy)]
enum To<'a> {
    Sse { token: &'a str, product: &'a str },
    Ws { token: &'a str },
    Peer,
}

/// When the next change is published.
#[derive(Clone, Copy)]
enum Pace {
    /// So many a second.
    Rate(f64),
    /// When every client has all but the last so many.
    Window(usize),
}

enum Publisher {
    Sse(sse::Publisher),
    Ws(ws::Publisher),
    Peer(peer::Publisher),
}

/// Publishes for so long; gives how much.
async fn publish(run: &Run, mut publisher: Publisher, pace: Pace, seconds: f64) -> Result<usize, Box<dyn Error>> {
    let (began, mut changes) = (Instant::now(), 0);
    while began.elapsed().as_secs_f64() < seconds && changes + 1 < CHANGES {
        changes += 1;
        let _ = run.sent[changes].set(Instant::now());
        match &mut publisher {
            Publisher::Sse(publisher) => publisher.publish(changes).await?,
            Publisher::Ws(publisher) => publisher.publish(changes).await?,
            Publisher::Peer(publisher) => publisher.publish(changes).await?,
        }
        match pace {
            Pace::Rate(rate) => {
                let next = began + Duration::from_secs_f64(changes as f64 / rate);
                tokio::time::sleep_until(next.into()).await;
            }
            Pace::Window(window) => {
                while changes - run.delivered.load(Ordering::Relaxed) / run.clients >= window {
                    timeout(Duration::from_secs(10), run.round.notified()).await?;
                }
            }
        }
    }
    Ok(changes)
}

fn number(text: &str, before: &str) -> Option<usize> {
    let digits = text.split_once(before)?.1;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
