//! Where the bytes of files lie in this configuration.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    Error, Result,
    assets::{
        ScannedBlobs, Scanner, Storeroom,
        files::{Library, Links},
        ports::Blobs,
    },
    health::Probe,
};
use integrations::{blobs::S3Blobs, clamav::ClamAv, resilience::Kind};
use platform::FsBlobs;

use crate::{
    config::{Config, StoreKind},
    foundation::Foundation,
};

/// How long the store may take to say that it is there.
const PATIENCE: Duration = Duration::from_millis(900);

/// The store of the settings, and who holds what in it.
///
/// # Errors
/// When the folder cannot be made, or the bucket is none.
pub(crate) fn storeroom(config: &Config, foundation: &Foundation) -> Result<Storeroom> {
    let mut blobs = store(config, config.blobs.store, foundation)?;
    if let Some(scanner) = scanner(config, foundation) {
        blobs = Arc::new(ScannedBlobs { blobs, scanner });
    }
    Ok(Storeroom { blobs, index: foundation.database.blobs() })
}

/// Who looks at files for malware, if anybody does.
pub(crate) fn scanner(config: &Config, foundation: &Foundation) -> Option<Arc<dyn Scanner>> {
    let address = config.blobs.scanner.clone()?;
    Some(Arc::new(ClamAv::new(address, foundation.dependencies.one(Kind::Scanner))))
}

/// A store of the settings, whether it is the one in use or not.
///
/// # Errors
/// Those of [`storeroom`].
pub(crate) fn store(config: &Config, kind: StoreKind, foundation: &Foundation) -> Result<Arc<dyn Blobs>> {
    let entropy = Arc::clone(&foundation.shop.entropy);
    match kind {
        StoreKind::Fs => Ok(Arc::new(FsBlobs::open(&config.blobs.path, entropy)?)),
        StoreKind::S3 => {
            let settings =
                config.blobs.bucket.as_ref().ok_or_else(|| Error::internal("blobs.bucket names no bucket"))?;
            let mut calls = config.calls.settings.clone();
            if let Some(file) = &config.calls.roots {
                let read = std::fs::read(file);
                calls.extra_roots = read.map_err(|fault| Error::internal(format!("{}: {fault}", file.display())))?;
            }
            let store = foundation.dependencies.one(Kind::Files);
            Ok(Arc::new(S3Blobs::new(settings, &calls, store, entropy)?))
        }
    }
}

/// Reads files of products.
///
/// # Errors
/// When no key can be derived.
pub(crate) fn library(foundation: &Foundation) -> Result<Library> {
    Ok(Library { queries: foundation.database.files(), links: Links::new(Arc::new(foundation.mac("file_link")?)) })
}

/// Whether the store answers. Without it everything but files is served.
pub(crate) struct StoreProbe {
    blobs: Arc<dyn Blobs>,
    embedded: bool,
}

impl StoreProbe {
    pub(crate) fn new(config: &Config, room: &Storeroom) -> Self {
        Self { blobs: Arc::clone(&room.blobs), embedded: config.blobs.store == StoreKind::Fs }
    }
}

#[async_trait]
impl Probe for StoreProbe {
    fn name(&self) -> &'static str {
        "files"
    }

    fn required(&self) -> bool {
        false
    }

    fn embedded(&self) -> bool {
        self.embedded
    }

    async fn check(&self) -> bool {
        answers(self.name(), self.blobs.check()).await
    }
}

/// Whether the scanner answers. Without it no file comes in; all else is served.
pub(crate) struct ScannerProbe(pub(crate) Arc<dyn Scanner>);

#[async_trait]
impl Probe for ScannerProbe {
    fn name(&self) -> &'static str {
        "scanner"
    }

    fn required(&self) -> bool {
        false
    }

    async fn check(&self) -> bool {
        answers(self.name(), self.0.check()).await
    }
}

async fn answers(what: &'static str, check: impl Future<Output = Result<()>>) -> bool {
    match tokio::time::timeout(PATIENCE, check).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(what, error = crate::chain(&error), "what files need is away");
            false
        }
        Err(_) => {
            tracing::warn!(what, "what files need does not answer");
            false
        }
    }
}
