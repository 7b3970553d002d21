//! Pictures: what a file is, what of it may be kept, and what is shown of it.
//!
//! [`inspect`] looks at a file without decoding it: by its content alone, whole and with nothing beside the picture, and
//! takes all metadata out. [`render`] decodes what is left and makes what is shown of it.

mod colours;
mod decode;
mod encode;
mod exif;
mod fault;
mod foreign;
mod impression;
mod orientation;
mod pixels;
mod reader;
mod recipe;
mod render;
mod resize;
mod walk;

pub use fault::Fault;
pub use orientation::Orientation;
pub use pixels::Pixels;
pub use recipe::{InvalidRecipe, Recipe};
pub use render::{Rendered, Rendition, jpegs, render};
pub use walk::{Clean, Format, inspect};
