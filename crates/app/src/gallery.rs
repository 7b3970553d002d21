//! What uploaded pictures stand on.

use std::sync::Arc;

use domain::{
    Result,
    assets::{Quotas, Storeroom, image::Gallery},
};
use platform::FsBlobs;

use crate::{config::Config, foundation::Foundation, imaging::Studio};

/// The store of bytes and the makers of pictures. One is shared by requests and jobs, so that together they make no more
/// pictures at a time than may be.
pub(crate) fn gallery(config: &Config, foundation: &Foundation) -> Result<Gallery> {
    let Foundation { database, shop, .. } = foundation;
    let blobs = FsBlobs::open(&config.media.folder, Arc::clone(&shop.entropy))?;
    Ok(Gallery {
        room: Storeroom { blobs: Arc::new(blobs), index: database.blobs() },
        imaging: Arc::new(Studio::new(&config.media)),
        queries: database.pictures(),
        quotas: Quotas::default(),
    })
}
