//! Making pictures beside the runtime, and not more at a time than memory allows.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::{
    Error, Result,
    assets::image::{
        ports::{Imaging, Made, MadeRendition},
        refused,
    },
};
use media::image::{Fault, Orientation, Recipe, Rendered, Rendition, inspect, render};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::config::Media;

/// Makes pictures on threads of their own.
pub(crate) struct Studio {
    recipe: Recipe,
    /// The recipe, written down.
    name: String,
    megapixels: u32,
    room: Arc<Semaphore>,
}

impl Studio {
    pub(crate) fn new(media: &Media) -> Self {
        Self {
            recipe: media.recipe,
            name: media.recipe.to_string(),
            megapixels: media.megapixels,
            room: Arc::new(Semaphore::new(media.at_once)),
        }
    }
}

#[async_trait]
impl Imaging for Studio {
    fn recipe(&self) -> &str {
        &self.name
    }

    async fn make(&self, file: Bytes, lies: Option<u8>) -> Result<Made> {
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(Error::internal)?;
        let (recipe, megapixels) = (self.recipe, self.megapixels);
        let made = spawn_blocking(move || {
            // Held by the work itself: who asked may go away before it is done.
            let _room = room;
            made(&file, lies, megapixels, &recipe)
        });
        match made.await {
            Ok(made) => made.map_err(refused),
            // What somebody sent must not look like a fault of the server, but whoever runs it should hear of it.
            Err(fault) if fault.is_panic() => {
                tracing::error!(error = %fault, "a picture could not be decoded");
                Err(refused("cannot be read"))
            }
            Err(fault) => Err(Error::internal(fault)),
        }
    }
}

fn made(file: &[u8], lies: Option<u8>, megapixels: u32, recipe: &Recipe) -> Result<Made, Fault> {
    let mut clean = inspect(file, megapixels)?;
    if let Some(lies) = lies.and_then(|number| Orientation::of(number.into())) {
        clean = clean.lying_as(lies);
    }
    let Rendered { main, thumbnail, blur, colour } = render(&clean, recipe)?;
    Ok(Made {
        media_type: clean.format.media_type(),
        width: clean.width,
        height: clean.height,
        orientation: clean.orientation.number(),
        source: clean.bytes.into(),
        main: rendition(main),
        thumbnail: rendition(thumbnail),
        placeholder: STANDARD.encode(blur),
        colour,
    })
}

fn rendition(of: Rendition) -> MadeRendition {
    MadeRendition { width: of.width, height: of.height, jpeg: of.jpeg.into(), webp: of.webp.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn studio() -> Studio {
        Studio::new(&Media { recipe: Recipe::default(), megapixels: 50, at_once: 1 })
    }

    #[tokio::test]
    async fn a_file_is_made_into_a_picture_and_made_anew_from_what_was_kept() {
        let studio = studio();
        let file = Bytes::from_static(include_bytes!("../../media/tests/pictures/progressive_cat.jpg"));
        let made = studio.make(file, None).await.unwrap();
        assert_eq!((made.media_type, made.width, made.height, made.orientation), ("image/jpeg", 320, 240, 1));
        let turned = studio.make(made.source.clone(), Some(6)).await.unwrap();
        assert_eq!((turned.width, turned.height, turned.orientation), (240, 320, 6));
        assert_eq!((turned.main.width, turned.main.height), (240, 320));
        assert_eq!(studio.make(made.source.clone(), None).await.unwrap(), made);
    }

    #[tokio::test]
    async fn what_is_no_picture_is_refused_in_words() {
        let refused = studio().make(Bytes::from_static(b"<svg/>"), None).await.unwrap_err();
        let Error::Invalid(violations) = refused else { panic!("{refused:?}") };
        let told: Vec<_> = violations.iter().map(|one| (one.field.as_str(), one.message.as_str())).collect();
        assert_eq!(told, [("/file", "File must be an image; this one is not a JPEG, PNG, GIF or WebP picture")]);
    }
}
