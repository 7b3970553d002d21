//! Guests over HTTP: in without a name, and users when they say who they are.

use std::sync::Arc;

use actix_web::test::TestRequest;
use domain::{
    identity::{Stranger, Verification, outside::ports::Providers as _},
    permission::Role,
    testing::{PlainProviders, Postbox},
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

const PROMOTION: &str = "/api/v1/auth/anonymous/promotion";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

async fn enter(door: &Door) -> Value {
    let entered = door.send(TestRequest::post().uri("/api/v1/auth/anonymous").set_json(json!({}))).await;
    assert_eq!((entered.status, entered.header("cache-control")), (200, "no-store"), "{}", entered.text);
    entered.json()
}

async fn call(door: &Door, request: TestRequest, by: &Value) -> Reply {
    let token = by["token"].as_str().unwrap();
    door.send(request.insert_header(("Authorization", format!("Bearer {token}")))).await
}

async fn promote(door: &Door, by: &Value, body: Value) -> Reply {
    call(door, TestRequest::post().uri(PROMOTION).set_json(body), by).await
}

async fn me(door: &Door, by: &Value) -> Reply {
    call(door, TestRequest::get().uri("/api/v1/users/me"), by).await
}

#[actix_web::test]
async fn a_guest_is_somebody_who_may_look_around_and_no_more() {
    let door = Door::new();
    let (one, two) = (enter(&door).await, enter(&door).await);
    assert_ne!(one["user"]["id"], two["user"]["id"]);
    assert_eq!((&one["user"]["role"], &one["user"]["roles"]), (&json!("guest"), &json!(["guest"])));
    assert_eq!(me(&door, &one).await.json()["id"], one["user"]["id"]);
    let refresh = json!({ "refreshToken": one["refreshToken"] });
    let next = door.send(TestRequest::post().uri("/api/v1/auth/refresh").set_json(refresh)).await;
    assert_eq!(next.json()["sessionId"], one["sessionId"]);
    for (path, body) in [
        ("/api/v1/sellers", json!({ "name": "Lamps" })),
        ("/api/v1/rooms", json!({ "name": "lounge" })),
        ("/api/v1/auth/password", json!({ "newPassword": "correct horse" })),
        ("/api/v1/users/me/exports", json!({})),
    ] {
        let refused = call(&door, TestRequest::post().uri(path).set_json(body), &one).await;
        assert_eq!((refused.status, refused.code()), (403, "FORBIDDEN".to_owned()), "{path}: {}", refused.text);
    }
    let ticket = call(&door, TestRequest::post().uri("/api/v1/events/tickets"), &one).await;
    assert_eq!(ticket.status, 200, "they may listen: {}", ticket.text);
    assert_eq!(call(&door, TestRequest::post().uri("/api/v1/auth/logout"), &one).await.status, 200);
    assert_eq!(me(&door, &one).await.status, 401, "nobody comes back into the account");
}

#[actix_web::test]
async fn an_address_and_a_password_make_a_user_of_the_same_id() {
    let door = Door::new();
    let guest = enter(&door).await;
    let faults =
        promote(&door, &guest, json!({ "email": "x", "password": "short", "mode": "fax", "role": "admin" })).await;
    assert_eq!(
        faults.broken(),
        ["body /mode enum", "body /email email", "body /password length", "body /role unknown"]
    );
    let ada = json!({ "email": "ada@example.com", "password": "correct horse" });
    let promoted = promote(&door, &guest, ada.clone()).await;
    assert_eq!(promoted.status, 200, "{}", promoted.text);
    let user = promoted.json();
    assert_eq!((&user["user"]["id"], &user["user"]["roles"]), (&guest["user"]["id"], &json!(["user"])));
    assert_eq!(me(&door, &guest).await.status, 401, "the session of the guest is over");
    assert_eq!(me(&door, &user).await.status, 200);
    let seller = TestRequest::post().uri("/api/v1/sellers").set_json(json!({ "name": "Lamps" }));
    assert_eq!(call(&door, seller, &user).await.status, 201);
    let signed = door.send(TestRequest::post().uri("/api/v1/auth/login").set_json(&ada)).await;
    assert_eq!(signed.json()["user"]["id"], guest["user"]["id"]);
    assert_eq!(promote(&door, &user, ada.clone()).await.status, 409, "they are no guest any more");
    let other = enter(&door).await;
    let taken = promote(&door, &other, ada).await;
    assert_eq!(taken.status, 409, "{}", taken.text);
    assert_eq!(me(&door, &other).await.json()["role"], "guest");
    let nobody = door.send(TestRequest::post().uri(PROMOTION).set_json(json!({}))).await;
    assert_eq!(nobody.status, 401);
}

#[actix_web::test]
async fn where_addresses_are_proven_the_answer_tells_nothing_and_the_letter_all() {
    let door = Door::with(|services| services.mailroom.verification = Verification::Required);
    let (one, two) = (enter(&door).await, enter(&door).await);
    let ada = json!({ "email": "ada@example.com", "password": "correct horse" });
    let first = promote(&door, &one, ada.clone()).await;
    assert_eq!(first.status, 202, "{}", first.text);
    let postbox = Arc::<Postbox>::default();
    let deliver =
        async || postbox.deliver_all(&door.fixtures.shop, &door.services.mailroom, &door.store).await.unwrap();
    let link = deliver().await.remove(0);
    let proof = json!({ "token": link.text.split_once("#token=").unwrap().1 });
    assert_eq!(me(&door, &one).await.json()["role"], "guest");
    let confirm = TestRequest::post().uri("/api/v1/auth/email-change/confirm").set_json(proof);
    assert_eq!(door.send(confirm).await.status, 200);
    let second = promote(&door, &two, ada.clone()).await;
    assert_eq!((second.status, &second.text), (202, &first.text), "taken by now, and told alike");
    let signed = door.send(TestRequest::post().uri("/api/v1/auth/login").set_json(&ada)).await.json();
    assert_eq!((&signed["user"]["id"], &signed["user"]["emailVerified"]), (&one["user"]["id"], &json!(true)));
}

#[actix_web::test]
async fn a_provider_makes_a_user_of_a_guest_too() {
    let door = Door::new();
    let ada = || PlainProviders::somebody("1", Some("ada@example.com"), true);
    let (guest, late) = (enter(&door).await, enter(&door).await);
    let redeem = async |by: &Value, stranger: Stranger| {
        let body = json!({ "code": code(&door, stranger).await, "codeVerifier": VERIFIER });
        call(&door, TestRequest::post().uri("/api/v1/auth/anonymous/promotion/oauth").set_json(body), by).await
    };
    let promoted = redeem(&guest, ada()).await;
    assert_eq!(promoted.status, 200, "{}", promoted.text);
    let user = promoted.json()["user"].clone();
    assert_eq!(
        (&user["id"], &user["email"], &user["name"]),
        (&guest["user"]["id"], &json!("ada@example.com"), &json!("Ada"))
    );
    assert_eq!((&user["role"], &user["emailVerified"]), (&json!("user"), &json!(true)));
    assert_eq!(me(&door, &guest).await.status, 401);
    assert_eq!(redeem(&late, ada()).await.status, 409, "it opens another account");
    let same_address = PlainProviders::somebody("2", Some("ada@example.com"), true);
    assert_eq!(redeem(&late, same_address).await.status, 409);
    assert_eq!(me(&door, &late).await.json()["role"], "guest");
    let no_address = PlainProviders::somebody("3", None, false);
    assert_eq!(redeem(&late, no_address).await.json()["user"]["role"], "user");
    let wrong = json!({ "code": "0".repeat(64), "codeVerifier": VERIFIER });
    let guest = enter(&door).await;
    let wrong = TestRequest::post().uri("/api/v1/auth/anonymous/promotion/oauth").set_json(wrong);
    assert_eq!(call(&door, wrong, &guest).await.code(), "UNPROCESSABLE");
}

async fn code(door: &Door, stranger: Stranger) -> String {
    door.providers.vouch("c0de", Ok(stranger));
    let challenge = door.providers.challenge(VERIFIER);
    let page = "http://localhost:5173/signed-in";
    let start = format!("/api/v1/auth/oauth/google/start?redirectUrl={page}&codeChallenge={challenge}");
    let went = door.get(&start).await;
    let state = went.header("location").split_once("state=").unwrap().1.split('&').next().unwrap().to_owned();
    let kept = went.header("set-cookie").split(';').next().unwrap().to_owned();
    let back = TestRequest::get().uri(&format!("/oauth/google/callback?state={state}&code=c0de"));
    let back = door.send(back.insert_header(("Cookie", kept))).await;
    back.header("location").split_once("code=").unwrap().1.to_owned()
}

#[actix_web::test]
async fn a_shop_may_take_none_and_nobody_makes_guests_without_end() {
    let door = Door::with(|services| services.sessions.rules.guest = None);
    let refused = door.send(TestRequest::post().uri("/api/v1/auth/anonymous").set_json(json!({}))).await;
    assert_eq!((refused.status, refused.code()), (403, "FORBIDDEN".to_owned()));

    let door = Door::new();
    for _ in 0..30 {
        enter(&door).await;
    }
    let refused = door.send(TestRequest::post().uri("/api/v1/auth/anonymous").set_json(json!({}))).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
}

#[actix_web::test]
async fn a_page_of_another_origin_makes_no_guest_and_nobody_is_made_one() {
    let door = Door::new();
    let by_cookie = |origin: &'static str| {
        let request = TestRequest::post().uri("/api/v1/auth/anonymous").set_json(json!({ "mode": "cookie" }));
        request.insert_header(("Origin", origin))
    };
    assert_eq!(door.send(by_cookie("https://evil.example")).await.status, 403);
    let admin = door.person(Role::Admin).await;
    let admin = door.signed_in(admin).await;
    let (guest, user) = (enter(&door).await, door.person(Role::User).await);
    for (id, role) in [(guest["user"]["id"].as_str().unwrap().to_owned(), "admin"), (user.user.to_string(), "guest")] {
        let give = TestRequest::put().uri(&format!("/api/v1/users/{id}/roles/{role}"));
        let refused = door.send(give.insert_header(door.bearer(&admin))).await;
        assert_eq!(refused.status, 409, "{}", refused.text);
    }
}
