//! Pictures and 3D models: pure functions over bytes, with bounded memory. No I/O of their own, no runtime, no clock.

pub mod image;
pub mod mesh;
