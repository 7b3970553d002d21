//! Pictures that sellers upload: what is shown of them is made here, and lies in the store of bytes.
//!
//! An uploaded picture is one of its product's [images](crate::catalog::Image), in one list with those that are links. What is
//! of it alone, its [`Picture`], is kept with it there, so that reading a product reads everything.

mod change;
mod events;
mod gallery;
mod links;
mod picture;
pub mod ports;
mod rerender;
mod settle;
mod upload;

pub use change::{delete_image, describe_image, order_images};
pub use gallery::{FILE_MAX, Gallery, refused, too_large};
pub(crate) use links::linked;
pub(crate) use picture::is_address;
pub use picture::{Key, Picture, Piece, Rendition, Source, View};
pub use rerender::{RerenderImages, rerender_images};
pub(crate) use settle::let_go;
pub use upload::{NewImage, Uploaded, may_upload, upload_image};

#[cfg(test)]
mod tests;
