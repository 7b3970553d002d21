//! Products over HTTP.

use actix_web::test::TestRequest;
use domain::{
    catalog::{Product, ProductStatus},
    money::Amount,
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

async fn lamp(door: &Door, price: i64) -> Product {
    let seller = door.seller().await.seller.unwrap();
    door.fixtures.stored_product(seller, |product| product.price = Amount(price)).await
}

async fn patch(door: &Door, by: &domain::Principal, id: &str, header: Option<(&str, &str)>, body: &Value) -> Reply {
    let mut request = TestRequest::patch().uri(id).insert_header(door.bearer(by)).set_json(body);
    if let Some(header) = header {
        request = request.insert_header(header);
    }
    door.send(request).await
}

#[actix_web::test]
async fn a_product_is_created_read_changed_deleted_and_restored() {
    let door = Door::new();
    let seller = door.seller().await;
    let body = json!({ "name": "Café lamp", "price": 19.9, "stock": 3, "images": ["https://e.example/1.jpg"] });
    let created = door.post("/api/v1/products", &seller, &body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert!(created.text.contains("\"price\":19.90,"), "exact to the minor unit: {}", created.text);
    let path = created.header("location").to_owned();
    let read = door.get(&path).await;
    assert_eq!((read.status, read.json()["slug"].clone()), (200, json!("cafe-lamp")));
    assert_eq!(read.json()["images"][0]["url"], "https://e.example/1.jpg");
    let tag = read.header("etag").to_owned();
    assert!(tag.starts_with("\"1-"), "{tag}");
    let unchanged = door.send(TestRequest::get().uri(&path).insert_header(("If-None-Match", tag.as_str()))).await;
    assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
    let changed = patch(&door, &seller, &path, Some(("If-Match", &tag)), &json!({ "name": "Tall lamp" })).await;
    assert_eq!((changed.status, changed.json()["version"].clone()), (200, json!(2)), "{}", changed.text);
    let moved = door.get("/api/v1/products/by-slug/cafe-lamp").await;
    assert_eq!((moved.status, moved.header("location")), (308, "/api/v1/products/by-slug/tall-lamp"));
    let deleted = door.send(TestRequest::delete().uri(&path).insert_header(door.bearer(&seller))).await;
    assert_eq!((deleted.status, deleted.json()), (200, json!({ "success": true })));
    let gone = door.get(&path).await;
    assert_eq!((gone.status, gone.json()["error"]["message"].clone()), (404, json!("Product not found")));
    let list = TestRequest::get().uri("/api/v1/products/deleted").insert_header(door.bearer(&seller));
    assert_eq!(door.send(list).await.json()["total"], 1);
    let restored = door.post(&format!("{path}/restore"), &seller, &Value::Null).await;
    assert_eq!((restored.status, door.get(&path).await.status), (200, 200));
}

#[actix_web::test]
async fn stale_writes_are_told_apart() {
    let door = Door::new();
    let seller = door.seller().await;
    let created = door.post("/api/v1/products", &seller, &json!({ "name": "Lamp", "price": 1 })).await;
    let path = created.header("location").to_owned();
    assert_eq!(patch(&door, &seller, &path, None, &json!({ "stock": 1 })).await.status, 200);
    let body = json!({ "stock": 2, "version": 1 });
    let stale_body = patch(&door, &seller, &path, None, &body).await;
    assert_eq!((stale_body.status, stale_body.code()), (409, "CONFLICT".to_owned()));
    assert_eq!(stale_body.json()["error"]["message"], "Product was modified by another user");
    let tag = |version: u8| format!("\"{version}-00ff00ff00ff00ff\"");
    let stale_header = patch(&door, &seller, &path, Some(("If-Match", &tag(1))), &json!({ "stock": 2 })).await;
    assert_eq!((stale_header.status, stale_header.code()), (412, "PRECONDITION_FAILED".to_owned()));
    for (tags, status) in [
        (format!("{}, {}", tag(1), tag(9)), 412),
        (format!("W/{}", tag(2)), 412),
        // What we never gave matches nothing, whatever number it begins with.
        ("\"2\"".to_owned(), 412),
        ("\"2-x\"".to_owned(), 412),
        ("2".to_owned(), 400),
        (format!("*, {}", tag(2)), 400),
        (format!("{},\"2\" , {}", tag(9), tag(2)), 200),
        ("*".to_owned(), 200),
    ] {
        let answer = patch(&door, &seller, &path, Some(("If-Match", &tags)), &json!({ "stock": 2 })).await;
        assert_eq!(answer.status, status, "{tags}: {}", answer.text);
    }
    let both = patch(&door, &seller, &path, Some(("If-Match", &tag(2))), &body).await;
    assert_eq!(both.broken(), ["body /version consistent"]);
    let strict = Door::with(|services| services.settings.require_if_match = true);
    let ada = strict.seller().await;
    let product = strict.fixtures.stored_product(ada.seller.unwrap(), |_| {}).await;
    let without = patch(&strict, &ada, &format!("/api/v1/products/{}", product.id), None, &json!({})).await;
    assert_eq!((without.status, without.code()), (428, "PRECONDITION_REQUIRED".to_owned()));
}

#[actix_web::test]
async fn another_seller_cannot_edit_and_does_not_see_drafts() {
    let door = Door::new();
    let (ada, bob) = (door.seller().await, door.seller().await);
    let shown = door.fixtures.stored_product(ada.seller.unwrap(), |_| {}).await;
    let draft = door.fixtures.stored_product(ada.seller.unwrap(), |p| p.status = ProductStatus::Draft).await;
    let path = format!("/api/v1/products/{}", shown.id);
    let refused = patch(&door, &bob, &path, None, &json!({ "stock": 2 })).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["message"].clone()),
        (403, json!("You cannot edit this product"))
    );
    let hidden = format!("/api/v1/products/{}", draft.id);
    assert_eq!(patch(&door, &bob, &hidden, None, &json!({ "stock": 2 })).await.status, 404);
    assert_eq!(door.get(&hidden).await.status, 404);
    let drafts = |by| TestRequest::get().uri("/api/v1/products?status=draft").insert_header(door.bearer(by));
    assert_eq!(door.send(drafts(&ada)).await.json()["total"], 1);
    assert_eq!(door.send(drafts(&bob)).await.json()["total"], 0);
    door.fixtures.stored_product(ada.seller.unwrap(), |p| p.status = ProductStatus::Archived).await;
    for query in ["status=draft&status=archived", "status[]=draft&status[]=archived", "status[0]=archived&status=draft"]
    {
        let list = TestRequest::get().uri(&format!("/api/v1/products?{query}")).insert_header(door.bearer(&ada));
        assert_eq!(door.send(list).await.json()["total"], 2, "{query}");
    }
    let both = TestRequest::get().uri("/api/v1/products?status=draft&status=lost").insert_header(door.bearer(&ada));
    assert_eq!(door.send(both).await.broken(), ["query status enum"]);
    assert_eq!(door.get("/api/v1/products?status=draft").await.status, 401);
}

