//! What the background does: which handler does which kind of job, what follows from events, and the loops behind it.

mod answers;
mod assets;
mod batches;
mod inbound;
mod ledger;

use std::sync::Arc;

use credentials::Seal;
use domain::{
    Result, Shop,
    access::{LiftBan, lift_ban},
    assets::image::Gallery,
    assistant::{
        batches::{Carrier, forget_when_gone as batches_when_gone},
        kept::forget_when_gone,
    },
    bus::Bus,
    catalog::{ReindexPage, ReindexProducts, reindex_page, reindex_products},
    identity::{
        DeletePerson, RotateKeys, SendLetter, delete_when_due, deliver,
        exports::{MakeExport, Maker, make_export},
        rotate_keys,
    },
    job::{Failure, Reactions},
    retention::{KeepJobs, PurgeJobs, PurgeShop, purge_jobs},
    schedule::Scheduler,
};

use crate::{
    archive::Zips,
    assistant,
    config::Config,
    foundation::Foundation,
    nodes::Nodes,
    post,
    purge::{Gone, Sweep},
    schedule,
    workers::{
        Workers,
        job_gauges::job_gauges,
        jobs::{Handlers, Work, call_workers, job_worker},
        schedule::schedule_worker,
    },
};

/// What each context wants done when it hears of an event: one line for each, as `catalog::reactions`.
pub(crate) const REACTIONS: Reactions = Reactions(&[forget_when_gone, batches_when_gone]);

/// Starts the worker, the schedule and the gauges. `shop` is that of the HTTP door: what a job changed is not kept in the
/// cache as it was.
pub(crate) fn start(
    workers: &mut Workers,
    foundation: &Foundation,
    config: &Config,
    shop: &Shop,
    gallery: Gallery,
    carrier: Carrier,
    nodes: &Nodes,
) -> Result<()> {
    let database = &foundation.database;
    if config.jobs.at_once > 0 {
        let work = Work {
            queue: database.job_queue(),
            handlers: Arc::new(asked(
                handlers(foundation, config, shop, gallery)?,
                foundation,
                config,
                shop,
                carrier,
                nodes,
            )),
            shop: shop.clone(),
            bus: Arc::clone(&nodes.bus),
            at_once: config.jobs.at_once,
            lease: config.jobs.lease,
            drain: config.jobs.drain,
        };
        workers.start("jobs", move |stop| job_worker(work.clone(), stop));
    }
    let scheduler = Scheduler { shop: shop.clone(), log: database.schedules(), entries: schedule::entries(config) };
    workers.start("schedule", move |stop| schedule_worker(scheduler.clone(), stop));
    let (jobs, clock) = (database.jobs(), Arc::clone(&shop.clock));
    workers.start("job_gauges", move |stop| job_gauges(Arc::clone(&jobs), Arc::clone(&clock), stop));
    Ok(())
}

/// Tells the workers of all nodes of jobs stored here. Requests store some up to the end, when the worker of this node takes
/// no more.
pub(crate) fn call(workers: &mut Workers, foundation: &Foundation, bus: &Arc<dyn Bus>) {
    let (enqueued, bus, clock) = (foundation.database.enqueued(), Arc::clone(bus), Arc::clone(&foundation.shop.clock));
    workers.start("job_calls", move |stop| {
        call_workers(Arc::clone(&enqueued), Arc::clone(&bus), Arc::clone(&clock), stop)
    });
}

/// The same, and what is done for the assistant.
fn asked(
    handlers: Handlers,
    foundation: &Foundation,
    config: &Config,
    shop: &Shop,
    carrier: Carrier,
    nodes: &Nodes,
) -> Handlers {
    let handlers = answers::with(handlers, assistant::kept(config, foundation, nodes));
    batches::with(ledger::with(handlers, foundation, config, shop), shop, carrier)
}

/// Every other kind of job this program can do.
fn handlers(foundation: &Foundation, config: &Config, shop: &Shop, gallery: Gallery) -> Result<Handlers> {
    let database = &foundation.database;
    let sweep = Sweep::new(foundation, config, shop)?;
    let (queue, keep): (_, KeepJobs) = (database.job_queue(), config.retention.jobs);
    let (products, clock) = (database.export(), Arc::clone(&shop.clock));
    let (walking, paging, rotating, lifting) = (shop.clone(), shop.clone(), shop.clone(), shop.clone());
    let (maker, plan) = (Arc::new(foundation.key_maker()), config.identity.keys);
    let (deleting, exporting) = (shop.clone(), shop.clone());
    let (writing, post) = (shop.clone(), post::post(config, foundation)?);
    let export = Maker {
        data: database.personal_data(),
        packer: Arc::new(Zips),
        sealer: Arc::<Seal>::clone(&foundation.seal),
        room: post.room.clone(),
    };
    Ok(inbound::with(assets::handlers(foundation, config, shop, gallery)?, config, shop)
        // What is gone already is not removed twice.
        .on(move |_: PurgeShop, _| {
            let sweep = sweep.clone();
            async move {
                let Gone {
                    products,
                    messages,
                    sessions,
                    exports,
                    guests,
                    hooks,
                    webhooks,
                    conversations,
                    batches,
                    logs,
                } = sweep.once().await?;
                tracing::info!(
                    products,
                    messages,
                    sessions,
                    exports,
                    guests,
                    hooks,
                    webhooks,
                    conversations,
                    batches,
                    events = logs.events,
                    keys = logs.keys,
                    audit = logs.audit,
                    "purged"
                );
                Ok::<(), Failure>(())
            }
        })
        .on(move |_: PurgeJobs, _| {
            let (queue, now) = (Arc::clone(&queue), clock.now());
            async move {
                let jobs = purge_jobs(&*queue, now, keep).await?;
                tracing::info!(jobs, "purged");
                Ok(())
            }
        })
        .on(move |job: LiftBan, _| {
            let shop = lifting.clone();
            async move { Ok(lift_ban(&shop, job).await?) }
        })
        .on(move |job: DeletePerson, _| {
            let shop = deleting.clone();
            async move { Ok(delete_when_due(&shop, job).await?) }
        })
        .on(move |job: MakeExport, _| {
            let (shop, export) = (exporting.clone(), export.clone());
            async move { Ok(make_export(&shop, &export, job).await?) }
        })
        .on(move |letter: SendLetter, id| {
            let (shop, post) = (writing.clone(), post.clone());
            async move { deliver(&shop, &post, &letter, id).await }
        })
        .on(move |step: ReindexProducts, id| {
            let (shop, products) = (walking.clone(), Arc::clone(&products));
            async move { Ok(reindex_products(&shop, &*products, &step, id).await?) }
        })
        .on(move |_: RotateKeys, id| {
            let (shop, maker) = (rotating.clone(), Arc::clone(&maker));
            async move {
                let rotated = rotate_keys(&shop, &*maker, plan, Some(id)).await?;
                let made = rotated.made.map(|key| key.kid);
                tracing::info!(made, removed = rotated.removed.len(), "signing keys");
                Ok(())
            }
        })
        .on(move |page: ReindexPage, id| {
            let shop = paging.clone();
            async move { Ok(reindex_page(&shop, &page, id).await?) }
        }))
}
