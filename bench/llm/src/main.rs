//! A model that answers at once, and somebody who asks it: directly, and through Souk.
//!
//!   llm serve PORT                                      answers every question with the same words
//!   llm ask NAME HOST:PORT TOKEN CONNECTIONS SECONDS [RATE]    asks as often as it can, or so often a second
//!   llm first NAME HOST:PORT TOKEN CALLS                asks for streams, one after the other
//!
//! `ask` prints answers a second and the middle, the 99th of a hundred and the longest time in microseconds; `first` the same of the time to
//! the first piece.

mod ask;
mod http;
mod serve;

use std::{error::Error, time::Duration};

type Done<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", port] => serve::serve(port.parse()?).await,
        ["ask", name, address, token, connections, seconds] => {
            let seconds = Duration::from_secs(seconds.parse()?);
            ask::ask(name, address, token, connections.parse()?, seconds, None).await
        }
        ["ask", name, address, token, connections, seconds, rate] => {
            let seconds = Duration::from_secs(seconds.parse()?);
            ask::ask(name, address, token, connections.parse()?, seconds, Some(rate.parse()?)).await
        }
        ["first", name, address, token, calls] => ask::first(name, address, token, calls.parse()?).await,
        _ => Err("llm serve PORT | ask NAME ADDRESS TOKEN CONNECTIONS SECONDS [RATE] | first NAME ADDRESS TOKEN CALLS"
            .into()),
    }
}
