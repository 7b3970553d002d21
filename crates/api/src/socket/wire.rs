//! The side of a connection that is written.

use std::{sync::Arc, time::Duration};

use actix_ws::Session as Socket;
use bytestring::ByteString;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use super::{closing::Ended, outgoing::Outgoing};

/// How long a client may take nothing while something is to be told.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the end of a connection may take to be written.
const FAREWELL: Duration = Duration::from_secs(2);

/// The side of a connection that is written.
pub(super) struct Wire {
    socket: Socket,
    overrun: Arc<Notify>,
    closing: watch::Receiver<bool>,
}

impl Wire {
    pub(super) fn new(socket: Socket, overrun: Arc<Notify>, closing: watch::Receiver<bool>) -> Self {
        Self { socket, overrun, closing }
    }

    /// Tells something; waits while the client takes nothing, but not for long.
    pub(super) async fn send(&mut self, text: ByteString) -> Result<(), Ended> {
        metrics::counter!("socket_messages_total", "direction" => "out").increment(1);
        tokio::select! {
            biased;
            sent = timeout(PATIENCE, self.socket.text(text)) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Ended::Client),
                Err(_) => Err(Ended::TooSlow),
            },
            () = self.overrun.notified() => Err(Ended::TooSlow),
            ended = closed(&mut self.closing) => Err(ended),
        }
    }

    pub(super) async fn say(&mut self, told: &Outgoing) -> Result<(), Ended> {
        self.send(told.text()).await
    }

    /// Asks for a sign of life.
    pub(super) async fn ping(&mut self) -> Result<(), Ended> {
        match timeout(PATIENCE, self.socket.ping(b"")).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ended::Client),
            Err(_) => Err(Ended::TooSlow),
        }
    }

    /// Gives back what a ping carried.
    pub(super) async fn pong(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        match timeout(PATIENCE, self.socket.pong(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ended::Client),
            Err(_) => Err(Ended::TooSlow),
        }
    }

    /// Closes the connection with a word why.
    pub(super) async fn close(self, ended: Ended, farewell: Outgoing) {
        let Self { mut socket, .. } = self;
        let ending = async move {
            if ended != Ended::Client {
                let _ = socket.text(farewell.text()).await;
            }
            let _ = socket.close(Some(ended.reason())).await;
        };
        let _ = timeout(FAREWELL, ending).await;
    }
}

/// Waits until the server ends.
pub(super) async fn closed(closing: &mut watch::Receiver<bool>) -> Ended {
    // Whoever would tell is gone: that is an end too.
    let _ = closing.wait_for(|closing| *closing).await;
    Ended::Shutdown
}
