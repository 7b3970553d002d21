//! Mails into a folder, for development: each is a file that mail programs open.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use domain::{
    job::Failure,
    mail::{Mail, Mailer},
};

use super::Sender;

/// Writes each mail into a file of its own that its owner alone may read.
#[derive(Debug)]
pub struct FileMailer {
    folder: PathBuf,
    sender: Sender,
}

impl FileMailer {
    /// Writes into this folder, which is made when it is not there.
    pub fn new(folder: PathBuf, sender: Sender) -> Self {
        Self { folder, sender }
    }
}

#[async_trait]
impl Mailer for FileMailer {
    async fn send(&self, mail: &Mail) -> Result<(), Failure> {
        let bytes = self.sender.message(mail)?.formatted();
        // Ids sort by time.
        let path = self.folder.join(format!("{}-{}.eml", mail.id, mail.about.name()));
        let (folder, file) = (self.folder.clone(), path.clone());
        let written = tokio::task::spawn_blocking(move || write(&folder, &file, &bytes)).await;
        match written {
            Ok(Ok(())) => {
                tracing::info!(about = mail.about.name(), file = %path.display(), "mail written to a file; mail.transport=smtp sends it");
                Ok(())
            }
            _ => Err(Failure::Retry(format!("{} cannot be written", path.display()))),
        }
    }
}

/// Whole or not at all: it is written beside and moved.
fn write(folder: &Path, file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let draft = file.with_extension("part");
    let mut open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    open.write_all(bytes)?;
    open.sync_all()?;
    std::fs::rename(&draft, file)
}
