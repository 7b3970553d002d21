//! A bucket for a test, on the server that the test runner started.

use std::sync::atomic::{AtomicU32, Ordering};

/// A bucket nobody else uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The base of the server.
    pub url: String,
    /// Its name.
    pub name: String,
}

impl Bucket {
    /// Makes one.
    ///
    /// # Panics
    /// Without a server: a test is never skipped in silence.
    #[expect(clippy::disallowed_methods, reason = "the test runner says by environment where the server is")]
    pub async fn fresh() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let url = std::env::var("SOUK_TEST_S3_URL")
            .expect("this test needs an S3 server: run scripts/test, which starts one and sets SOUK_TEST_S3_URL");
        let name = format!("souk-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let made = reqwest::Client::builder().build().unwrap().put(format!("{url}/{name}")).send().await.unwrap();
        assert!(made.status().is_success(), "{}", made.text().await.unwrap_or_default());
        Self { url, name }
    }
}
