//! 3D models over the real binary: what people bring is examined, whatever happens to the process meanwhile.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, Events, Server, on_each_database};

use crate::shop;

on_each_database!(
    models_of_every_format_are_the_same_everywhere,
    a_copy_tells_whose_it_is,
    how_far_a_model_is_is_heard,
    every_accepted_model_is_examined_after_a_kill,
);

/// A cube of 20 mm as STL of fixed records, whose header says it were text.
pub(crate) fn binary() -> Vec<u8> {
    let mut bytes = b"solid cube".to_vec();
    bytes.resize(80, 0);
    let facets = cube();
    bytes.extend(u32::try_from(facets.len()).unwrap().to_le_bytes());
    for facet in facets {
        bytes.extend([0; 12]);
        bytes.extend(facet.iter().flatten().flat_map(|x| x.to_le_bytes()));
        bytes.extend([0; 2]);
    }
    bytes
}

fn ascii() -> Vec<u8> {
    let mut text = b"solid caf\xe9\n".to_vec();
    for facet in cube() {
        let mut part = "facet normal 0 0 0\nouter loop\n".to_owned();
        for [x, y, z] in facet {
            writeln!(part, "vertex {x} {y} {z}").unwrap();
        }
        text.extend((part + "endloop\nendfacet\n").bytes());
    }
    text.extend(b"endsolid\n");
    text
}

fn obj() -> Vec<u8> {
    let mut text = "# a cube\n".to_owned();
    let faces = cube();
    for [x, y, z] in faces.iter().flatten() {
        writeln!(text, "v {x} {y} {z}").unwrap();
    }
    for at in 0..faces.len() {
        writeln!(text, "f {} {} {}", at * 3 + 1, at * 3 + 2, at * 3 + 3).unwrap();
    }
    text.into_bytes()
}

