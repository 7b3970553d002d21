//! Second factors, passkeys and fresh proofs over HTTP.

use std::time::Duration;

use actix_web::{http::Method, test::TestRequest};
use domain::{
    Principal,
    identity::{FRESH, factors::ports::OneTimeCodes as _},
    permission::Role,
    secrets::Sealer as _,
    testing::{PlainCeremonies, PlainCodes, PlainSealer},
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

async fn send(door: &Door, method: Method, path: &str, by: Option<&Principal>, body: Option<Value>) -> Reply {
    let mut request = TestRequest::default().method(method).uri(&format!("/api/v1{path}"));
    if let Some(by) = by {
        request = request.insert_header(door.bearer(by));
    }
    if let Some(body) = body {
        request = request.set_json(body);
    }
    door.send(request).await
}

async fn post(door: &Door, path: &str, by: Option<&Principal>, body: Value) -> Reply {
    send(door, Method::POST, path, by, Some(body)).await
}

/// The code that their app shows now.
async fn code(door: &Door, who: &Principal) -> String {
    let kept = door.fixtures.tx().await.factors().totp(who.user).await.unwrap().unwrap();
    let secret = PlainSealer.open(&format!("totp/{}", who.user), &kept.sealed).unwrap();
    let step = u64::try_from(door.fixtures.shop.now().timestamp() / 30).unwrap();
    format!("{:06}", PlainCodes.code(&secret, step).unwrap())
}

async fn app(door: &Door, who: &Principal) -> Value {
    assert_eq!(send(door, Method::POST, "/users/me/totp", Some(who), None).await.status, 200);
    let body = json!({ "code": code(door, who).await });
    let confirmed = post(door, "/users/me/totp/confirm", Some(who), body).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    door.fixtures.clock.advance(Duration::from_mins(1));
    confirmed.json()["recoveryCodes"].clone()
}

async fn login(door: &Door, who: &Principal) -> Reply {
    let email = door.services.users.profile(who.user).await.unwrap().unwrap().user.email.as_str().to_owned();
    post(door, "/auth/login", None, json!({ "email": email, "password": "correct horse" })).await
}

#[actix_web::test]
async fn a_sign_in_with_one_factor_is_no_session_where_there_are_two() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    assert_eq!(login(&door, &ada).await.status, 200);
    let recovery = app(&door, &ada).await;
    assert_eq!(recovery.as_array().unwrap().len(), 10);
    let pending = login(&door, &ada).await;
    assert_eq!((pending.status, pending.header("cache-control")), (202, "no-store"));
    let needed = pending.json()["secondFactor"].clone();
    assert_eq!((pending.json().as_object().unwrap().len(), &needed["methods"]), (1, &json!(["totp", "recovery"])));
    assert!(pending.headers.get("set-cookie").is_none());
    let second = async |code: &str| {
        post(&door, "/auth/second-factor", None, json!({ "challenge": needed["challenge"], "code": code })).await
    };
    let wrong = second("000000").await;
    assert_eq!(
        (wrong.status, wrong.code(), wrong.header("www-authenticate")),
        (401, "UNAUTHORIZED".to_owned(), "Bearer")
    );
    let signed = second(&code(&door, &ada).await).await;
    assert_eq!(signed.status, 200, "{}", signed.text);
    assert!(signed.json()["refreshToken"].is_string());
    assert_eq!(second(recovery[0].as_str().unwrap()).await.status, 401, "the challenge was used");
    // In cookie mode the tokens come with the second half.
    let needed = login(&door, &ada).await.json()["secondFactor"].clone();
    let body = json!({ "challenge": needed["challenge"], "code": recovery[0], "mode": "cookie" });
    let request = TestRequest::post().uri("/api/v1/auth/second-factor").set_json(body);
    let refused = door.send(request.insert_header(("Origin", "https://evil.example"))).await;
    assert_eq!(refused.status, 403);
    let signed =
        post(&door, "/auth/second-factor", None, json!({ "challenge": needed["challenge"], "code": recovery[0] }))
            .await;
    assert_eq!(signed.status, 200, "a refusal of the page uses nothing up");
}

