//! Roles, people, API keys and members over HTTP, and what must not work.

use actix_web::{http::Method, test::TestRequest};
use domain::{Principal, id::SellerId, permission::Role};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

/// Sends a request in somebody's name, or with an API key.
async fn send(door: &Door, method: Method, path: &str, by: impl Into<By<'_>>, body: Option<Value>) -> Reply {
    let mut request = TestRequest::default().method(method).uri(path);
    request = match by.into() {
        By::Person(person) => request.insert_header(door.bearer(person)),
        By::Key(key) => request.insert_header(("Authorization", format!("Bearer {key}"))),
    };
    if let Some(body) = body {
        request = request.set_json(body);
    }
    door.send(request).await
}

enum By<'a> {
    Person(&'a Principal),
    Key(&'a str),
}

impl<'a> From<&'a Principal> for By<'a> {
    fn from(person: &'a Principal) -> Self {
        Self::Person(person)
    }
}

impl<'a> From<&'a str> for By<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

async fn make_key(door: &Door, by: &Principal, body: Value) -> Value {
    let made = send(door, Method::POST, "/api/v1/api-keys", by, Some(body)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()
}

fn text(made: &Value) -> &str {
    made["text"].as_str().unwrap()
}

#[actix_web::test]
async fn a_role_between_user_and_admin_is_made_given_changed_and_taken() {
    let door = Door::new();
    let (admin, ada) = (door.person(Role::Admin).await, door.person(Role::User).await);
    let body = json!({ "name": "mentored", "level": 20, "permissions": ["audit:read"] });
    let made = send(&door, Method::POST, "/api/v1/roles", &admin, Some(body.clone())).await;
    assert_eq!((made.status, made.header("location")), (201, "/api/v1/roles/mentored"), "{}", made.text);
    assert_eq!(send(&door, Method::POST, "/api/v1/roles", &admin, Some(body)).await.status, 409);
    let path = format!("/api/v1/users/{}/roles/mentored", ada.user);
    let given = send(&door, Method::PUT, &path, &admin, None).await;
    assert_eq!((given.status, &given.json()["role"]), (200, &json!("mentored")), "{}", given.text);
    assert_eq!(send(&door, Method::GET, "/api/v1/audit", &ada, None).await.status, 200);
    let me = send(&door, Method::GET, "/api/v1/users/me", &ada, None).await.json();
    assert_eq!((&me["role"], &me["roles"]), (&json!("mentored"), &json!(["user", "mentored"])));

    let change = json!({ "permissions": ["jobs:manage"], "level": 30 });
    let request = TestRequest::patch().uri("/api/v1/roles/mentored").insert_header(door.bearer(&admin));
    let stale = door
        .send(request.insert_header(("If-Match", "\"7-00000000000000000000000000000000\"")).set_json(&change))
        .await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    let request = TestRequest::patch().uri("/api/v1/roles/mentored").insert_header(door.bearer(&admin));
    let changed = door.send(request.insert_header(("If-Match", made.header("etag"))).set_json(&change)).await;
    assert_eq!((changed.status, &changed.json()["version"]), (200, &json!(2)), "{}", changed.text);
    let refused = send(&door, Method::GET, "/api/v1/audit", &ada, None).await;
    assert_eq!((refused.status, &refused.json()["error"]["message"]), (403, &json!("Role admin required")));
    assert_eq!(send(&door, Method::GET, "/api/v1/jobs", &ada, None).await.status, 200);

    let one = send(&door, Method::GET, "/api/v1/roles/mentored", &admin, None).await.json();
    assert_eq!(
        (&one["level"], &one["builtIn"], &one["permissions"]),
        (&json!(30), &json!(false), &json!(["jobs:manage"]))
    );
    let all = send(&door, Method::GET, "/api/v1/roles", &admin, None).await.json();
    let names: Vec<_> = all["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["guest", "user", "mentored", "seller", "admin"]);
    assert_eq!(send(&door, Method::DELETE, "/api/v1/roles/admin", &admin, None).await.status, 409);
    assert_eq!(send(&door, Method::DELETE, "/api/v1/roles/mentored", &admin, None).await.status, 200);
    assert_eq!(send(&door, Method::GET, "/api/v1/jobs", &ada, None).await.status, 403);
    assert_eq!(send(&door, Method::GET, "/api/v1/roles/mentored", &admin, None).await.status, 404);
    for path in ["/api/v1/roles/%00", "/api/v1/roles/a%20b"] {
        assert_eq!(send(&door, Method::DELETE, path, &admin, None).await.status, 404, "{path}");
    }
    let own = format!("/api/v1/users/{}/roles/admin", admin.user);
    assert_eq!(send(&door, Method::DELETE, &own, &admin, None).await.status, 409, "the last administrator");
}

#[actix_web::test]
async fn what_is_no_role_is_told_field_by_field() {
    let door = Door::new();
    let admin = door.person(Role::Admin).await;
    let body = json!({ "name": "Admin", "level": 0, "permissions": ["everything"], "id": 1 });
    let refused = send(&door, Method::POST, "/api/v1/roles", &admin, Some(body)).await;
    let broken = ["body /name role_name", "body /level range", "body /permissions/0 enum", "body /id unknown"];
    assert_eq!((refused.status, refused.broken()), (400, broken.map(str::to_owned).to_vec()));
    let patch =
        send(&door, Method::PATCH, "/api/v1/roles/user", &admin, Some(json!({ "name": "other", "level": null }))).await;
    assert_eq!(patch.broken(), ["body /level null", "body /name unknown"]);
}

#[actix_web::test]
async fn who_is_banned_is_refused_and_told_so_with_the_right_password_only() {
    let door = Door::new();
    let (admin, ada) = (door.person(Role::Admin).await, door.person(Role::User).await);
    let key = make_key(&door, &ada, json!({ "name": "Robot", "scopes": ["account:own"] })).await;
    let path = format!("/api/v1/users/{}/ban", ada.user);
    let soon = json!({ "reason": "Shouting", "until": "2019-01-01T00:00:00Z" });
    let refused = send(&door, Method::PUT, &path, &admin, Some(soon)).await;
    assert_eq!(refused.broken(), ["body /until future"]);
    let body = json!({ "reason": "Shouting", "until": "2099-01-01T00:00:00Z" });
    let banned = send(&door, Method::PUT, &path, &admin, Some(body)).await;
    assert_eq!((banned.status, &banned.json()["ban"]["reason"]), (200, &json!("Shouting")), "{}", banned.text);
    for by in [By::Person(&ada), By::Key(text(&key))] {
        let refused = send(&door, Method::GET, "/api/v1/users/me", by, None).await;
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer error=\"invalid_token\""));
    }
    let email = banned.json()["email"].clone();
    let sign_in = async |password: &str| {
        let body = json!({ "email": email, "password": password });
        door.send(TestRequest::post().uri("/api/v1/auth/login").set_json(body)).await
    };
    let wrong = sign_in("wrong").await;
    let stranger = door
        .send(
            TestRequest::post()
                .uri("/api/v1/auth/login")
                .set_json(json!({ "email": "no@example.com", "password": "wrong" })),
        )
        .await;
    assert_eq!((wrong.status, &wrong.json()["error"]["message"]), (401, &stranger.json()["error"]["message"]));
    let right = sign_in("correct horse").await;
    assert_eq!((right.status, right.code()), (403, "FORBIDDEN".to_owned()));
    assert_eq!(right.json()["error"]["message"], "This account is suspended until 2099-01-01T00:00:00Z");
    let list = send(&door, Method::GET, "/api/v1/users?banned=true", &admin, None).await.json();
    assert_eq!((&list["total"], &list["items"][0]["id"]), (&json!(1), &json!(ada.user.to_string())));
    assert_eq!(send(&door, Method::DELETE, &path, &admin, None).await.json()["ban"], Value::Null);
    assert_eq!(send(&door, Method::GET, "/api/v1/users/me", text(&key), None).await.status, 200);
    assert_eq!(sign_in("correct horse").await.status, 200);
    let found =
        send(&door, Method::GET, &format!("/api/v1/users?search={}", email.as_str().unwrap()), &admin, None).await;
    assert_eq!(found.json()["total"], 1);
    for query in ["banned=maybe", "role=a&role=b", "colour=red", "page=0"] {
        assert_eq!(
            send(&door, Method::GET, &format!("/api/v1/users?{query}"), &admin, None).await.status,
            400,
            "{query}"
        );
    }
}

