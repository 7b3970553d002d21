//! Settings: where they come from, what they mean, and every fault in one report.
//!
//! Later layers win: the profile's defaults, `souk.toml`, the plain names (`PORT`, `DATABASE_URL` ..), `SOUK__SECTION__KEY`.
//! A section is one file: a list of its settings, a struct of what they mean, and how one is made of the other.

mod assistant;
mod blobs;
mod cache;
mod calls;
mod chat;
mod database;
mod dependencies;
mod family;
mod hooks;
mod http;
mod identity;
mod issuers;
mod jobs;
mod layers;
mod limits;
mod mail;
mod media;
mod models;
mod oauth;
mod outside;
mod passkeys;
mod policies;
mod print;
mod public;
mod reader;
mod redis;
mod report;
mod retention;
mod schedule;
mod secrets;
mod setting;
mod shop;
mod sockets;
mod streams;
mod telemetry;
mod webhooks;

use std::collections::BTreeMap;

use domain::inbound;
use integrations::resilience::{Kind, Terms};

pub(crate) use assistant::{Assistance, ModelSettings};
pub(crate) use blobs::{Blobs, StoreKind};
pub(crate) use cache::{CacheMode, Caching};
pub(crate) use calls::Outgoing;
pub(crate) use database::Database;
pub(crate) use http::Http;
pub(crate) use identity::Identity;
pub(crate) use jobs::Jobs;
pub(crate) use layers::{Layers, Sources};
pub(crate) use limits::Limits;
pub(crate) use mail::{Mail, Transport};
pub(crate) use media::Media;
pub(crate) use models::Models;
pub(crate) use outside::Outside;
pub(crate) use passkeys::PasskeySettings;
pub(crate) use print::print;
pub(crate) use public::Public;
pub(crate) use reader::Reader;
pub(crate) use redis::Redis;
pub(crate) use report::Faults;
pub(crate) use retention::Retention;
pub(crate) use schedule::{Schedule, Timing};
pub(crate) use secrets::Secrets;
pub(crate) use setting::{Profile, Setting};
pub(crate) use shop::ShopRules;
pub(crate) use sockets::Sockets;
pub(crate) use telemetry::{LogFormat, Telemetry};
pub(crate) use webhooks::Hooks;

/// Every setting there is, section by section.
pub(crate) fn all() -> impl Iterator<Item = &'static Setting> {
    [
        &setting::PROFILE[..],
        http::SETTINGS,
        database::SETTINGS,
        redis::SETTINGS,
        secrets::SETTINGS,
        public::SETTINGS,
        mail::SETTINGS,
        identity::SETTINGS,
        calls::SETTINGS,
        passkeys::SETTINGS,
        limits::SETTINGS,
        streams::SETTINGS,
        sockets::SETTINGS,
        cache::SETTINGS,
        shop::SETTINGS,
        blobs::SETTINGS,
        models::SETTINGS,
        media::SETTINGS,
        retention::SETTINGS,
        jobs::SETTINGS,
        schedule::SETTINGS,
        webhooks::SETTINGS,
        assistant::SETTINGS,
        chat::SETTINGS,
        telemetry::SETTINGS,
    ]
    .into_iter()
    .flatten()
}

/// Names of the environment that other programs of this kind read and this version does not: accepted with a warning.
pub(crate) const NOT_USED_YET: &[&str] = &["UPSTASH_REDIS_URL", "UPSTASH_REDIS_TOKEN", "LOGTAIL_TOKEN"];

