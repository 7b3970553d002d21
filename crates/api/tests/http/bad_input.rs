//! Input made to hurt: refused in kind, with the field named.

use actix_web::test::TestRequest;

use crate::setup::Door;

#[actix_web::test]
async fn bodies_made_to_hurt_are_refused_by_field() {
    let door = Door::new();
    let seller = door.seller().await;
    let deep = format!(r#"{{"metadata":{{"a":{}1{}}}}}"#, r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    for (body, broken) in [
        (deep.as_str(), "body /metadata object"),
        (r#"{"name":"Lamp","price":1e400}"#, "body /price max"),
        (r#"{"name":"Lamp","price":-1e-400}"#, "body /price fraction_digits"),
        (r#"{"name":"a","name":"b","price":1}"#, "body /name duplicate"),
        (r#"{"name":"La\u0000mp","price":1}"#, "body /name control_character"),
        (r#"{"name":"\ud800 lamp","price":1}"#, "body /name string"),
        (r#"{"name":"Lamp","price":1,"metadata":{"a":"\u0000"}}"#, "body /metadata control_character"),
        (r#"{"name":"Lamp","price":1,"images":[{"url":"x"}]}"#, "body /images/0 string"),
        (r#"{"name":"Lamp","price":1,"foo":{"bar":1}}"#, "body /foo unknown"),
        (r#"{"name":"Lamp","price":1,"stock":1e3}"#, "body /stock integer"),
    ] {
        let request = TestRequest::post().uri("/api/v1/products").insert_header(door.bearer(&seller));
        let request = request.insert_header(("Content-Type", "application/json")).set_payload(body.to_owned());
        let answer = door.send(request).await;
        assert_eq!(answer.status, 400, "{body:.60}");
        assert!(answer.broken().iter().any(|one| one == broken), "{body:.60}: {:?}", answer.broken());
    }
}

#[actix_web::test]
async fn queries_made_to_hurt_are_refused_by_field() {
    let door = Door::new();
    for (query, broken) in [
        ("limit=", "query limit range"),
        ("search=%ff", "query search encoding"),
        ("search=%00", "query search control_character"),
        ("minPrice=1e400", "query minPrice max"),
        ("minPrice=NaN", "query minPrice number"),
        ("cursor=garbage", "query cursor cursor"),
    ] {
        let answer = door.get(&format!("/api/v1/products?{query}")).await;
        assert_eq!((answer.status, answer.broken()), (400, vec![broken.to_owned()]), "{query}");
    }
    let seller = door.seller().await;
    door.fixtures.stored_product(seller.seller.unwrap(), |_| ()).await;
    for (query, total) in [("minPrice=0", 1), ("maxPrice=0", 0)] {
        let list = door.get(&format!("/api/v1/products?{query}")).await.json();
        assert_eq!(list["total"], total, "zero is a value: {query}");
    }
}
