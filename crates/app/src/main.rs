//! The binary `souk`.
mod config;
fn main() {}
