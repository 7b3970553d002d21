//! What goes by mail, over HTTP: the same answer for everybody, and codes that are good once.

use std::sync::Arc;

use actix_web::test::TestRequest;
use domain::{
    identity::Verification,
    mail::{Mail, Subject},
    permission::Role,
    testing::Postbox,
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

async fn post(door: &Door, path: &str, body: Value) -> Reply {
    door.send(TestRequest::post().uri(&format!("/api/v1/auth/{path}")).set_json(body)).await
}

async fn delivered(door: &Door) -> Vec<Mail> {
    let postbox = Arc::<Postbox>::default();
    postbox.deliver_all(&door.fixtures.shop, &door.services.mailroom, &door.store).await.unwrap()
}

fn token(mail: &Mail) -> &str {
    mail.text.split_once("#token=").unwrap().1
}

#[actix_web::test]
async fn a_sign_up_tells_nobody_whether_the_address_was_free() {
    let door = Door::with(|services| services.mailroom.verification = Verification::Required);
    let ada = json!({ "email": "ada@example.com", "password": "correct horse" });
    let first = post(&door, "register", ada.clone()).await;
    let second = door.send(TestRequest::post().uri("/api/auth/register").set_json(&ada)).await;
    assert_eq!((first.status, second.status, &first.text), (202, 202, &second.text));
    assert!(first.headers.get("location").is_none());
    let mut mails = delivered(&door).await;
    // Both are due since the same moment.
    mails.sort_by_key(|mail| mail.about != Subject::VerifyEmail);
    assert_eq!(mails.iter().map(|mail| mail.about).collect::<Vec<_>>(), [Subject::VerifyEmail, Subject::AddressInUse]);
    let refused = post(&door, "login", ada.clone()).await;
    assert_eq!((refused.status, refused.code()), (403, "FORBIDDEN".to_owned()));
    let proof = json!({ "token": token(&mails[0]) });
    assert_eq!(post(&door, "email-verification/confirm", proof.clone()).await.status, 200);
    assert_eq!(post(&door, "email-verification/confirm", proof).await.code(), "UNPROCESSABLE");
    let signed = post(&door, "login", ada).await;
    assert_eq!((signed.status, signed.json()["user"]["emailVerified"].clone()), (200, json!(true)));
}

#[actix_web::test]
async fn known_and_unknown_addresses_are_answered_alike() {
    let door = Door::new();
    post(&door, "register", json!({ "email": "ada@example.com", "password": "correct horse" })).await;
    for path in ["password-reset", "email-verification", "sign-in-code"] {
        let known = post(&door, path, json!({ "email": "ada@example.com" })).await;
        let unknown = post(&door, path, json!({ "email": "nobody@example.com" })).await;
        assert_eq!((known.status, unknown.status, &known.text), (202, 202, &unknown.text), "{path}");
    }
    let mails = delivered(&door).await;
    assert_eq!(mails.len(), 3);
    assert!(mails.iter().all(|mail| mail.to.as_str() == "ada@example.com"));
}

#[actix_web::test]
async fn a_password_changes_by_letter_and_by_the_present_one() {
    let door = Door::new();
    let signs_in = async |password: &str| {
        post(&door, "login", json!({ "email": "ada@example.com", "password": password })).await.status
    };
    post(&door, "register", json!({ "email": "ada@example.com", "password": "correct horse" })).await;
    post(&door, "password-reset", json!({ "email": "ada@example.com" })).await;
    let mails = delivered(&door).await;
    let reset = |password: &str| json!({ "token": token(&mails[0]), "password": password });
    let common = post(&door, "password-reset/confirm", reset("qwertyuiop")).await;
    assert_eq!((common.status, common.broken()), (400, vec!["body /password common".to_owned()]));
    assert_eq!(post(&door, "password-reset/confirm", reset("a new one of mine")).await.status, 200);
    assert_eq!((signs_in("correct horse").await, signs_in("a new one of mine").await), (401, 200));
    let ada = door.fixtures.person(Role::User).await;
    let change = async |current: &str| {
        door.post("/api/v1/auth/password", &ada, &json!({ "currentPassword": current, "password": "yet another one" }))
            .await
    };
    let refused = change("wrong").await;
    assert_eq!((refused.status, refused.json()["error"]["message"].clone()), (403, json!("currentPassword is wrong")));
    assert_eq!(change("correct horse").await.status, 200);
    assert_eq!(change("correct horse").await.status, 403);
}

#[actix_web::test]
async fn links_lead_where_the_operator_allows() {
    let door = Door::new();
    for wanted in
        ["https://evil.example", "http://localhost:5173.evil.example", "//evil.example", "javascript:alert(1)"]
    {
        let refused = post(&door, "password-reset", json!({ "email": "ada@example.com", "redirectUrl": wanted })).await;
        assert_eq!(
            (refused.status, refused.broken()),
            (400, vec!["body /redirectUrl redirect".to_owned()]),
            "{wanted}"
        );
    }
    let taken =
        post(&door, "password-reset", json!({ "email": "a@b.example", "redirectUrl": "http://localhost:5173/x" }))
            .await;
    assert_eq!(taken.status, 202);
}

#[actix_web::test]
async fn nobody_verifies_themselves_by_a_field() {
    let door = Door::new();
    let body =
        json!({ "email": "ada@example.com", "password": "correct horse", "emailVerified": true, "role": "admin" });
    let refused = post(&door, "register", body).await;
    assert_eq!((refused.status, refused.broken().len()), (400, 2), "{}", refused.text);
}

#[actix_web::test]
async fn without_mails_what_needs_one_says_so() {
    let door = Door::with(|services| services.mailroom.open = false);
    let away = post(&door, "password-reset", json!({ "email": "ada@example.com" })).await;
    assert_eq!((away.status, away.header("retry-after").is_empty()), (503, false));
}

#[actix_web::test]
async fn the_pages_of_letters_are_strict() {
    let door = Door::new();
    for (path, kind) in [
        ("/account/verify-email", "text/html; charset=utf-8"),
        ("/account/reset-password", "text/html; charset=utf-8"),
        ("/account/change-email", "text/html; charset=utf-8"),
        ("/account/forgotten-password", "text/html; charset=utf-8"),
        ("/account/page.js", "text/javascript; charset=utf-8"),
        ("/account/page.css", "text/css; charset=utf-8"),
    ] {
        let page = door.get(path).await;
        assert_eq!(
            (page.status, page.header("content-type"), page.header("referrer-policy")),
            (200, kind, "no-referrer"),
            "{path}"
        );
        assert!(page.header("content-security-policy").contains("script-src 'self'"), "{path}");
        assert!(!page.text.contains(" style=") && !page.text.contains("onclick"), "{path}");
    }
    assert_eq!(door.get("/account/other").await.status, 404);
}
