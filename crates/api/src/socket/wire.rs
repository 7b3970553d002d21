//! The side of a connection that is written, as its session holds it.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

use super::{closing::Ended, frame::Frame, line::Line, outgoing::Outgoing};

/// How long a client may take nothing while something is to be told.
const PATIENCE: Duration = Duration::from_secs(10);

/// The side of a connection that is written. Dropping it ends the connection.
pub(super) struct Wire {
    line: Line,
    closing: watch::Receiver<bool>,
}

impl Wire {
    pub(super) fn new(line: Line, closing: watch::Receiver<bool>) -> Self {
        Self { line, closing }
    }

    /// Tells something; waits while the client takes nothing, but not for long.
    pub(super) async fn send(&mut self, mut frame: Frame) -> Result<(), Ended> {
        while let Err(back) = self.line.put(frame) {
            frame = back;
            tokio::select! {
                biased;
                room = timeout(PATIENCE, self.line.room()) => match room {
                    Ok(true) => {}
                    Ok(false) | Err(_) => return Err(Ended::TooSlow),
                },
                ended = closed(&mut self.closing) => return Err(ended),
            }
        }
        if self.line.is_lost() { Err(Ended::Client) } else { Ok(()) }
    }

    pub(super) async fn say(&mut self, told: &Outgoing) -> Result<(), Ended> {
        self.send(told.frame()).await
    }

    /// Asks for a sign of life.
    pub(super) async fn ping(&mut self) -> Result<(), Ended> {
        self.send(Frame::ping()).await
    }

    /// Gives back what a ping carried.
    pub(super) async fn pong(&mut self, carried: &[u8]) -> Result<(), Ended> {
        self.send(Frame::pong(carried)).await
    }

    /// Closes the connection with a word why.
    pub(super) fn close(self, ended: Ended, farewell: &Outgoing) {
        let word = (ended != Ended::Client).then(|| farewell.frame());
        self.line.end(word.into_iter().chain([Frame::close(ended.reason())]));
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.line.end([]);
    }
}

/// Waits until the server ends.
pub(super) async fn closed(closing: &mut watch::Receiver<bool>) -> Ended {
    // Whoever would tell is gone: that is an end too.
    let _ = closing.wait_for(|closing| *closing).await;
    Ended::Shutdown
}
