//! A file that is being written, until it is renamed or goes.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::PathBuf,
    sync::Arc,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use domain::{
    Result,
    assets::{Chunks, Edition, Gauge, Place, Stored, Terms, ports::Staged},
    clock::Entropy,
    secrets::hex,
};
use tokio::task::JoinHandle;

use super::{
    away, beside,
    folders::{Folders, PART},
    sync_folder, there,
};

/// Bytes gathered before they are written: while these are, the next are on their way.
const GATHERED: usize = 1024 * 1024;

/// The name of a file that goes with this value.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // What was published is not here any more; what cannot be removed is swept.
        let _ = fs::remove_file(&self.0);
    }
}

struct Waiting {
    folders: Arc<Folders>,
    draft: Draft,
    stored: Stored,
}

pub(super) async fn stage(
    folders: &Arc<Folders>,
    entropy: &dyn Entropy,
    source: &mut dyn Chunks,
    terms: &Terms,
) -> Result<Box<dyn Staged>> {
    let mut gauge = Gauge::new(terms)?;
    let mut name = [0; 16];
    entropy.fill(&mut name);
    let path = folders.staging.join(hex(&name)).with_extension(PART);
    let file = {
        let path = path.clone();
        beside(move || File::create_new(path)).await?
    };
    let draft = Draft(path);
    let mut writing = Writing::Idle(file);
    let mut gathered = BytesMut::new();
    while let Some(piece) = source.next().await? {
        gauge.pass(&piece)?;
        gathered.extend_from_slice(&piece);
        if gathered.len() >= GATHERED {
            writing = writing.write(gathered.split().freeze()).await?;
        }
    }
    let stored = gauge.end()?;
    let file = writing.write(gathered.freeze()).await?.done().await?;
    beside(move || file.sync_all()).await?;
    Ok(Box::new(Waiting { folders: Arc::clone(folders), draft, stored }))
}

/// A file that is written to beside the runtime, one piece at a time.
enum Writing {
    Idle(File),
    Busy(JoinHandle<io::Result<File>>),
}

impl Writing {
    /// Waits for what is being written, and begins with this.
    async fn write(self, bytes: Bytes) -> Result<Self> {
        let mut file = self.done().await?;
        Ok(Self::Busy(tokio::task::spawn_blocking(move || file.write_all(&bytes).map(|()| file))))
    }

    async fn done(self) -> Result<File> {
        match self {
            Self::Idle(file) => Ok(file),
            Self::Busy(written) => written.await.map_err(domain::Error::internal)?.map_err(away),
        }
    }
}

#[async_trait]
impl Staged for Waiting {
    fn stored(&self) -> Stored {
        self.stored
    }

    async fn publish(self: Box<Self>, edition: Edition) -> Result<()> {
        beside(move || {
            let path = self.folders.path(&Place { digest: self.stored.digest, edition });
            // A file of another length cannot be ours; ours takes its place.
            if there(fs::metadata(&path))?.is_some_and(|found| found.len() == self.stored.size) {
                return Ok(());
            }
            self.folders.make_folder(&path)?;
            fs::rename(&self.draft.0, &path)?;
            path.parent().map_or(Ok(()), sync_folder)
        })
        .await
    }
}
