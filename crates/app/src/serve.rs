//! `souk serve`: starts everything, serves, and ends in order.

use std::{
    fmt::Write,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use metrics_exporter_prometheus::PrometheusHandle;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{net::TcpStream, sync::Notify};
use tokio_util::sync::CancellationToken;

use crate::{
    Outcome, assistant, compose,
    config::Config,
    demo,
    downloads::Downloads,
    ending::{Ending, Signals},
    foundation::Foundation,
    gallery, jobs,
    key_uses::KeyUses,
    nodes::Nodes,
    telemetry, vectors,
    views::views,
    webhooks,
    workers::{
        Workers, dependencies,
        feed::{Feed, feed_worker},
        keys::keys_worker,
        relay::{relay, relay_worker},
        rooms::{Rooms, presence_worker, rooms_worker},
    },
};

/// How long background work may take to end, beside the jobs that run.
const WORKERS_END: Duration = Duration::from_secs(10);
/// How many connections may wait to be taken.
const BACKLOG: i32 = 1024;
/// How often old samples are folded into the histograms, so that they do not grow.
const UPKEEP: Duration = Duration::from_secs(5);

pub(crate) async fn run(config: Config) -> Outcome {
    // From the first moment on, being told to end is a wish to end in order.
    let signals = Signals::heed()?;
    let metrics = telemetry::metrics()?;
    let foundation = Foundation::open(&config).await?;
    if config.shop.demo {
        demo::load(&foundation).await?;
    }
    let nodes = Nodes::tie(&config, &foundation).await?;
    let mut workers = Workers::new(Arc::clone(&foundation.shop.clock));
    let (seen, writer) = views(foundation.database.views());
    workers.start("product_views", move |stop| writer.clone().run(stop));
    let key_uses = KeyUses::new(foundation.database.api_keys());
    workers.start("key_uses", {
        let key_uses = key_uses.clone();
        move |stop| key_uses.clone().run(stop)
    });
    let downloads = Downloads::new(foundation.database.files());
    workers.start("downloads", {
        let downloads = downloads.clone();
        move |stop| downloads.clone().run(stop)
    });
    workers.start("relay", {
        let (relay, committed) = (relay(&foundation)?, foundation.database.committed());
        let bus = Arc::clone(&nodes.bus);
        move |stop| relay_worker(relay.clone(), Arc::clone(&bus), Arc::clone(&committed), stop)
    });
    workers.start("checkpoints", {
        let database = foundation.database.clone();
        move |stop| {
            let database = database.clone();
            async move { stop.run_until_cancelled(database.keep_log_short()).await.unwrap_or(Ok(())) }
        }
    });
    workers.start("metrics_upkeep", {
        let metrics = metrics.clone();
        move |stop| upkeep(metrics.clone(), stop)
    });
    let cache = compose::cache(&config, &foundation, &nodes);
    let mut doing = Workers::new(Arc::clone(&foundation.shop.clock));
    let callers = compose::callers(&config, &foundation).await?;
    let shop = compose::shop(&foundation, &cache, &callers.known, &nodes);
    let gallery = gallery::gallery(&config, &foundation)?;
    let assistance = assistant::assistance(&config, &foundation, &nodes, &mut workers)?;
    // Nobody is asked before it is known what that costs and may cost.
    assistance.terms.reload().await?;
    let carrier = assistant::carrier(&config, &foundation, &shop, &assistance, &callers.known)?;
    jobs::start(&mut doing, &foundation, &config, &shop, gallery.clone(), carrier, &nodes)?;
    let courier = webhooks::courier(&config, &foundation)?;
    webhooks::start(&mut doing, &foundation, &config, &shop, &callers.known, &nodes.bus, &courier)?;
    jobs::call(&mut workers, &foundation, &nodes.bus);
    let (terms, kept) = (assistance.terms.clone(), assistance.assistant.kept.clone());
    let finder = vectors::finder(&config, &foundation, &assistance.assistant).await?;
    vectors::start(&mut workers, &foundation, &finder, &nodes.bus);
    let noted = compose::Noted { seen, key_uses, downloads, gallery, courier, assistance, finder };
    let services =
        compose::services(&config, &foundation, &nodes, Arc::clone(&cache), &callers, noted, metrics).await?;
    let services = Arc::new(services);
    let (changed_keys, changed_terms) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    dependencies::watch(&mut workers, &foundation, &services);
    workers.start("signing_keys", {
        let (changed, clock) = (Arc::clone(&changed_keys), Arc::clone(&foundation.shop.clock));
        let tokens = callers.tokens;
        move |stop| keys_worker(Arc::clone(&tokens), Arc::clone(&changed), Arc::clone(&clock), stop)
    });
    workers.start("assistant_terms", {
        let (changed, clock) = (Arc::clone(&changed_terms), Arc::clone(&foundation.shop.clock));
        move |stop| assistant::terms_worker(terms.clone(), Arc::clone(&changed), Arc::clone(&clock), stop)
    });
    workers.start("feed", {
        let log = foundation.database.feed();
        let (hub, clock) = (Arc::clone(&services.streams.hub), Arc::clone(&foundation.shop.clock));
        let (floor, bus) = (Arc::clone(&services.rooms.floor), Arc::clone(&nodes.bus));
        let (known, keys, terms) = (callers.known, changed_keys, changed_terms);
        let feed = Feed { log, cache, known, keys, terms, kept, hub, floor, clock, bus };
        move |stop| feed_worker(feed.clone(), stop)
    });
    start_rooms(&mut workers, &foundation, &config, &nodes, &services);
    let ending = Ending::default();
    let served = async {
        let served = serve(&config, services, &ending).await;
        ending.begun.cancel();
        served
    };
    // No new jobs from the first moment of the end on: those that run have the time that requests have, not more.
    let done = async {
        ending.begun.cancelled().await;
        ending.patiently(doing.stop(config.jobs.drain + WORKERS_END)).await;
    };
    let run = async {
        let (served, ()) = tokio::join!(served, done);
        // Each HTTP worker had a runtime of its own, and the connections it opened ended with it.
        foundation.database.forget_connections();
        // After the last answer: what requests left behind is stored, then the database is let go.
        ending.patiently(workers.stop(WORKERS_END)).await;
        ending.patiently(nodes.untie(WORKERS_END)).await;
        foundation.database.close().await?;
        tracing::info!("ended");
        served
    };
    tokio::select! {
        ended = run => ended,
        never = ending.watch(signals) => match never {},
    }
}

/// Starts what keeps presence and tells rooms.
fn start_rooms(
    workers: &mut Workers,
    foundation: &Foundation,
    config: &Config,
    nodes: &Nodes,
    services: &api::Services,
) {
    let rooms = Rooms {
        floor: Arc::clone(&services.rooms.floor),
        queries: Arc::clone(&services.rooms.queries),
        presence: Arc::clone(&nodes.presence),
        bus: Arc::clone(&nodes.bus),
        clock: Arc::clone(&foundation.shop.clock),
        heartbeat: config.sockets.presence,
    };
    workers.start("presence", {
        let rooms = rooms.clone();
        move |stop| presence_worker(rooms.clone(), stop)
    });
    workers.start("rooms", move |stop| rooms_worker(rooms.clone(), stop));
}

async fn serve(config: &Config, services: Arc<api::Services>, ending: &Ending) -> Outcome {
    let (hub, draining) = (Arc::clone(&services.streams.hub), services.draining.clone());
    let clock = Arc::clone(&services.shop.clock);
    let address = SocketAddr::new(config.http.host, config.http.port);
    let (socket, address) = listen(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let settings = api::ServerSettings {
        workers: config.http.workers,
        keep_alive: config.http.keep_alive,
        shutdown: config.http.shutdown,
    };
    let stall = config.http.stall;
    let server = api::server::server(socket, &services, settings, move |socket| cut_when_stalled(socket, stall))?;
    let handle = server.handle();
    welcome(config, address);
    tokio::pin!(server);
    tokio::select! {
        ended = &mut server => return ended.map_err(Into::into),
        () = ending.begun.cancelled() => {}
    }
    tracing::info!(
        drainSeconds = config.http.drain.as_secs(),
        "new requests are sent elsewhere, streams told to come back"
    );
    draining.begin();
    hub.close();
    tokio::select! {
        ended = &mut server => return ended.map_err(Into::into),
        () = clock.sleep(config.http.drain) => {}
        () = ending.hurried.cancelled() => {}
    }
    tracing::info!("no new connections; requests in flight are finished");
    tokio::select! {
        (ended, ()) = async { tokio::join!(server, handle.stop(true)) } => Ok(ended?),
        () = ending.hurried.cancelled() => Ok(()),
    }
}

/// A socket that listens at an address, and which that is: port 0 is any that is free.
fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Else a port could not be taken again soon after a server has ended.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let socket = TcpListener::from(socket);
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// Lets the kernel end a connection whose other side has taken nothing for so long. An answer that waits for such a
/// client is not asked for more, so that no timer of ours would see it; a stream would hold its place for ever.
fn cut_when_stalled(socket: &TcpStream, stall: Duration) {
    #[cfg(target_os = "linux")]
    if let Err(error) = SockRef::from(socket).set_tcp_user_timeout(Some(stall)) {
        tracing::debug!(%error, "a connection that stalls will not be cut");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (SockRef::from(socket), stall);
}

/// Tells people where we are; programs read the log. Writing to a `String` cannot fail.
fn welcome(config: &Config, address: SocketAddr) {
    let mut text = String::new();
    tracing::info!(%address, profile = config.profile.name(), version = env!("CARGO_PKG_VERSION"), "serving");
    let _ = writeln!(text, "products      http://{address}/api/v1/products");
    if config.http.swagger_ui {
        let _ = writeln!(text, "documents     http://{address}/swagger-ui/");
        let _ = writeln!(text, "live streams  http://{address}/docs/realtime");
    }
    if let Err(error) = crate::print(&text) {
        tracing::warn!(%error, "the standard output is closed");
    }
}

async fn upkeep(metrics: PrometheusHandle, stop: CancellationToken) -> domain::Result<()> {
    loop {
        tokio::select! {
            () = tokio::time::sleep(UPKEEP) => metrics.run_upkeep(),
            () = stop.cancelled() => return Ok(()),
        }
    }
}
