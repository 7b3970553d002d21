//! Each scheme with what the sender's own library or documentation gives, and everything near it refused.

use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};

use super::*;

const TOLERANCE: Duration = Duration::from_mins(5);
const SENT: i64 = 1_614_265_330;
/// Made by `standardwebhooks` 1.1.0.
const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const STANDARD_SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const STANDARD_BODY: &[u8] = br#"{"test": 2432232314}"#;
const STANDARD_ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
/// Made by `stripe` 16.1.0.
const STRIPE_SIGNED: &str = "t=1614265330,v1=b993903cb491d67b116dceaf8a984e786db6017d6f832d5a8b25445b53fba240,v0=00";
const STRIPE_BODY: &[u8] = br#"{"id": "evt_1", "n": 1.50}"#;
/// From GitHub's documentation.
const GITHUB_SECRET: &str = "It's a Secret to Everybody";
const GITHUB_SIGNED: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

fn now() -> Timestamp {
    Timestamp::from_timestamp(SENT, 0).unwrap()
}

fn verifier(scheme: Scheme, secrets: &[&str]) -> WebhookVerifier {
    WebhookVerifier::new(scheme, secrets, TOLERANCE).unwrap()
}

fn standard_headers<'a>(family: [&'a str; 3], signature: &'a str) -> [(&'a str, &'a str); 3] {
    [(family[0], STANDARD_ID), (family[1], "1614265330"), (family[2], signature)]
}

const WEBHOOK: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];
const SVIX: [&str; 3] = ["svix-id", "svix-timestamp", "svix-signature"];

#[test]
fn standard_webhooks_are_believed_under_either_name() {
    let verifier = verifier(Scheme::Standard, &[STANDARD_SECRET]);
    for family in [WEBHOOK, SVIX] {
        let headers = standard_headers(family, STANDARD_SIGNED);
        let vouched = verifier.verify(Headers(&headers), STANDARD_BODY, now()).unwrap();
        assert_eq!((vouched.id.as_deref(), vouched.at), (Some(STANDARD_ID), Some(now())));
    }
    let mixed = [("webhook-id", STANDARD_ID), ("svix-timestamp", "1614265330"), ("svix-signature", STANDARD_SIGNED)];
    let refused = verifier.verify(Headers(&mixed), STANDARD_BODY, now());
    assert_eq!(refused, Err(Disbelief::Missing("webhook-timestamp".to_owned())));
}

#[test]
fn only_the_very_bytes_are_believed() {
    let verifier = verifier(Scheme::Standard, &[STANDARD_SECRET]);
    let headers = standard_headers(WEBHOOK, STANDARD_SIGNED);
    let written_again = br#"{"test":2432232314}"#.as_slice();
    for body in [written_again, b"", b"{\"test\": 2432232314}\n", b"{\"test\": 2432232315}"] {
        assert_eq!(verifier.verify(Headers(&headers), body, now()), Err(Disbelief::Wrong));
    }
    for (at, value) in [(0, "msg_other"), (1, "1614265331"), (2, "v1,AAAA"), (2, "v2,g0hM"), (2, "nothing"), (2, "")] {
        let mut changed = headers;
        changed[at].1 = value;
        assert_eq!(verifier.verify(Headers(&changed), STANDARD_BODY, now()), Err(Disbelief::Wrong), "{value}");
    }
    // A signature of the other kind does not count as this one.
    let other = STANDARD_SIGNED.replace("v1,", "v1a,");
    let headers = standard_headers(WEBHOOK, &other);
    assert_eq!(verifier.verify(Headers(&headers), STANDARD_BODY, now()), Err(Disbelief::Wrong));
}

#[test]
fn time_holds_to_both_sides_and_to_the_second() {
    let verifier = verifier(Scheme::Standard, &[STANDARD_SECRET]);
    let headers = standard_headers(WEBHOOK, STANDARD_SIGNED);
    let after =
        |seconds| verifier.verify(Headers(&headers), STANDARD_BODY, now() + chrono::TimeDelta::seconds(seconds));
    for fine in [-300, 0, 300] {
        assert!(after(fine).is_ok(), "{fine}");
    }
    assert_eq!((after(301), after(-301)), (Err(Disbelief::Old), Err(Disbelief::Early)));
    for bad in ["", "-1614265330", "+1614265330", " 1614265330", "1614265330.0", "1e9", "161426533000", "١٦١٤"] {
        let mut changed = headers;
        changed[1].1 = bad;
        let refused = verifier.verify(Headers(&changed), STANDARD_BODY, now());
        assert_eq!(refused, Err(Disbelief::Malformed("webhook-timestamp".to_owned())), "{bad}");
    }
}