/// What all settings mean together.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Development or production.
    pub(crate) profile: Profile,
    /// The HTTP server.
    pub(crate) http: Http,
    /// The database.
    pub(crate) database: Database,
    /// Redis.
    pub(crate) redis: Redis,
    /// The master key.
    pub(crate) secrets: Secrets,
    /// Where the shop is seen from outside.
    pub(crate) public: Public,
    /// Letters.
    pub(crate) mail: Mail,
    /// Sign-in.
    pub(crate) identity: Identity,
    /// Who says elsewhere who somebody is.
    pub(crate) outside: Outside,
    /// Those who send webhooks here.
    pub(crate) hooks: inbound::Sources,
    /// How the shop calls others.
    pub(crate) calls: Outgoing,
    /// On which terms each of them is called.
    pub(crate) dependencies: BTreeMap<Kind, Terms>,
    /// To what passkeys are bound.
    pub(crate) passkeys: PasskeySettings,
    /// Rate limits.
    pub(crate) limits: Limits,
    /// The cache.
    pub(crate) cache: Caching,
    /// Live streams.
    pub(crate) streams: api::StreamSettings,
    /// WebSockets and presence.
    pub(crate) sockets: Sockets,
    /// The shop's own rules.
    pub(crate) shop: ShopRules,
    /// Where the bytes of files lie.
    pub(crate) blobs: Blobs,
    /// 3D models.
    pub(crate) models: Models,
    /// Uploaded pictures.
    pub(crate) media: Media,
    /// How long what is kept.
    pub(crate) retention: Retention,
    /// Background jobs.
    pub(crate) jobs: Jobs,
    /// What is run when.
    pub(crate) schedule: Schedule,
    /// Webhooks that go out.
    pub(crate) webhooks: Hooks,
    /// Language models.
    pub(crate) assistant: Assistance,
    /// Conversations with them.
    pub(crate) chat: chat::Chat,
    /// Logs.
    pub(crate) telemetry: Telemetry,
}

impl Config {
    /// Reads every section; all faults of all sections are told at once.
    pub(crate) fn read(layers: &Layers) -> Result<Self, Faults> {
        let mut reader = Reader::new(layers);
        let http = Http::read(&mut reader);
        let database = Database::read(&mut reader);
        let redis = Redis::read(&mut reader);
        let secrets = Secrets::read(&mut reader);
        let public = Public::read(&mut reader);
        let mail = Mail::read(&mut reader);
        let identity = Identity::read(&mut reader);
        let outside = Outside::read(&mut reader);
        let hooks = hooks::read(&mut reader, outside.as_ref());
        let calls = Outgoing::read(&mut reader);
        let dependencies = dependencies::read(&mut reader);
        let passkeys = PasskeySettings::read(&mut reader);
        let limits = Limits::read(&mut reader);
        let cache = Caching::read(&mut reader);
        let streams = streams::read(&mut reader);
        let sockets = Sockets::read(&mut reader);
        let shop = ShopRules::read(&mut reader);
        let blobs = Blobs::read(&mut reader);
        let models = Models::read(&mut reader);
        let media = Media::read(&mut reader);
        let retention = Retention::read(&mut reader);
        let jobs = Jobs::read(&mut reader);
        let schedule = Schedule::read(&mut reader);
        let webhooks = Hooks::read(&mut reader);
        let assistant = Assistance::read(&mut reader);
        let chat = chat::Chat::read(&mut reader, assistant.as_ref());
        let telemetry = Telemetry::read(&mut reader);
        let faults = reader.into_faults();
        let read = || {
            Some(Self {
                profile: layers.profile(),
                http: http?,
                database: database?,
                redis: redis?,
                secrets: secrets?,
                public: public?,
                mail: mail?,
                identity: identity?,
                outside: outside?,
                hooks: hooks?,
                calls: calls?,
                dependencies: dependencies?,
                passkeys: passkeys?,
                limits: limits?,
                cache: cache?,
                streams: streams?,
                sockets: sockets?,
                shop: shop?,
                blobs: blobs?,
                models: models?,
                media: media?,
                retention: retention?,
                jobs: jobs?,
                schedule: schedule?,
                webhooks: webhooks?,
                assistant: assistant?,
                chat: chat?,
                telemetry: telemetry?,
            })
        };
        match (faults.is_empty(), read()) {
            (true, Some(config)) => Ok(config),
            _ => Err(faults),
        }
    }
}

#[cfg(test)]
mod tests;
