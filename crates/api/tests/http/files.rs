//! Files of products over HTTP.

use std::time::Duration;

use actix_web::{
    http::Method,
    test::{self, TestRequest},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::{Principal, assets::Digest, catalog::Product, permission::Role};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

struct World {
    door: Door,
    owner: Principal,
    product: Product,
}

impl World {
    async fn new() -> Self {
        Self::of(Door::new()).await
    }

    async fn of(door: Door) -> Self {
        let owner = door.seller().await;
        let product = door.fixtures.stored_product(owner.seller.unwrap(), |_| ()).await;
        Self { door, owner, product }
    }

    fn path(&self, query: &str) -> String {
        format!("/api/v1/products/{}/files?{query}", self.product.id)
    }

    /// A request that brings these bytes.
    fn bring(&self, query: &str, bytes: &'static [u8]) -> TestRequest {
        let request = TestRequest::post().uri(&self.path(query)).insert_header(self.door.bearer(&self.owner));
        // As a server that reads the length does.
        request.insert_header(("content-length", bytes.len().to_string())).set_payload(bytes)
    }

    async fn brought(&self, query: &str, bytes: &'static [u8]) -> Value {
        let reply = self.door.send(self.bring(query, bytes)).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.json()
    }

    async fn send(&self, method: Method, path: &str, by: Option<&Principal>) -> Reply {
        self.door.send(self.asking(method, path, by)).await
    }

    fn asking(&self, method: Method, path: &str, by: Option<&Principal>) -> TestRequest {
        let request = TestRequest::default().method(method).uri(path);
        match by {
            Some(by) => request.insert_header(self.door.bearer(by)),
            None => request,
        }
    }

    /// Status, headers and the whole of a body that comes in pieces.
    async fn read(&self, request: TestRequest) -> (u16, actix_web::http::header::HeaderMap, String) {
        let drawn = souk_api::app::Drawn::of(&self.door.services);
        let app = test::init_service(souk_api::build(&self.door.services, &drawn)).await;
        let answer = test::call_service(&app, request.to_request()).await;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        (status, headers, String::from_utf8(test::read_body(answer).await.to_vec()).unwrap())
    }

    async fn get(&self, path: &str, headers: &[(&'static str, &str)]) -> (u16, String, String) {
        let mut request = self.asking(Method::GET, path, Some(&self.owner));
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        let (status, headers, body) = self.read(request).await;
        let range = headers.get("content-range").map_or("", |value| value.to_str().unwrap());
        (status, range.to_owned(), body)
    }

    async fn stored(&self) -> usize {
        self.door.services.assets.room.blobs.list(None, 100).await.unwrap().len()
    }
}

#[actix_web::test]
async fn a_file_is_brought_listed_read_and_deleted() {
    let world = World::new().await;
    let request = world.bring("name=B%C3%BCste.stl&licence=CC0", b"solid bust");
    let request = request.insert_header(("content-type", "Model/STL"));
    let made = world.door.send(request).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let file = made.json();
    let path = format!("/api/v1/files/{}", file["id"].as_str().unwrap());
    assert_eq!(made.header("location"), path);
    assert_eq!(file["name"], "Büste.stl");
    assert_eq!((&file["mediaType"], &file["size"], &file["licence"]), (&json!("model/stl"), &json!(10), &json!("CC0")));
    assert_eq!((&file["visibility"], &file["publicUrl"]), (&json!("private"), &Value::Null));
    assert_eq!(file["sha256"], Digest::of(b"solid bust").to_string());
    let listed = world.send(Method::GET, &world.path(""), Some(&world.owner)).await.json();
    assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &file["id"]));
    assert_eq!(world.send(Method::GET, &world.path(""), None).await.json()["total"], 0);
    let content = file["contentUrl"].as_str().unwrap();
    let (status, headers, body) = world.read(world.asking(Method::GET, content, Some(&world.owner))).await;
    assert_eq!((status, body.as_str()), (200, "solid bust"));
    let header = |name| headers.get(name).unwrap().to_str().unwrap();
    assert_eq!(header("etag"), format!("\"{}\"", Digest::of(b"solid bust")));
    assert_eq!((header("content-type"), header("accept-ranges")), ("model/stl", "bytes"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    let disposition = "attachment; filename=\"B_ste.stl\"; filename*=UTF-8''B%C3%BCste.stl";
    assert_eq!((header("content-disposition"), header("cache-control")), (disposition, "private, no-cache"));
    assert_eq!(world.send(Method::GET, content, None).await.status, 404);
    assert_eq!(world.send(Method::GET, &path, None).await.status, 404);
    assert_eq!(world.send(Method::GET, &path, Some(&world.owner)).await.json()["id"], file["id"]);
    assert_eq!(world.send(Method::DELETE, &path, Some(&world.owner)).await.status, 200);
    assert_eq!(world.send(Method::GET, content, Some(&world.owner)).await.status, 404);
    assert_eq!(world.door.seen.2.lock().unwrap().len(), 1, "what was taken away once is counted once");
}

#[actix_web::test]
async fn parts_are_given_by_range() {
    let world = World::new().await;
    let file = world.brought("name=a", b"0123456789").await;
    let path = file["contentUrl"].as_str().unwrap();
    let tag = format!("\"{}\"", Digest::of(b"0123456789"));
    for (headers, expected) in [
        (vec![("range", "bytes=2-4")], (206, "bytes 2-4/10", "234")),
        (vec![("range", "bytes=-2"), ("accept-encoding", "gzip")], (206, "bytes 8-9/10", "89")),
        (vec![("range", "bytes=7-"), ("if-range", tag.as_str())], (206, "bytes 7-9/10", "789")),
        (vec![("range", "bytes=7-"), ("if-range", "\"other\"")], (200, "", "0123456789")),
        (vec![("range", "bytes=0-1,5-6")], (200, "", "0123456789")),
        (vec![("range", "lines=0-1")], (200, "", "0123456789")),
        (vec![("if-none-match", tag.as_str()), ("range", "bytes=2-4")], (304, "", "")),
    ] {
        let (status, range, body) = world.get(path, &headers).await;
        assert_eq!((status, range.as_str(), body.as_str()), expected, "{headers:?}");
    }
    let (status, range, body) = world.get(path, &[("range", "bytes=10-")]).await;
    assert_eq!((status, range.as_str()), (416, "bytes */10"));
    assert!(body.contains("The file has no such part"), "{body}");
    let head = world.asking(Method::HEAD, path, Some(&world.owner)).insert_header(("range", "bytes=2-4"));
    let (status, headers, _) = world.read(head).await;
    assert_eq!((status, headers.get("content-length").unwrap().to_str().unwrap()), (200, "10"));
    assert_eq!(world.door.seen.2.lock().unwrap().len(), 3, "neither a look nor the rest of one counts");
}

#[actix_web::test]
async fn what_is_public_is_there_by_its_digest() {
    let world = World::new().await;
    let private = world.brought("name=a", b"private").await;
    let public = world.brought("name=b.png&visibility=public", b"public").await;
    let path = public["publicUrl"].as_str().unwrap();
    assert_eq!(path, format!("/content/{}", Digest::of(b"public")));
    let (status, headers, body) = world.read(world.asking(Method::GET, path, None)).await;
    assert_eq!((status, body.as_str()), (200, "public"));
    let header = |name| headers.get(name).map_or("", |value| value.to_str().unwrap());
    assert_eq!(header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header("content-type"), "application/octet-stream");
    assert!(header("content-disposition").starts_with("attachment"));
    let (status, headers, _) = world.read(world.asking(Method::GET, &format!("{path}.png"), None)).await;
    assert_eq!((status, headers.get("content-type").unwrap().to_str().unwrap()), (200, "image/png"));
    assert!(headers.get("content-disposition").is_none());
    let digest = private["sha256"].as_str().unwrap();
    for hidden in [digest, "nonsense", &format!("{digest}.html"), &format!("{digest}.svg"), &digest.to_uppercase()] {
        assert_eq!(world.send(Method::GET, &format!("/content/{hidden}"), None).await.status, 404, "{hidden}");
    }
    let anybody = world.send(Method::GET, &world.path(""), None).await.json();
    assert_eq!((&anybody["total"], &anybody["items"][0]["id"]), (&json!(1), &public["id"]));
    let file = format!("/api/v1/files/{}", public["id"].as_str().unwrap());
    assert_eq!(world.send(Method::DELETE, &file, Some(&world.owner)).await.status, 200);
    assert_eq!(world.send(Method::GET, path, None).await.status, 404);
}

#[actix_web::test]
async fn what_is_not_what_it_is_said_to_be_leaves_nothing() {
    let world = World::new().await;
    let digest = |bytes: &[u8]| format!("sha-256=:{}:", BASE64_STANDARD.encode(Digest::of(bytes).0));
    let long = format!("name={}", "x".repeat(256));
    for (query, headers, status, told) in [
        ("", vec![], 400, "query name required"),
        ("name=..%2Fetc%2Fpasswd", vec![], 400, "query name path"),
        ("name=a%00b", vec![], 400, "query name control_character"),
        ("name=a%0Ab", vec![], 400, "query name control_character"),
        ("name=..", vec![], 400, "query name blank"),
        (long.as_str(), vec![], 400, "query name length"),
        ("name=a&visibility=secret", vec![], 400, "query visibility choice"),
        ("name=a&colour=red", vec![], 400, "query colour unknown"),
        ("name=a", vec![("content-digest", digest(b"other"))], 400, "body digest digest"),
        ("name=a", vec![("content-digest", "sha-512=:AAAA:".to_owned())], 400, "header content-digest digest"),
        ("name=a", vec![("content-length", "3".to_owned())], 400, "body size size"),
        ("name=a", vec![("content-length", "7".to_owned())], 400, "body size size"),
        ("name=a.png", vec![("content-type", "image/png".to_owned())], 400, "body mediaType mismatch"),
        ("name=a", vec![("content-type", "nonsense".to_owned())], 415, ""),
        ("name=a", vec![("content-encoding", "gzip".to_owned())], 415, ""),
    ] {
        let mut request = world.bring(query, b"bytes");
        for (name, value) in &headers {
            request = request.insert_header((*name, value.as_str()));
        }
        let reply = world.door.send(request).await;
        let broken = reply.broken();
        assert_eq!((reply.status, broken.first().map_or("", String::as_str)), (status, told), "{query} {headers:?}");
    }
    let wrong = world.bring("name=a", b"bytes").insert_header(("content-digest", digest(b"bytes")));
    assert_eq!(world.door.send(wrong).await.status, 201);
    assert_eq!(world.stored().await, 1);
    assert_eq!(world.door.store.traces().len(), 1);
}

#[actix_web::test]
async fn too_much_is_told_at_its_begin() {
    let door = Door::with(|services| {
        services.shop.rules.assets.file_max = 8;
        services.shop.rules.assets.quotas.person = 10;
    });
    let world = World::of(door).await;
    let long = world.door.send(world.bring("name=a", b"123456789")).await;
    assert_eq!((long.status, long.code().as_str()), (413, "PAYLOAD_TOO_LARGE"));
    assert!(long.text.contains("at most 8 bytes"), "{}", long.text);
    world.brought("name=a", b"12345678").await;
    let full = world.door.send(world.bring("name=b", b"123")).await;
    assert_eq!(full.status, 413);
    assert!(full.text.contains("delete files first"), "{}", full.text);
    world.brought("name=b", b"12").await;
}

#[actix_web::test]
async fn a_repetition_has_its_effect_once() {
    let world = World::new().await;
    let send = |query: &'static str, bytes| {
        world.door.send(world.bring(query, bytes).insert_header(("idempotency-key", "one")))
    };
    let first = send("name=a", b"bytes").await;
    let again = send("name=a", b"bytes").await;
    assert_eq!((first.status, again.status, &first.text), (201, 201, &again.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(send("name=a", b"other").await.status, 422);
    assert_eq!(send("name=b", b"bytes").await.status, 422);
    assert_eq!(world.send(Method::GET, &world.path(""), Some(&world.owner)).await.json()["total"], 1);
}

#[actix_web::test]
async fn a_link_is_good_for_a_while_and_no_more() {
    let world = World::new().await;
    let file = world.brought("name=a", b"private").await;
    let path = format!("/api/v1/files/{}/links", file["id"].as_str().unwrap());
    let stranger = world.door.person(Role::User).await;
    assert_eq!(world.door.post(&path, &stranger, &json!({})).await.status, 404);
    for bad in [json!(0), json!(3601), json!("5")] {
        let refused = world.door.post(&path, &world.owner, &json!({ "expiresInSeconds": bad })).await;
        assert_eq!(refused.status, 400, "{bad}");
    }
    let made = world.door.post(&path, &world.owner, &json!({ "expiresInSeconds": 60 })).await;
    assert_eq!((made.status, made.header("cache-control")), (200, "no-store"));
    let url = made.json()["url"].as_str().unwrap().to_owned();
    let (status, _, body) = world.read(world.asking(Method::GET, &url, None)).await;
    assert_eq!((status, body.as_str()), (200, "private"));
    let other = world.brought("name=b", b"other").await;
    let swapped = url.replace(file["id"].as_str().unwrap(), other["id"].as_str().unwrap());
    assert_eq!(world.send(Method::GET, &swapped, None).await.status, 403);
    let half = url.split("&signature").next().unwrap();
    assert_eq!(world.send(Method::GET, half, None).await.broken(), ["query signature required"]);
    world.door.fixtures.clock.advance(Duration::from_mins(1));
    let late = world.send(Method::GET, &url, None).await;
    assert!(late.status == 403 && late.text.contains("does not hold"), "{}", late.text);
}

#[actix_web::test]
async fn who_was_granted_the_files_takes_them_until_it_is_taken_back() {
    let world = World::new().await;
    let file = world.brought("name=a", b"private").await;
    let content = file["contentUrl"].as_str().unwrap();
    let (buyer, stranger) = (world.door.person(Role::User).await, world.door.seller().await);
    let grants = format!("/api/v1/products/{}/grants", world.product.id);
    let one = format!("{grants}/{}", buyer.user);
    assert_eq!(world.send(Method::GET, content, Some(&buyer)).await.status, 404);
    assert_eq!(world.send(Method::PUT, &one, Some(&stranger)).await.status, 403);
    for _ in 0..2 {
        assert_eq!(world.send(Method::PUT, &one, Some(&world.owner)).await.status, 200);
    }
    assert_eq!(world.get(content, &[]).await.0, 200);
    let (status, _, body) = world.read(world.asking(Method::GET, content, Some(&buyer))).await;
    assert_eq!((status, body.as_str()), (200, "private"));
    let listed = world.send(Method::GET, &grants, Some(&world.owner)).await.json();
    assert_eq!((&listed["total"], &listed["items"][0]["userId"]), (&json!(1), &json!(buyer.user)));
    assert_eq!(world.send(Method::GET, &grants, Some(&stranger)).await.status, 403);
    assert_eq!(world.send(Method::DELETE, &one, Some(&world.owner)).await.status, 200);
    assert_eq!(world.send(Method::DELETE, &one, Some(&world.owner)).await.status, 404);
    assert_eq!(world.send(Method::GET, content, Some(&buyer)).await.status, 404);
}

#[actix_web::test]
async fn only_who_may_change_the_product_brings_files() {
    let world = World::new().await;
    let stranger = world.door.seller().await;
    let bring = |by: &Principal| {
        let request = TestRequest::post().uri(&world.path("name=a")).insert_header(world.door.bearer(by));
        world.door.send(request.set_payload("bytes"))
    };
    assert_eq!(bring(&stranger).await.status, 403);
    assert_eq!(bring(&world.door.person(Role::User).await).await.status, 403);
    let nobody = world.door.send(TestRequest::post().uri(&world.path("name=a")).set_payload("bytes")).await;
    assert_eq!(nobody.status, 401);
    assert_eq!(world.stored().await, 0, "nothing of it was read");
    assert_eq!(bring(&world.owner).await.status, 201);
}
