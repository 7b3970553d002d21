//! A disk that fills up: what is brought is refused with its reason, reads go on, what was accepted is done once there is room,
//! and nothing is half there.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;
use souk_e2e::{Client, Database, Reply, Server, bytes, on_each_database};

use crate::{images::CAT, models3d, shop};

on_each_database!(
    a_full_disk_is_told_and_reads_go_on,
    every_door_tells_of_a_full_disk,
    what_was_accepted_waits_for_room
);

/// A small file system that is there as long as this value.
struct Small(PathBuf);

impl Small {
    /// Mounts one of so many MiB, which takes root.
    fn mount(at: PathBuf, mib: u32) -> Self {
        std::fs::create_dir_all(&at).unwrap();
        let options = format!("size={mib}m,mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&at).status();
        assert!(
            mounted.is_ok_and(|status| status.success()),
            "this test fills a small disk, and to mount one takes root: run it as root, or in a container that may mount"
        );
        Self(at)
    }

    /// Fills it but for so many pages; what fills it is gone with the value given.
    fn fill(&self, pages: usize) -> Filling {
        let path = self.0.join("filling");
        let mut file = File::create(&path).unwrap();
        let page = [7; 4096];
        let mut written = 0_u64;
        while file.write_all(&page).is_ok() {
            written += 4096;
        }
        file.set_len(written - 4096 * u64::try_from(pages).unwrap()).unwrap();
        Filling(path)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// What takes the room.
struct Filling(PathBuf);

impl Drop for Filling {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A server whose files lie on a disk of 8 MiB.
async fn on_a_small_disk(database: Database) -> (Server, Small) {
    let mut server = Server::prepared(database, &[]);
    let disk = Small::mount(server.folder().join("data/blobs"), 8);
    server.run().await;
    (server, disk)
}

async fn bring(seller: &Client, path: &str, kind: &str, bytes: Vec<u8>) -> Reply {
    seller.send(seller.request("POST", path).header("Content-Type", kind).body(bytes)).await
}

fn nothing_is_staged(server: &Server) {
    let staging = server.folder().join("data/blobs/staging");
    let files = std::fs::read_dir(staging).unwrap().filter(|entry| is_file(&entry.as_ref().unwrap().path()));
    assert_eq!(files.count(), 0);
}

fn is_file(path: &Path) -> bool {
    path.is_file()
}

async fn a_full_disk_is_told_and_reads_go_on(database: Database) {
    let (server, _disk) = on_a_small_disk(database).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let files = |name: &str| format!("{}/files?name={name}", shop::path(&product));
    let (kind, kept) = ("application/octet-stream", bytes(1024 * 1024, 5));
    let file = bring(&seller, &files("kept"), kind, kept.clone()).await.expect(201).json();
    let full = bring(&seller, &files("full"), kind, bytes(20 * 1024 * 1024, 6)).await;
    let error = full.error(507, "INSUFFICIENT_STORAGE");
    assert!(error["message"].as_str().unwrap().contains("no room left"), "{error}");
    assert!(seller.get(file["contentUrl"].as_str().unwrap()).await.expect(200).body == kept);
    seller.get(&shop::path(&product)).await.expect(200);
    // What did not fit left nothing, so there is room for what does.
    nothing_is_staged(&server);
    bring(&seller, &files("fits"), kind, bytes(4 * 1024 * 1024, 7)).await.expect(201);
    server.client().get("/ready").await.expect(200);
}

async fn every_door_tells_of_a_full_disk(database: Database) {
    let (server, disk) = on_a_small_disk(database).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let images = format!("{}/images", shop::path(&product));
    let models = format!("/api/v1/models3d?fileName=cube.stl&productId={}", product["id"].as_str().unwrap());
    let begin = seller
        .request("POST", "/api/v1/uploads")
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Length", "5000")
        .header("Upload-Metadata", format!("filename cGxhbg==,productId {}", base64(product["id"].as_str().unwrap())));
    let answer = seller.send(begin).await.expect(201);
    let upload = answer.header("location");
    let upload = upload[upload.find("/api/").unwrap()..].to_owned();
    let portion = async || {
        let request = seller
            .request("PATCH", &upload)
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Offset", "0")
            .header("Content-Type", "application/offset+octet-stream");
        seller.send(request.body(bytes(5000, 3))).await
    };

    let filling = disk.fill(0);
    bring(&seller, &images, "image/jpeg", CAT.to_vec()).await.error(507, "INSUFFICIENT_STORAGE");
    bring(&seller, &models, "application/octet-stream", models3d::binary()).await.error(507, "INSUFFICIENT_STORAGE");
    portion().await.error(507, "INSUFFICIENT_STORAGE");
    nothing_is_staged(&server);
    assert_eq!(seller.get(&upload).await.expect(200).json()["offset"], 0);
    assert_eq!(seller.get(&shop::path(&product)).await.expect(200).json()["images"], product["images"]);
    let tables = server.tables();
    assert_eq!(tables.run("SELECT count(*) FROM blobs WHERE refs > 0"), [["0"]], "nothing is held");

    drop(filling);
    bring(&seller, &images, "image/jpeg", CAT.to_vec()).await.expect(201);
    bring(&seller, &models, "application/octet-stream", models3d::binary()).await.expect(201);
    portion().await.expect(204);
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

async fn what_was_accepted_waits_for_room(database: Database) {
    let (server, disk) = on_a_small_disk(database).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let models = format!("/api/v1/models3d?fileName=cube.stl&productId={}", product["id"].as_str().unwrap());
    // The first one makes the folders; then there is room for the file of another, and for none of its pictures.
    let first = bring(&seller, &models, "application/octet-stream", models3d::binary()).await.expect(201).json();
    ends(&seller, &first, &server).await;
    let filling = disk.fill(2);
    let mut moved = models3d::binary();
    moved[84 + 12] ^= 1;
    let second = bring(&seller, &models, "application/octet-stream", moved).await.expect(201).json();
    let told = |log: &str| log.contains("process_model") && log.contains("no room left");
    let end = Instant::now() + Duration::from_secs(30);
    while !told(&server.log()) {
        assert!(Instant::now() < end, "the examination did not meet the full disk:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let path = format!("/api/v1/models3d/{}/versions/1", second["id"].as_str().unwrap());
    assert_eq!(seller.get(&path).await.expect(200).json()["state"], "processing");
    drop(filling);
    assert_eq!(ends(&seller, &second, &server).await["state"], "ready");
}

/// The first version of a model, when nothing is to be done for it any more.
async fn ends(seller: &Client, model: &Value, server: &Server) -> Value {
    let path = format!("/api/v1/models3d/{}/versions/1", model["id"].as_str().unwrap());
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        let version = seller.get(&path).await.expect(200).json();
        if version["state"] != "processing" {
            return version;
        }
        assert!(Instant::now() < end, "{version}:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
