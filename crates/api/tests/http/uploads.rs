//! Uploads that go on where they broke off, as tus says them.

use actix_web::{http::Method, test::TestRequest};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::{
    Principal,
    assets::{
        Holder,
        ports::BlobQueries as _,
        uploads::{FinishUpload, finish_upload},
    },
    catalog::Product,
    id::UploadId,
};
use sha1::Digest as _;

use crate::setup::{Door, Reply};

struct World {
    door: Door,
    owner: Principal,
    product: Product,
}

type Headers<'a> = &'a [(&'static str, &'a str)];

impl World {
    async fn new() -> Self {
        let door = Door::new();
        let owner = door.seller().await;
        let product = door.fixtures.stored_product(owner.seller.unwrap(), |_| ()).await;
        Self { door, owner, product }
    }

    async fn ask(&self, method: Method, path: &str, headers: Headers<'_>, bytes: &'static [u8]) -> Reply {
        let mut request = TestRequest::default().method(method).uri(path).insert_header(self.door.bearer(&self.owner));
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        self.door.send(request.set_payload(bytes)).await
    }

    fn metadata(&self, more: &[(&str, &str)]) -> String {
        let product = self.product.id.to_string();
        let said = [("filename", "plan.txt"), ("productId", &product), ("filetype", "text/plain")];
        let pairs = said.iter().filter(|(key, _)| !more.iter().any(|(other, _)| other == key)).chain(more);
        pairs.map(|(key, value)| format!("{key} {}", BASE64_STANDARD.encode(value))).collect::<Vec<_>>().join(",")
    }

    async fn begin(&self, length: &str, more: &[(&str, &str)]) -> Reply {
        let metadata = self.metadata(more);
        let headers = [("tus-resumable", "1.0.0"), ("upload-length", length), ("upload-metadata", metadata.as_str())];
        self.ask(Method::POST, "/api/v1/uploads", &headers, b"").await
    }

    async fn begun(&self, length: &str) -> String {
        let reply = self.begin(length, &[]).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.header("location").to_owned()
    }

    async fn bring(&self, path: &str, offset: &str, more: Headers<'_>, bytes: &'static [u8]) -> Reply {
        let mut headers = vec![
            ("tus-resumable", "1.0.0"),
            ("upload-offset", offset),
            ("content-type", "application/offset+octet-stream"),
        ];
        headers.extend(more);
        self.ask(Method::PATCH, path, &headers, bytes).await
    }

    /// The offset that is told of an upload.
    async fn offset(&self, path: &str) -> String {
        let reply = self.ask(Method::HEAD, path, &[("tus-resumable", "1.0.0")], b"").await;
        assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"));
        reply.header("upload-offset").to_owned()
    }
}

#[actix_web::test]
async fn portions_become_a_file() {
    let world = World::new().await;
    let begun = world.begin("6", &[("visibility", "public")]).await;
    assert_eq!((begun.status, begun.header("tus-resumable"), begun.header("upload-offset")), (201, "1.0.0", "0"));
    assert!(begun.header("upload-expires").ends_with(" GMT"));
    let path = begun.header("location").to_owned();
    let first = world.bring(&path, "0", &[], b"abc").await;
    assert_eq!((first.status, first.header("upload-offset"), first.text.as_str()), (204, "3", ""));
    assert_eq!(world.offset(&path).await, "3");
    let sum = format!("sha1 {}", BASE64_STANDARD.encode(sha1::Sha1::digest(b"def")));
    let last = world.bring(&path, "3", &[("upload-checksum", &sum)], b"def").await;
    assert_eq!((last.status, last.header("upload-offset")), (204, "6"));
    let read = async || world.ask(Method::GET, &path, &[], b"").await.json();
    assert_eq!(read().await["state"], "finishing");
    let upload: UploadId = path.rsplit('/').next().unwrap().parse().unwrap();
    let (shop, with) = (&world.door.services.shop, &world.door.services.uploads);
    finish_upload(shop, with, FinishUpload { upload }).await.unwrap();
    let done = read().await;
    assert_eq!(
        (done["state"].as_str(), done["offset"].as_u64(), done["problem"].is_null()),
        (Some("done"), Some(6), true)
    );
    let file = format!("/api/v1/files/{}", done["fileId"].as_str().unwrap());
    let file = world.ask(Method::GET, &file, &[], b"").await.json();
    assert_eq!((file["name"].as_str(), file["size"].as_u64()), (Some("plan.txt"), Some(6)));
}

#[actix_web::test]
async fn the_first_bytes_may_come_at_once() {
    let world = World::new().await;
    let metadata = world.metadata(&[]);
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("upload-length", "4"),
        ("upload-metadata", metadata.as_str()),
        ("content-type", "application/offset+octet-stream"),
    ];
    let reply = world.ask(Method::POST, "/api/v1/uploads", &headers, b"abc").await;
    assert_eq!((reply.status, reply.header("upload-offset")), (201, "3"), "{}", reply.text);
    let wrong = format!("sha256 {}", BASE64_STANDARD.encode([7; 32]));
    let headers = [&headers[..], &[("upload-checksum", wrong.as_str())]].concat();
    assert_eq!(world.ask(Method::POST, "/api/v1/uploads", &headers, b"abc").await.status, 460);
    let counted = world.door.store.usage(Holder::Person(world.owner.user)).await.unwrap();
    assert_eq!(counted, 4, "what was refused is not counted");
}

