//! Who may what, over every operation of the document, and that nobody learns of what is another's.

use actix_web::{http::Method, test::TestRequest};
use domain::{
    Permissions, Principal, Violations,
    access::{KeyInput, create_key},
    catalog::{Deleted, Product, ProductStatus, Review},
    idempotency::Once,
    permission::{self, Role},
    room::{NewMessage, Room, RoomKind},
    shop::Rules,
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

const ID: &str = "0190f5fe-7c00-7a00-8000-0123456789ab";

/// Method, path template and scope of every operation; no scope when it is open to everybody.
fn operations() -> Vec<(Method, String, Option<String>)> {
    let document = serde_json::to_value(souk_api::openapi(&Rules::default())).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in
            item.as_object().unwrap().iter().filter(|(_, value)| value.get("operationId").is_some())
        {
            let security = operation["security"].as_array().unwrap();
            let scope = match security.as_slice() {
                all if all.contains(&json!({})) => None,
                [only] => match only["bearer"].as_array().unwrap().as_slice() {
                    [scope] => Some(scope.as_str().unwrap().to_owned()),
                    other => panic!("{method} {path} demands {other:?}"),
                },
                other => panic!("{method} {path} demands {other:?}"),
            };
            all.push((method.to_uppercase().parse().unwrap(), path.clone(), scope));
        }
    }
    all
}

async fn send(door: &Door, method: &Method, path: &str, by: Option<&Principal>) -> Reply {
    door.send(request(door, method, path, by)).await
}

fn request(door: &Door, method: &Method, path: &str, by: Option<&Principal>) -> TestRequest {
    let request = TestRequest::default().method(method.clone()).uri(path).set_json(json!({}));
    match by {
        Some(by) => request.insert_header(door.bearer(by)),
        None => request,
    }
}

/// The path with something for each parameter, that names nothing there is.
fn filled(path: &str) -> String {
    let path = path.replace("{id}", ID).replace("{userId}", ID).replace("{sessionId}", ID).replace("{offset}", "1");
    path.replace("{number}", "1")
        .replace("{role}", "nobody")
        .replace("/roles/{name}", "/roles/nobody")
        .replace("/providers/{name}", "/providers/near")
        .replace("/content/{name}", "/content/nothing")
}

/// A key of an administrator who may do everything, for these permissions.
async fn key_for(door: &Door, owner: &Principal, scopes: Permissions) -> String {
    let names = scopes.names().map(str::to_owned).collect();
    let input = KeyInput { name: Some("Wall".to_owned()), scopes: Some(names), ..KeyInput::default() };
    let new = input.check(door.fixtures.shop.now(), &mut Violations::default()).unwrap();
    let by = door.fixtures.fresh(owner);
    let made = create_key(&door.fixtures.shop, door.services.mac.as_ref(), by, new, &Once::always()).await;
    made.unwrap().fresh().unwrap().text.expose().to_owned()
}

#[actix_web::test]
async fn a_key_passes_where_its_scope_is_asked_for_and_nowhere_else() {
    let door = Door::new();
    let app = door.open().await;
    let mut passed = 0;
    let all = Permissions::ALL.without(Permissions::NOT_FOR_KEYS);
    for (method, path, scope) in operations() {
        let Some(scope) = scope else { continue };
        let path = filled(&path);
        let own = Permissions::named(&scope).unwrap();
        let call = async |key: &str| {
            let request = TestRequest::default().method(method.clone()).uri(&path).set_json(json!({}));
            app(request.insert_header(("Authorization", format!("Bearer {key}")))).await
        };
        // At most a hundred keys of one person.
        let owner = door.person(Role::Admin).await;
        let others = key_for(&door, &owner, all.without(own)).await;
        let refused = call(&others).await;
        assert_eq!(
            (refused.status, refused.code()),
            (403, "FORBIDDEN".to_owned()),
            "{method} {path}: {}",
            refused.text
        );
        assert_eq!(refused.json()["error"]["message"], format!("Scope {scope} required"), "{method} {path}");
        if !all.has(own) {
            continue;
        }
        let reply = call(&key_for(&door, &owner, own).await).await;
        let refused = reply.header("www-authenticate").contains("scope");
        assert!(reply.status != 401 && !refused, "{method} {path} refuses a key for {scope}: {}", reply.text);
        passed += 1;
    }
    assert!(passed >= 25, "{passed}");
}

