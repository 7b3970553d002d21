//! A bucket keeps what every store of bytes keeps, on a real server.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clock;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use clock::Running;
use domain::{
    Error,
    assets::{Terms, Whole, ports::Blobs as _},
    testing::{SeededEntropy, contract},
};
use souk_integrations::{
    blobs::{S3Blobs, S3Settings},
    client::CallSettings,
    resilience::{Dependency, Kind},
};

/// A bucket nobody else uses.
#[derive(Clone)]
struct Bucket {
    url: String,
    name: String,
}

impl Bucket {
    #[expect(clippy::disallowed_methods, reason = "the test runner says by environment where the server is")]
    fn fresh() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let url = std::env::var("SOUK_TEST_S3_URL")
            .unwrap_or_else(|_| panic!("SOUK_TEST_S3_URL is not set; run scripts/test, which starts a private server"));
        let name = format!("store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let host = url.strip_prefix("http://").unwrap();
        let mut server = TcpStream::connect(host).unwrap();
        let request = format!("PUT /{name} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        server.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Self { url, name }
    }
}

fn of(bucket: &Bucket, prefix: &str) -> S3Blobs {
    let settings = S3Settings {
        bucket: bucket.name.clone(),
        prefix: prefix.to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: Some(bucket.url.clone()),
        keys: Some(("key".to_owned(), "secret".to_owned())),
        virtual_host: false,
    };
    let calls = CallSettings { whole: Duration::from_secs(10), ..CallSettings::default() };
    let entropy = Arc::new(SeededEntropy::new(7));
    let store = Dependency::new("files", Kind::Files.usual(), Arc::new(Running), entropy.clone());
    S3Blobs::new(&settings, &calls, store, entropy).unwrap()
}

fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

#[tokio::test]
async fn a_bucket_keeps_what_every_store_keeps() {
    contract::blobs::run(&of(&Bucket::fresh(), ""), now()).await;
}

#[tokio::test]
async fn stores_share_a_bucket_by_their_prefixes() {
    let bucket = Bucket::fresh();
    let (ours, theirs) = (of(&bucket, "shops/ours"), of(&bucket, "shops/ours2"));
    let staged = theirs.stage(&mut Whole::new("theirs"), &Terms::at_most(10)).await.unwrap();
    staged.publish(domain::assets::Edition(1)).await.unwrap();
    contract::blobs::run(&ours, now()).await;
    assert_eq!(theirs.list(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_said_to_be_away() {
    let bucket = Bucket { name: "nowhere".to_owned(), ..Bucket::fresh() };
    assert!(matches!(of(&bucket, "").check().await, Err(Error::Unavailable { .. })));
    let put = of(&bucket, "").stage(&mut Whole::new("lost"), &Terms::at_most(10)).await.unwrap();
    assert!(matches!(put.publish(domain::assets::Edition(1)).await, Err(Error::Unavailable { .. })));
}
