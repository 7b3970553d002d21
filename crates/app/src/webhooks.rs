//! The wiring of webhooks: what their doors stand on, and the loops that send them.

use std::sync::Arc;

use api::{Webhooks, Words};
use credentials::{Seal, WebhookSigner};
use domain::{
    Result, Shop,
    bus::Bus,
    identity::Known,
    webhooks::{FanOut, Keyring, Wording},
};
use integrations::webhooks::WebhookCourier;

use crate::{
    config::Config,
    foundation::Foundation,
    outside, post,
    workers::{
        Workers,
        webhooks::{Dispatcher, dispatch_worker, fan_out_worker, webhook_gauges},
    },
};

fn keyring(foundation: &Foundation) -> Keyring {
    Keyring { sealer: Arc::<Seal>::clone(&foundation.seal), signer: Arc::new(WebhookSigner) }
}

fn wording(foundation: &Foundation) -> Arc<dyn Wording> {
    Arc::new(Words { currency: foundation.shop.rules.currency })
}

/// Calls receivers, for the whole process: its connections have threads of their own.
///
/// # Errors
/// For certificates that cannot be read.
pub(crate) fn courier(config: &Config, foundation: &Foundation) -> Result<Arc<WebhookCourier>> {
    let hooks = &config.webhooks;
    let idle = usize::try_from(hooks.endpoint_at_once).unwrap_or(usize::MAX);
    let clock = Arc::clone(&foundation.shop.clock);
    WebhookCourier::new(outside::calls(config)?, hooks.timeout, idle, clock).map(Arc::new)
}

/// What the doors stand on.
pub(crate) fn webhooks(config: &Config, foundation: &Foundation, courier: Arc<WebhookCourier>) -> Webhooks {
    Webhooks {
        queries: foundation.database.webhooks(),
        keyring: keyring(foundation),
        wording: wording(foundation),
        addresses: courier,
        rules: config.webhooks.rules,
    }
}

/// Starts what tells the events of the log and sends them. `shop` is that of the HTTP door.
///
/// # Errors
/// Those of the mailroom.
pub(crate) fn start(
    workers: &mut Workers,
    foundation: &Foundation,
    config: &Config,
    shop: &Shop,
    known: &Arc<Known>,
    bus: &Arc<dyn Bus>,
    courier: &Arc<WebhookCourier>,
) -> Result<()> {
    let hooks = config.webhooks;
    let (dispatch, clock) = (foundation.database.webhook_dispatch(), Arc::clone(&shop.clock));
    workers.start("webhook_gauges", {
        let dispatch = Arc::clone(&dispatch);
        move |stop| webhook_gauges(Arc::clone(&dispatch), Arc::clone(&clock), stop)
    });
    if hooks.at_once == 0 {
        return Ok(());
    }
    let fan = FanOut {
        dispatch: Arc::clone(&dispatch),
        feed: foundation.database.feed(),
        known: Arc::clone(known),
        wording: wording(foundation),
        shop: shop.clone(),
    };
    let dispatcher = Dispatcher {
        dispatch,
        courier: Arc::<WebhookCourier>::clone(courier),
        keyring: keyring(foundation),
        room: post::mailroom(config, foundation)?,
        shop: shop.clone(),
        bus: Arc::clone(bus),
        at_once: hooks.at_once,
        endpoint_at_once: hooks.endpoint_at_once,
        endured: hooks.rules.endured,
        lease: crate::workers::webhooks::LEASE,
        drain: config.jobs.drain,
    };
    workers.start("webhooks_heard", {
        let bus = Arc::clone(bus);
        move |stop| fan_out_worker(fan.clone(), Arc::clone(&bus), stop)
    });
    workers.start("webhooks_sent", move |stop| dispatch_worker(dispatcher.clone(), stop));
    Ok(())
}
