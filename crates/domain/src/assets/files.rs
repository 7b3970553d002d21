//! Files of products: what sellers put there, and who may take it away.
//!
//! A public file is for whoever may see its product. A private one is for the members of the seller account, for who manages
//! the catalogue, and for who was [granted](Grant) it; any of them may make a [link](Links) that is good for a short time.

mod add;
mod events;
mod file;
mod grant;
mod link;
mod media_type;
mod policy;
pub mod ports;
mod purge;
mod read;

pub use add::{add_file, admit, delete_file};
pub use file::{FileName, LICENCE_MAX, NAME_MAX, NewFile, ProductFile};
pub use grant::{Grant, give_grant, list_grants, take_grant};
pub use link::{LINK_DEFAULT, LINK_MAX, Link, Links};
pub use media_type::{MediaType, Sniffed};
pub use policy::{may_manage, sees_all};
pub use purge::purge_files;
pub use read::{Library, list_files};

#[cfg(test)]
mod tests;
