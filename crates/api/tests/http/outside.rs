//! Signing in with a provider, linking, and tokens of issuers, over HTTP.

use std::time::Duration;

use actix_web::test::TestRequest;
use domain::{
    identity::{
        Stranger, Verification,
        outside::ports::{Declined, Providers as _},
    },
    permission::Role,
    testing::PlainProviders,
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const PAGE: &str = "http://localhost:5173/signed-in";

/// What the browser keeps, as it sends it back.
fn cookie(reply: &Reply) -> String {
    reply.header("set-cookie").split(';').next().unwrap().to_owned()
}

fn parameter(address: &str, name: &str) -> String {
    let (_, rest) = address.split_once(&format!("{name}=")).unwrap_or_else(|| panic!("no {name} in {address}"));
    rest.split('&').next().unwrap().to_owned()
}

async fn start(door: &Door, provider: &str) -> Reply {
    let challenge = door.providers.challenge(VERIFIER);
    door.get(&format!("/api/v1/auth/oauth/{provider}/start?redirectUrl={PAGE}&codeChallenge={challenge}")).await
}

fn ada() -> Stranger {
    PlainProviders::somebody("1", Some("ada@example.com"), true)
}

/// The code that the page of somebody gets whom the provider vouches for.
async fn code(door: &Door, answer: Result<Stranger, Declined>) -> String {
    door.providers.vouch("c0de", answer);
    let went = start(door, "google").await;
    let state = parameter(went.header("location"), "state");
    let back =
        TestRequest::get().uri(&format!("/oauth/google/callback?state={state}&code=c0de&scope=openid&authuser=0"));
    let back = door.send(back.insert_header(("Cookie", cookie(&went)))).await;
    assert_eq!(back.status, 303, "{}", back.text);
    parameter(back.header("location"), "code")
}

async fn exchange(door: &Door, body: Value) -> Reply {
    door.send(TestRequest::post().uri("/api/v1/auth/oauth/exchange").set_json(body)).await
}

async fn enter(door: &Door, stranger: Stranger) -> Reply {
    let code = code(door, Ok(stranger)).await;
    exchange(door, json!({ "code": code, "codeVerifier": VERIFIER })).await
}

#[actix_web::test]
async fn a_browser_goes_there_and_comes_back_and_its_page_signs_in() {
    let door = Door::new();
    let listed = door.get("/api/v1/auth/providers").await.json();
    assert_eq!(listed["items"][0], json!({ "name": "google", "title": "GOOGLE" }));
    let went = start(&door, "google").await;
    assert_eq!((went.status, went.header("cache-control")), (303, "no-store"));
    let kept = went.header("set-cookie").to_owned();
    assert!(
        kept.starts_with("souk_sign_in=") && kept.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"),
        "{kept}"
    );
    let location = went.header("location");
    assert!(location.starts_with("https://google.example/?"), "{location}");
    assert_eq!(parameter(location, "redirect"), "https://shop.example/oauth/google/callback");

    let code = code(&door, Ok(ada())).await;
    let signed = exchange(&door, json!({ "code": code, "codeVerifier": VERIFIER })).await;
    assert_eq!((signed.status, signed.header("cache-control")), (200, "no-store"));
    let signed = signed.json();
    assert_eq!((&signed["user"]["email"], &signed["user"]["emailVerified"]), (&json!("ada@example.com"), &json!(true)));
    let token = signed["token"].as_str().unwrap();
    let mine = TestRequest::get()
        .uri("/api/v1/users/me/identities")
        .insert_header(("Authorization", format!("Bearer {token}")));
    let mine = door.send(mine).await.json();
    assert_eq!(
        (&mine["items"][0]["provider"], &mine["items"][0]["email"]),
        (&json!("google"), &json!("ada@example.com"))
    );
    // In cookie mode the tokens stay in cookies, as with a password.
    let cookies = enter_by_cookie(&door, None).await;
    assert_eq!((cookies.status, cookies.json().get("token")), (200, None));
    assert_eq!(enter_by_cookie(&door, Some("https://evil.example")).await.status, 403);
}

async fn enter_by_cookie(door: &Door, origin: Option<&str>) -> Reply {
    let body = json!({ "code": code(door, Ok(ada())).await, "codeVerifier": VERIFIER, "mode": "cookie" });
    let mut request = TestRequest::post().uri("/api/v1/auth/oauth/exchange").set_json(body);
    if let Some(origin) = origin {
        request = request.insert_header(("Origin", origin.to_owned()));
    }
    door.send(request).await
}

#[actix_web::test]
async fn a_provider_that_posts_its_answer_is_heard_over_https() {
    let door = Door::with(|services| services.settings.https = true);
    let went = start(&door, "apple").await;
    let kept = went.header("set-cookie");
    assert!(kept.starts_with("__Host-souk_sign_in=") && kept.ends_with("; HttpOnly; Secure; SameSite=None"), "{kept}");
    let google = start(&door, "google").await;
    assert!(google.header("set-cookie").ends_with("; HttpOnly; Secure; SameSite=Lax"));
    let state = parameter(went.header("location"), "state");
    let stranger = Stranger { name: None, ..ada() };
    door.providers.vouch("c0de", Ok(stranger));
    let user = "%7B%22name%22%3A%7B%22firstName%22%3A%22Ada%22%2C%22lastName%22%3A%22Lovelace%22%7D%2C%22email%22%3A%22evil%40example.com%22%7D";
    let form = format!("state={state}&code=c0de&id_token=x.y.z&user={user}");
    let post = |form: String| {
        TestRequest::post()
            .uri("/oauth/apple/callback")
            .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
            .insert_header(("Origin", "https://appleid.apple.com"))
            .insert_header(("Cookie", cookie(&went)))
            .set_payload(form)
    };
    let back = door.send(post(form.clone())).await;
    assert_eq!(back.status, 303, "{}", back.text);
    let code = parameter(back.header("location"), "code");
    let signed = exchange(&door, json!({ "code": code, "codeVerifier": VERIFIER })).await.json();
    assert_eq!(
        (&signed["user"]["name"], &signed["user"]["email"]),
        (&json!("Ada Lovelace"), &json!("ada@example.com"))
    );
    assert_eq!(door.send(post(form)).await.code(), "UNPROCESSABLE", "a second time");
    assert_eq!(door.send(post("x".repeat(70_000))).await.status, 413);
}

#[actix_web::test]
async fn answers_of_others_and_of_another_time_are_not_heard() {
    let door = Door::new();
    door.providers.vouch("c0de", Ok(ada()));
    let back = async |provider: &str, query: String, cookie: &str| {
        let request = TestRequest::get().uri(&format!("/oauth/{provider}/callback?{query}"));
        door.send(request.insert_header(("Cookie", cookie.to_owned()))).await
    };
    let (mine, theirs) = (start(&door, "google").await, start(&door, "google").await);
    let state = parameter(mine.header("location"), "state");
    let query = format!("state={state}&code=c0de");
    assert_eq!(back("google", "code=c0de".to_owned(), &cookie(&mine)).await.broken(), ["query state required"]);
    assert_eq!(back("google", format!("{query}&state=1"), &cookie(&mine)).await.broken(), ["query state once"]);
    assert_eq!(back("google", "state=1&code=c0de".to_owned(), &cookie(&mine)).await.code(), "UNPROCESSABLE");
    assert_eq!(back("google", query.clone(), &cookie(&theirs)).await.code(), "UNPROCESSABLE");
    assert_eq!(back("google", query, &cookie(&mine)).await.code(), "UNPROCESSABLE", "it was used up");
    let mine = start(&door, "google").await;
    let query = format!("state={}&error=access_denied", parameter(mine.header("location"), "state"));
    let denied = back("google", query, &cookie(&mine)).await;
    assert_eq!(
        (denied.status, denied.header("location")),
        (303, "http://localhost:5173/signed-in?error=access_denied")
    );
}

#[actix_web::test]
async fn a_sign_in_begins_where_the_operator_allows_it_and_with_a_challenge() {
    let door = Door::new();
    let begin = async |query: &str| door.get(&format!("/api/v1/auth/oauth/google/start?{query}")).await;
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    assert_eq!(begin("").await.broken(), ["query redirectUrl required", "query codeChallenge required"]);
    let evil = begin(&format!("redirectUrl=https://evil.example&codeChallenge={challenge}")).await;
    assert_eq!(evil.broken(), ["query redirectUrl redirect"]);
    assert_eq!(
        begin(&format!("redirectUrl={PAGE}&codeChallenge=plain")).await.broken(),
        ["query codeChallenge pattern"]
    );
    assert_eq!(start(&door, "facebook").await.code(), "NOT_FOUND");
    let verifier = exchange(&door, json!({ "code": "x", "codeVerifier": "short", "token": 1 })).await;
    assert_eq!(verifier.broken(), ["body /code pattern", "body /codeVerifier pattern", "body /token unknown"]);
    let code = code(&door, Ok(ada())).await;
    let another = exchange(&door, json!({ "code": code, "codeVerifier": VERIFIER.replace('d', "e") })).await;
    assert_eq!(another.code(), "UNPROCESSABLE");
}

#[actix_web::test]
async fn an_account_whose_address_is_doubtful_is_linked_by_its_owner_alone() {
    let door = Door::new();
    let register = json!({ "email": "ada@example.com", "password": "correct horse" });
    let register = TestRequest::post().uri("/api/v1/auth/register").set_json(register);
    assert_eq!(door.send(register).await.status, 201);
    let refused = enter(&door, ada()).await;
    assert_eq!((refused.status, refused.code()), (409, "CONFLICT".to_owned()));
    let login = json!({ "email": "ada@example.com", "password": "correct horse" });
    let login = door.send(TestRequest::post().uri("/api/v1/auth/login").set_json(login)).await.json();
    let bearer = ("Authorization", format!("Bearer {}", login["token"].as_str().unwrap()));
    let linking = json!({ "code": code(&door, Ok(ada())).await, "codeVerifier": VERIFIER });
    let link = || TestRequest::post().uri("/api/v1/users/me/identities").set_json(&linking);
    assert_eq!(door.send(link()).await.status, 401);
    let linked = door.send(link().insert_header(bearer.clone())).await;
    assert_eq!((linked.status, &linked.json()["provider"]), (200, &json!("google")), "{}", linked.text);
    assert_eq!(enter(&door, ada()).await.json()["user"]["id"], login["user"]["id"]);
    let unlink = || TestRequest::delete().uri("/api/v1/users/me/identities/google").insert_header(bearer.clone());
    assert_eq!(door.send(unlink()).await.status, 200);
    assert_eq!(door.send(unlink()).await.code(), "NOT_FOUND");
}

/// The header of a token of an issuer.
fn foreign(door: &Door, subject: &str, email: &str) -> (&'static str, String) {
    let until = (door.fixtures.shop.now() + Duration::from_mins(5)).timestamp_micros();
    ("Authorization", format!("Bearer foreign.{subject}.{until}.{email}"))
}

#[actix_web::test]
async fn who_comes_with_the_token_of_an_issuer_is_somebody_from_the_first_call_on() {
    let door = Door::with(|services| services.mailroom.verification = Verification::Off);
    let call = async |path: &str| {
        door.send(TestRequest::get().uri(path).insert_header(foreign(&door, "7", "eve@example.com"))).await
    };
    let me = call("/api/v1/users/me").await;
    assert_eq!(
        (me.status, me.json()["email"].clone(), me.json()["roles"].clone()),
        (200, json!("eve@example.com"), json!(["user"]))
    );
    assert_eq!(call("/api/v1/users/me").await.json()["id"], me.json()["id"]);
    // Roles are ours: no token says them.
    let audit = call("/api/v1/audit").await;
    assert_eq!(audit.status, 403, "{}", audit.text);
    // What is of a session is not of a token that has none.
    let sessions = call("/api/v1/sessions").await;
    assert_eq!((sessions.status, sessions.text.contains("no session here")), (403, true), "{}", sessions.text);
    let bad = door
        .send(TestRequest::get().uri("/api/v1/users/me").insert_header(("Authorization", "Bearer foreign.7.1")))
        .await;
    assert_eq!((bad.status, bad.header("www-authenticate").contains("invalid_token")), (401, true));
    // Nobody keeps it in a cookie of ours.
    let (_, bearer) = foreign(&door, "7", "eve@example.com");
    let cookie = ("Cookie", format!("souk_session={}", bearer.trim_start_matches("Bearer ")));
    assert_eq!(door.send(TestRequest::get().uri("/api/v1/users/me").insert_header(cookie)).await.status, 401);
    // A ban counts at once.
    let admin = door.person(Role::Admin).await;
    let id = me.json()["id"].as_str().unwrap().to_owned();
    let ban = TestRequest::put().uri(&format!("/api/v1/users/{id}/ban")).set_json(json!({ "reason": "Spam" }));
    let banned = door.send(ban.insert_header(door.bearer(&admin))).await;
    assert!(banned.status < 300, "{}", banned.text);
    assert_eq!(call("/api/v1/users/me").await.status, 401);
}
