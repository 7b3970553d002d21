//! Ports for servers of tests.

use std::net::TcpListener;

/// A port of this machine that nobody listens at. Another program may take it before it is used; then the next one is tried.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
