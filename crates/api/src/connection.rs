//! The connection of a client as the server holds it: beside the server, whoever tells news may write to it.
//!
//! What is told to thousands is not written by thousands of tasks, each of which would have to be woken and to look for itself what
//! there is. An answer that goes on for ever has an `Outlet`; while the server has nothing left to write of it, news goes through
//! that to the socket at once. What the socket does not take at once is written before anything else.

use std::{
    cell::{Cell, RefCell, RefMut},
    io,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, ready},
};

use actix_web::{
    HttpRequest,
    dev::Extensions,
    web::{Buf as _, Bytes},
};
use futures_util::Stream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// The connection of a client, for the server.
#[derive(Debug)]
pub struct Connection(Rc<Held>);

#[derive(Debug)]
struct Held {
    socket: RefCell<TcpStream>,
    /// News that the socket did not take at once.
    left: RefCell<Bytes>,
    /// The server has written all it had.
    clear: Cell<bool>,
}

/// Where news is written to a connection, by the thread that holds it.
#[derive(Debug, Clone)]
pub(crate) struct Outlet(Weak<Held>);

/// What became of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Took {
    /// The socket took it.
    All,
    /// It did not take all. The task of the connection writes the rest, and MUST be woken for it.
    Some,
}

impl Connection {
    /// The connection of this socket.
    pub fn new(socket: TcpStream) -> Self {
        Self(Rc::new(Held { socket: RefCell::new(socket), left: RefCell::default(), clear: Cell::new(false) }))
    }

    /// Puts its outlet among what requests know of their connection.
    pub fn introduce(&self, known: &mut Extensions) {
        known.insert(Outlet(Rc::downgrade(&self.0)));
    }

    fn socket(&self) -> RefMut<'_, TcpStream> {
        self.0.socket.borrow_mut()
    }

    /// Writes what is left of news.
    fn poll_left(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut left = self.0.left.borrow_mut();
        while !left.is_empty() {
            let written = ready!(Pin::new(&mut *self.socket()).poll_write(cx, &left))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            left.advance(written);
        }
        // It would keep what is told to all alive.
        *left = Bytes::new();
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.socket()).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_left(cx))?;
        Pin::new(&mut *self.socket()).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_left(cx))?;
        Pin::new(&mut *self.socket()).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.socket.borrow().is_write_vectored()
    }

    /// The server asks for this when it has written all it had.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_left(cx))?;
        ready!(Pin::new(&mut *self.socket()).poll_flush(cx))?;
        self.0.clear.set(true);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_left(cx))?;
        Pin::new(&mut *self.socket()).poll_shutdown(cx)
    }
}

impl Outlet {
    /// That of the connection of a request; none where the connection is no [`Connection`].
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data::<Self>().cloned()
    }

    /// From here on the server has something to write, until it says that it has written all.
    fn busy(&self) {
        if let Some(held) = self.0.upgrade() {
            held.clear.set(false);
        }
    }

    /// Whether what is written now comes right behind everything from before.
    pub(crate) fn is_clear(&self) -> bool {
        self.0.upgrade().is_some_and(|held| held.clear.get() && held.left.borrow().is_empty())
    }

    /// Writes news. MUST be clear.
    pub(crate) fn write(&self, news: &Bytes) -> Took {
        let Some(held) = self.0.upgrade() else { return Took::All };
        // A fault is found again by the task of the connection, which ends it.
        let taken = held.socket.borrow().try_write(news).unwrap_or(0);
        if taken == news.len() {
            return Took::All;
        }
        *held.left.borrow_mut() = news.slice(taken..);
        Took::Some
    }
}

/// The body of an answer that has an outlet: while the server has something of it to write, the outlet is not clear.
#[derive(Debug)]
pub(crate) struct Live<S> {
    body: S,
    outlet: Option<Outlet>,
    begun: bool,
}

impl<S> Live<S> {
    /// This body of the answer to a request with this outlet.
    pub(crate) fn new(body: S, outlet: Option<Outlet>) -> Self {
        Self { body, outlet, begun: false }
    }
}

impl<S: Stream + Unpin> Stream for Live<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if !std::mem::replace(&mut this.begun, true)
            && let Some(outlet) = &this.outlet
        {
            // The head of the answer waits to be written.
            outlet.busy();
        }
        let next = Pin::new(&mut this.body).poll_next(cx);
        if let (Poll::Ready(_), Some(outlet)) = (&next, &this.outlet) {
            outlet.busy();
        }
        next
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{future::poll_fn, net::SocketAddr};

    use futures_util::{FutureExt as _, StreamExt as _, stream};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// A connection, its outlet, and who is at the other end.
    pub(crate) async fn connection() -> (Connection, Outlet, TcpStream) {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let (client, accepted) =
            tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), async { listener.accept().await });
        let connection = Connection::new(accepted.unwrap().0);
        let outlet = Outlet(Rc::downgrade(&connection.0));
        (connection, outlet, client.unwrap())
    }

    async fn read(client: &mut TcpStream, bytes: usize) -> Vec<u8> {
        let mut read = vec![0; bytes];
        client.read_exact(&mut read).await.unwrap();
        read
    }

    #[tokio::test]
    async fn news_is_written_at_once_behind_what_the_server_wrote_and_not_before() {
        let (mut connection, outlet, mut client) = connection().await;
        assert!(!outlet.is_clear(), "the server has said nothing yet");
        connection.write_all(b"head;").await.unwrap();
        assert!(!outlet.is_clear(), "it may have more");
        connection.flush().await.unwrap();
        assert!(outlet.is_clear());
        assert_eq!(outlet.write(&Bytes::from_static(b"news;")), Took::All);
        assert_eq!(read(&mut client, 10).await, b"head;news;");
        let mut body = Live::new(stream::iter(["told"]), Some(outlet.clone()));
        assert_eq!(body.next().await, Some("told"));
        assert!(!outlet.is_clear(), "the server has a piece of the body");
        connection.flush().await.unwrap();
        assert!(outlet.is_clear());
        assert_eq!(body.next().await, None);
        assert!(!outlet.is_clear(), "the end is to be written");
    }

    #[tokio::test]
    async fn what_the_socket_does_not_take_at_once_is_written_before_anything_else() {
        let (mut connection, outlet, mut client) = connection().await;
        connection.flush().await.unwrap();
        let mut told = Vec::new();
        for number in 0_u32.. {
            let news: Bytes = number.to_be_bytes().repeat(1000).into();
            told.extend_from_slice(&news);
            if outlet.write(&news) == Took::Some {
                break;
            }
        }
        assert!(!outlet.is_clear());
        assert!(connection.flush().now_or_never().is_none(), "the client takes nothing");
        told.extend_from_slice(b"more");
        let (taken, written) = tokio::join!(read(&mut client, told.len()), async {
            connection.write_all(b"more").await?;
            connection.flush().await
        });
        written.unwrap();
        assert!(taken == told && outlet.is_clear());
    }

    #[tokio::test]
    async fn nothing_is_written_to_a_connection_that_is_gone() {
        let (mut connection, outlet, mut client) = connection().await;
        connection.flush().await.unwrap();
        poll_fn(|cx| Pin::new(&mut connection).poll_shutdown(cx)).await.unwrap();
        drop(connection);
        assert!(!outlet.is_clear());
        assert_eq!(outlet.write(&Bytes::from_static(b"news")), Took::All);
        assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
    }
}
