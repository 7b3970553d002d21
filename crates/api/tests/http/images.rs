//! Pictures over HTTP: uploaded, listed, changed, and shown to anybody.

use actix_web::test::TestRequest;
use domain::{
    Principal,
    catalog::{Product, ProductStatus},
};
use serde_json::json;

use crate::setup::{Door, Reply};

/// What the imaging of the tests takes for a JPEG.
const FILE: &[u8] = b"\xff\xd8\xff a lamp";

struct Stand {
    door: Door,
    owner: Principal,
    product: Product,
}

impl Stand {
    async fn new() -> Self {
        let door = Door::new();
        let owner = door.seller().await;
        let product = door.fixtures.stored_product(owner.seller.unwrap(), |product| product.images.clear()).await;
        Self { door, owner, product }
    }

    fn path(&self) -> String {
        format!("/api/v1/products/{}/images", self.product.id)
    }

    fn upload(&self, kind: &str, body: impl Into<Vec<u8>>) -> TestRequest {
        let request = TestRequest::post().uri(&self.path()).insert_header(self.door.bearer(&self.owner));
        request.insert_header(("Content-Type", kind.to_owned())).set_payload(body.into())
    }

    async fn send(&self, kind: &str, body: impl Into<Vec<u8>>) -> Reply {
        self.door.send(self.upload(kind, body)).await
    }

    fn stored(&self) -> Product {
        self.door.store.product(self.product.id).unwrap()
    }
}