/// The challenge is written by the extractor out of the permission's type, so the document cannot name another one.
#[actix_web::test]
async fn every_secured_operation_demands_the_permission_its_document_names() {
    let door = Door::new();
    let app = door.open().await;
    let mut secured = 0;
    for (method, path, scope) in operations() {
        let Some(scope) = scope else { continue };
        secured += 1;
        let (_, role) = *permission::ALL.iter().find(|(name, _)| *name == scope).expect("a permission of that name");
        let path = filled(&path);
        let nobody = app(request(&door, &method, &path, None)).await;
        assert_eq!(nobody.status, 401, "{method} {path}");
        assert_eq!(nobody.header("www-authenticate"), format!("Bearer scope=\"{scope}\""), "{method} {path}");
        // The next lower role has every permission a person without this one can have.
        let Some(below) = Role::ALL.into_iter().rev().find(|one| *one < role) else { continue };
        let lacking = door.person(below).await;
        let refused = app(request(&door, &method, &path, Some(&lacking))).await;
        assert_eq!((refused.status, refused.code()), (403, "FORBIDDEN".to_owned()), "{method} {path}");
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        assert_eq!(refused.header("www-authenticate"), challenge, "{method} {path}");
        let holder = door.person(role).await;
        let answer = app(request(&door, &method, &path, Some(&holder))).await;
        let refused = answer.header("www-authenticate").contains("scope");
        assert!(answer.status != 401 && !refused, "{method} {path} refuses who has {scope}: {}", answer.text);
    }
    assert!(secured >= 15, "{secured}");
}

#[actix_web::test]
async fn every_permission_guards_something() {
    let used: Vec<_> = operations().into_iter().filter_map(|(_, _, scope)| scope).collect();
    for (name, _) in permission::ALL {
        // They open rooms of others and the endpoints of the shop by the rule of the thing, not by routes of their own; models are
        // called beside the document, which `openai.rs` tries.
        if matches!(*name, "rooms:manage" | "webhooks:administer" | "assistant:use") {
            continue;
        }
        assert!(used.iter().any(|scope| scope == name), "{name}");
    }
}

/// Ada's things that Bob must not learn of, and one of each that everybody may.
struct Ada {
    who: Principal,
    open: Product,
    hidden: Vec<Product>,
    review: Review,
    hidden_review: Review,
    /// A room that everybody may enter, and one that only she does; she has said something in both.
    rooms: [Room; 2],
}

const SECRET: &str = "quetzalcoatl";

impl Ada {
    async fn new(door: &Door) -> Self {
        let given = &door.fixtures;
        let who = door.seller().await;
        let seller = who.seller.unwrap();
        let secretly = |p: &mut Product| {
            p.name = format!("{SECRET} {}", p.name);
            SECRET.clone_into(&mut p.description);
            p.slug = domain::catalog::Slug::of(&p.name);
            p.price = domain::money::Amount(7_777_777);
        };
        let open = given.stored_product(seller, |p| p.name = format!("Lamp of Ada {}", p.name)).await;
        let mut hidden = Vec::new();
        for status in [ProductStatus::Draft, ProductStatus::Archived] {
            hidden.push(
                given
                    .stored_product(seller, |p| {
                        secretly(p);
                        p.status = status;
                    })
                    .await,
            );
        }
        let at = given.shop.now();
        let gone = |p: &mut Product| {
            secretly(p);
            p.deleted = Some(Deleted { at, by: who.user });
        };
        hidden.push(given.stored_product(seller, gone).await);
        let review = stored(door, given.review(open.id, who.user, 4)).await;
        let other = given.stored_product(seller, |_| ()).await;
        let hidden_review = Review { hidden: true, comment: SECRET.to_owned(), ..given.review(other.id, who.user, 1) };
        let mut rooms = Vec::new();
        for kind in [RoomKind::Public, RoomKind::Private] {
            let room = Room { title: format!("{SECRET} {}", kind.name()), ..given.room(kind, &who) };
            let mut tx = given.tx().await;
            assert!(tx.rooms().insert(&room).await.unwrap());
            let new = NewMessage { content: format!("{SECRET} {}", kind.name()), client_id: None };
            tx.rooms().append(room.id, given.shop.id(), who.user, &new, at).await.unwrap();
            tx.commit().await.unwrap();
            rooms.push(room);
        }
        let rooms = rooms.try_into().unwrap();
        Self { hidden_review: stored(door, hidden_review).await, review, who, open, hidden, rooms }
    }
}

async fn stored(door: &Door, review: Review) -> Review {
    let mut tx = door.fixtures.tx().await;
    assert!(tx.reviews().insert(&review).await.unwrap());
    tx.commit().await.unwrap();
    review
}