#[test]
fn what_is_missing_or_there_twice_is_named() {
    let verifier = verifier(Scheme::Standard, &[STANDARD_SECRET]);
    let headers = standard_headers(WEBHOOK, STANDARD_SIGNED);
    for (at, name) in WEBHOOK.into_iter().enumerate() {
        let mut left = headers.to_vec();
        left.remove(at);
        let refused = verifier.verify(Headers(&left), STANDARD_BODY, now());
        assert_eq!(refused, Err(Disbelief::Missing(name.to_owned())));
        let mut twice = headers.to_vec();
        twice.push(headers[at]);
        let refused = verifier.verify(Headers(&twice), STANDARD_BODY, now());
        assert_eq!(refused, Err(Disbelief::Malformed(name.to_owned())));
    }
}

#[test]
fn any_secret_and_any_signature_of_the_list_will_do() {
    let (old, other) = (STANDARD_SECRET, format!("whsec_{}", STANDARD.encode([7; 32])));
    let list = format!("v1,{} v9,unknown {STANDARD_SIGNED}", STANDARD.encode([1; 32]));
    let headers = standard_headers(WEBHOOK, &list);
    for secrets in [[old, &*other], [&*other, old]] {
        assert!(verifier(Scheme::Standard, &secrets).verify(Headers(&headers), STANDARD_BODY, now()).is_ok());
    }
    let strangers = verifier(Scheme::Standard, &[&other, &other]);
    assert_eq!(strangers.verify(Headers(&headers), STANDARD_BODY, now()), Err(Disbelief::Wrong));
    let flood = [STANDARD_SIGNED; SIGNATURES_MAX + 1].join(" ");
    let headers = standard_headers(WEBHOOK, &flood);
    let refused = verifier(Scheme::Standard, &[old]).verify(Headers(&headers), STANDARD_BODY, now());
    assert_eq!(refused, Err(Disbelief::Wrong));
}

#[test]
fn a_key_pair_signs_as_well_as_a_secret() {
    let key = crate::signing_key::SigningKey::new("1", now(), &[9; 32]).unwrap();
    let jsonwebtoken::jwk::AlgorithmParameters::OctetKeyPair(pair) = &key.jwk.algorithm else { panic!("no pair") };
    let public = format!("whpk_{}", STANDARD.encode(URL_SAFE_NO_PAD.decode(&pair.x).unwrap()));
    let sign = |key: &EncodingKey, body: &[u8]| {
        let signed = [format!("{STANDARD_ID}.1614265330.").as_bytes(), body].concat();
        let text = jsonwebtoken::crypto::sign(&signed, key, Algorithm::EdDSA).unwrap();
        format!("v1a,{}", STANDARD.encode(URL_SAFE_NO_PAD.decode(text).unwrap()))
    };
    let verifier = verifier(Scheme::Standard, &[STANDARD_SECRET, &public]);
    let good = sign(&key.private, STANDARD_BODY);
    assert!(verifier.verify(Headers(&standard_headers(WEBHOOK, &good)), STANDARD_BODY, now()).is_ok());
    let stranger = crate::signing_key::SigningKey::new("2", now(), &[8; 32]).unwrap();
    for bad in [sign(&stranger.private, STANDARD_BODY), sign(&key.private, b"{}"), good.replace("v1a,", "v1,")] {
        let refused = verifier.verify(Headers(&standard_headers(WEBHOOK, &bad)), STANDARD_BODY, now());
        assert_eq!(refused, Err(Disbelief::Wrong));
    }
}