/// A form of these parts: name, what stands behind it in its first line, type, content.
fn form(parts: &[(&str, &str, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, more, kind, content) in parts {
        let head =
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\nContent-Type: {kind}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

const FORM: &str = "multipart/form-data; boundary=edge";
const NAMED: &str = "; filename=\"lamp.jpg\"";

#[actix_web::test]
async fn a_picture_is_uploaded_as_a_form_and_shown_to_anybody() {
    let stand = Stand::new().await;
    let id = stand.product.id.to_string();
    let parts = [
        ("productId", "", "text/plain", id.as_bytes()),
        ("alt", "", "text/plain; charset=utf-8", "Die Lampe".as_bytes()),
        ("file", NAMED, "image/jpeg", FILE),
    ];
    let made = stand.send(FORM, form(&parts)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let image = made.json();
    assert_eq!(
        (&image["alt"], &image["mimeType"], &image["width"]),
        (&json!("Die Lampe"), &json!("image/jpeg"), &json!(1200))
    );
    assert_eq!(
        image["original"],
        json!({ "mimeType": "image/jpeg", "size": FILE.len(), "width": 2400, "height": 1800 })
    );
    assert_eq!(image["dominantColour"], "#a08040");
    assert!(image["placeholder"].as_str().is_some_and(|text| text.len() > 20));
    let (url, thumbnail) = (image["url"].as_str().unwrap(), image["thumbnailUrl"].as_str().unwrap());
    assert!(url.starts_with(&format!("/media/products/{id}/")), "{url}");
    assert!(thumbnail.starts_with(&format!("/media/products/{id}/thumb_")), "{thumbnail}");
    let read = stand.door.get(made.header("location")).await;
    assert_eq!((read.status, read.json()), (200, image.clone()));
    let product = stand.door.get(&format!("/api/v1/products/{id}")).await.json();
    assert_eq!((&product["images"][0]["url"], &product["version"]), (&image["url"], &json!(2)));
    assert_eq!(stand.door.get("/api/v1/products").await.json()["items"][0]["image"], image["url"]);

    let jpeg = stand.door.get(url).await;
    assert_eq!((jpeg.status, jpeg.header("content-type")), (200, "image/jpeg"));
    assert_eq!(jpeg.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(jpeg.headers.get_all("vary").any(|vary| vary == "accept"), "{:?}", jpeg.headers);
    assert_eq!(jpeg.header("x-content-type-options"), "nosniff");
    assert_eq!(jpeg.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(u64::try_from(jpeg.text.len()).ok(), image["size"].as_u64());
    let accepting = |accept: &'static str| TestRequest::get().uri(url).insert_header(("Accept", accept));
    let webp = stand.door.send(accepting("image/avif,image/webp,*/*;q=0.8")).await;
    assert_eq!((webp.status, webp.header("content-type")), (200, "image/webp"));
    assert!(webp.text.contains("as WebP") && jpeg.text.contains("as JPEG"));
    assert_ne!(webp.header("etag"), jpeg.header("etag"));
    let known = accepting("*/*").insert_header(("If-None-Match", jpeg.header("etag").to_owned()));
    let known = stand.door.send(known).await;
    assert_eq!((known.status, known.text.as_str()), (304, ""));
    let small = stand.door.get(thumbnail).await;
    assert!(small.status == 200 && small.text.starts_with("thumbnail as JPEG"), "{}", small.text);
    for (path, caching) in
        [(url.replace("?v=1", ""), "public, no-cache"), (url.replace("?v=1", "?v=9"), "public, no-cache")]
    {
        let shown = stand.door.get(&path).await;
        assert_eq!((shown.status, shown.header("cache-control")), (200, caching), "{path}");
    }
    for missing in [url.replace(".jpg", ".png"), url.replace("thumb_", ""), "/media/products/x/y.jpg".to_owned()] {
        let answer = stand.door.get(&missing).await;
        assert_eq!(answer.status == 404, missing != url, "{missing}");
    }
    assert_eq!(stand.door.get(&url.replace("?v=1", "?v=0")).await.broken(), ["query v range"]);
    assert_eq!(stand.door.get(&url.replace("?v=1", "?w=1")).await.broken(), ["query w unknown"]);
}

#[actix_web::test]
async fn a_file_may_be_sent_alone() {
    let stand = Stand::new().await;
    let request = stand.upload("image/jpeg", FILE).uri(&format!("{}?alt=A%20lamp", stand.path()));
    let made = stand.door.send(request).await;
    assert_eq!((made.status, made.json()["alt"].clone()), (201, json!("A lamp")));
    assert_eq!(stand.send("application/octet-stream", FILE).await.status, 201);
    assert_eq!(stand.send("application/json", "{}").await.status, 415);
    assert_eq!(stand.stored().images.len(), 2);
}

#[actix_web::test]
async fn what_is_no_picture_is_told_in_the_words_of_the_contract() {
    let stand = Stand::new().await;
    let html = "<!doctype html>";
    for (kind, body) in [
        ("image/png", html.into()),
        ("image/svg+xml", "<svg/>".into()),
        ("application/octet-stream", Vec::new()),
        (FORM, form(&[("file", "; filename=\"a.png\"", "image/png", html.as_bytes())])),
    ] {
        let refused = stand.send(kind, body).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "VALIDATION_ERROR"), "{kind}");
        assert_eq!(refused.json()["error"]["message"], "File must be an image", "{kind}");
        assert_eq!(refused.broken(), ["body /file image"]);
    }
    let large = [FILE, &vec![0; 10 * 1024 * 1024]].concat();
    for (kind, body) in [("image/jpeg", large.clone()), (FORM, form(&[("file", NAMED, "image/jpeg", &large)]))] {
        let refused = stand.send(kind, body).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "VALIDATION_ERROR"));
        assert_eq!(refused.json()["error"]["message"], "File size must be less than 10MB");
        assert_eq!(refused.broken(), ["body /file max_size"]);
    }
    assert_eq!(stand.send("image/png", FILE).await.broken(), ["body /file media_type"]);
    assert!(stand.stored().images.is_empty());
    assert!(stand.door.store.traces().is_empty());
}

#[actix_web::test]
async fn a_form_is_read_field_by_field() {
    let stand = Stand::new().await;
    let file = ("file", NAMED, "image/jpeg", FILE);
    let other = stand.door.fixtures.shop.id::<domain::id::ProductId>().to_string();
    for (parts, broken) in [
        (vec![], vec!["body /file required"]),
        (vec![file, file], vec!["body /file duplicate"]),
        (vec![file, ("size", "", "text/plain", b"1")], vec!["body /size unknown"]),
        (vec![("productId", "", "text/plain", other.as_bytes()), file], vec!["body /productId consistent"]),
        (vec![("alt", "", "text/plain", b""), file], vec!["body /alt min_length"]),
    ] {
        let refused = stand.send(FORM, form(&parts)).await;
        assert_eq!((refused.status, refused.broken()), (400, broken.iter().map(|one| (*one).to_owned()).collect()));
    }
    for broken in [&b"--edge\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\xff\xd8"[..], b"nothing", b""] {
        assert_eq!(stand.send(FORM, broken).await.status, 400, "{broken:?}");
    }
    assert_eq!(stand.send("multipart/form-data", form(&[file])).await.status, 400, "without a boundary");
    assert!(stand.stored().images.is_empty());
}

#[actix_web::test]
async fn only_who_may_change_the_product_uploads() {
    let stand = Stand::new().await;
    let stranger = stand.door.seller().await;
    let anonymous = TestRequest::post().uri(&stand.path()).insert_header(("Content-Type", "image/jpeg"));
    assert_eq!(stand.door.send(anonymous.set_payload(FILE)).await.status, 401);
    let by = |person: &Principal| {
        let request = TestRequest::post().uri(&stand.path()).insert_header(stand.door.bearer(person));
        request.insert_header(("Content-Type", "text/html")).set_payload("not read")
    };
    let refused = stand.door.send(by(&stranger)).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["message"].clone()),
        (403, json!("You cannot edit this product"))
    );
    let draft = |product: &mut Product| product.status = ProductStatus::Draft;
    let draft = stand.door.fixtures.stored_product(stand.owner.seller.unwrap(), draft).await;
    let hidden = by(&stranger).uri(&format!("/api/v1/products/{}/images", draft.id));
    assert_eq!(stand.door.send(hidden).await.status, 404);
    assert_eq!(stand.door.get(&format!("/api/v1/products/{}/images", draft.id)).await.status, 404);
}

