//! The line between Souk and its database, which a test can cut and mend.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// A port of this machine that passes everything on to another address.
#[derive(Debug)]
pub struct Line {
    here: SocketAddr,
    there: Arc<str>,
    running: Option<JoinHandle<()>>,
}

impl Line {
    /// A line to this `host:port`.
    pub async fn to(there: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut line = Self { here: listener.local_addr().unwrap(), there: there.into(), running: None };
        line.carry(listener);
        line
    }

    /// Where it is reached.
    pub fn here(&self) -> SocketAddr {
        self.here
    }

    /// Breaks every connection and refuses new ones, as a database does that was stopped.
    pub async fn cut(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            assert!(running.await.unwrap_err().is_cancelled());
        }
    }

    /// Takes connections again.
    pub async fn mend(&mut self) {
        let listener = TcpListener::bind(self.here).await.unwrap();
        self.carry(listener);
    }

    #[expect(clippy::disallowed_methods, reason = "the test ends the task it starts")]
    fn carry(&mut self, listener: TcpListener) {
        let there = Arc::clone(&self.there);
        self.running = Some(tokio::spawn(async move {
            // Goes with this task, and its connections with it.
            let mut calls = JoinSet::new();
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let there = Arc::clone(&there);
                calls.spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(&*there).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        }));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }
}
