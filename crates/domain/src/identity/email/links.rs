//! Where the links in letters lead: made of the public address alone, never of what a request says of itself.

use serde::{Deserialize, Serialize};

use super::Purpose;
use crate::error::Breach;

/// The most characters of an address to lead back to.
const REDIRECT_MAX: usize = 2_000;

/// Where the pages of accounts are, and the addresses that links may lead to instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    pages: String,
    allowed: Vec<String>,
}

/// An address that the operator allows links to lead to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Redirect(String);

impl Links {
    /// Links to the pages below this address, such as `https://shop.example/account`, or to an allowed address or anything
    /// below it.
    pub fn new(pages: &str, allowed: Vec<String>) -> Self {
        Self { pages: pages.trim_end_matches('/').to_owned(), allowed }
    }

    /// The page of that name.
    pub(super) fn page(&self, name: &str) -> String {
        format!("{}/{name}", self.pages)
    }

    /// Checks an address that a caller wants to be led to: it is one that the operator allows, or stands below one.
    pub fn allow(&self, wanted: &str) -> Result<Redirect, Breach> {
        let breach =
            || Breach::new("redirect", "must be an address that this shop allows links to lead to, or below one");
        // A browser may read these as something else than the text says.
        let odd = wanted.contains(|c: char| c.is_whitespace() || c.is_control() || "\\#<>\"'`{}|^".contains(c));
        let lower = wanted.to_ascii_lowercase();
        let climbs = lower.contains("/..") || lower.contains("%2e") || lower.contains("/./");
        if odd || climbs || wanted.chars().count() > REDIRECT_MAX {
            return Err(breach());
        }
        let fits = self.allowed.iter().any(|allowed| {
            let rest = wanted.strip_prefix(allowed.as_str());
            rest.is_some_and(|rest| rest.is_empty() || allowed.ends_with('/') || rest.starts_with(['/', '?']))
        });
        if fits { Ok(Redirect(wanted.to_owned())) } else { Err(breach()) }
    }

    /// The link that brings a code: to the address a caller wanted, in its query, or to the page for it, in the fragment, which
    /// browsers send to nobody.
    pub(super) fn to(&self, purpose: Purpose, redirect: Option<&Redirect>, code: &str) -> String {
        match redirect {
            Some(redirect) => redirect.with("token", code),
            None => format!("{}#token={code}", self.page(&purpose.name().replace('_', "-"))),
        }
    }
}

impl Redirect {
    /// The address with one more parameter in its query, which must need no escape.
    pub(in crate::identity) fn with(&self, name: &str, value: &str) -> String {
        let sign = if self.0.contains('?') { '&' } else { '?' };
        format!("{}{sign}{name}={value}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        let allowed = ["https://shop.example", "https://other.example/account", "shopapp://reset/"];
        Links::new("https://api.example/account/", allowed.map(str::to_owned).into())
    }

    #[test]
    fn a_link_leads_where_the_operator_said() {
        let links = links();
        assert_eq!(
            links.to(Purpose::ResetPassword, None, "c0de"),
            "https://api.example/account/reset-password#token=c0de"
        );
        for (wanted, link) in [
            ("https://shop.example", "https://shop.example?token=c0de"),
            ("https://shop.example/new?lang=de", "https://shop.example/new?lang=de&token=c0de"),
            ("https://other.example/account/x", "https://other.example/account/x?token=c0de"),
            ("shopapp://reset/now", "shopapp://reset/now?token=c0de"),
        ] {
            let redirect = links.allow(wanted).unwrap();
            assert_eq!(links.to(Purpose::ResetPassword, Some(&redirect), "c0de"), link);
        }
    }

    #[test]
    fn what_only_looks_allowed_is_refused() {
        for wanted in [
            "",
            "https://evil.example",
            "https://shop.example.evil.example",
            "https://shop.example@evil.example",
            "https://shop.example:8443/",
            "https://shop.example\\@evil.example",
            "http://shop.example",
            "//shop.example",
            "https://other.example/accounts",
            "https://other.example/account/../evil",
            "https://other.example/account/%2e%2E/evil",
            "https://shop.example/#x",
            "https://shop.example/\r\nX: y",
            "javascript:alert(1)",
            &format!("https://shop.example/{}", "x".repeat(REDIRECT_MAX)),
        ] {
            assert_eq!(links().allow(wanted).unwrap_err().rule, "redirect", "{wanted}");
        }
    }
}
