//! An object that is being written, until it shows under its address.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use domain::{
    Result,
    assets::{Chunks, Edition, Gauge, Place, Stored, Terms, ports::Staged},
    clock::Entropy,
    secrets::hex,
};
use object_store::{MultipartUpload, ObjectStoreExt as _, PutPayload, WriteMultipart, aws::AmazonS3, path::Path};

use super::s3::{Keys, away};

/// Bytes of a part. What has no more of them is sent whole.
const PART: usize = 8 * 1024 * 1024;
/// Parts of one object under way at a time, beside the one that is gathered.
const UNDER_WAY: usize = 1;
/// Most bytes of an object that the store copies by itself.
const MOST: u64 = 5 << 30;

/// Where bytes wait.
enum Waits {
    /// With us.
    Here(Bytes),
    /// In the store, under a name of their own.
    There(Path),
}

struct Waiting {
    store: Arc<AmazonS3>,
    keys: Arc<Keys>,
    stored: Stored,
    bytes: Waits,
}

pub(super) async fn stage(
    store: &Arc<AmazonS3>,
    keys: &Arc<Keys>,
    entropy: &dyn Entropy,
    source: &mut dyn Chunks,
    terms: &Terms,
) -> Result<Box<dyn Staged>> {
    let mut gauge = Gauge::new(&Terms { most: terms.most.min(MOST), ..*terms })?;
    let mut gathered = BytesMut::new();
    let (stored, bytes) = loop {
        let Some(piece) = source.next().await? else {
            break (gauge.end()?, Waits::Here(gathered.freeze()));
        };
        gauge.pass(&piece)?;
        gathered.extend_from_slice(&piece);
        if gathered.len() > PART {
            let path = keys.staged(&name(entropy));
            let upload = store.put_multipart(&path).await.map_err(away)?;
            break (in_parts(upload, gathered, gauge, source).await?, Waits::There(path));
        }
    };
    Ok(Box::new(Waiting { store: Arc::clone(store), keys: Arc::clone(keys), stored, bytes }))
}

/// Sends what is gathered and all that follows. Nothing is left of it unless it was all.
async fn in_parts(
    upload: Box<dyn MultipartUpload>,
    first: BytesMut,
    mut gauge: Gauge,
    source: &mut dyn Chunks,
) -> Result<Stored> {
    let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
    upload.put(first.freeze());
    let ended = loop {
        let piece = match source.next().await {
            Ok(Some(piece)) => piece,
            Ok(None) => break gauge.end(),
            Err(error) => break Err(error),
        };
        if let Err(error) = gauge.pass(&piece) {
            break Err(error);
        }
        if let Err(error) = upload.wait_for_capacity(UNDER_WAY).await {
            break Err(away(error));
        }
        upload.put(piece);
    };
    match ended {
        Ok(stored) => upload.finish().await.map(|_| stored).map_err(away),
        Err(error) => {
            if let Err(left) = upload.abort().await {
                tracing::warn!(error = %left, "parts of an upload were left in the store");
            }
            Err(error)
        }
    }
}

fn name(entropy: &dyn Entropy) -> String {
    let mut name = [0; 16];
    entropy.fill(&mut name);
    hex(&name)
}

#[async_trait]
impl Staged for Waiting {
    fn stored(&self) -> Stored {
        self.stored
    }

    async fn publish(self: Box<Self>, edition: Edition) -> Result<()> {
        let to = self.keys.object(&Place { digest: self.stored.digest, edition });
        match self.bytes {
            Waits::Here(bytes) => self.store.put(&to, PutPayload::from(bytes)).await.map(|_| ()).map_err(away),
            Waits::There(from) => {
                self.store.copy(&from, &to).await.map_err(away)?;
                // It is published; what cannot be removed now is swept.
                if let Err(error) = self.store.delete(&from).await {
                    tracing::warn!(%error, "an object is left where it waited");
                }
                Ok(())
            }
        }
    }
}
