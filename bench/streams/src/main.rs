//! Many clients listen while one publisher goes on; every delivery is timed and put in order.
//!
//! ```text
//! streams sse HOST:PORT CLIENTS RATE SECONDS TOKEN PRODUCT   events of one product, whose stock is changed
//! streams ws HOST:PORT CLIENTS RATE SECONDS TOKEN            messages in the room of all
//! ```
//!
//! `HOST:PORT,HOST:PORT` listens at the first and publishes at the second: the way from node to node.
//! RATE is changes per second; 0 publishes the next change when every client has the last one. What is published is its
//! number, so that one clock, this process's, times the way from the request to each client. Prints one JSON line.

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
    let (address, clients, rate, seconds, token, product) = match arguments.as_slice() {
        [kind, address, clients, rate, seconds, token, product] if kind == "sse" => {
            (address, clients, rate, seconds, token, Some(product))
        }
        [kind, address, clients, rate, seconds, token] if kind == "ws" => (address, clients, rate, seconds, token, None),
        _ => return Err("usage: streams sse|ws HOST:PORT CLIENTS RATE SECONDS TOKEN [PRODUCT]".into()),
    };
    let (clients, rate, seconds): (usize, f64, f64) = (clients.parse()?, rate.parse()?, seconds.parse()?);
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
        match product {
            Some(_) => readers.spawn(sse::listen(Arc::clone(&run), address.to_owned())),
            None => readers.spawn(ws::listen(Arc::clone(&run), address.to_owned())),
        };
        // As many as may wait to be accepted.
        while run.listening.load(Ordering::Relaxed) + 500 < n {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    while run.listening.load(Ordering::Relaxed) < clients {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let publisher = match product {
        Some(product) => Publisher::Sse(sse::Publisher::connect(published_at, token, product).await?),
        None => Publisher::Ws(ws::Publisher::connect(published_at, token).await?),
    };
    let began = Instant::now();
    let changes = publish(&run, publisher, rate, seconds).await?;
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
    let at = |share: f64| waits.get((waits.len() as f64 * share) as usize).or(waits.last()).map_or(0.0, |us| f64::from(*us) / 1000.0);
    let delivered = run.delivered.load(Ordering::Relaxed);
    println!(
        "{{\"clients\":{clients},\"rate\":{rate},\"changes\":{changes},\"delivered\":{delivered},\"lost\":{},\"disordered\":{},\"perSecond\":{:.0},\"p50\":{:.2},\"p99\":{:.2},\"max\":{:.2}}}",
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

enum Publisher {
    Sse(sse::Publisher),
    Ws(ws::Publisher),
}

/// Publishes for so long; gives how much.
async fn publish(run: &Run, mut publisher: Publisher, rate: f64, seconds: f64) -> Result<usize, Box<dyn Error>> {
    let (began, mut changes) = (Instant::now(), 0);
    while began.elapsed().as_secs_f64() < seconds && changes + 1 < CHANGES {
        changes += 1;
        let _ = run.sent[changes].set(Instant::now());
        match &mut publisher {
            Publisher::Sse(publisher) => publisher.publish(changes).await?,
            Publisher::Ws(publisher) => publisher.publish(changes).await?,
        }
        if rate > 0.0 {
            let next = began + Duration::from_secs_f64(changes as f64 / rate);
            tokio::time::sleep_until(next.into()).await;
        } else {
            timeout(Duration::from_secs(10), run.round.notified()).await?;
        }
    }
    Ok(changes)
}

fn number(text: &str, before: &str) -> Option<usize> {
    let digits = text.split_once(before)?.1;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
