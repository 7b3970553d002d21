//! Archives of all that is kept of a person, which they ask for and take away.

mod archives;
mod export;
mod make;
pub mod ports;
mod request;

pub use archives::{Archives, purge_exports};
pub use export::{AT_MOST, DataExport, KEPT, Ready};
pub use make::{MakeExport, Maker, make_export};
pub use request::{delete_export, request_export};
