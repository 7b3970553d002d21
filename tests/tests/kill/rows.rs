//! What the checker reads of the tables.

use std::ops::Deref;

use souk_e2e::{Server, Tables};

/// The tables, with what the checker asks of them.
pub struct Rows(Tables);

/// A product as it is stored.
pub struct ProductRow {
    pub id: String,
    pub sku: String,
    pub version: i64,
    pub price: i64,
    pub stock: i64,
    pub deleted: bool,
}

/// An event as it is stored.
pub struct EventRow {
    pub id: String,
    pub seq: Option<i64>,
    pub kind: String,
    pub entity: String,
}

/// Everything the checker looks at.
pub struct Picture {
    pub products: Vec<ProductRow>,
    pub events: Vec<EventRow>,
    pub audit: Vec<String>,
}

impl Deref for Rows {
    type Target = Tables;

    fn deref(&self) -> &Tables {
        &self.0
    }
}

impl Rows {
    pub fn of(server: &Server) -> Self {
        Self(server.tables())
    }

    pub fn picture(&self) -> Picture {
        let sql = format!(
            "SELECT {}, coalesce(sku, ''), version, price_minor, stock, CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END FROM products",
            self.hex("id")
        );
        let number = |text: &String| text.parse::<i64>().unwrap();
        let products = self.run(&sql).into_iter().map(|row| ProductRow {
            id: row[0].clone(),
            sku: row[1].clone(),
            version: number(&row[2]),
            price: number(&row[3]),
            stock: number(&row[4]),
            deleted: row[5] == "1",
        });
        let products = products.collect();
        let sql = format!("SELECT {}, seq, kind, {} FROM events", self.hex("id"), self.hex("entity_id"));
        let events = self.run(&sql).into_iter().map(|row| EventRow {
            id: row[0].clone(),
            seq: row[1].parse().ok(),
            kind: row[2].clone(),
            entity: row[3].clone(),
        });
        let events = events.collect();
        let audit = self.run(&format!("SELECT {} FROM audit_logs", self.hex("id")));
        Picture { products, events, audit: audit.into_iter().flatten().collect() }
    }

    /// The id of a product, as a literal.
    pub fn product(&self, sku: &str) -> String {
        self.literal(&self.run(&format!("SELECT {} FROM products WHERE sku = '{sku}'", self.hex("id")))[0][0])
    }
}
