//! How the HTTP door behaves; filled by the binary from its configuration.

use std::time::Duration;

use domain::{cache, limit::Policy};

use crate::{
    address::Network,
    socket::{commands::MESSAGES, pace::FRAMES},
};

/// How the HTTP door behaves.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the configuration")]
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Origins whose pages may call us, such as `https://shop.example`. No wildcard.
    pub allowed_origins: Vec<String>,
    /// The public address is https: answers carry `Strict-Transport-Security`.
    pub https: bool,
    /// Most bytes of a JSON body.
    pub body_limit: usize,
    /// How long a request may take until the head of its answer (ruling R26).
    pub timeout: Duration,
    /// How long nothing may come of a body that is brought piece by piece (ruling R26).
    pub transfer_idle: Duration,
    /// Proxies whose `X-Forwarded-For` is believed (ruling R11).
    pub trusted_proxies: Vec<Network>,
    /// Rate limits (ruling R6).
    pub limits: Vec<LimitRule>,
    /// What bounds tries at one account and letters to one address, by the names in `domain::identity::throttle`.
    pub account_limits: Vec<Policy>,
    /// How long somebody may call their deletion off.
    pub deletion_grace: Duration,
    /// How long answers are kept.
    pub cache: CacheSettings,
    /// Live streams.
    pub streams: StreamSettings,
    /// WebSockets.
    pub sockets: SocketSettings,
    /// Changes without `If-Match` are refused with 428 (ruling R16).
    pub require_if_match: bool,
    /// `/metrics` answers (ruling R38).
    pub open_metrics: bool,
    /// The documents and Swagger UI answer (ruling R38).
    pub open_docs: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            allowed_origins: Vec::new(),
            https: false,
            body_limit: 1024 * 1024,
            timeout: Duration::from_secs(30),
            transfer_idle: Duration::from_secs(30),
            trusted_proxies: Vec::new(),
            limits: LimitRule::defaults(),
            account_limits: Vec::new(),
            deletion_grace: Duration::from_hours(14 * 24),
            cache: CacheSettings::default(),
            streams: StreamSettings::default(),
            sockets: SocketSettings::default(),
            require_if_match: false,
            open_metrics: true,
            open_docs: true,
        }
    }
}

/// How long answers are kept at most; a change of what they show ends them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// Lists of products (CAT-04).
    pub lists: cache::Policy,
    /// Single products.
    pub products: cache::Policy,
    /// Answers name what they show, for a CDN in front.
    pub surrogate_keys: bool,
}

impl Default for CacheSettings {
    fn default() -> Self {
        let stale = Duration::from_secs(30);
        let absent = Duration::from_secs(30);
        Self {
            lists: cache::Policy { fresh: Duration::from_mins(1), stale, absent },
            products: cache::Policy { fresh: Duration::from_mins(5), stale, absent },
            surrogate_keys: false,
        }
    }
}

/// How live streams behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamSettings {
    /// How often an idle stream says that it lives, and looks whether its caller may still listen.
    pub heartbeat: Duration,
    /// After how long a client comes back when it lost the connection.
    pub retry: Duration,
    /// How many there may be.
    pub places: PlaceSettings,
}

impl Default for StreamSettings {
    fn default() -> Self {
        let (heartbeat, retry) = (Duration::from_secs(25), Duration::from_secs(3));
        Self { heartbeat, retry, places: PlaceSettings::default() }
    }
}

/// How many connections over one protocol may be open on a node at once (RT-16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceSettings {
    /// Most of all.
    pub most_open: usize,
    /// Most of one person; 0 is no limit.
    pub most_of_user: usize,
    /// Most without a sign-in from one address; 0 is no limit.
    pub most_of_address: usize,
}

impl Default for PlaceSettings {
    fn default() -> Self {
        Self { most_open: 10_000, most_of_user: 50, most_of_address: 1_000 }
    }
}