#[actix_web::test]
async fn no_read_tells_of_what_is_anothers() {
    let door = Door::new();
    let ada = Ada::new(&door).await;
    let bob = door.seller().await;
    let own = door.fixtures.stored_product(bob.seller.unwrap(), |p| p.status = ProductStatus::Draft).await;
    let buyer = door.person(Role::User).await;
    let mut paths = Vec::new();
    for (_, path, _) in operations().into_iter().filter(|(method, ..)| *method == Method::GET) {
        for product in &ada.hidden {
            let path = path.replace("{slug}", product.slug.as_str());
            paths.push(path.replace("{id}", &product.id.to_string()));
        }
        paths.push(path.replace("{id}", &ada.hidden_review.id.to_string()));
        paths.push(path.replace("{id}", &ada.rooms[1].id.to_string()));
    }
    let all = "status=draft&status=archived&status=published";
    let seller = ada.who.seller.unwrap();
    for query in [
        "status=draft".to_owned(),
        all.to_owned(),
        format!("{all}&cursor="),
        format!("{all}&sellerId={seller}"),
        format!("{all}&sellerId={seller}&cursor="),
        format!("{all}&search={SECRET}"),
        format!("{all}&search={SECRET}&cursor="),
        format!("{all}&minPrice=70000&sortBy=price"),
        format!("search={SECRET}"),
        format!("sellerId={seller}"),
    ] {
        paths.push(format!("/api/v1/products?limit=100&{query}"));
    }
    let hidden: Vec<String> = ada.hidden.iter().map(|one| one.id.to_string()).collect();
    for by in [None, Some(&bob), Some(&buyer)] {
        let requests = paths.iter().map(|path| request(&door, &Method::GET, path, by));
        for (path, answer) in paths.iter().zip(door.send_all(requests).await) {
            assert!(answer.status < 500, "{path}: {}", answer.text);
            // What is said of the open room is for everybody.
            let text = answer.text.replace(&format!("{SECRET} public"), "");
            // An error names what was asked for, a list of audit entries is refused as a whole.
            let leak = answer.status == 200
                && (text.contains(SECRET)
                    || answer.text.contains(&ada.hidden_review.id.to_string())
                    || hidden.iter().any(|id| answer.text.contains(id)));
            assert!(!leak, "{path} for {by:?}: {}", answer.text);
        }
    }
    // Totals count what is shown and nothing else.
    for (query, ours) in
        [("status=draft", 1), (&format!("{all}&search={SECRET}"), 0), (&format!("{all}&minPrice=70000"), 0)]
    {
        let list = send(&door, &Method::GET, &format!("/api/v1/products?{query}"), Some(&bob)).await.json();
        assert_eq!(list["total"], ours, "{query}: {list}");
    }
    let list = send(&door, &Method::GET, "/api/v1/products?status=draft", Some(&bob)).await.json();
    assert_eq!(list["items"][0]["id"], own.id.to_string());
    let deleted = send(&door, &Method::GET, "/api/v1/products/deleted", Some(&bob)).await.json();
    assert_eq!((&deleted["total"], &deleted["pages"]), (&json!(0), &json!(0)));
    let ours = send(&door, &Method::GET, &format!("/api/v1/products?{all}&sellerId={seller}"), Some(&ada.who)).await;
    assert_eq!(ours.json()["total"], 4, "she sees two open ones and two that are not deleted");
    let reviews = format!("/api/v1/products/{}/reviews", ada.hidden_review.product);
    assert_eq!(send(&door, &Method::GET, &reviews, Some(&bob)).await.json()["total"], 0);
}

