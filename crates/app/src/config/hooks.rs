//! `[hooks.<name>]`: those who send webhooks here.

use std::sync::Arc;

use credentials::webhook_verify::{Encoding, Hash, HmacScheme, Scheme, Template, WebhookVerifier};
use domain::inbound::{Clerk, Finds, Place, Source, Sources, ports::HookHandler};

use super::{
    Outside, Reader,
    family::{Family, Field},
};

/// The sections, each under the name that stands in addresses.
pub(super) const FAMILY: Family = Family {
    section: "hooks.",
    variables: "SOUK__HOOKS__",
    fields: &[
        Field::new("scheme", ""),
        Field::secret("secrets"),
        Field::new("tolerance_seconds", "300"),
        Field::new("body_limit_bytes", "1048576"),
        Field::new("handler", ""),
        Field::new("issuer", ""),
        Field::new("id", ""),
        Field::new("type", ""),
        Field::new("time", ""),
        Field::new("signature_header", ""),
        Field::new("signature_prefix", ""),
        Field::new("encoding", "hex"),
        Field::new("hash", "sha256"),
        Field::new("signed", "{body}"),
        Field::new("timestamp_header", ""),
        Field::new("id_header", ""),
    ],
};

/// The schemes; `stripe`, `github` and Clerk's have no settings of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Standard,
    Stripe,
    GitHub,
    Hmac,
}

impl Kind {
    /// Where calls of this scheme say what they are.
    fn finds(self) -> Finds {
        let (field, header) =
            (|at: &str| Some(Place::Field(at.to_owned())), |at: &str| Some(Place::Header(at.to_owned())));
        match self {
            // The signature vouches for an id.
            Self::Standard => Finds { id: None, kind: field("/type"), at: field("/timestamp") },
            Self::Stripe => Finds { id: field("/id"), kind: field("/type"), at: field("/created") },
            Self::GitHub => Finds { id: header("x-github-delivery"), kind: header("x-github-event"), at: None },
            Self::Hmac => Finds::default(),
        }
    }
}

/// Reads every source that has a name in some layer.
pub(super) fn read(reader: &mut Reader<'_>, outside: Option<&Outside>) -> Option<Sources> {
    let names = reader.names(|key| FAMILY.named(key));
    let read: Vec<_> = names.iter().map(|name| source(reader, outside, name)).collect();
    read.into_iter().collect::<Option<Vec<_>>>().map(Sources::new)
}

fn source(reader: &mut Reader<'_>, outside: Option<&Outside>, name: &str) -> Option<Source> {
    let key = |field: &str| format!("hooks.{name}.{field}");
    let kind = reader.one_of(
        &key("scheme"),
        &[("standard", Kind::Standard), ("stripe", Kind::Stripe), ("github", Kind::GitHub), ("hmac", Kind::Hmac)],
    );
    let tolerance = reader.seconds(&key("tolerance_seconds"), 1..=3_600);
    let most = reader.number(&key("body_limit_bytes"), 1..=16 * 1024 * 1024_usize);
    let handler = handler(reader, outside, name);
    let kind = kind?;
    let scheme = match kind {
        Kind::Standard => Some(Scheme::Standard),
        Kind::Stripe => Some(Scheme::Stripe),
        Kind::GitHub => Some(Scheme::GitHub),
        Kind::Hmac => hmac(reader, name).map(Scheme::Hmac),
    };
    let secrets = reader.list(&key("secrets"));
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let (scheme, tolerance) = (scheme?, tolerance?);
    let verifier = match WebhookVerifier::new(scheme, &secrets, tolerance) {
        Ok(verifier) => Arc::new(verifier),
        Err(bad) => {
            reader.fault(&key("secrets"), format!("the source {bad}"));
            return None;
        }
    };
    let usual = kind.finds();
    let (id, told, at) = (place(reader, &key("id")), place(reader, &key("type")), place(reader, &key("time")));
    let finds = Finds { id: id?.or(usual.id), kind: told?.or(usual.kind), at: at?.or(usual.at) };
    Some(Source { name: name.to_owned(), verifier, most: most?, finds, handler: handler? })
}

#[expect(clippy::option_option, reason = "a fault, no handler and a handler are three things")]
fn handler(reader: &mut Reader<'_>, outside: Option<&Outside>, name: &str) -> Option<Option<Arc<dyn HookHandler>>> {
    let key = format!("hooks.{name}.handler");
    if !reader.one_of(&key, &[("", false), ("clerk", true)])? {
        return Some(None);
    }
    let key = format!("hooks.{name}.issuer");
    let said = reader.text(&key);
    let provider = if said.is_empty() { name.to_owned() } else { said };
    // Faults of those are told already.
    let outside = outside?;
    let issuers = outside.issuers.iter().map(|known| (&known.name, Some(&known.issuer)));
    let providers = outside.providers.iter().map(|known| (&known.name, known.endpoints.issuer.as_ref()));
    let found = issuers.chain(providers).find(|(known, _)| **known == provider).and_then(|(_, issuer)| issuer.cloned());
    let Some(issuer) = found else {
        reader.fault(
            &key,
            format!("must name the section of [issuers] or [oauth] whose people it tells of, is {provider:?}"),
        );
        return None;
    };
    Some(Some(Arc::new(Clerk { issuer, provider })))
}

fn hmac(reader: &mut Reader<'_>, name: &str) -> Option<HmacScheme> {
    let key = |field: &str| format!("hooks.{name}.{field}");
    let encoding = reader.one_of(&key("encoding"), &[("hex", Encoding::Hex), ("base64", Encoding::Base64)]);
    let hash = reader.one_of(&key("hash"), &[("sha1", Hash::Sha1), ("sha256", Hash::Sha256), ("sha512", Hash::Sha512)]);
    let signed =
        Template::parse(&reader.text(&key("signed"))).map_err(|bad| reader.fault(&key("signed"), bad.to_string()));
    let header = |field: &str| Some(reader.text(&key(field)).to_lowercase()).filter(|name| !name.is_empty());
    let (signature, timestamp, id) = (header("signature_header"), header("timestamp_header"), header("id_header"));
    if signature.is_none() {
        reader.fault(&key("signature_header"), "must be set: the header that the signature stands in");
    }
    Some(HmacScheme {
        header: signature?,
        prefix: reader.text(&key("signature_prefix")),
        encoding: encoding?,
        hash: hash?,
        signed: signed.ok()?,
        timestamp,
        id,
    })
}

#[expect(clippy::option_option, reason = "a fault, no place and a place are three things")]
fn place(reader: &mut Reader<'_>, key: &str) -> Option<Option<Place>> {
    let text = reader.text(key);
    if text.is_empty() {
        return Some(None);
    }
    if text.starts_with('/') {
        return Some(Some(Place::Field(text)));
    }
    let plain = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let header = text.strip_prefix("header:").map(str::to_lowercase).filter(|name| plain(name));
    if header.is_none() {
        reader.fault(key, format!("must be a place in the body, such as /data/id, or header:<name>, is {text:?}"));
    }
    header.map(|name| Some(Place::Header(name)))
}