/// The same cube in centimetres.
fn three_mf() -> Vec<u8> {
    use std::io::{Cursor, Write as _};
    let mut text = "<?xml version=\"1.0\"?><model unit=\"centimeter\" xmlns=\"http://schemas.microsoft.com/3dmanufacturing/core/2015/02\">\
                    <resources><object id=\"1\"><mesh><vertices>"
        .to_owned();
    let faces = cube();
    for [x, y, z] in faces.iter().flatten() {
        write!(text, "<vertex x=\"{}\" y=\"{}\" z=\"{}\"/>", x / 10.0, y / 10.0, z / 10.0).unwrap();
    }
    text += "</vertices><triangles>";
    for at in 0..faces.len() {
        write!(text, "<triangle v1=\"{}\" v2=\"{}\" v3=\"{}\"/>", at * 3, at * 3 + 1, at * 3 + 2).unwrap();
    }
    text += "</triangles></mesh></object></resources><build><item objectid=\"1\"/></build></model>";
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("3D/3dmodel.model", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(text.as_bytes()).unwrap();
    archive.finish().unwrap().into_inner()
}

fn cube() -> Vec<[[f32; 3]; 3]> {
    let corner = |n: u8| [0, 1, 2].map(|axis| if n >> axis & 1 == 0 { 0.0 } else { 20.0 });
    let sides = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
    let halves = sides.into_iter().flat_map(|[a, b, c, d]| [[a, b, c], [a, c, d]]);
    halves.map(|half| half.map(corner)).collect()
}

async fn bring(client: &Client, path: &str, bytes: Vec<u8>) -> Value {
    let request = client.request("POST", path).header("content-type", "application/octet-stream").body(bytes);
    client.send(request).await.expect(201).json()
}

/// The version, when nothing is to be done for it any more.
async fn done(client: &Client, model: &str, number: u64) -> Value {
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        let version = client.get(&format!("/api/v1/models3d/{model}/versions/{number}")).await.expect(200).json();
        if version["state"] != "processing" {
            return version;
        }
        assert!(Instant::now() < until, "it was not examined: {version}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn models_of_every_format_are_the_same_everywhere(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let several = matches!(database, Database::Postgres { .. });
    let path = folder.path().join("blobs");
    let settings = [("SOUK__BLOBS__PATH", path.to_str().unwrap())];
    let cluster = Cluster::start(database, if several { 2 } else { 1 }, &settings).await;
    let (here, there) = (&cluster.nodes[0], cluster.nodes.last().unwrap());
    let seller = here.signed_in("seller").await;
    let other = seller.at(there.url());
    let product = shop::create(&seller, &shop::lamp()).await;
    let product = product["id"].as_str().unwrap();
    let made = bring(&seller, &format!("/api/v1/models3d?productId={product}&fileName=cube.stl"), binary()).await;
    let model = made["id"].as_str().unwrap();
    for (name, bytes) in [("cube.STL", ascii()), ("cube.obj", obj()), ("cube.3mf", three_mf())] {
        bring(&seller, &format!("/api/v1/models3d/{model}/versions?fileName={name}"), bytes).await;
    }
    for (number, format) in [(1, "stl-binary"), (2, "stl-ascii"), (3, "obj"), (4, "3mf")] {
        // Whichever node examined it, the other shows it.
        let version = done(&other, model, number).await;
        let told = (version["state"].as_str(), version["fileFormat"].as_str());
        assert_eq!(told, (Some("ready"), Some(format)), "{version}");
        let findings = &version["findings"];
        for (found, expected) in
            [(&findings["volume"], 8000.0), (&findings["area"], 2400.0), (&findings["size"]["z"], 20.0)]
        {
            let found = found.as_f64().unwrap();
            assert!((found / expected - 1.0).abs() < 1e-5, "{format}: {found} is not {expected}");
        }
        let shape = &findings["shape"];
        assert_eq!((&shape["closed"], &shape["edges"], &shape["shells"]), (&true.into(), &18.into(), &1.into()));
        for picture in version["previews"].as_array().unwrap() {
            let taken = other.anonymous().get(picture["url"].as_str().unwrap()).await.expect(200);
            assert_eq!(taken.header("content-type"), "image/png");
            assert!(taken.body.starts_with(b"\x89PNG"));
            assert_eq!(u64::try_from(taken.body.len()).unwrap(), picture["bytes"].as_u64().unwrap());
        }
        let copy = other.get(version["copy"]["url"].as_str().unwrap()).await.expect(200);
        assert!(copy.body.starts_with(b"glTF"));
    }
    let file = other.get(&format!("/api/v1/models3d/{model}/versions/1/file")).await.expect(200);
    assert_eq!(file.body, binary());
    let quote = other.get(&format!("/api/v1/models3d/{model}/quote?material=pla")).await.expect(200).json();
    assert_eq!((&quote["version"], &quote["currency"]), (&4.into(), &"EUR".into()));
    // What is no model is refused, or fails and says why.
    let mut endless = binary();
    endless[84 + 12..84 + 16].copy_from_slice(&f32::NAN.to_le_bytes());
    bring(&seller, &format!("/api/v1/models3d/{model}/versions?fileName=nan.stl"), endless).await;
    let failed = done(&other, model, 5).await;
    assert_eq!((&failed["state"], &failed["fault"]["code"]), (&"failed".into(), &"NOT_FINITE".into()));
    let mut cut = binary();
    cut.pop();
    let path = format!("/api/v1/models3d/{model}/versions?fileName=cut.stl");
    let refused = seller.send(seller.request("POST", &path).body(cut)).await;
    refused.error(400, "VALIDATION_ERROR");
    seller.delete(&format!("/api/v1/models3d/{model}")).await.expect(200);
    other.get(&format!("/api/v1/models3d/{model}")).await.error(404, "NOT_FOUND");
    let tables = here.tables();
    assert_eq!(tables.run("SELECT count(*) FROM blobs WHERE refs > 0"), [["0"]], "nothing is held any more");
    assert_eq!(tables.run("SELECT count(*) FROM storage_usage WHERE bytes > 0"), [["0"]]);
}

async fn a_copy_tells_whose_it_is(database: Database) {
    let server = Server::start(database).await;
    let (seller, buyer) = (server.signed_in("seller").await, server.signed_in("buyer").await);
    let product = shop::create(&seller, &shop::lamp()).await;
    let made = format!("/api/v1/models3d?fileName=cube.stl&productId={}", product["id"].as_str().unwrap());
    let model = format!("/api/v1/models3d/{}", bring(&seller, &made, binary()).await["id"].as_str().unwrap());
    for (name, bytes) in [("cube.stl", ascii()), ("cube.obj", obj()), ("cube.3mf", three_mf())] {
        bring(&seller, &format!("{model}/versions?fileName={name}"), bytes).await;
    }
    let file = |number: u64| format!("{model}/versions/{number}/file");
    buyer.get(&file(1)).await.error(404, "NOT_FOUND");
    let me = buyer.get("/api/v1/users/me").await.expect(200).json();
    let grants = format!("{}/grants", shop::path(&product));
    seller.put(&format!("{grants}/{}", me["id"].as_str().unwrap()), &json!({})).await.expect(200);
    let grant = seller.get(&grants).await.expect(200).json()["items"][0]["id"].as_str().unwrap().to_owned();
    let holds = |bytes: &[u8]| bytes.windows(grant.len()).any(|window| window == grant.as_bytes());
    for (number, name, brought, marked) in [
        (1, "a.stl", binary(), true),
        (2, "b.stl", ascii(), false),
        (3, "c.obj", obj(), true),
        (4, "d.3mf", three_mf(), true),
    ] {
        let own = seller.get(&file(number)).await.expect(200);
        assert!(own.body == brought, "{name}: who sells it gets what was brought");
        let copy = buyer.get(&file(number)).await.expect(200);
        assert_eq!((holds(&copy.body), copy.body == brought), (marked, !marked), "{name}");
        assert_eq!(copy.header("etag") == own.header("etag"), !marked, "{name}");
        // What is asked for in parts is the same copy.
        let part = buyer.send(buyer.request("GET", &file(number)).header("Range", "bytes=70-")).await.expect(206);
        assert!(part.body == copy.body[70..], "{name}");
        // It is a model like the one it is a copy of.
        let again = bring(&seller, &format!("{model}/versions?fileName={name}"), copy.body).await;
        let again = done(&seller, &model["/api/v1/models3d/".len()..], again["number"].as_u64().unwrap()).await;
        let first = done(&seller, &model["/api/v1/models3d/".len()..], number).await;
        assert_eq!((&again["state"], &again["findings"]), (&"ready".into(), &first["findings"]), "{name}");
    }
}

async fn how_far_a_model_is_is_heard(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let product = product["id"].as_str().unwrap();
    let path = format!("/api/v1/events?topics=models:{product}");
    let mut events = Events::open(server.client().request("GET", &path)).await;
    let made =
        bring(&seller, &format!("/api/v1/models3d?productId={product}&fileName=cube.stl&name=Cube"), binary()).await;
    let mut heard = Vec::new();
    while heard.last() != Some(&100) {
        let told = events.told().await.data.unwrap();
        assert_eq!((&told["type"], &told["modelId"]), (&"model.changed".into(), &made["id"]), "{told}");
        assert_eq!((&told["name"], &told["version"]), (&"Cube".into(), &1.into()), "{told}");
        heard.push(told["progress"].as_u64().unwrap());
    }
    assert_eq!(heard, [0, 50, 100]);
    let other = shop::create(&seller, &shop::lamp()).await;
    let model = format!("/api/v1/models3d/{}", made["id"].as_str().unwrap());
    seller.patch(&model, &json!({ "productId": other["id"] })).await.expect(200);
    assert_eq!(events.told().await.kind(), "model.deleted", "for who looks at the product it left");
    seller.patch(&model, &json!({ "productId": product, "name": "Die" })).await.expect(200);
    assert_eq!(events.told().await.data.unwrap()["name"], "Die");
    seller.delete(&format!("/api/v1/models3d/{}", made["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(events.told().await.kind(), "model.deleted");
}

/// How many kills; `scripts/soak` asks for more.
#[expect(clippy::disallowed_methods, reason = "the test runner says by environment how long a test is")]
fn kills() -> u64 {
    std::env::var("SOUK_MODEL_KILLS").map_or(5, |text| text.parse().expect("SOUK_MODEL_KILLS is a number"))
}

async fn every_accepted_model_is_examined_after_a_kill(database: Database) {
    let mut server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let path = format!("/api/v1/models3d?fileName=cube.stl&productId={}", product["id"].as_str().unwrap());
    let mut accepted = Vec::new();
    for kill in 0..kills() {
        for _ in 0..3 {
            accepted.push(bring(&seller.at(server.url()), &path, binary()).await["id"].as_str().unwrap().to_owned());
        }
        // Each time in another moment of the examination.
        tokio::time::sleep(Duration::from_millis(kill * 67 % 300)).await;
        server.kill();
        server.run().await;
    }
    let seller = server.signed_in("seller").await;
    for model in &accepted {
        let version = done(&seller, model, 1).await;
        assert_eq!(version["state"], "ready", "{version}");
        seller.get(version["copy"]["url"].as_str().unwrap()).await.expect(200);
    }
    let tables = server.tables();
    let held = tables.run("SELECT sum(refs) FROM blobs");
    assert_eq!(held, [[(accepted.len() * 5).to_string()]], "a file and four renditions each, whatever was tried twice");
    let orphans = tables.run(
        "SELECT count(*) FROM model_renditions r LEFT JOIN model_versions v \
         ON v.model_id = r.model_id AND v.number = r.number WHERE v.model_id IS NULL OR v.state <> 'ready'",
    );
    assert_eq!(orphans, [["0"]]);
}
