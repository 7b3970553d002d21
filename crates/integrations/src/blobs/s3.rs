//! A bucket as a store of bytes.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    Error, Result,
    assets::{
        Chunks, Place, Terms,
        ports::{Blobs, Listed, Staged},
    },
    clock::{Entropy, Timestamp},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};

use super::{connection::Connection, stage};
use crate::{
    client::{CallSettings, flowing},
    resilience::Dependency,
};

/// Where a bucket is and how it is reached.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Settings {
    /// The bucket, which must be there.
    pub bucket: String,
    /// What every key begins with, without a slash at its end; may be empty.
    pub prefix: String,
    /// The region.
    pub region: String,
    /// The base of a store that is not Amazon's.
    pub endpoint: Option<String>,
    /// Who we are there, and the secret that proves it; without them the machine says so.
    pub keys: Option<(String, String)>,
    /// Whether the bucket is the first part of the host instead of the path.
    pub virtual_host: bool,
}

impl std::fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Settings")
            .field("bucket", &self.bucket)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// Bytes as objects of a bucket.
///
/// An object shows when it is whole. What is too long to be held in memory is written under a name of its own first, since
/// its address is known at its end, and copied there by the store itself.
#[derive(Clone)]
pub struct S3Blobs {
    store: Arc<AmazonS3>,
    keys: Arc<Keys>,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for S3Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Blobs").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// What objects are called.
#[derive(Debug)]
pub(super) struct Keys {
    objects: Path,
    staging: Path,
}

impl Keys {
    fn under(prefix: &str) -> Result<Self> {
        let base = Path::parse(prefix).map_err(Error::internal)?;
        Ok(Self { objects: base.clone().join("objects"), staging: base.join("staging") })
    }

    /// The same levels as of files, so that one can be copied to the other by anybody's tool.
    pub fn object(&self, place: &Place) -> Path {
        let name = place.to_string();
        let level = |from: usize| name.get(from..from + 2).unwrap_or_default().to_owned();
        self.objects.clone().join(level(0)).join(level(2)).join(name)
    }

    pub fn staged(&self, name: &str) -> Path {
        self.staging.clone().join(name)
    }
}

impl S3Blobs {
    /// A store in this bucket, called on these terms. Nothing is asked of it yet.
    ///
    /// # Errors
    /// [`Error::Internal`] for settings that name none.
    pub fn new(
        settings: &S3Settings,
        calls: &CallSettings,
        store: Dependency,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self> {
        // Tried again by whoever calls for it.
        let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&settings.bucket)
            .with_region(&settings.region)
            .with_virtual_hosted_style_request(settings.virtual_host)
            .with_retry(retry)
            .with_http_connector(Connection { client: flowing(calls)?, store });
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
        }
        if let Some((id, secret)) = &settings.keys {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        }
        let store = Arc::new(builder.build().map_err(Error::internal)?);
        Ok(Self { store, keys: Arc::new(Keys::under(&settings.prefix)?), entropy })
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn stage(&self, source: &mut dyn Chunks, terms: &Terms) -> Result<Box<dyn Staged>> {
        stage::stage(&self.store, &self.keys, &*self.entropy, source, terms).await
    }

    async fn read(&self, place: &Place, range: Range<u64>) -> Result<Option<Box<dyn Chunks>>> {
        let left = range.end.saturating_sub(range.start);
        if left == 0 {
            // There is no asking for nothing.
            let none = Objects { bytes: futures_util::stream::empty().boxed(), left };
            return Ok(self.size(place).await?.map(|_| -> Box<dyn Chunks> { Box::new(none) }));
        }
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = there(self.store.get_opts(&self.keys.object(place), options).await)?;
        Ok(found.map(|found| -> Box<dyn Chunks> { Box::new(Objects { bytes: found.into_stream(), left }) }))
    }

    async fn size(&self, place: &Place) -> Result<Option<u64>> {
        Ok(there(self.store.head(&self.keys.object(place)).await)?.map(|found| found.size))
    }

    async fn remove(&self, place: &Place) -> Result<()> {
        there(self.store.delete(&self.keys.object(place)).await).map(|_| ())
    }

    async fn list(&self, after: Option<&Place>, limit: u32) -> Result<Vec<Listed>> {
        let prefix = Some(&self.keys.objects);
        let mut found = match after {
            Some(place) => self.store.list_with_offset(prefix, &self.keys.object(place)),
            None => self.store.list(prefix),
        };
        let (mut listed, limit) = (Vec::new(), usize::try_from(limit).unwrap_or(usize::MAX));
        while listed.len() < limit
            && let Some(object) = found.try_next().await.map_err(away)?
        {
            // Names that are no places are somebody else's.
            let place = object.location.filename().and_then(|name| name.parse::<Place>().ok());
            if let Some(place) = place.filter(|place| self.keys.object(place) == object.location) {
                listed.push(Listed { place, size: object.size, since: object.last_modified });
            }
        }
        Ok(listed)
    }

    async fn sweep(&self, before: Timestamp) -> Result<u64> {
        let (mut found, mut gone) = (self.store.list(Some(&self.keys.staging)), 0);
        while let Some(object) = found.try_next().await.map_err(away)? {
            if object.last_modified < before {
                there(self.store.delete(&object.location).await)?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    async fn check(&self) -> Result<()> {
        self.list(None, 1).await.map(|_| ())
    }
}

/// An object on its way.
struct Objects {
    bytes: BoxStream<'static, object_store::Result<Bytes>>,
    left: u64,
}

#[async_trait]
impl Chunks for Objects {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while self.left > 0 {
            let Some(piece) = self.bytes.try_next().await.map_err(away)? else {
                return Err(Error::internal("an object in the store is shorter than it was"));
            };
            self.left = self.left.saturating_sub(u64::try_from(piece.len()).map_err(Error::internal)?);
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

/// What the store says, to the domain.
pub(super) fn away(error: object_store::Error) -> Error {
    Error::Unavailable { what: "File store", source: error.into() }
}

/// Nothing, where nothing is found.
fn there<T>(found: object_store::Result<T>) -> Result<Option<T>> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(away(error)),
    }
}
