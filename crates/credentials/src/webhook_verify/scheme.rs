//! The schemes: where a signature stands, and what it covers.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{clock::Timestamp, secrets::unhex};

use super::{
    BadSource, Disbelief, Headers, Template,
    key::{Key, Signature},
    template::Piece,
};

/// How a sender signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// Standard Webhooks, which Svix and Clerk send too: `webhook-id`, `webhook-timestamp` and `webhook-signature`, or the same with `svix-`.
    Standard,
    /// `Stripe-Signature: t=..,v1=..`.
    Stripe,
    /// `X-Hub-Signature-256: sha256=..`, without a moment.
    GitHub,
    /// Any other that signs by HMAC.
    Hmac(HmacScheme),
}

/// How somebody signs who has a form of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HmacScheme {
    /// The header with the signature, in small letters.
    pub header: String,
    /// What stands before the signature there; may be empty.
    pub prefix: String,
    /// How its bytes are written.
    pub encoding: Encoding,
    /// The hash.
    pub hash: Hash,
    /// What is signed.
    pub signed: Template,
    /// The header with the moment, in whole seconds since 1970.
    pub timestamp: Option<String>,
    /// The header with the id that is signed.
    pub id: Option<String>,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Two hexadecimal digits each.
    Hex,
    /// Base64 with padding.
    Base64,
}

/// A hash that signs with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1, for senders who know no other.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// What a call says of itself.
pub(super) struct Claim {
    pub(super) id: Option<String>,
    pub(super) at: Option<Timestamp>,
    /// What is signed, in order; nothing stands for the body.
    pub(super) signed: Vec<Option<Vec<u8>>>,
    pub(super) signatures: Vec<Signature>,
}

impl Scheme {
    pub(super) fn check(&self) -> Result<(), BadSource> {
        let Self::Hmac(hmac) = self else { return Ok(()) };
        let lacks = |piece, header: &Option<String>| hmac.signed.has(&piece) && header.is_none();
        // A moment that is not signed can be changed by whoever repeats a call.
        let unsigned = hmac.timestamp.is_some() && !hmac.signed.has(&Piece::Timestamp);
        if lacks(Piece::Timestamp, &hmac.timestamp) || lacks(Piece::Id, &hmac.id) || unsigned {
            return Err(BadSource::Template);
        }
        let named = [Some(&hmac.header), hmac.timestamp.as_ref(), hmac.id.as_ref()];
        let fits = |name: &String| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if named.into_iter().flatten().all(fits) { Ok(()) } else { Err(BadSource::Header) }
    }

    pub(super) fn key(&self, secret: &str) -> Result<Key, BadSource> {
        let decoded = |text: &str| STANDARD.decode(text).map_err(|_| BadSource::Secret);
        match self {
            Self::Standard => match (secret.strip_prefix("whsec_"), secret.strip_prefix("whpk_")) {
                (Some(text), _) => {
                    let bytes = decoded(text)?;
                    if !(24..=64).contains(&bytes.len()) {
                        return Err(BadSource::Secret);
                    }
                    Key::keyed(Hash::Sha256, &bytes)
                }
                (_, Some(text)) => Key::ed25519(&decoded(text)?),
                _ => Err(BadSource::Secret),
            },
            _ if secret.len() < 8 => Err(BadSource::Secret),
            Self::Stripe | Self::GitHub => Key::keyed(Hash::Sha256, secret.as_bytes()),
            Self::Hmac(hmac) => Key::keyed(hmac.hash, secret.as_bytes()),
        }
    }

    pub(super) fn claim(&self, headers: Headers<'_>) -> Result<Claim, Disbelief> {
        match self {
            Self::Standard => standard(headers),
            Self::Stripe => stripe(headers),
            Self::GitHub => github(headers),
            Self::Hmac(hmac) => own(hmac, headers),
        }
    }
}

