//! Signing up, signing in, opening a seller account.

use actix_web::test::TestRequest;
use domain::permission::Role;
use serde_json::json;

use crate::setup::Door;

#[actix_web::test]
async fn a_person_signs_up_signs_in_and_opens_a_seller_account() {
    let door = Door::new();
    let account = json!({ "email": "Ada@Example.com", "password": "correct horse" });
    let up = door.send(TestRequest::post().uri("/api/v1/auth/register").set_json(&account)).await;
    assert_eq!((up.status, up.header("location")), (201, "/api/v1/users/me"), "{}", up.text);
    assert_eq!(up.json()["email"], "ada@example.com");
    let signed = door.send(TestRequest::post().uri("/api/auth/login").set_json(&account)).await;
    assert_eq!(signed.status, 200, "{}", signed.text);
    let token = format!("Bearer {}", signed.json()["token"].as_str().unwrap());
    let opened = TestRequest::post().uri("/api/v1/sellers").insert_header(("Authorization", token.as_str()));
    let opened = door.send(opened.set_json(json!({ "name": "Lamps" }))).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let me = door.send(TestRequest::get().uri("/api/v1/users/me").insert_header(("Authorization", token))).await;
    assert_eq!(
        (me.json()["role"].clone(), me.json()["sellerId"].clone()),
        (json!("seller"), opened.json()["id"].clone())
    );
}

#[actix_web::test]
async fn a_taken_address_and_a_wrong_password_are_refused() {
    let door = Door::new();
    let account = json!({ "email": "ada@example.com", "password": "correct horse" });
    door.send(TestRequest::post().uri("/api/auth/register").set_json(&account)).await;
    let again = door.send(TestRequest::post().uri("/api/auth/register").set_json(&account)).await;
    assert_eq!((again.status, again.code()), (409, "CONFLICT".to_owned()));
    for email in ["ada@example.com", "nobody@example.com"] {
        let wrong = json!({ "email": email, "password": "wrong" });
        let refused = door.send(TestRequest::post().uri("/api/v1/auth/login").set_json(wrong)).await;
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer"));
        assert_eq!(refused.json()["error"]["message"], "Invalid email or password");
    }
}

#[actix_web::test]
async fn a_bad_token_is_anonymous_on_public_routes_and_refused_on_protected_ones() {
    let door = Door::new();
    for token in ["Bearer nonsense", "Basic YTpi", "Bearer"] {
        let header = ("Authorization", token);
        let public = door.send(TestRequest::get().uri("/api/v1/products?status=draft").insert_header(header)).await;
        assert_eq!(public.status, 401, "anonymous callers see no drafts");
        let public = door.send(TestRequest::get().uri("/api/v1/products").insert_header(header)).await;
        assert_eq!((public.status, public.header("www-authenticate")), (200, "Bearer error=\"invalid_token\""));
        let protected = door.send(TestRequest::get().uri("/api/v1/users/me").insert_header(header)).await;
        assert_eq!((protected.status, protected.header("www-authenticate")), (401, "Bearer error=\"invalid_token\""));
    }
}

#[actix_web::test]
async fn the_keys_of_tokens_are_open_and_may_be_kept() {
    let door = Door::new();
    let keys = door.get("/.well-known/jwks.json").await;
    assert_eq!((keys.status, keys.header("cache-control")), (200, "public, max-age=300"), "{}", keys.text);
    assert_eq!(keys.json(), (door.services.jwks)());
    let again = TestRequest::get().uri("/.well-known/jwks.json");
    let again = door.send(again.insert_header(("If-None-Match", keys.header("etag")))).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
}

#[actix_web::test]
async fn the_audit_log_is_for_administrators() {
    let door = Door::new();
    let seller = door.seller().await;
    door.post("/api/v1/products", &seller, &json!({ "name": "Lamp", "price": 1 })).await;
    let refused = door.send(TestRequest::get().uri("/api/v1/audit").insert_header(door.bearer(&seller))).await;
    assert_eq!((refused.status, refused.code()), (403, "FORBIDDEN".to_owned()));
    let admin = door.person(Role::Admin).await;
    let path = "/api/v1/audit?action=product.create";
    let log = door.send(TestRequest::get().uri(path).insert_header(door.bearer(&admin))).await;
    assert_eq!((log.json()["total"].clone(), log.json()["items"][0]["userId"].clone()), (json!(1), json!(seller.user)));
}
