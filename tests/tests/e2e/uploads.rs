//! Uploads that go on where they broke off, brought by `tus-js-client`.

use std::{
    io::Write as _,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use souk_e2e::{Bucket, Client, Database, Server, bytes, on_each_database};

use crate::shop;

on_each_database!(
    an_upload_goes_on_after_an_abort_and_a_kill,
    what_came_of_a_cut_request_stays,
    an_upload_outlasts_many_kills,
    portions_lie_in_a_bucket,
    an_upload_is_terminated,
    what_is_brought_as_a_model_is_examined
);

/// More than two portions, and no round number.
const LONG: usize = 17 * 1024 * 1024 + 3;

/// A file to be brought.
struct Bringing {
    file: PathBuf,
    metadata: Value,
    _folder: tempfile::TempDir,
}

impl Bringing {
    fn new(bytes: &[u8], metadata: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, bytes).unwrap();
        Self { file, metadata, _folder: folder }
    }

    /// The client, not yet at its end.
    fn client(&self, server: &Server, seller: &Client, more: &Value) -> tokio::process::Command {
        let mut asked = json!({
            "endpoint": format!("{}/api/v1/uploads", server.url()),
            "token": seller.token(),
            "file": self.file,
            "metadata": self.metadata,
        });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("uploads");
        let mut command = tokio::process::Command::new("node");
        command.arg("upload.mjs").arg(asked.to_string()).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// What the client says at its end.
    async fn run(&self, server: &Server, seller: &Client, more: &Value) -> Value {
        let output = self.client(server, seller, more).output().await;
        let output = output.expect("Node.js and the packages of tests/uploads; scripts/test installs both");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str(&said).unwrap_or_else(|_| {
            panic!("{said}{}\n{}", String::from_utf8_lossy(&output.stderr), server.log());
        })
    }
}

/// The path of an upload; a server that was started again has another port.
fn path(told: &Value) -> String {
    let url = told["url"].as_str().unwrap();
    url[url.find("/api/").unwrap()..].to_owned()
}

/// Looks at an upload until it is handed over.
async fn ended(seller: &Client, path: &str, server: &Server) -> Value {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        let upload = seller.get(path).await.expect(200).json();
        if upload["state"] != "finishing" && upload["state"] != "receiving" {
            return upload;
        }
        assert!(Instant::now() < end, "{upload} does not end:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn file(seller: &Client) -> Value {
    let product = shop::create(seller, &shop::lamp()).await;
    json!({ "filename": "Bauplan ü.bin", "productId": product["id"], "visibility": "public" })
}

/// The bytes of the file that an upload became.
async fn content(seller: &Client, upload: &Value) -> Vec<u8> {
    let file = format!("/api/v1/files/{}", upload["fileId"].as_str().unwrap_or_else(|| panic!("{upload}")));
    let file = seller.get(&file).await.expect(200).json();
    assert_eq!(file["name"], "Bauplan ü.bin");
    seller.get(file["contentUrl"].as_str().unwrap()).await.expect(200).body
}

async fn an_upload_goes_on_after_an_abort_and_a_kill(database: Database) {
    let mut server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let long = bytes(LONG, 1);
    let bringing = Bringing::new(&long, file(&seller).await);
    let cut = bringing.run(&server, &seller, &json!({ "stopAt": 1_500_000, "chunk": 1_000_000 })).await;
    assert_eq!(cut["whole"], false, "{cut}");
    let path = path(&cut);
    assert!(seller.get(&path).await.expect(200).json()["offset"].as_u64() >= Some(1_000_000));
    server.kill();
    server.run().await;
    let seller = server.signed_in("seller").await;
    let before = seller.get(&path).await.expect(200).json();
    assert!(before["offset"].as_u64() >= Some(1_000_000), "what was told is durable: {before}");
    let url = format!("{}{path}", server.url());
    let done = bringing.run(&server, &seller, &json!({ "url": url, "chunk": 3_000_000 })).await;
    assert_eq!(done["whole"], true, "{done}");
    let upload = ended(&seller, &path, &server).await;
    assert!(content(&seller, &upload).await == long);
    let (status, said) = server.run_command(&["assets", "verify"]);
    assert!(status.success() && said.contains("verified: 1 files"), "nothing is held for the upload any more: {said}");
}

async fn what_came_of_a_cut_request_stays(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let long = bytes(LONG, 1);
    let bringing = Bringing::new(&long, file(&seller).await);
    let begun = bringing.run(&server, &seller, &json!({ "stopAt": 1, "chunk": 1000 })).await;
    let path = path(&begun);
    let at = usize::try_from(seller.get(&path).await.json()["offset"].as_u64().unwrap()).unwrap();
    let mut socket = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {at}\r\n\
         Content-Type: application/offset+octet-stream\r\nContent-Length: {}\r\n\r\n",
        seller.token(),
        LONG - at
    );
    socket.write_all(head.as_bytes()).unwrap();
    // More than a portion, and part of the next.
    let sent = at + 11_000_000;
    socket.write_all(&long[at..sent]).unwrap();
    drop(socket);
    // It counts a little after nobody waits for it.
    let end = Instant::now() + Duration::from_secs(20);
    while seller.get(&path).await.json()["offset"].as_u64() != u64::try_from(sent).ok() {
        assert!(Instant::now() < end, "what came of the cut request is not all there:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let url = format!("{}{path}", server.url());
    bringing.run(&server, &seller, &json!({ "url": url })).await;
    let upload = ended(&seller, &path, &server).await;
    assert!(content(&seller, &upload).await == long);
}

/// How many kills; `scripts/soak` asks for more.
#[expect(clippy::disallowed_methods, reason = "the test runner says by environment how long a test is")]
fn kills() -> u64 {
    std::env::var("SOUK_UPLOAD_KILLS").map_or(3, |text| text.parse().expect("SOUK_UPLOAD_KILLS is a number"))
}

async fn an_upload_outlasts_many_kills(database: Database) {
    let mut server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let long = bytes(LONG, 1);
    let bringing = Bringing::new(&long, file(&seller).await);
    let begun = bringing.run(&server, &seller, &json!({ "stopAt": 1, "chunk": 65_536 })).await;
    let path = path(&begun);
    let mut told = 0;
    for kill in 0..kills() {
        let seller = server.signed_in("seller").await;
        let url = format!("{}{path}", server.url());
        let mut client = bringing.client(&server, &seller, &json!({ "url": url, "chunk": 65_536 }));
        let client = client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(150 + kill * 37 % 400)).await;
        server.kill();
        drop(client);
        server.run().await;
        let seller = server.signed_in("seller").await;
        let upload = seller.get(&path).await.expect(200).json();
        let offset = upload["offset"].as_u64().unwrap();
        assert!(offset >= told, "what was there is there: {told}, {upload}");
        told = offset;
    }
    let seller = server.signed_in("seller").await;
    let url = format!("{}{path}", server.url());
    bringing.run(&server, &seller, &json!({ "url": url })).await;
    let upload = ended(&seller, &path, &server).await;
    assert!(content(&seller, &upload).await == long);
}

async fn portions_lie_in_a_bucket(database: Database) {
    let bucket = Bucket::fresh().await;
    let settings = [
        ("SOUK__BLOBS__BUCKET", bucket.name.as_str()),
        ("SOUK__BLOBS__ENDPOINT", bucket.url.as_str()),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("SOUK__BLOBS__STORE", "s3"),
    ];
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    let seller = server.signed_in("seller").await;
    let long = bytes(LONG, 1);
    let bringing = Bringing::new(&long, file(&seller).await);
    let cut = bringing.run(&server, &seller, &json!({ "stopAt": 6_000_000, "chunk": 2_000_000 })).await;
    let path = path(&cut);
    server.kill();
    server.run().await;
    let seller = server.signed_in("seller").await;
    let url = format!("{}{path}", server.url());
    bringing.run(&server, &seller, &json!({ "url": url })).await;
    let upload = ended(&seller, &path, &server).await;
    assert!(content(&seller, &upload).await == long);
}

async fn an_upload_is_terminated(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let bringing = Bringing::new(&bytes(3_000_000, 1), file(&seller).await);
    let cut = bringing.run(&server, &seller, &json!({ "stopAt": 500_000, "chunk": 250_000 })).await;
    let told = bringing.run(&server, &seller, &json!({ "url": cut["url"], "terminate": true })).await;
    assert_eq!(told["terminated"], true);
    seller.get(&path(&cut)).await.error(404, "NOT_FOUND");
    let (status, said) = server.run_command(&["assets", "verify"]);
    assert!(status.success() && said.contains("verified: 0 files"), "{said}");
}

async fn what_is_brought_as_a_model_is_examined(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let said = json!({ "filename": "cube.stl", "productId": product["id"], "purpose": "model", "modelName": "Cube" });
    let cube = include_bytes!("../../../crates/media/tests/models/cube-invalid-unicode.stl");
    let bringing = Bringing::new(cube, said.clone());
    let told = bringing.run(&server, &seller, &json!({ "chunk": 200 })).await;
    let upload = ended(&seller, &path(&told), &server).await;
    let model = format!("/api/v1/models3d/{}", upload["modelId"].as_str().unwrap_or_else(|| panic!("{upload}")));
    assert_eq!(
        (seller.get(&model).await.expect(200).json()["name"].clone(), &upload["version"]),
        (json!("Cube"), &json!(1))
    );
    let bad = Bringing::new(b"solid nothing\nendsolid nothing\n", said);
    let told = bad.run(&server, &seller, &json!({})).await;
    let upload = ended(&seller, &path(&told), &server).await;
    assert!(upload["state"] == "failed" && upload["problem"].is_string(), "{upload}");
}