fn standard(headers: Headers<'_>) -> Result<Claim, Disbelief> {
    // One family or the other, never some of each.
    let svix = headers.one("webhook-id")?.is_none() && headers.one("svix-id")?.is_some();
    let name = |what: &str| format!("{}-{what}", if svix { "svix" } else { "webhook" });
    let id = headers.needed(&name("id"))?;
    if id.is_empty() || id.len() > 255 {
        return Err(Disbelief::Malformed(name("id")));
    }
    let written = headers.needed(&name("timestamp"))?;
    let at = moment(written).ok_or_else(|| Disbelief::Malformed(name("timestamp")))?;
    let list = headers.needed(&name("signature"))?;
    // Versions to come are passed over, as the specification wants it.
    let signatures = list.split_ascii_whitespace().filter_map(|one| match one.split_once(',')? {
        ("v1", text) => STANDARD.decode(text).ok().map(Signature::Keyed),
        ("v1a", text) => STANDARD.decode(text).ok().map(Signature::Ed25519),
        _ => None,
    });
    let signed = vec![Some(format!("{id}.{written}.").into_bytes()), None];
    Ok(Claim { id: Some(id.to_owned()), at: Some(at), signed, signatures: signatures.collect() })
}

fn stripe(headers: Headers<'_>) -> Result<Claim, Disbelief> {
    const NAME: &str = "stripe-signature";
    let malformed = || Disbelief::Malformed(NAME.to_owned());
    let (mut written, mut signatures) = (None, Vec::new());
    for item in headers.needed(NAME)?.split(',') {
        match item.trim().split_once('=').ok_or_else(malformed)? {
            ("t", text) if written.replace(text).is_none() => (),
            ("t", _) => return Err(malformed()),
            ("v1", text) => signatures.extend(unhex(text).map(Signature::Keyed)),
            _ => (),
        }
    }
    let written = written.ok_or_else(malformed)?;
    let at = moment(written).ok_or_else(malformed)?;
    Ok(Claim { id: None, at: Some(at), signed: vec![Some(format!("{written}.").into_bytes()), None], signatures })
}

fn github(headers: Headers<'_>) -> Result<Claim, Disbelief> {
    const NAME: &str = "x-hub-signature-256";
    let bytes = headers.needed(NAME)?.strip_prefix("sha256=").and_then(unhex);
    let bytes = bytes.ok_or_else(|| Disbelief::Malformed(NAME.to_owned()))?;
    Ok(Claim { id: None, at: None, signed: vec![None], signatures: vec![Signature::Keyed(bytes)] })
}

fn own(hmac: &HmacScheme, headers: Headers<'_>) -> Result<Claim, Disbelief> {
    let malformed = |name: &str| Disbelief::Malformed(name.to_owned());
    let text = headers.needed(&hmac.header)?.strip_prefix(&*hmac.prefix);
    let bytes = text.and_then(|text| match hmac.encoding {
        Encoding::Hex => unhex(text),
        Encoding::Base64 => STANDARD.decode(text).ok(),
    });
    let bytes = bytes.ok_or_else(|| malformed(&hmac.header))?;
    let needed = |name: &Option<String>| name.as_deref().map(|name| headers.needed(name)).transpose();
    let (written, id) = (needed(&hmac.timestamp)?, needed(&hmac.id)?);
    let at = match (written, &hmac.timestamp) {
        (Some(written), Some(name)) => Some(moment(written).ok_or_else(|| malformed(name))?),
        _ => None,
    };
    let vouched = id.filter(|_| hmac.signed.has(&Piece::Id)).map(str::to_owned);
    let signed = hmac.signed.fill(written.unwrap_or_default(), id.unwrap_or_default());
    Ok(Claim { id: vouched, at, signed, signatures: vec![Signature::Keyed(bytes)] })
}

/// Whole seconds since 1970 in digits alone: no sign, no space, no fraction.
fn moment(text: &str) -> Option<Timestamp> {
    let plain = (1..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().and_then(|seconds| Timestamp::from_timestamp(seconds, 0))
}
