//! What uploaded pictures stand on.

use std::sync::Arc;

use domain::{Result, assets::image::Gallery};

use crate::{config::Config, files, foundation::Foundation, imaging::Studio};

/// The store of bytes and the makers of pictures. One is shared by requests and jobs, so that together they make no more
/// pictures at a time than may be.
pub(crate) fn gallery(config: &Config, foundation: &Foundation) -> Result<Gallery> {
    Ok(Gallery {
        room: files::storeroom(config, foundation)?,
        imaging: Arc::new(Studio::new(&config.media)),
        queries: foundation.database.pictures(),
        quotas: foundation.shop.rules.assets.quotas,
    })
}
