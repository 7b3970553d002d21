//! Several nodes of one shop.

use crate::{Database, Server};

/// What all nodes seal with; worth nothing anywhere else.
pub const NODES_KEY: &str = "Zk3vQ8rXw1TpL6nB9sYd2HfJ7mGcV4eA";

/// Nodes over one database, and over one Redis when the database comes with one.
#[derive(Debug)]
pub struct Cluster {
    /// The nodes. The first one made the shop, so it knows the demo accounts.
    pub nodes: Vec<Server>,
}

impl Cluster {
    /// Starts so many nodes with these settings besides the usual ones of tests.
    pub async fn start(database: Database, count: usize, settings: &[(&str, &str)]) -> Self {
        let mut first = Server::prepared(database, &[settings, &[("SOUK_SECRET_KEY", NODES_KEY)]].concat());
        first.run().await;
        let mut nodes = vec![first];
        while nodes.len() < count {
            let mut next = nodes[0].beside();
            next.run().await;
            nodes.push(next);
        }
        Self { nodes }
    }
}
