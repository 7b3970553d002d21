//! What webhooks are measured with.
//!
//! ```text
//! webhooks receive PORT                        a receiver that answers at once
//! webhooks bare URL COUNT CONCURRENCY BYTES    sends as many as reqwest can; prints deliveries per second
//! ```
//!
//! `GET /seen` of the receiver tells in JSON what came since it was asked last, `GET /count` how many; `GET /answer/204` and `GET /answer/503` say how it
//! answers from now on: 503 asks to be left alone for a while.

mod receiver;

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

const USAGE: &str = "usage: webhooks receive PORT | bare URL COUNT CONCURRENCY BYTES";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["receive", port] => receiver::serve(port.parse()?).await,
        ["bare", url, count, concurrency, bytes] => {
            bare(url, count.parse()?, concurrency.parse()?, bytes.parse()?).await
        }
        _ => Err(USAGE.into()),
    }
}

/// Sends as many requests, so many at a time, each of so many bytes and with headers as long as those of a webhook.
async fn bare(url: &str, count: usize, concurrency: usize, bytes: usize) -> Result<(), Box<dyn Error>> {
    if !url.starts_with("http://127.0.0.1:") {
        return Err("only 127.0.0.1 is measured".into());
    }
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(concurrency).build()?;
    let (body, next) = (vec![b'x'; bytes], Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..concurrency {
        let (client, url, body, next) = (client.clone(), url.to_owned(), body.clone(), Arc::clone(&next));
        senders.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return Ok(());
                }
                let request = client.post(&url).header("content-type", "application/json").body(body.clone());
                let request =
                    request.header("webhook-id", format!("msg_{n:032x}")).header("webhook-timestamp", "1700000000");
                let request = request.header("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=");
                let answer = request.send().await?.error_for_status()?;
                answer.bytes().await?;
            }
        });
    }
    while let Some(ended) = senders.join_next().await {
        let sent: Result<(), reqwest::Error> = ended?;
        sent?;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{}", (f64::from(u32::try_from(count)?) / seconds).round());
    Ok(())
}
