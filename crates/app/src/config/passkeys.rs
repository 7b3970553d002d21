//! `[passkeys]`: to which domain passkeys are bound, and whose pages may use them.

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "passkeys.rp_id",
        "",
        "The domain that passkeys are bound to, such as shop.example; that of public.url when not set. Another one later makes all passkeys useless.",
    ),
    Setting::new(
        "passkeys.origins",
        "",
        "Pages that may use passkeys beside public.url, such as https://www.shop.example, separated by commas.",
    ),
];

/// To what passkeys are bound. Without a domain there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PasskeySettings {
    pub(crate) domain: String,
    pub(crate) origins: Vec<String>,
}

impl PasskeySettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut own = reader.text("public.url");
        if own.is_empty() && !reader.strict() {
            own = format!("http://localhost:{}", reader.text("http.port"));
        }
        let mut origins = reader.list("passkeys.origins");
        if !own.is_empty() {
            origins.insert(0, own);
        }
        let named = reader.text("passkeys.rp_id").to_lowercase();
        let domain = if named.is_empty() { origins.first().map(|one| host(one)).unwrap_or_default() } else { named };
        // Browsers bind passkeys to names only; who is reached by a number has none.
        let by_number = domain.parse::<std::net::IpAddr>().is_ok() || domain.starts_with('[');
        if origins.is_empty() || by_number {
            return Some(Self { domain: String::new(), origins: Vec::new() });
        }
        let mut fit = true;
        for one in &origins {
            let secure = one.starts_with("https://") || !reader.strict() && one.starts_with("http://localhost");
            if !secure && !reader.strict() && one.starts_with("http://") {
                // A page without encryption elsewhere than here: browsers offer it no passkeys.
                continue;
            }
            if !secure || !of_domain(&host(one), &domain) {
                fit = false;
                reader.fault(
                    "passkeys.origins",
                    format!("{one:?} must begin with https:// and be of the domain {domain:?} (passkeys.rp_id)"),
                );
            }
        }
        fit.then_some(Self { domain, origins })
    }
}

/// The host of an address, without its port.
fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = if authority.starts_with('[') { authority } else { authority.split(':').next().unwrap_or_default() };
    host.to_lowercase()
}

fn of_domain(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}