#[actix_web::test]
async fn every_fault_of_a_body_is_told_at_once() {
    let door = Door::new();
    let seller = door.seller().await;
    let body = json!({ "name": "ab", "price": "9", "stock": -1, "images": ["ftp://x"], "colour": "red" });
    let refused = door.post("/api/v1/products", &seller, &body).await;
    let expected = ["body /price number", "body /name min_length", "body /stock range", "body /images/0 url"];
    assert_eq!(refused.broken().get(..4).unwrap(), expected, "{}", refused.text);
    assert_eq!(refused.broken().get(4..).unwrap(), ["body /colour unknown"]);
    assert_eq!((refused.status, refused.code()), (400, "VALIDATION_ERROR".to_owned()));
}

#[actix_web::test]
async fn lists_are_filtered_sorted_and_paged() {
    let door = Door::new();
    for price in [300, 100, 200] {
        lamp(&door, price).await;
    }
    let page = door.get("/api/v1/products?sortBy=price&sortOrder=asc&limit=2").await.json();
    let prices: Vec<f64> = page["items"].as_array().unwrap().iter().map(|p| p["price"].as_f64().unwrap()).collect();
    assert_eq!((prices, &page["total"], &page["pages"]), (vec![1.0, 2.0], &json!(3), &json!(2)));
    assert_eq!(door.get("/api/v1/products?minPrice=1.5&maxPrice=2").await.json()["total"], 1);
    assert_eq!(door.get("/api/v1/products?search=%20").await.json()["total"], 3, "a blank search is absent");
    let broken = door.get("/api/v1/products?minPrice=3&maxPrice=2").await;
    assert_eq!(broken.broken(), ["query minPrice range"]);
    let faults = door.get("/api/v1/products?limit=0&page=x&categoryId=1&colour=red&sortBy=name").await;
    let expected =
        ["query page range", "query limit range", "query sortBy enum", "query categoryId uuid", "query colour unknown"];
    assert_eq!(faults.broken(), expected);
}