#[test]
fn stripe_is_believed_as_its_library_signs() {
    let verifier = verifier(Scheme::Stripe, &["whsec_other_secret", "whsec_test_secret"]);
    let verify = |header: &str, body: &[u8]| verifier.verify(Headers(&[("stripe-signature", header)]), body, now());
    assert_eq!(verify(STRIPE_SIGNED, STRIPE_BODY).unwrap(), Vouched { id: None, at: Some(now()) });
    let second = STRIPE_SIGNED.replace("v1=", "v1=abcd,v1=");
    assert!(verify(&second, STRIPE_BODY).is_ok(), "any of several, while a secret is changed");
    assert_eq!(verify(STRIPE_SIGNED, br#"{"id":"evt_1","n":1.5}"#), Err(Disbelief::Wrong));
    assert_eq!(verify(&STRIPE_SIGNED.replace("v1=", "v0="), STRIPE_BODY), Err(Disbelief::Wrong), "no older scheme");
    for bad in ["", "t", "v1=00", "t=1614265330,t=1614265330,v1=00", "t=soon,v1=00"] {
        assert_eq!(verify(bad, STRIPE_BODY), Err(Disbelief::Malformed("stripe-signature".to_owned())), "{bad}");
    }
}

#[test]
fn github_is_believed_as_its_documentation_says() {
    let verifier = verifier(Scheme::GitHub, &[GITHUB_SECRET]);
    let verify = |header: &str, body: &[u8]| verifier.verify(Headers(&[("x-hub-signature-256", header)]), body, now());
    assert_eq!(verify(GITHUB_SIGNED, b"Hello, World!").unwrap(), Vouched::default());
    assert_eq!(verify(GITHUB_SIGNED, b"Hello, World"), Err(Disbelief::Wrong));
    assert_eq!(verify("sha256=7571", b"Hello, World!"), Err(Disbelief::Wrong), "a part is not the whole");
    for bad in ["757107ea", "sha1=757107ea", "sha256=75710", "sha256=zz"] {
        assert!(matches!(verify(bad, b"Hello, World!"), Err(Disbelief::Malformed(_))), "{bad}");
    }
}

#[test]
fn another_form_is_told_as_data() {
    let form = HmacScheme {
        header: "x-signature".to_owned(),
        prefix: "v0=".to_owned(),
        encoding: Encoding::Hex,
        hash: Hash::Sha256,
        signed: Template::parse("{timestamp}.{body}").unwrap(),
        timestamp: Some("x-timestamp".to_owned()),
        id: None,
    };
    let verifier = verifier(Scheme::Hmac(form.clone()), &["whsec_test_secret"]);
    let value = STRIPE_SIGNED.split(',').nth(1).unwrap().replace("v1=", "v0=");
    let headers = [("x-signature", &*value), ("x-timestamp", "1614265330")];
    assert_eq!(verifier.verify(Headers(&headers), STRIPE_BODY, now()).unwrap().at, Some(now()));
    assert_eq!(verifier.verify(Headers(&headers), b"{}", now()), Err(Disbelief::Wrong));
    let missing = Err(Disbelief::Missing("x-timestamp".to_owned()));
    assert_eq!(verifier.verify(Headers(&headers[..1]), STRIPE_BODY, now()), missing);
    // A moment that nothing vouches for, and places without a header, are no scheme.
    let unsigned = HmacScheme { signed: Template::parse("{body}").unwrap(), ..form.clone() };
    let homeless = HmacScheme { timestamp: None, ..form.clone() };
    let nameless = HmacScheme { header: "X Signature".to_owned(), ..form };
    for (bad, why) in [(unsigned, BadSource::Template), (homeless, BadSource::Template), (nameless, BadSource::Header)]
    {
        let refused = WebhookVerifier::new(Scheme::Hmac(bad), &["whsec_test_secret"], TOLERANCE);
        assert_eq!(refused.unwrap_err(), why);
    }
    for bad in ["", "{timestamp}", "{body}{body}", "{body", "body}", "{what}.{body}"] {
        assert_eq!(Template::parse(bad), Err(BadSource::Template), "{bad}");
    }
}

#[test]
fn secrets_that_cannot_be_are_refused_and_none_is_shown() {
    let refused = |scheme, secrets: &[&str]| WebhookVerifier::new(scheme, secrets, TOLERANCE).unwrap_err();
    assert_eq!(refused(Scheme::GitHub, &[]), BadSource::NoSecret);
    let short = format!("whsec_{}", STANDARD.encode([1; 23]));
    for bad in ["", "plain text of some length", "whsec_???", "whpk_AAAA", &short] {
        assert_eq!(refused(Scheme::Standard, &[STANDARD_SECRET, bad]), BadSource::Secret, "{bad}");
    }
    assert_eq!(refused(Scheme::Stripe, &["short"]), BadSource::Secret);
    let shown = format!("{:?}", verifier(Scheme::GitHub, &[GITHUB_SECRET]));
    assert_eq!(shown, "WebhookVerifier(GitHub, 1 secrets)");
}
