//! Somebody who asks, and looks at the clock.

use std::time::{Duration, Instant};

use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet, time::sleep_until};

use crate::{
    Done,
    http::{Line, length},
};

fn question(address: &str, token: &str, streams: bool) -> Vec<u8> {
    let body = format!(
        r#"{{"model":"fake","messages":[{{"role":"user","content":"How long does the bracket take to print?"}}],"max_tokens":64,"stream":{streams}}}"#
    );
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

async fn connect(address: &str) -> Done<Line> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(Line::new(stream))
}

async fn answered(line: &mut Line, question: &[u8]) -> Done {
    line.stream.write_all(question).await?;
    let head = line.head().await?.ok_or("it broke off")?;
    let body = line.body(length(&head)).await?;
    if !head.starts_with("http/1.1 200") {
        return Err(format!("{head}{}", String::from_utf8_lossy(&body)).into());
    }
    Ok(())
}

/// Asks from so many connections, as often as it can or at a rate. At a rate the time of an answer begins when it should have been asked.
pub(crate) async fn ask(
    name: &str,
    address: &str,
    token: &str,
    connections: u32,
    time: Duration,
    rate: Option<u32>,
) -> Done {
    let (mut askers, began) = (JoinSet::new(), Instant::now());
    for n in 0..connections {
        let (question, address) = (question(address, token, false), address.to_owned());
        askers.spawn(async move {
            let mut line = connect(&address).await?;
            let mut took = Vec::new();
            let pause = rate.map(|rate| Duration::from_secs(1) * connections / rate);
            let mut due = began + pause.map_or(Duration::ZERO, |pause| pause * n / connections);
            while began.elapsed() < time {
                let asked = match pause {
                    None => Instant::now(),
                    Some(pause) => {
                        sleep_until(due.into()).await;
                        let asked = due;
                        due += pause;
                        asked
                    }
                };
                answered(&mut line, &question).await?;
                took.push(asked.elapsed());
            }
            Done::Ok(took)
        });
    }
    let mut took = Vec::new();
    while let Some(asker) = askers.join_next().await {
        took.extend(asker??);
    }
    told(name, took, began.elapsed());
    Ok(())
}

/// Asks for streams, one after the other, and looks how long the first piece takes.
pub(crate) async fn first(name: &str, address: &str, token: &str, calls: u32) -> Done {
    let question = question(address, token, true);
    let mut line = connect(address).await?;
    let (mut took, began) = (Vec::new(), Instant::now());
    for _ in 0..calls {
        let asked = Instant::now();
        line.stream.write_all(&question).await?;
        let head = line.head().await?.ok_or("it broke off")?;
        if !head.starts_with("http/1.1 200") {
            return Err(head.into());
        }
        line.any().await?;
        took.push(asked.elapsed());
        line.chunks().await?;
    }
    told(name, took, began.elapsed());
    Ok(())
}

fn told(name: &str, mut took: Vec<Duration>, within: Duration) {
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 1000).or(took.last()).map_or(0, Duration::as_micros);
    let each = took.len() as f64 / within.as_secs_f64();
    println!("{name:<40} {each:>9.0}/s  p50 {:>7} us  p99 {:>7} us  max {:>7} us", at(500), at(990), at(1000));
}
