//! `[limits]`: how often somebody may call (RL-01, RL-02, ruling R6).

use std::time::Duration;

use api::{LimitRule, LimitScope, PER_KEY, PROVING};
use domain::{identity::throttle, limit::Policy};

use super::{Reader, Setting, policies};

/// The policies there are, each under its own name: `calls/seconds`, or `off`.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("limits.sign_in", "100/900", "Sign-in, registration and what goes by mail, by address."),
    Setting::new("limits.login_anonymously", "30/3600", "New guests, by address."),
    Setting::new("limits.account_tries", "20/900", "Tries at the password or code of one account, from one address."),
    Setting::new(
        "limits.account_strangers",
        "100/3600",
        "The same from all addresses together that its owner has not signed in from in 90 days.",
    ),
    Setting::new(
        "limits.second_factor_tries",
        "10/900",
        "Tries at the second factor of one account, by whoever has proved the first, from one address.",
    ),
    Setting::new(
        "limits.second_factor_strangers",
        "20/3600",
        "The same from all addresses together that its owner has not signed in from in 90 days.",
    ),
    Setting::new("limits.account_letters", "5/900", "Letters that anybody may have sent to one address."),
    Setting::new("limits.receive_hook", "3000/60", "Webhooks that come in, by address."),
    Setting::new("limits.list_products", "100/60", "Lists of products, by person or address."),
    Setting::new("limits.get_product", "200/60", "Single products, by person or address."),
    Setting::new("limits.create_product", "10/60", "New products, by person."),
    Setting::new("limits.update_product", "50/60", "Changes of products, by person."),
    Setting::new("limits.delete_product", "20/60", "Deletions of products, by person."),
    Setting::new("limits.upload_model", "20/60", "Files of 3D models, by person."),
    Setting::new("limits.upload_image", "20/60", "Uploads of pictures, by person."),
    Setting::new("limits.send_webhooks", "60/60", "Tests of webhooks, and messages sent again, by person."),
    Setting::new("limits.call_tools", "120/60", "Messages at /mcp, and calls of tools, by person or address."),
    Setting::new(
        "limits.ask_models",
        "600/60",
        "Questions to language models, at /v1 and in conversations, by person.",
    ),
    Setting::new("limits.ws_messages", "60/60", "Messages in rooms, by person."),
    Setting::new(
        "limits.ws_frames",
        "600/60",
        "Everything a client says over a WebSocket, by connection on its node; further requests are refused one by one.",
    ),
    Setting::new(
        "limits.api_key",
        "600/60",
        "Everything under /api/ and /v1/ and at /mcp, by API key; a key may have a number of its own. Off counts no key, whatever its own.",
    ),
    Setting::new("limits.api_by_address", "off", "Everything under /api/, by address."),
    Setting::new("limits.api_by_actor", "off", "Everything under /api/, by person or address."),
];

/// What each policy counts: operation ids, or the beginning of paths.
fn counts(name: &str) -> (&'static [&'static str], LimitScope) {
    match name {
        "sign_in" => (&PROVING, LimitScope::Address),
        // No operations: whoever looks at an account counts them.
        throttle::TRIES
        | throttle::STRANGERS
        | throttle::SECOND_TRIES
        | throttle::SECOND_STRANGERS
        | throttle::LETTERS => (&[], LimitScope::Address),
        "login_anonymously" => (&["login_anonymously"], LimitScope::Address),
        "receive_hook" => (&["receive_hook"], LimitScope::Address),
        "list_products" => (&["list_products", "search_products", "list_similar_products"], LimitScope::Actor),
        "get_product" => (&["get_product", "get_product_by_slug"], LimitScope::Actor),
        "create_product" => (&["create_product"], LimitScope::Actor),
        "update_product" => (&["update_product"], LimitScope::Actor),
        "delete_product" => (&["delete_product"], LimitScope::Actor),
        "upload_model" => (&["create_model3d", "create_model3d_version"], LimitScope::Actor),
        "send_webhooks" => {
            (&["test_webhook_endpoint", "resend_webhook_message", "recover_webhook_messages"], LimitScope::Actor)
        }
        "call_tools" => (&["call_mcp", "call_assistant_tool"], LimitScope::Actor),
        "ask_models" => (
            &[
                "create_chat_completion",
                "create_embedding",
                "create_chat_answer",
                "create_assistant_file",
                "create_assistant_batch",
            ],
            LimitScope::Actor,
        ),
        "upload_image" => (&["upload_image"], LimitScope::Actor),
        // No operations: who takes messages counts them, and each connection its frames.
        "ws_messages" => (&["ws_messages"], LimitScope::Actor),
        "ws_frames" => (&["ws_frames"], LimitScope::Actor),
        PER_KEY => (&["/api/", "/v1/", "/mcp"], LimitScope::ApiKey),
        "api_by_address" => (&["/api/"], LimitScope::Address),
        _ => (&["/api/"], LimitScope::Actor),
    }
}

/// The rate limits that are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) rules: Vec<LimitRule>,
    /// Those of accounts, by name.
    pub(crate) accounts: Vec<Policy>,
}

impl Limits {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let read: Vec<_> = SETTINGS.iter().map(|setting| rule(reader, setting.key)).collect();
        let more = policies::read(reader);
        let rules = read.into_iter().collect::<Option<Vec<_>>>()?;
        let (rules, accounts): (Vec<_>, Vec<_>) =
            rules.into_iter().flatten().partition(|rule| !rule.applies_to.is_empty());
        let accounts = accounts.into_iter().map(|rule| rule.policy).collect();
        Some(Self { rules: rules.into_iter().chain(more?).collect(), accounts })
    }
}

#[expect(clippy::option_option, reason = "a fault, a policy that is off and one that is on are three things")]
fn rule(reader: &mut Reader<'_>, key: &str) -> Option<Option<LimitRule>> {
    let text = reader.text(key);
    if text == "off" {
        return Some(None);
    }
    let name = key.trim_start_matches("limits.");
    let (applies_to, scope) = counts(name);
    let rule = text.split_once('/').and_then(|(limit, seconds)| {
        let limit = limit.trim().parse().ok().filter(|limit| *limit > 0)?;
        let seconds = seconds.trim().parse().ok().filter(|seconds| (1..=86_400).contains(seconds))?;
        let window = Duration::from_secs(seconds);
        let policy = Policy { name: name.into(), limit, window, patience: Duration::ZERO };
        Some(LimitRule { applies_to: applies_to.iter().map(|id| (*id).to_owned()).collect(), scope, policy })
    });
    if rule.is_none() {
        reader.fault(key, format!("must be calls and seconds, such as 100/60, or off; is {text:?}"));
    }
    rule.map(Some)
}
