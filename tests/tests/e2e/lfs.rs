//! The real client of Git LFS: it pushes, clones, goes on where it broke off, and locks.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};
use souk_e2e::{Client, Database, Server, on_each_database};

use crate::shop;

on_each_database!(a_library_is_pushed_cloned_locked_and_deleted);

struct Git {
    home: PathBuf,
}

impl Git {
    fn run(&self, at: &Path, arguments: &[&str]) -> Output {
        let mut git = Command::new("git");
        git.args(arguments).current_dir(at).env_clear();
        git.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", &self.home);
        git.env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_NOSYSTEM", "1");
        git.output().expect("git runs")
    }

    fn ok(&self, at: &Path, arguments: &[&str]) -> String {
        let output = self.run(at, arguments);
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "git {arguments:?}: {}{}", said(&output.stdout), said(&output.stderr));
        said(&output.stdout)
    }

    fn refused(&self, at: &Path, arguments: &[&str]) -> String {
        let output = self.run(at, arguments);
        assert!(!output.status.success(), "git {arguments:?} was not refused");
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
    }
}

async fn key(of: &Client) -> String {
    let key = json!({ "name": "Git", "scopes": ["products:write"] });
    of.post("/api/v1/api-keys", &key).await.expect(201).json()["text"].as_str().unwrap().to_owned()
}

/// A member beside the owner of an account.
async fn member(server: &Server, owner: &Client, account: &str) -> Client {
    let email = "git@lfs.example";
    let bob = shop::person(server, email).await;
    server.tables().run(&format!("UPDATE users SET email_verified_at = created_at WHERE email = '{email}'"));
    let path = format!("/api/v1/sellers/{account}/invitations");
    let invited = owner.post(&path, &json!({ "email": email })).await.expect(201).json();
    bob.post("/api/v1/invitations/accept", &json!({ "code": invited["code"] })).await.expect(200);
    bob
}