#[actix_web::test]
async fn a_cursor_walks_the_whole_list_and_belongs_to_its_filter() {
    let door = Door::new();
    for price in [300, 100, 200, 100, 500] {
        lamp(&door, price).await;
    }
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let path = format!("/api/v1/products?sortBy=price&sortOrder=asc&limit=2&cursor={cursor}");
        let slice = door.get(&path).await.json();
        seen.extend(slice["items"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap().to_owned()));
        match slice["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    let whole = door.get("/api/v1/products?sortBy=price&sortOrder=asc").await.json();
    let all: Vec<_> = whole["items"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((seen.len(), &seen), (5, &all));
    for bad in [format!("limit=2&cursor={cursor}"), "cursor=garbage".to_owned()] {
        assert_eq!(door.get(&format!("/api/v1/products?{bad}")).await.broken(), ["query cursor cursor"]);
    }
}

#[actix_web::test]
async fn stock_changes_leave_the_version_and_a_sight_is_noted() {
    let door = Door::new();
    let seller = door.seller().await;
    let product = door.fixtures.stored_product(seller.seller.unwrap(), |_| {}).await;
    let path = format!("/api/v1/products/{}", product.id);
    let taken = door.post(&format!("{path}/stock-adjustments"), &seller, &json!({ "delta": -4 })).await;
    assert_eq!((taken.status, taken.json()["stock"].clone()), (200, json!(6)), "{}", taken.text);
    let too_many = door.post(&format!("{path}/stock-adjustments"), &seller, &json!({ "delta": -7 })).await;
    assert_eq!(too_many.status, 409);
    let read = door.send(TestRequest::get().uri(&path).insert_header(door.bearer(&seller))).await;
    assert_eq!((read.json()["version"].clone(), read.json()["stock"].clone()), (json!(1), json!(6)));
    door.get(&path).await;
    let seen = door.seen.0.lock().unwrap();
    assert_eq!(seen.iter().map(|view| (view.product, view.user)).collect::<Vec<_>>(), [(product.id, seller.user)]);
}

#[actix_web::test]
async fn answers_name_what_they_show_where_a_cdn_is_to_purge_them() {
    for wanted in [false, true] {
        let door = Door::with(|services| services.settings.cache.surrogate_keys = wanted);
        let product = lamp(&door, 5).await;
        let one = format!("product:{} categories", product.id);
        let (get, list) = (format!("/api/v1/products/{}", product.id), "/api/v1/products?limit=3".to_owned());
        for (path, names) in [(get, one.as_str()), (list, "products categories")] {
            let reply = door.get(&path).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let names = if wanted { names } else { "" };
            assert_eq!(reply.header("surrogate-key"), names);
            assert_eq!(reply.header("cache-tag"), names.replace(' ', ","));
            let varies = reply.headers.get_all("vary").any(|vary| vary == "authorization, cookie");
            assert_eq!(varies, wanted, "{:?}", reply.headers);
        }
    }
}
