//! Many clients listen to one product while one publisher changes its stock; every delivery is timed and put in order.
//!
//! ```text
//! streams HOST:PORT CLIENTS RATE SECONDS TOKEN PRODUCT
//! ```
//!
//! RATE is changes per second; 0 publishes the next change when every client has the last one. The stock is the number of
//! the change, so that one clock, this process's, times the way from the request to each client. Prints one JSON line.

use std::{
    error::Error,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    time::timeout,
};

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
    let [address, clients, rate, seconds, token, product] = arguments.as_slice() else {
        return Err("usage: streams HOST:PORT CLIENTS RATE SECONDS TOKEN PRODUCT".into());
    };
    let (clients, rate, seconds): (usize, f64, f64) = (clients.parse()?, rate.parse()?, seconds.parse()?);
    if !address.starts_with("127.0.0.1:") {
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
        readers.spawn(listen(Arc::clone(&run), address.clone()));
        // As many as may wait to be accepted.
        while run.listening.load(Ordering::Relaxed) + 500 < n {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    while run.listening.load(Ordering::Relaxed) < clients {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let began = Instant::now();
    let changes = publish(&run, address, rate, seconds, token, product).await?;
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

async fn listen(run: Arc<Run>, address: String) -> Option<()> {
    let mut socket = TcpStream::connect(&address).await.ok()?;
    let request = format!("GET /api/v1/events?topics=products HTTP/1.1\r\nhost: {address}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.ok()?;
    let (mut text, mut buffer, mut last, mut open) = (String::new(), vec![0; 8192], 0, false);
    loop {
        let read = socket.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        let now = Instant::now();
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        if !open && text.contains("retry:") {
            open = true;
            run.listening.fetch_add(1, Ordering::Relaxed);
        }
        while let Some((message, _)) = text.split_once("\n\n") {
            let length = message.len() + 2;
            if let Some(stock) = number(message, "\"stock\":") {
                if stock != last + 1 && last != 0 {
                    run.disordered.fetch_add(1, Ordering::Relaxed);
                }
                last = stock;
                if let Some(sent) = run.sent.get(stock).and_then(OnceLock::get) {
                    let wait = u32::try_from((now - *sent).as_micros()).unwrap_or(u32::MAX);
                    if let Ok(mut waits) = run.waits.lock() {
                        waits.push(wait);
                    }
                }
                let delivered = run.delivered.fetch_add(1, Ordering::Relaxed) + 1;
                if delivered % run.clients == 0 {
                    run.round.notify_one();
                }
            }
            text.drain(..length);
        }
    }
}

fn number(text: &str, before: &str) -> Option<usize> {
    let digits = text.split_once(before)?.1;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

async fn publish(
    run: &Run,
    address: &str,
    rate: f64,
    seconds: f64,
    token: &str,
    product: &str,
) -> Result<usize, Box<dyn Error>> {
    let mut socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let (mut buffer, began, mut changes) = (vec![0; 16384], Instant::now(), 0);
    while began.elapsed().as_secs_f64() < seconds && changes + 1 < CHANGES {
        changes += 1;
        let body = format!("{{\"stock\":{changes}}}");
        let request = format!(
            "PATCH /api/v1/products/{product} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let _ = run.sent[changes].set(Instant::now());
        socket.write_all(request.as_bytes()).await?;
        let read = socket.read(&mut buffer).await?;
        let head = String::from_utf8_lossy(&buffer[..read.min(80)]).into_owned();
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("a change was refused: {head}").into());
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
