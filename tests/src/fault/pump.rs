//! Carries bytes one way, as the fault of the moment lets them.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{ReadHalf, WriteHalf},
    sync::watch,
};

use super::Fault;

/// Bytes of a piece.
const PIECE: usize = 16 * 1024;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// What is asked.
    There,
    /// What is answered.
    Back,
}

/// Carries until the end, which it passes on.
///
/// # Errors
/// When the connection breaks, or is to be broken off.
pub(super) async fn carry(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut faults: watch::Receiver<Fault>,
    way: Way,
) -> io::Result<()> {
    let (mut piece, mut passed, mut muted) = (vec![0; PIECE], 0, false);
    loop {
        let size = from.read(&mut piece).await?;
        // What was read while nothing comes through is held until it does.
        let fault = match faults.wait_for(|fault| *fault != Fault::BlackHole).await {
            Ok(fault) => *fault,
            Err(_) => return Ok(()),
        };
        if size == 0 {
            return to.shutdown().await;
        }
        let piece = &piece[..size];
        match (fault, way) {
            _ if muted => {}
            (Fault::Delay(time), _) => {
                tokio::time::sleep(time).await;
                to.write_all(piece).await?;
            }
            (Fault::DropAfter(most), Way::Back) if passed + size >= most => {
                to.write_all(&piece[..most.saturating_sub(passed)]).await?;
                to.shutdown().await?;
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            (Fault::Drip { bytes, every }, Way::Back) => drip(&mut to, piece, bytes, every, &mut faults).await?,
            (Fault::HalfClose, Way::Back) => {
                to.shutdown().await?;
                muted = true;
            }
            _ => to.write_all(piece).await?,
        }
        passed += size;
    }
}

/// A piece in small pieces; the rest at once when it is over meanwhile.
async fn drip(
    to: &mut WriteHalf<'_>,
    piece: &[u8],
    bytes: usize,
    every: Duration,
    faults: &mut watch::Receiver<Fault>,
) -> io::Result<()> {
    for drop in piece.chunks(bytes.max(1)) {
        to.write_all(drop).await?;
        let over = faults.wait_for(|fault| !matches!(fault, Fault::Drip { .. }));
        let _ = tokio::time::timeout(every, over).await;
    }
    Ok(())
}
