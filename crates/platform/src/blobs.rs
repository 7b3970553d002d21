//! Bytes in files: each under its place in a folder two levels deep, written elsewhere in the same file system and renamed when
//! it is whole and on the disk.

mod folders;
mod read;
mod stage;

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, ErrorKind, Seek as _, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use async_trait::async_trait;
use domain::{
    Error, Result,
    assets::{
        Chunks, Place, Terms,
        ports::{Blobs, Listed, Staged},
    },
    clock::{Entropy, Timestamp},
};

use self::{folders::Folders, read::FileChunks};

/// Bytes as files in a folder of their own. Several processes may use it at once, also over a network.
#[derive(Clone)]
pub struct FsBlobs {
    folders: Arc<Folders>,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for FsBlobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FsBlobs").field("root", &self.folders.root).finish_non_exhaustive()
    }
}

impl FsBlobs {
    /// A store in this folder, which is made if it is not there, for its owner alone.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot be made.
    pub fn open(root: impl Into<PathBuf>, entropy: Arc<dyn Entropy>) -> Result<Self> {
        let folders = Arc::new(Folders::of(root.into()));
        folders.make().map_err(away)?;
        Ok(Self { folders, entropy })
    }

    /// Does what the disk may keep waiting beside the runtime.
    async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folders) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let folders = Arc::clone(&self.folders);
        beside(move || work(&folders)).await
    }
}

#[async_trait]
impl Blobs for FsBlobs {
    async fn stage(&self, source: &mut dyn Chunks, terms: &Terms) -> Result<Box<dyn Staged>> {
        stage::stage(&self.folders, &*self.entropy, source, terms).await
    }

    async fn read(&self, place: &Place, range: Range<u64>) -> Result<Option<Box<dyn Chunks>>> {
        let place = *place;
        let start = range.start;
        let opened = self.beside(move |folders| {
            let Some(mut file) = there(File::open(folders.path(&place)))? else { return Ok(None) };
            file.seek(SeekFrom::Start(start))?;
            Ok(Some(file))
        });
        let left = range.end.saturating_sub(start);
        Ok(opened.await?.map(|file| -> Box<dyn Chunks> { Box::new(FileChunks::new(file, left)) }))
    }

    async fn size(&self, place: &Place) -> Result<Option<u64>> {
        let place = *place;
        self.beside(move |folders| Ok(there(fs::metadata(folders.path(&place)))?.map(|found| found.len()))).await
    }

    async fn remove(&self, place: &Place) -> Result<()> {
        let place = *place;
        self.beside(move |folders| there(fs::remove_file(folders.path(&place))).map(|_| ())).await
    }

    async fn list(&self, after: Option<&Place>, limit: u32) -> Result<Vec<Listed>> {
        let after = after.copied();
        self.beside(move |folders| folders.list(after, usize::try_from(limit).unwrap_or(usize::MAX))).await
    }

    async fn sweep(&self, before: Timestamp) -> Result<u64> {
        self.beside(move |folders| {
            let mut gone = 0;
            for entry in fs::read_dir(&folders.staging)? {
                let path = entry?.path();
                // Whoever is at it may be done with it by now.
                let Some(found) = there(fs::metadata(&path))? else { continue };
                let ours = path.extension() == Some(OsStr::new(folders::PART));
                if ours && found.modified()? < SystemTime::from(before) && there(fs::remove_file(&path))?.is_some() {
                    gone += 1;
                }
            }
            Ok(gone)
        })
        .await
    }

    async fn check(&self) -> Result<()> {
        self.beside(|folders| {
            fs::metadata(&folders.staging)?;
            fs::metadata(&folders.objects).map(|_| ())
        })
        .await
    }
}

/// Runs what blocks on a thread that may wait.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?.map_err(away)
}

/// What the disk says, to the domain.
fn away(error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Full(error.into()),
        _ => Error::Unavailable { what: "File store", source: error.into() },
    }
}

/// Nothing, where nothing is found.
fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes what happened in a folder survive a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