#[actix_web::test]
async fn a_key_uploads_once_and_not_another_file() {
    let stand = Stand::new().await;
    let keyed = |body: &[u8]| stand.upload("image/jpeg", body).insert_header(("Idempotency-Key", "once"));
    let first = stand.door.send(keyed(FILE)).await;
    let again = stand.door.send(keyed(FILE)).await;
    assert_eq!((first.status, again.status, again.header("idempotency-replayed")), (201, 201, "true"));
    assert_eq!(first.text, again.text);
    assert_eq!(stand.door.send(keyed(b"\xff\xd8\xff another")).await.status, 422);
    assert_eq!(stand.stored().images.len(), 1);
}

#[actix_web::test]
async fn pictures_are_ordered_described_and_deleted() {
    let stand = Stand::new().await;
    let mut ids = Vec::new();
    for n in 0..3_u8 {
        let made = stand.send("image/jpeg", [FILE, &[n]].concat()).await.json();
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    let change = |request: TestRequest, path: &str| {
        request.uri(&format!("{}{path}", stand.path())).insert_header(stand.door.bearer(&stand.owner))
    };
    let listed = |reply: &Reply| -> Vec<String> {
        reply.json()["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    ids.rotate_left(1);
    let ordered = stand.door.send(change(TestRequest::put(), "").set_json(json!({ "order": ids }))).await;
    assert_eq!((ordered.status, listed(&ordered)), (200, ids.clone()));
    let short = stand.door.send(change(TestRequest::put(), "").set_json(json!({ "order": ids[1..] }))).await;
    assert_eq!(short.broken(), ["body /order each_once"]);
    assert_eq!(
        stand.door.send(change(TestRequest::put(), "").set_json(json!({}))).await.broken(),
        ["body /order required"]
    );
    let one = format!("/{}", ids[0]);
    let told = stand.door.send(change(TestRequest::patch(), &one).set_json(json!({ "alt": "First" }))).await;
    assert_eq!((told.status, told.json()["alt"].clone()), (200, json!("First")));
    let told = stand.door.send(change(TestRequest::patch(), &one).set_json(json!({ "alt": null }))).await;
    assert_eq!(told.json()["alt"], json!(null));
    let same = stand.door.send(change(TestRequest::patch(), &one).set_json(json!({}))).await;
    assert_eq!((same.status, same.header("etag")), (200, told.header("etag")));
    let blank = stand.door.send(change(TestRequest::patch(), &one).set_json(json!({ "alt": " " }))).await;
    assert_eq!(blank.status, 400);
    let stale =
        change(TestRequest::delete(), &one).insert_header(("If-Match", "\"1-00000000000000000000000000000000\""));
    assert_eq!(stand.door.send(stale).await.status, 412);
    let current = change(TestRequest::delete(), &one).insert_header(("If-Match", told.header("etag").to_owned()));
    let url = stand.stored().images[0].url.clone();
    assert_eq!(stand.door.get(&url).await.status, 200);
    let gone = stand.door.send(current).await;
    assert_eq!((gone.status, gone.json()["images"].as_array().unwrap().len()), (200, 2));
    assert_eq!(stand.door.get(&url).await.status, 404);
    assert_eq!(stand.door.send(change(TestRequest::delete(), &one)).await.status, 404);
    let rest = stand.door.get(&stand.path()).await;
    assert_eq!((listed(&rest), rest.json()["total"].clone()), (ids[1..].to_vec(), json!(2)));
}

#[actix_web::test]
async fn addresses_begin_with_what_the_operator_says_and_are_taken_back() {
    let stand = Stand::new().await;
    let mut with = Stand::new().await;
    let door = Door::with(|services| services.shop.rules.media_url = "https://cdn.example".to_owned());
    with.owner = door.seller().await;
    with.product = door.fixtures.stored_product(with.owner.seller.unwrap(), |product| product.images.clear()).await;
    with.door = door;
    for (stand, begin) in [(stand, "/media/"), (with, "https://cdn.example/media/")] {
        let made = stand.send("image/jpeg", FILE).await.json();
        for address in [&made["url"], &made["thumbnailUrl"]] {
            assert!(address.as_str().unwrap().starts_with(begin), "{address}");
        }
        let link = "https://example.com/a.jpg";
        let patch = TestRequest::patch().uri(&format!("/api/v1/products/{}", stand.product.id));
        let patch = patch.insert_header(stand.door.bearer(&stand.owner));
        let after = stand.door.send(patch.set_json(json!({ "images": [link, made["url"]] }))).await;
        assert_eq!(after.status, 200, "{}", after.text);
        let images = after.json()["images"].clone();
        assert_eq!((&images[0]["url"], &images[0]["thumbnailUrl"]), (&json!(link), &json!(null)));
        assert_eq!(images[1], {
            let mut shown = made.clone();
            shown.as_object_mut().unwrap().remove("original");
            shown
        });
    }
}
