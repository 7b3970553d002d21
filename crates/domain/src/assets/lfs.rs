//! Git LFS: what git keeps pointers to lies in the store of bytes, once, whoever else holds it.
//!
//! A library is a name under a seller account, and begins with the first thing brought to it. Its members read and write it; to
//! everybody else there is none. Git itself may lie anywhere.

mod batch;
mod delete_library;
mod events;
mod library;
mod lock;
mod lock_file;
pub mod ports;
mod store_object;

pub use batch::{Deed, OBJECTS_MOST, Operation, Plan, Wanted, plan};
pub use delete_library::delete_library;
pub use library::{Address, Library, LibraryName, LibrarySummary, Object};
pub use lock::{Lock, LockFilter, LockPath, Locked, NamedLock};
pub use lock_file::{lock_file, unlock_file};
pub use store_object::{admit_object, find_object, keep_object, library_of};