#[actix_web::test]
async fn nobody_sets_what_is_not_theirs_to_set() {
    let door = Door::new();
    let ada = door.seller().await;
    let register =
        json!({ "email": "eve@example.com", "password": "correct horse", "role": "admin", "emailVerified": true });
    let refused = door.send(TestRequest::post().uri("/api/v1/auth/register").set_json(register)).await;
    assert_eq!(refused.broken(), ["body /role unknown", "body /emailVerified unknown"]);
    for (path, body, broken) in [
        ("/api/v1/products", json!({ "name": "Lamp", "price": 1, "ownerId": ada.user, "sellerId": ada.seller }), 2),
        ("/api/v1/sellers", json!({ "name": "Lamps", "role": "owner" }), 1),
        ("/api/v1/api-keys", json!({ "name": "A", "scopes": ["account:own"], "userId": ada.user, "hint": "x" }), 2),
    ] {
        let refused = send(&door, Method::POST, path, &ada, Some(body)).await;
        assert_eq!((refused.status, refused.broken().len()), (400, broken), "{path}: {}", refused.text);
        assert!(refused.broken().iter().all(|one| one.ends_with("unknown")), "{path}: {}", refused.text);
    }
}

#[actix_web::test]
async fn a_key_is_shown_once_and_calls_for_what_it_is_for() {
    let door = Door::new();
    let ada = door.seller().await;
    let body = json!({ "name": "Stock robot", "scopes": ["products:write"], "callsPerMinute": 2 });
    let create = async || {
        let request = TestRequest::post().uri("/api/v1/api-keys").insert_header(door.bearer(&ada));
        door.send(request.insert_header(("Idempotency-Key", "k-1")).set_json(&body)).await
    };
    let (first, again) = (create().await, create().await);
    assert_eq!((first.status, again.status, again.header("idempotency-replayed")), (201, 201, "true"));
    let key = first.json();
    let secret = text(&key);
    assert!(secret.starts_with("souk_") && secret.len() == 69);
    assert_eq!((&again.json()["text"], &again.json()["id"]), (&Value::Null, &key["id"]));
    assert_eq!(first.header("cache-control"), "no-store");
    let path = format!("/api/v1/api-keys/{}", key["id"].as_str().unwrap());
    let shown = send(&door, Method::GET, &path, &ada, None).await;
    let listed = send(&door, Method::GET, "/api/v1/api-keys", &ada, None).await;
    for reply in [&again, &shown, &listed] {
        assert!(!reply.text.contains(secret), "{}", reply.text);
    }
    assert_eq!((&listed.json()["total"], &shown.json()["hint"]), (&json!(1), &json!(&secret[65..])));

    let product = json!({ "name": "Lamp", "price": 1 });
    let made = send(&door, Method::POST, "/api/v1/products", secret, Some(product.clone())).await;
    assert_eq!(
        (made.status, &made.json()["sellerId"]),
        (201, &json!(ada.seller.unwrap().to_string())),
        "{}",
        made.text
    );
    assert!(made.header("ratelimit-policy").contains("create_product"));
    let policies: Vec<_> =
        made.headers.get_all("ratelimit-policy").map(|value| value.to_str().unwrap().to_owned()).collect();
    assert!(policies.contains(&"\"api_key\";q=2;w=60".to_owned()), "{policies:?}");
    assert_eq!(made.header("ratelimit-limit"), "2", "the tightest is the key's own");
    let refused = send(&door, Method::GET, "/api/v1/users/me", secret, None).await;
    assert_eq!((refused.status, &refused.json()["error"]["message"]), (403, &json!("Scope account:own required")));
    let limited = send(&door, Method::POST, "/api/v1/products", secret, Some(product)).await;
    assert_eq!((limited.status, limited.code()), (429, "RATE_LIMITED".to_owned()), "{}", limited.text);
    assert_eq!(door.seen.1.lock().unwrap().len(), 3, "every use is noted");

    let name = send(&door, Method::PATCH, &path, &ada, Some(json!({ "name": "Robot" }))).await;
    assert_eq!((name.status, &name.json()["name"]), (200, &json!("Robot")));
    assert_eq!(send(&door, Method::PATCH, &path, &ada, Some(json!({ "scopes": ["account:own"] }))).await.status, 400);
    assert_eq!(send(&door, Method::DELETE, &path, &ada, None).await.status, 200);
    assert_eq!(send(&door, Method::GET, "/api/v1/users/me", secret, None).await.status, 401);
}