#[actix_web::test]
async fn a_sensitive_act_names_what_it_wants() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    door.fixtures.clock.advance(FRESH);
    door.services.known.heard(door.fixtures.shop.now());
    let key = json!({ "name": "Robot", "scopes": ["account:own"] });
    for (method, path, body) in [
        (Method::POST, "/api-keys", Some(key.clone())),
        (Method::POST, "/users/me/totp", None),
        (Method::POST, "/users/me/totp/confirm", Some(json!({ "code": "000000" }))),
        (Method::DELETE, "/users/me/totp", None),
        (Method::POST, "/users/me/recovery-codes", None),
        (Method::POST, "/users/me/passkeys/options", None),
        (Method::POST, "/users/me/passkeys", Some(json!({}))),
        (Method::POST, "/users/me/identities", Some(json!({ "code": "c", "codeVerifier": "v" }))),
        (Method::DELETE, "/users/me/identities/google", None),
        (Method::POST, "/users/me/deletion", Some(json!({}))),
        (Method::POST, "/auth/password", Some(json!({ "password": "a new one of mine" }))),
        (Method::POST, "/auth/email-change", Some(json!({ "email": "ada@example.org" }))),
    ] {
        let refused = send(&door, method, path, Some(&ada), body).await;
        let error = refused.json()["error"].clone();
        assert_eq!((refused.status, &error["code"]), (403, &json!("FORBIDDEN")), "{path}: {}", refused.text);
        let details = json!({ "reason": "fresh_authentication_required", "methods": ["password", "email_code"] });
        assert_eq!(error["details"], details, "{path}");
    }
    let renewed = post(&door, "/auth/reauthenticate", Some(&ada), json!({ "password": "correct horse" })).await;
    assert_eq!((renewed.status, &renewed.json()["methods"]), (200, &json!(["password"])));
    assert_eq!(post(&door, "/api-keys", Some(&ada), key).await.status, 201);
    let changed = post(&door, "/auth/password", Some(&ada), json!({ "password": "a new one of mine" })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
}

#[actix_web::test]
async fn a_passkey_is_added_and_signs_in() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    let begun = send(&door, Method::POST, "/users/me/passkeys/options", Some(&ada), None).await.json();
    let credential = PlainCeremonies::answer(&begun["publicKey"], "phone", 1);
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
    let made = post(&door, "/users/me/passkeys", Some(&ada), body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location").trim_start_matches("/api/v1").to_owned();
    let shown = send(&door, Method::GET, &path, Some(&ada), None).await;
    assert_eq!((shown.json()["name"].clone(), shown.json().as_object().unwrap().len()), (json!("Passkey"), 4));
    let bob = door.person(Role::User).await;
    let unknown = format!("/users/me/passkeys/{}", ada.user);
    for (method, body) in
        [(Method::GET, None), (Method::PATCH, Some(json!({ "name": "Mine" }))), (Method::DELETE, None)]
    {
        let theirs = send(&door, method.clone(), &path, Some(&bob), body.clone()).await;
        let none = send(&door, method, &unknown, Some(&bob), body).await;
        let message = |reply: &Reply| reply.json()["error"]["message"].clone();
        assert_eq!((theirs.status, message(&theirs)), (404, message(&none)));
    }
    let begun = post(&door, "/auth/passkeys/options", None, json!({})).await.json();
    let credential = PlainCeremonies::answer(&begun["publicKey"], "phone", 2);
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
    let signed = post(&door, "/auth/passkeys", None, body.clone()).await;
    assert_eq!((signed.status, &signed.json()["user"]["id"]), (200, &json!(ada.user)), "{}", signed.text);
    assert_eq!(post(&door, "/auth/passkeys", None, body).await.code(), "UNAUTHORIZED");
    let renamed = send(&door, Method::PATCH, &path, Some(&ada), Some(json!({ "name": "Phone" }))).await;
    assert_eq!(renamed.json()["name"], "Phone");
    assert_eq!(send(&door, Method::DELETE, &path, Some(&ada), None).await.status, 200);
}

#[actix_web::test]
async fn without_an_address_of_ours_there_are_no_passkeys() {
    let door = Door::with(|services| services.proofs.passkeys.ceremonies = None);
    assert_eq!(post(&door, "/auth/passkeys/options", None, json!({})).await.code(), "UNAVAILABLE");
}

#[actix_web::test]
async fn bad_input_is_named() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    for (path, body, broken) in [
        ("/auth/second-factor", json!({}), vec!["body /challenge required", "body /code required"]),
        (
            "/auth/second-factor",
            json!({ "challenge": "souk_2f_00", "code": "1" }),
            vec!["body /challenge pattern", "body /code length"],
        ),
        (
            "/auth/passkeys",
            json!({ "ceremony": "XY", "credential": [] }),
            vec!["body /ceremony pattern", "body /credential object"],
        ),
        (
            "/auth/passkeys",
            json!({ "user": "ada" }),
            vec!["body /ceremony required", "body /credential required", "body /user unknown"],
        ),
        ("/auth/reauthenticate", json!({}), vec!["body /password required"]),
        (
            "/auth/reauthenticate",
            json!({ "password": "x", "emailCode": "01234567" }),
            vec!["body /emailCode consistent"],
        ),
        ("/auth/reauthenticate", json!({ "emailCode": "0123" }), vec!["body /emailCode pattern"]),
        ("/auth/reauthenticate", json!({ "ceremony": "00" }), vec!["body /ceremony consistent"]),
        (
            "/users/me/passkeys",
            json!({ "ceremony": "00", "credential": {}, "name": "\u{7}" }),
            vec!["body /name control_character"],
        ),
    ] {
        let refused = post(&door, path, Some(&ada), body.clone()).await;
        let mut found = refused.broken();
        found.sort();
        assert_eq!(
            (refused.status, found),
            (400, broken.iter().map(|one| (*one).to_owned()).collect()),
            "{path} {body}"
        );
    }
}
