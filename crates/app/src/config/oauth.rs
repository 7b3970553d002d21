//! `[oauth.<name>]`: the providers that people may sign in with.

use integrations::outside::{AppleKey, Endpoints, Preset, ProviderSettings};

use super::{
    Reader,
    database::is_private,
    family::{Family, Field},
    issuers,
};

/// The sections, each under the name that stands in addresses.
pub(super) const FAMILY: Family = Family {
    section: "oauth.",
    variables: "SOUK__OAUTH__",
    fields: &[
        Field::new("preset", ""),
        Field::new("title", ""),
        Field::new("client_id", ""),
        Field::secret("client_secret"),
        Field::new("scopes", ""),
        Field::new("issuer", ""),
        Field::new("authorize_url", ""),
        Field::new("token_url", ""),
        Field::new("userinfo_url", ""),
        Field::new("emails_url", ""),
        Field::new("keys_url", ""),
        Field::new("team_id", ""),
        Field::new("key_id", ""),
        Field::secret("private_key"),
    ],
};

/// Reads every provider that has a name in some layer.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Vec<ProviderSettings>> {
    let names = reader.names(|key| FAMILY.named(key));
    if !names.is_empty() && reader.strict() && reader.text("public.url").is_empty() {
        reader.fault("public.url", "must be set in production when people sign in with a provider: it answers there");
        return None;
    }
    let taken = reader.names(|key| issuers::FAMILY.named(key));
    if let Some(both) = names.intersection(&taken).next() {
        reader.fault(&format!("oauth.{both}.preset"), format!("the name is taken by [issuers.{both}]"));
        return None;
    }
    let read: Vec<_> = names.iter().map(|name| provider(reader, name)).collect();
    read.into_iter().collect()
}

fn provider(reader: &mut Reader<'_>, name: &str) -> Option<ProviderSettings> {
    let key = |field: &str| format!("oauth.{name}.{field}");
    let text = |reader: &Reader<'_>, field: &str| reader.text(&key(field));
    let said = text(reader, "preset");
    let Some(preset) = Preset::named(if said.is_empty() { name } else { &said }) else {
        let known: Vec<&str> = Preset::ALL.iter().map(|(known, _)| *known).collect();
        reader.fault(&key("preset"), format!("must be one of {}, is {said:?}", known.join(", ")));
        return None;
    };
    let apple = (preset == Preset::Apple).then(|| AppleKey {
        team: text(reader, "team_id"),
        id: text(reader, "key_id"),
        // A variable of one line writes its line breaks out.
        pem: text(reader, "private_key").replace("\\n", "\n"),
    });
    let mut required = vec!["client_id"];
    required.extend(if apple.is_some() { &["team_id", "key_id", "private_key"][..] } else { &["client_secret"] });
    let missing: Vec<&str> = required.into_iter().filter(|field| text(reader, field).is_empty()).collect();
    for field in &missing {
        reader.fault(&key(field), "must be set");
    }
    if !missing.is_empty() {
        return None;
    }
    if apple.as_ref().is_some_and(|apple| !apple.is_sound()) {
        reader.fault(&key("private_key"), "must be a key for ES256 in PEM, as Apple gives it");
        return None;
    }
    let mut at = |field: &str| address(reader, &key(field));
    let own = Endpoints {
        issuer: at("issuer")?,
        authorize: at("authorize_url")?,
        token: at("token_url")?,
        userinfo: at("userinfo_url")?,
        emails: at("emails_url")?,
        keys: at("keys_url")?,
    };
    let endpoints = own.or(preset.endpoints());
    if endpoints.issuer.is_none() {
        reader.fault(&key("issuer"), "must be set: the address that the issuer calls itself");
        return None;
    }
    let or = |text: String, usual: &str| if text.is_empty() { usual.to_owned() } else { text };
    Some(ProviderSettings {
        name: name.to_owned(),
        title: or(text(reader, "title"), preset.title()),
        preset,
        client_id: text(reader, "client_id"),
        client_secret: text(reader, "client_secret"),
        apple,
        endpoints,
        scopes: or(text(reader, "scopes"), preset.scopes()),
    })
}

/// An address of somebody we believe.
#[expect(clippy::option_option, reason = "a fault, an address that is not set and one that is are three things")]
pub(super) fn address(reader: &mut Reader<'_>, key: &str) -> Option<Option<String>> {
    let text = reader.text(key);
    if text.is_empty() {
        return Some(None);
    }
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    let odd = text.contains(|c: char| c.is_whitespace() || c.is_control() || "#\\@\"<>".contains(c));
    // Discord has an @ in a path.
    let odd = odd && !(host.split_once('@').is_none() && text.split_once("/@").is_some());
    if host.is_empty() || odd {
        reader.fault(key, "must be an address, such as https://issuer.example");
        return None;
    }
    let name = host.strip_prefix('[').and_then(|host| host.split(']').next());
    let name = name.unwrap_or_else(|| host.split(':').next().unwrap_or_default());
    if text.starts_with("http://") && !is_private(name) {
        reader.fault(key, "must begin with https:// but for a server on this machine: who answers says who people are");
        return None;
    }
    Some(Some(text))
}