#[actix_web::test]
async fn what_is_no_key_is_refused_wherever_it_stands() {
    let door = Door::new();
    let ada = door.seller().await;
    let key = make_key(&door, &ada, json!({ "name": "Robot", "scopes": ["account:own", "products:write"] })).await;
    let secret = text(&key);
    for path in ["users/me", "users/me/views", "products"] {
        for name in ["token", "access_token", "api_key", "apiKey", "key"] {
            let reply = door.get(&format!("/api/v1/{path}?{name}={secret}")).await;
            assert_eq!(
                (reply.status, reply.text.contains(secret)),
                (if path == "products" { 400 } else { reply.status }, false)
            );
            assert!(matches!(reply.status, 400 | 401), "{path}: {}", reply.text);
        }
    }
    let changed = format!("{}{}", &secret[..68], if secret.ends_with('a') { "b" } else { "a" });
    for bad in ["souk_", "souk_abc", &changed, &secret.to_uppercase(), &format!("{secret}a")] {
        let reply = send(&door, Method::GET, "/api/v1/users/me", bad, None).await;
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, "Bearer error=\"invalid_token\""), "{bad}");
    }
    let reply = door.send(TestRequest::get().uri("/api/v1/users/me").insert_header(("X-API-Key", secret))).await;
    assert_eq!(reply.status, 401);
    let basic = TestRequest::get().uri("/api/v1/users/me").insert_header(("Authorization", format!("Basic {secret}")));
    assert_eq!(door.send(basic).await.status, 401);
    assert_eq!(send(&door, Method::POST, "/api/v1/events/tickets", secret, None).await.status, 403, "no way to more");
    for path in ["/api/v1/api-keys", "/api/v1/roles"] {
        assert_eq!(send(&door, Method::GET, path, secret, None).await.status, 403, "{path}");
    }
    let wide = json!({ "name": "Robot", "scopes": ["keys:manage"] });
    assert_eq!(
        send(&door, Method::POST, "/api/v1/api-keys", &ada, Some(wide)).await.broken(),
        ["body /scopes not_for_keys"]
    );
    let wider = json!({ "name": "Robot", "scopes": ["audit:read"] });
    assert_eq!(send(&door, Method::POST, "/api/v1/api-keys", &ada, Some(wider)).await.status, 403);
}