#[actix_web::test]
async fn no_write_reaches_what_is_anothers() {
    let door = Door::new();
    let ada = Ada::new(&door).await;
    let bob = door.seller().await;
    let mut tried = 0;
    for (method, path, scope) in operations() {
        let reviews = path.starts_with("/api/v1/reviews");
        let owned = path.starts_with("/api/v1/products/{id}") || reviews;
        let may = |role| permission::ALL.iter().any(|(name, needs)| Some(*name) == scope.as_deref() && *needs <= role);
        // To write a review of another's product is what reviews are for.
        if method == Method::GET || !owned || !may(Role::Seller) || path.ends_with("/reviews") {
            continue;
        }
        let body = if reviews { json!({ "stars": 1 }) } else { body_of(&path) };
        let query = if path.ends_with("/files") { "?name=mine" } else { "" };
        let path = path.replace("{userId}", &bob.user.to_string()) + query;
        let attempt = async |id: String| {
            let path = path.replace("{id}", &id).replace("{imageId}", ID);
            let request = TestRequest::default().method(method.clone()).uri(&path);
            door.send(request.insert_header(door.bearer(&bob)).set_json(&body)).await
        };
        let (open, hidden): (String, Vec<String>) = if reviews {
            (ada.review.id.to_string(), vec![ada.hidden_review.id.to_string()])
        } else {
            (ada.open.id.to_string(), ada.hidden.iter().map(|one| one.id.to_string()).collect())
        };
        tried += 1;
        let refused = attempt(open).await;
        assert_eq!(refused.status, 403, "{method} {path}: {}", refused.text);
        for id in hidden {
            let unknown = attempt(ID.to_owned()).await;
            let refused = attempt(id).await;
            assert_eq!(refused.status, 404, "{method} {path}: {}", refused.text);
            assert_eq!(refused.json()["error"]["message"], unknown.json()["error"]["message"], "{method} {path}");
        }
    }
    assert!(tried >= 6, "{tried}");
    let before = send(&door, &Method::GET, &format!("/api/v1/products/{}", ada.open.id), Some(&ada.who)).await.json();
    assert_eq!((&before["version"], &before["stock"]), (&json!(1), &json!(10)), "nothing of hers has changed");
}

fn body_of(path: &str) -> Value {
    match path {
        stock if stock.ends_with("/stock-adjustments") => json!({ "delta": -1 }),
        order if order.ends_with("/images") => json!({ "order": [] }),
        picture if picture.ends_with("/images/{imageId}") => json!({ "alt": "Mine now" }),
        _ => json!({ "name": "Mine now" }),
    }
}

#[actix_web::test]
async fn no_write_reaches_a_room_of_others() {
    let door = Door::new();
    let ada = Ada::new(&door).await;
    let (bob, guest) = (door.person(Role::User).await, door.person(Role::User).await);
    let mut tried = 0;
    for (method, path, scope) in operations() {
        let owned = path.starts_with("/api/v1/rooms/{id}");
        if !owned || scope.is_none() {
            continue;
        }
        let attempt = async |id: String| {
            let path = path.replace("{id}", &id).replace("{userId}", &guest.user.to_string()).replace("{offset}", "1");
            let request = TestRequest::default().method(method.clone()).uri(&path);
            door.send(request.insert_header(door.bearer(&bob)).set_json(json!({}))).await
        };
        tried += 1;
        // Who has a role in an open room is no secret.
        if !(method == Method::GET && path.ends_with("/members")) {
            let refused = attempt(ada.rooms[0].id.to_string()).await;
            assert_eq!(refused.status, 403, "{method} {path}: {}", refused.text);
        }
        let (unknown, refused) = (attempt(ID.to_owned()).await, attempt(ada.rooms[1].id.to_string()).await);
        assert_eq!(refused.status, 404, "{method} {path}: {}", refused.text);
        assert_eq!(refused.json()["error"]["message"], unknown.json()["error"]["message"], "{method} {path}");
    }
    assert!(tried >= 10, "{tried}");
    let list = send(&door, &Method::GET, "/api/v1/rooms", Some(&bob)).await.json();
    assert_eq!(list["total"], 2, "the room of all and the open one: {list}");
    assert_eq!(send(&door, &Method::GET, "/api/v1/rooms", Some(&ada.who)).await.json()["total"], 3);
    assert_eq!(send(&door, &Method::GET, "/api/v1/rooms", None).await.json()["total"], 2);
}

#[actix_web::test]
async fn keys_and_sights_are_ones_own() {
    let door = Door::new();
    let (ada, bob) = (door.seller().await, door.seller().await);
    let create = async |by: &Principal| {
        let request = TestRequest::post().uri("/api/v1/products").insert_header(door.bearer(by));
        door.send(request.insert_header(("Idempotency-Key", "k-1")).set_json(json!({ "name": "Lamp", "price": 1 })))
            .await
    };
    let hers = create(&ada).await;
    let his = create(&bob).await;
    assert_eq!((his.status, his.header("idempotency-replayed")), (201, ""));
    assert_ne!(hers.json()["id"], his.json()["id"]);
    assert_eq!(his.json()["sellerId"], bob.seller.unwrap().to_string());
    let views = send(&door, &Method::GET, "/api/v1/users/me/views", Some(&bob)).await.json();
    assert_eq!(views["total"], 0);
    for by in [&ada, &bob] {
        assert_eq!(send(&door, &Method::GET, "/api/v1/audit", Some(by)).await.status, 403);
    }
}
