//! The wiring of search by meaning: what makes vectors, and the loop that keeps and reads them.

use std::{sync::Arc, time::Duration};

use domain::{
    Result, Shop,
    assistant::{Assistant, SearchVectors},
    bus::Bus,
    catalog::similar::{Finder, Index, Keeping, TextVectors, follow, keep_vectors},
    identity::shop_person,
    relay::NUMBERED,
};
use platform::LocalEmbedder;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    config::Config,
    foundation::Foundation,
    workers::{Workers, pause::Pause},
};

/// How often the log is asked while it goes on; who has something calls.
const SOON: Duration = Duration::from_millis(200);
/// How often while nothing happens.
const QUIET: Duration = Duration::from_secs(1);
/// For how long one node keeps vectors for all; a node that died is followed by another after that.
const LEASE: Duration = Duration::from_secs(15);
/// Steps between two looks at what they changed.
const STEPS: u32 = 8;

/// What finds products, with an index that knows nothing yet. A model of a provider is called by the shop itself.
///
/// # Errors
/// Those of finding the person that the shop is.
pub(crate) async fn finder(config: &Config, foundation: &Foundation, assistant: &Assistant) -> Result<Finder> {
    let embedder: Arc<dyn TextVectors> = match &config.assistant.search_embedding {
        None => Arc::new(LocalEmbedder::new()),
        Some(model) => {
            let caller = shop_person(&foundation.shop).await?;
            Arc::new(SearchVectors::new(assistant.clone(), foundation.shop.clone(), caller, model)?)
        }
    };
    Ok(Finder { index: Arc::new(Index::new()), embedder, products: foundation.database.products() })
}

/// What keeps vectors with that embedder.
pub(crate) fn keeping(foundation: &Foundation, embedder: Arc<dyn TextVectors>) -> Keeping {
    let database = &foundation.database;
    Keeping {
        vectors: database.vectors(),
        feed: database.feed(),
        products: database.products(),
        export: database.export(),
        categories: database.categories(),
        embedder,
    }
}

/// Starts the loop.
pub(crate) fn start(workers: &mut Workers, foundation: &Foundation, finder: &Finder, bus: &Arc<dyn Bus>) {
    let desk = Desk {
        keeping: keeping(foundation, Arc::clone(&finder.embedder)),
        index: Arc::clone(&finder.index),
        shop: foundation.shop.clone(),
        bus: Arc::clone(bus),
        node: foundation.shop.id(),
    };
    workers.start("vectors", move |stop| vectors_worker(desk.clone(), stop));
}

#[derive(Clone)]
struct Desk {
    keeping: Keeping,
    index: Arc<Index>,
    shop: Shop,
    bus: Arc<dyn Bus>,
    node: Uuid,
}

/// Keeps the vectors of all nodes while no other node does, and the index of this one, until told to stop.
async fn vectors_worker(desk: Desk, stop: CancellationToken) -> Result<()> {
    let mut numbered = desk.bus.subscribe(&[NUMBERED]).await;
    let mut pause = Pause::new(SOON, QUIET);
    while !stop.is_cancelled() {
        match step(&desk).await {
            Ok((_, true)) => {
                pause.found();
                continue;
            }
            Ok((0, false)) => pause.nothing(),
            Ok(_) => pause.found(),
            Err(error) => {
                pause.failed();
                tracing::warn!(error = crate::chain(&error), pauseMs = pause.millis(), "vectors of products wait");
            }
        }
        tokio::select! {
            _ = numbered.next(), if !pause.is_failing() => numbered.clear(),
            () = desk.shop.clock.sleep(pause.length()) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// Some steps of keeping and one of reading; gives how many vectors were read, and whether more is to be done.
async fn step(desk: &Desk) -> Result<(usize, bool)> {
    let vectors = &desk.keeping.vectors;
    // What is stored is read even when no vector can be made just now.
    let kept = async {
        for _ in 0..STEPS {
            // A step takes as long as the model does, which may be far away.
            let now = desk.shop.now();
            if !vectors.lease(desk.node, now, now + LEASE).await? {
                return Ok(false);
            }
            let kept = keep_vectors(&desk.keeping).await?;
            let made = u64::try_from(kept.vectors).unwrap_or(u64::MAX);
            metrics::counter!("vectors_made_total").increment(made);
            if !kept.more {
                return Ok(false);
            }
        }
        Ok(true)
    }
    .await;
    let read = follow(&desk.index, &**vectors).await?;
    if read > 0 {
        let gauge = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        metrics::gauge!("vectors_indexed").set(gauge(desk.index.len()));
        metrics::gauge!("vectors_index_bytes").set(gauge(desk.index.bytes()));
    }
    kept.map(|more| (read, more))
}
