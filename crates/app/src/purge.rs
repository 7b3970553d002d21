//! `souk purge`, and the same by the schedule: removes what is older than it is kept.

use std::{sync::Arc, time::Duration};

use domain::{
    Result, Shop,
    assistant::{
        batches::{ports::BatchQueries, purge_batches},
        conversation::{ports::ConversationQueries, purge_conversations},
    },
    catalog::purge_products,
    identity::{
        GuestQueries,
        exports::{ports::DataExportQueries, purge_exports},
        ports::SessionQueries,
        purge_guests, purge_sessions,
    },
    inbound::{ports::HookQueries, purge_hooks},
    retention::{Keep, Purge, Purged, purge},
    room::{KeepMessages, ports::MessagePurge, purge_messages},
    webhooks::{ports::Dispatch, purge_webhooks},
};

use crate::{Outcome, audit, config::Config, foundation::Foundation};

/// How much went.
pub(crate) struct Gone {
    pub(crate) products: u64,
    pub(crate) messages: u64,
    pub(crate) sessions: u64,
    pub(crate) exports: u64,
    pub(crate) guests: u64,
    pub(crate) hooks: u64,
    pub(crate) webhooks: u64,
    pub(crate) conversations: u64,
    pub(crate) batches: u64,
    pub(crate) logs: Purged,
}

/// Everything a purge needs.
#[derive(Clone)]
pub(crate) struct Sweep {
    logs: Purge,
    products: Option<Duration>,
    rooms: Arc<dyn MessagePurge>,
    messages: KeepMessages,
    signed_in: Arc<dyn SessionQueries>,
    sessions: Option<Duration>,
    exports: Arc<dyn DataExportQueries>,
    guests: Arc<dyn GuestQueries>,
    guest: Option<Duration>,
    hooks: Arc<dyn HookQueries>,
    hook: Option<Duration>,
    sent: Arc<dyn Dispatch>,
    webhooks: Option<Duration>,
    talks: Arc<dyn ConversationQueries>,
    conversations: Option<Duration>,
    asked: Arc<dyn BatchQueries>,
    batches: Option<Duration>,
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
        let (rooms, messages) = (database.message_purge(), config.retention.messages);
        let (signed_in, sessions) = (database.sessions(), config.retention.sessions);
        Ok(Self {
            logs,
            products: config.retention.deleted_products,
            rooms,
            messages,
            signed_in,
            sessions,
            exports: database.exports(),
            guests: database.guests(),
            guest: config.identity.sessions.guest,
            hooks: database.hooks(),
            hook: config.retention.hook_events,
            sent: database.webhook_dispatch(),
            webhooks: config.retention.webhooks,
            talks: database.conversations(),
            conversations: config.chat.keep,
            asked: database.batches(),
            batches: config.assistant.batches.keep,
        })
    }

    /// Purges once: products first, whose purge leaves events of its own.
    pub(crate) async fn once(&self) -> Result<Gone> {
        let products = match self.products {
            Some(keep) => purge_products(&self.logs.shop, keep).await?,
            None => 0,
        };
        let messages = purge_messages(&*self.rooms, self.logs.shop.now(), self.messages).await?;
        let sessions = purge_sessions(&*self.signed_in, self.logs.shop.now(), self.sessions).await?;
        let exports = purge_exports(&*self.exports, self.logs.shop.now()).await?;
        let guests = match self.guest {
            Some(life) => purge_guests(&self.logs.shop, &*self.guests, life).await?,
            None => 0,
        };
        let hooks = purge_hooks(&*self.hooks, self.logs.shop.now(), self.hook).await?;
        let webhooks = purge_webhooks(&*self.sent, self.logs.shop.now(), self.webhooks).await?;
        let conversations = purge_conversations(&self.logs.shop, &*self.talks, self.conversations).await?;
        let batches = purge_batches(&self.logs.shop, &*self.asked, self.batches).await?;
        let logs = purge(&self.logs).await?;
        Ok(Gone { products, messages, sessions, exports, guests, hooks, webhooks, conversations, batches, logs })
    }
}

pub(crate) async fn run(config: &Config) -> Outcome {
    let foundation = Foundation::open(config).await?;
    let done = Sweep::new(&foundation, config, &foundation.shop)?.once().await;
    foundation.database.close().await?;
    let Gone { products, messages, sessions, exports, guests, hooks, webhooks, conversations, batches, logs } = done?;
    println!(
        "purged: {products} products, {messages} messages, {sessions} sessions, {exports} data exports, {guests} guests, {hooks} webhooks of others, {webhooks} sent webhooks, {conversations} conversations, {batches} batches and their files, {} events, {} idempotency keys, {} audit entries",
        logs.events, logs.keys, logs.audit
    );
    Ok(())
}
