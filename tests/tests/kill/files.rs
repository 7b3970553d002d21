//! Kill -9 at random moments of uploads: what was acknowledged is there, whole; nothing half shows; and nothing is held or counted
//! that is not there.
//!
//! `SOUK_FILE_KILLS` says how often; 5 when it is not set, `scripts/soak` takes 200.

use std::time::Duration;

use serde_json::{Value, json};
use souk_e2e::{Client, Database, Server, on_each_database};

use crate::ledger::Dice;

on_each_database!(uploads_are_whole_or_not_at_all_over_kills);

/// An upload that was answered.
struct Acknowledged {
    path: String,
    bytes: Vec<u8>,
}

/// Bytes of a length and kind of their own, some of them brought again and again.
fn bytes(dice: &Dice) -> Vec<u8> {
    let length = 1 + usize::try_from(dice.roll(3_000_000)).unwrap();
    let kind = u8::try_from(dice.roll(250)).unwrap();
    if dice.roll(4) == 0 { vec![7; 100_000] } else { vec![kind; length] }
}

async fn uploads_are_whole_or_not_at_all_over_kills(database: Database) {
    let kills = crate::jobs::number("SOUK_FILE_KILLS", 5);
    let mut server = Server::start(database).await;
    let tables = server.tables();
    let dice = Dice::new(std::process::id().into());
    let mut acknowledged: Vec<Acknowledged> = Vec::new();
    let seller = server.signed_in("seller").await;
    let body = json!({ "name": "Lamp of the kills", "price": 1, "stock": 1 });
    let product = seller.post("/api/v1/products", &body).await.expect(201).json();
    let path = format!("/api/v1/products/{}/files?name=a", product["id"].as_str().unwrap());
    for _ in 0..kills {
        let seller = server.signed_in("seller").await;
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let portion = (0..200).map(|_| bytes(&dice)).collect();
            running.spawn(upload(seller.clone(), path.clone(), portion));
        }
        tokio::time::sleep(Duration::from_millis(20 + dice.roll(400))).await;
        server.kill();
        acknowledged.extend(running.join_all().await.into_iter().flatten());
        server.run().await;
        let (status, said) = server.run_command(&["assets", "verify"]);
        assert!(status.success(), "{said}\n{}", server.log());
        // Every row holds once, and what is counted is what there is.
        let held = "SELECT coalesce(sum(refs), 0) FROM blobs";
        assert_eq!(tables.number(held), tables.number("SELECT count(*) FROM product_files"));
        let kept = tables.number("SELECT coalesce(sum(size), 0) FROM product_files");
        assert_eq!(
            tables.number("SELECT coalesce(max(bytes), 0) FROM storage_usage WHERE seller_id IS NOT NULL"),
            kept
        );
        assert_eq!(tables.number("SELECT coalesce(max(bytes), 0) FROM storage_usage WHERE user_id IS NOT NULL"), kept);
    }
    let seller = server.signed_in("seller").await;
    for one in &acknowledged {
        assert!(seller.get(&one.path).await.expect(200).body == one.bytes, "{}", one.path);
    }
    println!("{kills} kills, {} uploads", acknowledged.len());
    assert!(!acknowledged.is_empty(), "nothing was uploaded");
    // What the kills left behind goes, and nothing else.
    tables.run("UPDATE blobs SET touched_at = '2020-01-02T03:04:05+00:00'");
    let (status, said) = server.run_command(&["assets", "gc"]);
    assert!(status.success(), "{said}");
    let (status, said) = server.run_command(&["assets", "verify"]);
    assert!(status.success(), "{said}");
    assert_eq!(tables.number("SELECT count(*) FROM blobs WHERE refs = 0"), 0);
}

/// Uploads one after the other until the server goes.
async fn upload(seller: Client, path: String, portion: Vec<Vec<u8>>) -> Vec<Acknowledged> {
    let mut done = Vec::new();
    for bytes in portion {
        let request = seller.request("POST", &path).body(bytes.clone());
        let Ok(reply) = seller.try_send(request).await else { break };
        let file: Value = reply.expect(201).json();
        done.push(Acknowledged { path: file["contentUrl"].as_str().unwrap().to_owned(), bytes });
    }
    done
}
