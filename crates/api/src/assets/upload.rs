//! A body on its way into the store: no more of it is in memory than a few pieces, and who sends nothing for a while is let go.

use std::{cell::RefCell, fmt::Display, pin::pin, time::Duration};

use actix_web::{dev::Payload, http::StatusCode, web::Bytes};
use async_trait::async_trait;
use domain::{Error, assets::Chunks};
use futures_util::{Stream, StreamExt as _, future::join};
use tokio::{sync::mpsc, time::timeout};

use crate::problem::Problem;

/// Pieces between the connection and the store.
const BETWEEN: usize = 2;

/// How long what is left of a refused body is read and thrown away: who still sends reads no answer, and a connection that is closed
/// over unread bytes takes the answer with it.
const LINGER: Duration = Duration::from_secs(3);

/// Lets who was refused come to an end, so that they read why.
pub async fn linger(payload: &mut Payload) {
    let _ = timeout(LINGER, async { while let Some(Ok(_)) = payload.next().await {} }).await;
}

/// The pieces of a body as they come; the connection itself stays with its worker.
struct Pieces(mpsc::Receiver<Result<Bytes, Error>>);

#[async_trait]
impl Chunks for Pieces {
    async fn next(&mut self) -> domain::Result<Option<Bytes>> {
        match self.0.recv().await {
            None => Ok(None),
            Some(Ok(piece)) => Ok(Some(piece)),
            Some(Err(error)) => {
                // What broke off stays broken.
                self.0.close();
                Err(error)
            }
        }
    }
}

/// As [`received`], but reader and taker go on by themselves: when the body breaks off, or nobody waits for the answer any more, what
/// came by then is an end like any other. Who is refused comes to an end, so that they read why.
///
/// # Errors
/// 408 when nothing came, 400 when the body broke off.
pub async fn outlasting<T, F>(
    mut payload: Payload,
    idle: Duration,
    take: impl FnOnce(Box<dyn Chunks>) -> F,
) -> Result<domain::Result<T>, Problem>
where
    T: 'static,
    F: Future<Output = domain::Result<T>> + 'static,
{
    let (sender, pieces) = mpsc::channel(BETWEEN);
    let taking = take(Box::new(Pieces(pieces)));
    let both = actix_web::rt::spawn(async move {
        let (fault, taken) = join(pump(&mut payload, idle, sender), taking).await;
        if taken.is_err() {
            linger(&mut payload).await;
        }
        (fault, taken)
    });
    let (fault, taken) = both.await.map_err(Error::internal)?;
    fault.map_or(Ok(taken), Err)
}

/// Reads a body until it ends, breaks off or is taken no more; gives what is wrong with it.
async fn pump(payload: &mut Payload, idle: Duration, to: mpsc::Sender<Result<Bytes, Error>>) -> Option<Problem> {
    loop {
        let came = tokio::select! {
            came = timeout(idle, payload.next()) => came,
            // Who takes no more has said why.
            () = to.closed() => return None,
        };
        match came {
            Ok(None) => return None,
            Ok(Some(Ok(piece))) if piece.is_empty() => {}
            Ok(Some(Ok(piece))) => {
                if to.send(Ok(piece)).await.is_err() {
                    return None;
                }
            }
            Ok(Some(Err(error))) => return Some(broke_off(&error)),
            Err(_) => return Some(nothing_came(idle)),
        }
    }
}

fn broke_off(error: &impl Display) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("The body broke off: {error}"))
}

fn nothing_came(idle: Duration) -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, format!("Nothing came for {} seconds", idle.as_secs()))
}

/// Hands the pieces of a body to whoever takes them, and gives what they made of it. It ends when nothing comes for `idle`.
///
/// # Errors
/// 408 when nothing came, 400 when the body broke off, and what `take` says.
pub async fn received<T, E: Display>(
    payload: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
    idle: Duration,
    take: impl AsyncFnOnce(&mut dyn Chunks) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let (sender, pieces) = mpsc::channel(BETWEEN);
    let fault = RefCell::new(None);
    let pump = async {
        loop {
            let piece = match timeout(idle, payload.next()).await {
                Ok(None) => break,
                Ok(Some(Ok(piece))) if piece.is_empty() => continue,
                Ok(Some(Ok(piece))) => Ok(piece),
                Ok(Some(Err(error))) => Err(broke_off(&error)),
                Err(_) => Err(nothing_came(idle)),
            };
            let broke = piece.is_err();
            let piece = piece.map_err(|problem| {
                fault.replace(Some(problem));
                Error::internal("the body broke off")
            });
            // Who takes no more has said why.
            if sender.send(piece).await.is_err() || broke {
                break;
            }
        }
        drop(sender);
    };
    let mut pieces = Pieces(pieces);
    let (mut pump, mut taken) = (pin!(pump), pin!(take(&mut pieces)));
    let mut pumping = true;
    let taken = loop {
        tokio::select! {
            taken = &mut taken => break taken,
            () = &mut pump, if pumping => pumping = false,
        }
    };
    match fault.take() {
        Some(problem) => Err(problem),
        None => taken,
    }
}
