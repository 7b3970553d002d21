//! The server: what takes connections and serves the application on them.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_http::{HttpService, KeepAlive, Protocol};
use actix_server::{Server, ServerBuilder};
use actix_service::{ServiceFactoryExt as _, fn_service, map_config};
use actix_web::{Error, dev::AppConfig};
use tokio::net::TcpStream;

use crate::{Services, app::Drawn, connection::Connection, serve};

/// How long a client may take for the head of a request.
const REQUEST_HEAD: Duration = Duration::from_secs(5);
/// How long a client may take to hear that the connection ends.
const GOODBYE: Duration = Duration::from_secs(1);

/// How a server serves.
#[derive(Debug, Clone, Copy)]
pub struct ServerSettings {
    /// Threads that serve; 0 is one for each processor.
    pub workers: usize,
    /// How long a connection on which nothing is asked stays.
    pub keep_alive: Duration,
    /// How long requests in flight may take after the end of the server began.
    pub shutdown: Duration,
}

/// Serves the application of these services on a socket that listens. `met` is shown each connection when it begins. Signals are the
/// caller's matter.
///
/// It is not `actix_web::HttpServer`, which holds the sockets for itself: here news is written to them past their tasks.
///
/// # Errors
/// When the socket cannot be waited for.
pub fn server(
    socket: TcpListener,
    services: &Arc<Services>,
    settings: ServerSettings,
    met: impl Fn(&TcpStream) + Clone + Send + 'static,
) -> io::Result<Server> {
    let (services, drawn, address) = (Arc::clone(services), Drawn::of(services), socket.local_addr()?);
    let builder = Server::build();
    let (ending, builder) = (builder.graceful_shutdown_signal(), at_work(builder, settings));
    let builder = builder.listen("http", socket, move || {
        let (app, ending, met) = (serve(&services, &drawn), ending.clone(), met.clone());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let ending = ending.clone();
                async move { ending.notified().await }
            })
            .keep_alive(KeepAlive::from(settings.keep_alive))
            .client_request_timeout(REQUEST_HEAD)
            .client_disconnect_timeout(GOODBYE)
            // Who ends their half has gone, as they have for proxies: nobody ends it and reads on. What was begun for them is dropped.
            .h1_allow_half_closed(false)
            .local_addr(address)
            .on_connect_ext(Connection::introduce)
            .finish(map_config(app.map_err(|error: Error| error.error_response()), |()| AppConfig::default()));
        fn_service(move |socket: TcpStream| {
            met(&socket);
            async move {
                // A piece of a stream would wait until the reader has acknowledged the one before, which readers put off for 40 ms.
                let _ = socket.set_nodelay(true);
                let peer = socket.peer_addr().ok();
                Ok((Connection::new(socket), Protocol::Http1, peer))
            }
        })
        .and_then(http)
    })?;
    Ok(builder.run())
}

fn at_work(builder: ServerBuilder, settings: ServerSettings) -> ServerBuilder {
    let builder = builder.disable_signals().shutdown_timeout(settings.shutdown.as_secs());
    match settings.workers {
        0 => builder,
        number => builder.workers(number),
    }
}
