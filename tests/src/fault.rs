//! The way between Souk and what it stands on, on which a test makes the network misbehave.

mod pump;
#[cfg(test)]
mod tests;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
    task::JoinSet,
};

/// How the way misbehaves: what is under way is struck by it as well as what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    None,
    /// Every piece, either way, is so long on its way.
    Delay(Duration),
    /// Connections end in the middle of an answer: after so many of its bytes.
    DropAfter(usize),
    /// Connections are taken and bytes as well, and nothing comes of them, as behind a firewall that drops. What was held comes
    /// through when it is over.
    BlackHole,
    /// Connections break, those that are open and those that come.
    Reset,
    /// Answers come so many bytes at a time, with a pause after each.
    Drip {
        /// Bytes of a piece.
        bytes: usize,
        /// The pause.
        every: Duration,
    },
    /// The answering side ends its half of the connection where its answer would begin, and goes on to take what comes.
    HalfClose,
    /// Nobody listens, and who was connected is cut off: as a server that was stopped.
    Refuse,
}

/// A port of this machine that leads to another address, on a thread of its own so that it goes on while a test waits for a
/// command. It ends with this value, and its connections with it.
#[derive(Debug)]
pub struct FaultProxy {
    here: SocketAddr,
    fault: watch::Sender<Fault>,
    seen: Arc<Seen>,
    _running: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct Seen {
    ever: AtomicUsize,
    open: AtomicUsize,
}

impl FaultProxy {
    /// A way to this `host:port`, without a fault.
    pub fn to(there: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let here = listener.local_addr().unwrap();
        let (fault, faults) = watch::channel(Fault::None);
        let (running, ended) = oneshot::channel();
        let seen = Arc::<Seen>::default();
        let (there, counted): (Arc<str>, _) = (there.into(), Arc::clone(&seen));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = serve(listener, here, there, faults, counted) => {}
                    _ = ended => {}
                }
            });
        });
        Self { here, fault, seen, _running: running }
    }

    /// A way to where this URL leads, and the URL that leads there over it.
    pub fn before(url: &str) -> (Self, String) {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
        let (who, place) = authority.rsplit_once('@').map_or((None, authority), |(who, place)| (Some(who), place));
        let proxy = Self::to(place);
        let who = who.map(|who| format!("{who}@")).unwrap_or_default();
        let path = path.map(|path| format!("/{path}")).unwrap_or_default();
        let through = format!("{scheme}://{who}{}{path}", proxy.here);
        (proxy, through)
    }

    /// Where it is reached.
    pub fn here(&self) -> SocketAddr {
        self.here
    }

    /// Misbehaves like this from now on.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// How many connections have come.
    pub fn ever(&self) -> usize {
        self.seen.ever.load(Ordering::SeqCst)
    }

    /// How many of them are open.
    pub fn open(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }
}

async fn serve(
    listener: TcpListener,
    here: SocketAddr,
    there: Arc<str>,
    mut faults: watch::Receiver<Fault>,
    seen: Arc<Seen>,
) {
    let (mut listener, mut connections) = (Some(listener), JoinSet::new());
    loop {
        if *faults.borrow_and_update() == Fault::Refuse {
            listener = None;
        } else if listener.is_none() {
            listener = Some(TcpListener::bind(here).await.unwrap());
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await.unwrap().0,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = faults.changed() => if changed.is_err() { return },
            near = accepted => {
                seen.ever.fetch_add(1, Ordering::SeqCst);
                let (there, faults, open) = (Arc::clone(&there), faults.clone(), Open::of(&seen));
                connections.spawn(async move {
                    connect(near, &there, faults).await;
                    drop(open);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Counts a connection for as long as it is open.
struct Open(Arc<Seen>);

impl Open {
    fn of(seen: &Arc<Seen>) -> Self {
        seen.open.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(seen))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn connect(mut near: TcpStream, there: &str, faults: watch::Receiver<Fault>) {
    let Ok(mut far) = TcpStream::connect(there).await else { return };
    let mut breaking = faults.clone();
    let carried = async {
        let ((near_reads, near_writes), (far_reads, far_writes)) = (near.split(), far.split());
        let asks = pump::carry(near_reads, far_writes, faults.clone(), pump::Way::There);
        let answers = pump::carry(far_reads, near_writes, faults, pump::Way::Back);
        // A side that ended in order leaves the other to end by itself; one that broke ends both.
        let _ = tokio::try_join!(asks, answers);
    };
    let broken = breaking.wait_for(|fault| matches!(fault, Fault::Reset | Fault::Refuse));
    tokio::select! {
        biased;
        _ = broken => {}
        () = carried => return,
    }
    // What is closed without lingering is reset.
    let _ = (near.set_zero_linger(), far.set_zero_linger());
}