#[actix_web::test]
async fn what_is_anothers_is_as_if_it_were_not() {
    let door = Door::new();
    let (ada, bob, admin) = (door.seller().await, door.seller().await, door.person(Role::Admin).await);
    let key = make_key(&door, &ada, json!({ "name": "Robot", "scopes": ["account:own"] })).await;
    let of_account = json!({ "name": "Robot", "scopes": ["products:write"], "sellerId": ada.seller });
    let shared = make_key(&door, &ada, of_account).await;
    let sellers = format!("/api/v1/sellers/{}", ada.seller.unwrap());
    let body = json!({ "email": "new@example.com" });
    let invitation = send(&door, Method::POST, &format!("{sellers}/invitations"), &ada, Some(body)).await.json();
    let unknown = "0190f5fe-7c00-7a00-8000-0123456789ab";
    let mut tried = 0;
    for by in [&bob, &admin] {
        for (method, path, id, body) in [
            (Method::GET, "/api/v1/api-keys/{}", &key["id"], None),
            (Method::PATCH, "/api/v1/api-keys/{}", &key["id"], Some(json!({ "name": "Mine" }))),
            (Method::DELETE, "/api/v1/api-keys/{}", &key["id"], None),
            (Method::GET, "/api/v1/api-keys/{}", &shared["id"], None),
            (Method::DELETE, "/api/v1/api-keys/{}", &shared["id"], None),
            (Method::GET, "/api/v1/api-keys?sellerId={}", &json!(ada.seller), None),
            (Method::DELETE, "/api/v1/invitations/{}", &invitation["id"], None),
            (Method::GET, "/api/v1/sellers/{}/members", &json!(ada.seller), None),
            (Method::GET, "/api/v1/sellers/{}/invitations", &json!(ada.seller), None),
            (
                Method::POST,
                "/api/v1/sellers/{}/invitations",
                &json!(ada.seller),
                Some(json!({ "email": "a@b.example" })),
            ),
        ] {
            let call = async |id: &str| send(&door, method.clone(), &path.replace("{}", id), by, body.clone()).await;
            let (refused, none) = (call(id.as_str().unwrap()).await, call(unknown).await);
            let told = |reply: &Reply| {
                let mut json = reply.json();
                json["error"]["requestId"] = Value::Null;
                json
            };
            assert_eq!((refused.status, told(&refused)), (404, told(&none)), "{method} {path}: {}", refused.text);
            tried += 1;
        }
    }
    assert_eq!(tried, 20);
    assert_eq!(send(&door, Method::GET, "/api/v1/users/me", text(&key), None).await.status, 200, "it is still there");
}