async fn a_library_is_pushed_cloned_locked_and_deleted(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let account = seller.get("/api/v1/users/me").await.expect(200).json()["sellerId"].as_str().unwrap().to_owned();
    let slug = seller.get("/api/v1/users/me/sellers").await.expect(200).json()["items"][0]["slug"].clone();
    let slug = slug.as_str().unwrap().to_owned();
    let bob = member(&server, &seller, &account).await;
    let folder = tempfile::tempdir().unwrap();
    let git = Git { home: folder.path().to_owned() };
    for (name, value) in [("user.name", "Ada"), ("user.email", "ada@lfs.example"), ("init.defaultBranch", "main")] {
        git.ok(folder.path(), &["config", "--global", name, value]);
    }
    git.ok(folder.path(), &["lfs", "install"]);
    let bare = folder.path().join("models.git");
    git.ok(folder.path(), &["init", "--bare", "-q", bare.to_str().unwrap()]);
    let address = |key: &str| {
        let host = server.url().strip_prefix("http://").unwrap().to_owned();
        format!("http://git:{key}@{host}/lfs/{slug}/models")
    };

    // Push.
    let ours = folder.path().join("ours");
    git.ok(folder.path(), &["clone", "-q", bare.to_str().unwrap(), "ours"]);
    git.ok(&ours, &["config", "lfs.url", &address(&key(&seller).await)]);
    git.ok(&ours, &["lfs", "track", "*.stl", "--lockable"]);
    let cube = crate::models3d::binary();
    let long: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(ours.join("cube.stl"), &cube).unwrap();
    std::fs::write(ours.join("long.stl"), &long).unwrap();
    git.ok(&ours, &["add", "."]);
    git.ok(&ours, &["commit", "-q", "-m", "Models"]);
    git.ok(&ours, &["push", "-q", "origin", "main"]);
    let library = seller.get("/api/v1/libraries").await.expect(200).json()["items"][0].clone();
    let bytes = u64::try_from(cube.len() + long.len()).unwrap();
    assert_eq!((&library["objects"], &library["bytes"]), (&json!(2), &json!(bytes)), "{library}");

    // The same bytes brought over HTTP lie once.
    let product = shop::create(&seller, &shop::lamp()).await;
    let path = format!("{}/files?name=cube.stl", shop::path(&product));
    let file = seller.send(seller.request("POST", &path).body(cube.clone())).await.expect(201).json();
    let held =
        format!("SELECT refs FROM blobs b JOIN library_objects o ON o.digest = b.digest WHERE o.size = {}", cube.len());
    assert_eq!(server.tables().run(&held), [["2"]], "{file}");

    // Clone, and go on with an object that broke off.
    let theirs = folder.path().join("theirs");
    let lfs_of_bob = address(&key(&bob).await);
    git.ok(
        folder.path(),
        &[
            "-c",
            "filter.lfs.smudge=",
            "-c",
            "filter.lfs.process=",
            "-c",
            "filter.lfs.required=false",
            "clone",
            "-q",
            bare.to_str().unwrap(),
            "theirs",
        ],
    );
    git.ok(&theirs, &["config", "lfs.url", &lfs_of_bob]);
    let pointer = std::fs::read_to_string(theirs.join("long.stl")).unwrap();
    let oid = pointer.split("sha256:").nth(1).unwrap().lines().next().unwrap().to_owned();
    let incomplete = theirs.join(".git/lfs/incomplete");
    std::fs::create_dir_all(&incomplete).unwrap();
    std::fs::write(incomplete.join(format!("{oid}.part")), &long[..5_000_000]).unwrap();
    git.ok(&theirs, &["lfs", "pull"]);
    assert!(std::fs::read(theirs.join("long.stl")).unwrap() == long);
    assert!(std::fs::read(theirs.join("cube.stl")).unwrap() == cube);
    git.ok(&theirs, &["lfs", "fsck"]);

    // Lock: the other may neither lock it nor push a change of it.
    git.ok(&ours, &["lfs", "lock", "cube.stl"]);
    let refused = git.refused(&theirs, &["lfs", "lock", "cube.stl"]);
    assert!(refused.contains("locked it already"), "{refused}");
    assert!(git.ok(&theirs, &["lfs", "locks"]).contains("cube.stl"));
    git.ok(&theirs, &["lfs", "install", "--local"]);
    let changed = [cube.as_slice(), b"x"].concat();
    std::fs::remove_file(theirs.join("cube.stl")).unwrap();
    std::fs::write(theirs.join("cube.stl"), changed).unwrap();
    git.ok(&theirs, &["commit", "-q", "-am", "Another cube"]);
    git.ok(&theirs, &["config", "lfs.locksverify", "true"]);
    let refused = git.refused(&theirs, &["push", "-q", "origin", "main"]);
    assert!(refused.contains("cube.stl"), "{refused}");
    git.ok(&ours, &["lfs", "unlock", "cube.stl"]);
    git.ok(&theirs, &["push", "-q", "origin", "main"]);

    // Who is no member gets nothing.
    let eve = shop::person(&server, "eve@lfs.example").await;
    eve.post("/api/v1/sellers", &json!({ "name": "Eve" })).await.expect(201);
    git.ok(&theirs, &["config", "lfs.url", &address(&key(&eve).await)]);
    std::fs::remove_dir_all(theirs.join(".git/lfs/objects")).unwrap();
    git.refused(&theirs, &["lfs", "pull"]);

    let path = format!("/api/v1/libraries/{}", library["id"].as_str().unwrap());
    seller.delete(&path).await.expect(200);
    git.refused(&ours, &["lfs", "fetch", "--all", "--refetch"]);
    assert_eq!(seller.get("/api/v1/libraries").await.expect(200).json()["items"], Value::Array(Vec::new()));
    let content = file["contentUrl"].as_str().unwrap();
    assert!(seller.get(content).await.expect(200).body == cube, "who else holds it keeps it");
}
