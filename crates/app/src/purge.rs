//! `souk purge`, and the same by the schedule: removes what is older than it is kept.

use std::{sync::Arc, time::Duration};

use domain::{
    Result, Shop,
    catalog::purge_products,
    retention::{Keep, Purge, Purged, purge},
};

use crate::{Outcome, audit, config::Config, foundation::Foundation};

/// Everything a purge needs.
#[derive(Clone)]
pub(crate) struct Sweep {
    logs: Purge,
    products: Option<Duration>,
}

impl Sweep {
    pub(crate) fn new(foundation: &Foundation, config: &Config, shop: &Shop) -> Result<Self> {
        let database = &foundation.database;
        let keep = Keep {
            events: config.retention.events,
            keys: Some(foundation.shop.rules.keep_keys),
            audit: config.retention.audit,
        };
        let logs = Purge {
            logs: database.log_purge(),
            chain: database.chain(),
            audit: database.audit_purge(),
            key: Arc::new(foundation.mac(audit::PURPOSE)?),
            shop: shop.clone(),
            keep,
        };
        Ok(Self { logs, products: config.retention.deleted_products })
    }

    /// Purges once: products first, whose purge leaves events of its own.
    pub(crate) async fn once(&self) -> Result<(u64, Purged)> {
        let products = match self.products {
            Some(keep) => purge_products(&self.logs.shop, keep).await?,
            None => 0,
        };
        Ok((products, purge(&self.logs).await?))
    }
}

pub(crate) async fn run(config: &Config) -> Outcome {
    let foundation = Foundation::open(config).await?;
    let done = Sweep::new(&foundation, config, &foundation.shop)?.once().await;
    foundation.database.close().await?;
    let (products, logs) = done?;
    println!(
        "purged: {products} products, {} events, {} idempotency keys, {} audit entries",
        logs.events, logs.keys, logs.audit
    );
    Ok(())
}
