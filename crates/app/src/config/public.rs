//! `[public]`: where the shop is seen from outside. Links in letters are made of this, never of what a request says.

use domain::identity::Links;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "public.url",
        "",
        "Where people reach the shop, such as https://shop.example; in development this machine and http.port.",
    )
    .alias("PUBLIC_URL"),
    Setting::new(
        "public.account_url",
        "",
        "Where the pages are that links in letters lead to; /account of public.url, which Souk serves, when not set.",
    ),
    Setting::new(
        "public.redirect_urls",
        "http://localhost:5173",
        "Addresses that links may lead to instead when a caller asks, with all below them, separated by commas.",
    )
    .production(""),
];

/// Where the shop is seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Public {
    /// None in production, when it was not set.
    pub(crate) url: Option<String>,
    /// None in production, when it was not set.
    pub(crate) links: Option<Links>,
}

impl Public {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url = web_address(reader, "public.url");
        let pages = web_address(reader, "public.account_url");
        let allowed = redirects(reader);
        let (url, pages, allowed) = (url?, pages?, allowed?);
        let url = match url.as_str() {
            "" if reader.strict() => None,
            "" => Some(format!("http://localhost:{}", reader.text("http.port"))),
            url => Some(url.to_owned()),
        };
        let pages = if pages.is_empty() {
            url.as_deref().map(|url| format!("{}/account", url.trim_end_matches('/')))
        } else {
            Some(pages)
        };
        Some(Self { url, links: pages.map(|pages| Links::new(&pages, allowed)) })
    }
}

fn web_address(reader: &mut Reader<'_>, key: &str) -> Option<String> {
    let text = reader.text(key);
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    let odd = text.contains(|c: char| c.is_whitespace() || c.is_control() || "?#\\@\"<>".contains(c));
    if !text.is_empty() && (odd || host.is_none_or(str::is_empty)) {
        reader.fault(key, "must be an address without query, such as https://shop.example");
        return None;
    }
    if reader.strict() && text.starts_with("http://") {
        reader.fault(key, "must begin with https:// in production: what it leads to changes passwords");
        return None;
    }
    Some(text)
}

fn redirects(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    const KEY: &str = "public.redirect_urls";
    let mut fit = true;
    let all = reader.list(KEY);
    for one in &all {
        let (scheme, rest) = one.split_once("://").unwrap_or_default();
        let named = !scheme.is_empty()
            && scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c));
        let odd = one.contains(|c: char| c.is_whitespace() || c.is_control() || "?#\\@*\"<>".contains(c));
        let ends = matches!(scheme, "javascript" | "data" | "file" | "vbscript" | "blob");
        if !named || rest.is_empty() || odd || ends {
            fit = false;
            reader.fault(
                KEY,
                format!("{one:?} must be an address without query or wildcard, such as https://shop.example"),
            );
        }
    }
    fit.then_some(all)
}