/// How WebSockets behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketSettings {
    /// How often a connection is looked at, and asked for a sign of life (RT-10).
    pub heartbeat: Duration,
    /// After how long without a frame it is closed.
    pub timeout: Duration,
    /// How many there may be.
    pub places: PlaceSettings,
    /// Most rooms of one connection.
    pub rooms: usize,
    /// Most topics of one connection.
    pub topics: usize,
    /// Most bytes of a message, in one frame or several.
    pub frame_bytes: usize,
    /// Most messages that may wait for one connection.
    pub queue: usize,
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(30),
            timeout: Duration::from_mins(1),
            places: PlaceSettings::default(),
            rooms: 128,
            topics: 128,
            frame_bytes: 64 * 1024,
            queue: 512,
        }
    }
}

/// The name of the limit in the place of which a key's own stands, when it has one.
pub const PER_KEY: &str = "api_key";
/// The operations in which somebody says who they are, or asks for a letter: those of the limit of 15 minutes (ruling R6).
pub const PROVING: [&str; 21] = [
    "login",
    "register",
    "request_email_verification",
    "confirm_email_verification",
    "request_password_reset",
    "confirm_password_reset",
    "request_email_change",
    "confirm_email_change",
    "request_sign_in_code",
    "login_with_code",
    "login_with_second_factor",
    "reauthenticate_session",
    "begin_passkey_login",
    "login_with_passkey",
    "change_password",
    "begin_sign_in",
    "hear_provider",
    "login_with_provider",
    "request_deletion",
    "promote_guest",
    "promote_guest_with_provider",
];

/// By what calls are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitScope {
    /// By client address, before anybody is known.
    Address,
    /// By person, or by address when nobody is signed in. Administrators are not counted (RL-05).
    Actor,
    /// All calls together, administrators' excepted.
    Everybody,
    /// By API key; calls without one are not counted. A key may have a number of its own ([`PER_KEY`]).
    ApiKey,
}

/// One rate limit and the calls it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitRule {
    /// Operation ids, such as `list_products`, or path prefixes, such as `/api/`. The calls of one rule share a count.
    pub applies_to: Vec<String>,
    /// By what calls are counted.
    pub scope: LimitScope,
    /// How many.
    pub policy: Policy,
}

impl LimitRule {
    /// A limit of one operation, with a count of its own.
    pub fn operation(id: &str, scope: LimitScope, limit: u32, window: Duration) -> Self {
        let policy = Policy { name: id.into(), limit, window, patience: Duration::ZERO };
        Self { applies_to: vec![id.to_owned()], scope, policy }
    }

    /// The limits of RL-02 per minute, 100 sign-ins and sign-ups per address in 15 minutes, and 30 guests in an hour.
    pub fn defaults() -> Vec<Self> {
        let minute = Duration::from_mins(1);
        let per_minute = [
            ("list_products", 100),
            ("get_product", 200),
            ("get_product_by_slug", 200),
            ("create_product", 10),
            ("update_product", 50),
            ("delete_product", 20),
            ("upload_image", 20),
        ];
        let mut rules: Vec<Self> =
            per_minute.map(|(id, limit)| Self::operation(id, LimitScope::Actor, limit, minute)).into();
        rules.push(Self {
            applies_to: PROVING.map(str::to_owned).into(),
            scope: LimitScope::Address,
            policy: Policy {
                name: "sign_in".into(),
                limit: 100,
                window: Duration::from_mins(15),
                patience: Duration::ZERO,
            },
        });
        rules.push(Self {
            applies_to: vec!["/api/".to_owned()],
            scope: LimitScope::ApiKey,
            policy: Policy { name: PER_KEY.into(), limit: 600, window: minute, patience: Duration::ZERO },
        });
        rules.push(Self::operation("login_anonymously", LimitScope::Address, 30, Duration::from_hours(1)));
        rules.push(Self::operation("receive_hook", LimitScope::Address, 3_000, minute));
        rules.push(Self::operation(MESSAGES, LimitScope::Actor, 60, minute));
        rules.push(Self::operation(FRAMES, LimitScope::Actor, 600, minute));
        rules
    }

    /// True when it counts calls of this operation.
    pub fn counts(&self, operation: &str, path: &str) -> bool {
        self.applies_to.iter().any(|to| Self::counts_one(to, operation, path))
    }

    /// True when what a rule applies to is this operation.
    pub fn counts_one(applies_to: &str, operation: &str, path: &str) -> bool {
        if applies_to.starts_with('/') { path.starts_with(applies_to) } else { applies_to == operation }
    }
}