async fn email(door: &Door, of: &Principal) -> String {
    send(door, Method::GET, "/api/v1/users/me", of, None).await.json()["email"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_member_joins_by_invitation_sells_and_leaves() {
    let door = Door::new();
    let (ada, bob, eve) = (door.seller().await, door.person(Role::User).await, door.person(Role::User).await);
    let account = ada.seller.unwrap();
    let sellers = format!("/api/v1/sellers/{account}");
    let body = json!({ "email": email(&door, &bob).await, "role": "manager" });
    let invite = async || {
        let request = TestRequest::post().uri(&format!("{sellers}/invitations")).insert_header(door.bearer(&ada));
        door.send(request.insert_header(("Idempotency-Key", "i-1")).set_json(&body)).await
    };
    let (made, again) = (invite().await, invite().await);
    assert_eq!((made.status, again.header("idempotency-replayed")), (201, "true"), "{}", made.text);
    let made = made.json();
    let code = made["code"].as_str().unwrap();
    assert_eq!((&again.json()["code"], again.text.contains(code)), (&Value::Null, false));
    let accept = async |by: &Principal, code: &str| {
        send(&door, Method::POST, "/api/v1/invitations/accept", by, Some(json!({ "code": code }))).await
    };
    let (foreign, wrong) = (accept(&eve, code).await, accept(&eve, "wrong").await);
    assert_eq!((foreign.status, &foreign.json()["error"]["message"]), (404, &wrong.json()["error"]["message"]));
    assert_eq!(accept(&bob, code).await.code(), "FORBIDDEN", "his address is not proven");
    door.fixtures.prove_email(bob.user).await;
    let joined = accept(&bob, code).await;
    assert_eq!((joined.status, &joined.json()["role"]), (200, &json!("manager")), "{}", joined.text);
    assert_eq!(accept(&bob, code).await.status, 404);
    let mine = send(&door, Method::GET, "/api/v1/users/me/sellers", &bob, None).await.json();
    assert_eq!(mine["items"][0]["id"], account.to_string());
    let product = json!({ "name": "Lamp", "price": 1, "status": "draft" });
    let sold = send(&door, Method::POST, "/api/v1/products", &bob, Some(product)).await;
    assert_eq!((sold.status, &sold.json()["sellerId"]), (201, &json!(account.to_string())), "{}", sold.text);
    let draft = format!("/api/v1/products/{}", sold.json()["id"].as_str().unwrap());
    assert_eq!(send(&door, Method::GET, &draft, &ada, None).await.status, 200);
    let members = send(&door, Method::GET, &format!("{sellers}/members"), &bob, None).await.json();
    assert_eq!((&members["total"], members.to_string().contains('@')), (&json!(2), false), "{members}");
    let own = format!("{sellers}/members/{}", bob.user);
    assert_eq!(send(&door, Method::PUT, &own, &bob, Some(json!({ "role": "owner" }))).await.status, 403);
    assert_eq!(send(&door, Method::PUT, &own, &ada, Some(json!({ "role": "boss" }))).await.status, 400);
    assert_eq!(send(&door, Method::PUT, &own, &ada, Some(json!({ "role": "member" }))).await.status, 200);
    let last = format!("{sellers}/members/{}", ada.user);
    assert_eq!(send(&door, Method::DELETE, &last, &ada, None).await.status, 409);
    assert_eq!(send(&door, Method::DELETE, &own, &bob, None).await.status, 200);
    assert_eq!(send(&door, Method::GET, &draft, &bob, None).await.status, 404, "their drafts are none of his now");
    assert_eq!(send(&door, Method::POST, "/api/v1/products", &bob, Some(json!({}))).await.status, 403);
}

#[actix_web::test]
async fn a_member_of_several_says_which_one_acts() {
    let door = Door::new();
    let (ada, bob) = (door.seller().await, door.seller().await);
    let body = json!({ "email": email(&door, &bob).await });
    door.fixtures.prove_email(bob.user).await;
    let path = format!("/api/v1/sellers/{}/invitations", ada.seller.unwrap());
    let made = send(&door, Method::POST, &path, &ada, Some(body)).await.json();
    send(&door, Method::POST, "/api/v1/invitations/accept", &bob, Some(json!({ "code": made["code"] }))).await;
    let create = async |seller: Option<String>| {
        let mut request = TestRequest::post().uri("/api/v1/products").insert_header(door.bearer(&bob));
        if let Some(seller) = seller {
            request = request.insert_header(("Souk-Seller", seller));
        }
        door.send(request.set_json(json!({ "name": "Lamp", "price": 1, "status": "draft" }))).await
    };
    let refused = create(None).await;
    assert_eq!(refused.status, 403);
    assert!(refused.json()["error"]["message"].as_str().unwrap().contains("Souk-Seller"), "{}", refused.text);
    for account in [ada.seller.unwrap(), bob.seller.unwrap()] {
        let made = create(Some(account.to_string())).await;
        assert_eq!((made.status, &made.json()["sellerId"]), (201, &json!(account.to_string())), "{}", made.text);
        let path = format!("/api/v1/products/{}", made.json()["id"].as_str().unwrap());
        assert_eq!(send(&door, Method::GET, &path, &bob, None).await.status, 200, "he sees what both have");
    }
    let stranger = door.seller().await.seller.unwrap();
    let (foreign, none) =
        (create(Some(stranger.to_string())).await, create(Some(SellerId(door.fixtures.shop.id()).to_string())).await);
    assert_eq!((foreign.status, &foreign.json()["error"]["message"]), (403, &none.json()["error"]["message"]));
    assert_eq!(create(Some("mine".to_owned())).await.broken(), ["header Souk-Seller uuid"]);
}
