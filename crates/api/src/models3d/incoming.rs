//! The body of a request as a source of bytes: each piece is asked for when the one before has found its place.

use std::{pin::pin, time::Duration};

use actix_web::web::{Bytes, Payload};
use async_trait::async_trait;
use domain::{Error, Result, assets::Chunks};
use futures_util::{StreamExt as _, future::Either};
use tokio::sync::mpsc;

/// A body on its way in.
pub struct Incoming(mpsc::Receiver<Result<Bytes>>);

#[async_trait]
impl Chunks for Incoming {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        self.0.recv().await.transpose()
    }
}

/// Does `work` with a body. Whoever sends nothing for as long as `idle` is not waited for.
pub async fn receive<T>(
    mut payload: Payload,
    idle: Duration,
    work: impl AsyncFnOnce(&mut Incoming) -> Result<T>,
) -> Result<T> {
    // The body belongs to the thread of its connection; what takes it may be anywhere.
    let (sender, receiver) = mpsc::channel(1);
    let pump = async move {
        loop {
            let piece = match tokio::time::timeout(idle, payload.next()).await {
                Ok(None) => return,
                Ok(Some(Ok(piece))) if piece.is_empty() => continue,
                Ok(Some(Ok(piece))) => Ok(piece),
                Ok(Some(Err(_))) => Err(broken_off("broke off before its end")),
                Err(_) => Err(broken_off("stopped coming")),
            };
            let over = piece.is_err();
            if sender.send(piece).await.is_err() || over {
                return;
            }
        }
    };
    let mut incoming = Incoming(receiver);
    let (work, pump) = (pin!(work(&mut incoming)), pin!(pump));
    match futures_util::future::select(work, pump).await {
        Either::Left((done, _)) => done,
        Either::Right(((), work)) => work.await,
    }
}

fn broken_off(how: &str) -> Error {
    Error::invalid("file", "incomplete", format!("the file {how}; send it again"))
}
