//! A file, piece by piece.

use std::{
    fs::File,
    io::{ErrorKind, Read as _},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use domain::{Error, Result, assets::Chunks};

use super::beside;

/// Bytes read at a time: enough that going to another thread for them is little of it.
const PIECE: usize = 256 * 1024;

/// What is left to read of a file.
pub(super) struct FileChunks {
    /// Away while it is read.
    file: Option<File>,
    left: u64,
}

impl FileChunks {
    pub fn new(file: File, left: u64) -> Self {
        Self { file: Some(file), left }
    }
}

#[async_trait]
impl Chunks for FileChunks {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(PIECE);
        let mut file = self.file.take().ok_or_else(|| Error::internal("a file is read after it broke off"))?;
        let (file, piece) = beside(move || {
            let mut piece = BytesMut::zeroed(wanted);
            let read = loop {
                match file.read(&mut piece) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    read => break read?,
                }
            };
            piece.truncate(read);
            Ok((file, piece.freeze()))
        })
        .await?;
        if piece.is_empty() {
            return Err(Error::internal("a file in the store is shorter than it was"));
        }
        self.file = Some(file);
        self.left = self.left.saturating_sub(u64::try_from(piece.len()).map_err(Error::internal)?);
        Ok(Some(piece))
    }
}