#[actix_web::test]
async fn portions_that_do_not_follow_or_do_not_fit_are_refused() {
    let world = World::new().await;
    let path = world.begun("6").await;
    assert_eq!(world.bring(&path, "2", &[], b"c").await.status, 409);
    assert_eq!(world.bring(&path, "0", &[], b"abcdefg").await.status, 413);
    assert_eq!(world.bring(&path, "x", &[], b"a").await.status, 400);
    assert_eq!(world.bring(&path, "0", &[("content-type", "text/plain")], b"a").await.status, 415);
    assert_eq!(world.bring(&path, "0", &[("tus-resumable", "0.2.2")], b"a").await.header("tus-version"), "1.0.0");
    let wrong = format!("sha256 {}", BASE64_STANDARD.encode([7; 32]));
    let refused = world.bring(&path, "0", &[("upload-checksum", &wrong)], b"abc").await;
    assert_eq!(refused.status, 460, "{}", refused.text);
    for bad in ["crc32 AAAA", "sha1", "sha1 AAAA", "sha1 é"] {
        assert_eq!(world.bring(&path, "0", &[("upload-checksum", bad)], b"abc").await.status, 400, "{bad}");
    }
    assert_eq!(world.offset(&path).await, "0", "nothing of all that counts");
}

#[actix_web::test]
async fn what_is_said_wrongly_is_told_with_its_name() {
    let world = World::new().await;
    let field =
        |reply: &Reply| reply.json()["error"]["details"]["fields"][0]["field"].as_str().unwrap_or("").to_owned();
    for (more, name) in [
        (("filename", "../etc/passwd"), "filename"),
        (("filename", "a\0b"), "filename"),
        (("filetype", "nonsense"), "filetype"),
        (("productId", "7"), "productId"),
        (("visibility", "secret"), "visibility"),
        (("purpose", "picture"), "purpose"),
    ] {
        let reply = world.begin("1", &[more]).await;
        assert_eq!((reply.status, field(&reply).as_str()), (400, name), "{}", reply.text);
    }
    for length in ["", "-1", "1.5", "99999999999999999999"] {
        let reply = world.begin(length, &[]).await;
        assert_eq!((reply.status, field(&reply).as_str()), (400, "Upload-Length"), "{length:?}");
    }
    assert_eq!(world.begin("9999999999999", &[]).await.status, 413);
    assert_eq!(world.begin("1", &[("purpose", "model"), ("filename", "a.exe")]).await.status, 400);
    for metadata in ["filename !!!", "filename YQ==,filename YQ==", "filename /w=="] {
        let headers = [("tus-resumable", "1.0.0"), ("upload-length", "1"), ("upload-metadata", metadata)];
        let reply = world.ask(Method::POST, "/api/v1/uploads", &headers, b"").await;
        assert_eq!((reply.status, field(&reply).as_str()), (400, "Upload-Metadata"), "{metadata}");
    }
    let headers = [("tus-resumable", "1.0.0"), ("upload-defer-length", "1")];
    assert_eq!(world.ask(Method::POST, "/api/v1/uploads", &headers, b"").await.status, 400);
    assert_eq!(world.ask(Method::POST, "/api/v1/uploads", &[], b"").await.status, 412);
}

#[actix_web::test]
async fn an_upload_is_its_owners_alone_and_ends_when_they_say_so() {
    let mut world = World::new().await;
    let path = world.begun("6").await;
    let owner = std::mem::replace(&mut world.owner, world.door.seller().await);
    for reply in [
        world.bring(&path, "0", &[], b"abc").await,
        world.ask(Method::GET, &path, &[], b"").await,
        world.ask(Method::DELETE, &path, &[("tus-resumable", "1.0.0")], b"").await,
    ] {
        assert_eq!(reply.status, 404);
    }
    assert_eq!(world.begin("1", &[]).await.status, 403, "of a product of somebody else");
    world.owner = owner;
    let meant = [
        ("x-http-method-override", "PATCH"),
        ("tus-resumable", "1.0.0"),
        ("upload-offset", "0"),
        ("content-type", "application/offset+octet-stream"),
    ];
    assert_eq!(world.ask(Method::POST, &path, &meant, b"ab").await.header("upload-offset"), "2");
    assert_eq!(world.ask(Method::POST, &path, &[], b"").await.status, 405);
    let ended = world.ask(Method::DELETE, &path, &[("tus-resumable", "1.0.0")], b"").await;
    assert_eq!((ended.status, ended.text.as_str()), (204, ""));
    assert_eq!(world.ask(Method::HEAD, &path, &[], b"").await.status, 404);
}

#[actix_web::test]
async fn what_there_is_of_the_protocol_is_said() {
    let world = World::new().await;
    let reply = world.ask(Method::OPTIONS, "/api/v1/uploads", &[], b"").await;
    assert_eq!((reply.status, reply.header("tus-version"), reply.header("tus-max-size")), (204, "1.0.0", "1073741824"));
    assert_eq!(reply.header("tus-extension"), "creation,creation-with-upload,expiration,checksum,termination");
    assert_eq!(reply.header("tus-checksum-algorithm"), "sha1,sha256");
}
