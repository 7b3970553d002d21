//! What uploading stands on, and how a file becomes a picture.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Key, Picture, Piece, Rendition, Source,
    ports::{Imaging, Made, MadeRendition, PictureQueries},
};
use crate::{
    assets::{Kept, Quotas, Storeroom, Terms, Whole},
    error::{Error, Result},
    shop::Shop,
};

/// A file of a picture has fewer bytes than this (MED-02).
pub const FILE_MAX: usize = 10 * 1024 * 1024;

/// What uploading stands on.
#[derive(Clone)]
pub struct Gallery {
    /// Where bytes are put away.
    pub room: Storeroom,
    /// Makes pictures.
    pub imaging: Arc<dyn Imaging>,
    /// Reads them.
    pub queries: Arc<dyn PictureQueries>,
    /// How much a seller account may keep.
    pub quotas: Quotas,
}

impl std::fmt::Debug for Gallery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gallery").field("recipe", &self.imaging.recipe()).finish_non_exhaustive()
    }
}

/// A file that is no picture we take; `why` goes on from "The file".
pub fn refused(why: impl std::fmt::Display) -> Error {
    Error::invalid("/file", "image", format!("File must be an image; this one {why}"))
}

/// A file that is too long.
pub fn too_large() -> Error {
    Error::invalid("/file", "max_size", "File size must be less than 10MB")
}

/// A picture whose bytes are put away and not yet held.
pub(super) struct Put {
    pub(super) picture: Picture,
    /// What was uploaded, and what is shown of it.
    pub(super) source: Kept,
    pub(super) shown: [Kept; 4],
}

impl Gallery {
    /// Puts away all bytes of what was made of a file.
    pub(super) async fn put(&self, shop: &Shop, made: Made, key: Key, revision: u32) -> Result<Put> {
        // Made anew, it comes from our own store.
        let source = self.keep(shop, &made.source, revision == 1).await?;
        let (main, main_shown) = self.keep_both(shop, &made.main).await?;
        let (thumbnail, thumbnail_shown) = self.keep_both(shop, &made.thumbnail).await?;
        let [main_jpeg, main_webp] = main_shown;
        let [thumbnail_jpeg, thumbnail_webp] = thumbnail_shown;
        let picture = Picture {
            key,
            revision,
            recipe: self.imaging.recipe().to_owned(),
            source: Source {
                piece: piece(&source),
                media_type: made.media_type.to_owned(),
                width: made.width,
                height: made.height,
                orientation: made.orientation,
            },
            main,
            thumbnail,
            placeholder: made.placeholder,
            colour: made.colour,
        };
        Ok(Put { picture, source, shown: [main_jpeg, main_webp, thumbnail_jpeg, thumbnail_webp] })
    }

    async fn keep(&self, shop: &Shop, bytes: &Bytes, scanned: bool) -> Result<Kept> {
        let terms = Terms { scanned, ..Terms::at_most(u64::try_from(bytes.len()).map_err(Error::internal)?) };
        self.room.put(shop, &mut Whole::new(bytes.clone()), &terms).await
    }

    async fn keep_both(&self, shop: &Shop, made: &MadeRendition) -> Result<(Rendition, [Kept; 2])> {
        let kept = [self.keep(shop, &made.jpeg, false).await?, self.keep(shop, &made.webp, false).await?];
        let [jpeg, webp] = kept.map(|kept| piece(&kept));
        Ok((Rendition { width: made.width, height: made.height, jpeg, webp }, kept))
    }
}

fn piece(kept: &Kept) -> Piece {
    Piece { digest: kept.digest(), size: kept.size }
}
