//! The database as it stands, read past Souk: by PostgreSQL's own client, or Python's own SQLite.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use souk_e2e::Server;

/// Where the rows are.
pub enum Rows {
    Sqlite(PathBuf),
    Postgres(String),
}

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

const SQLITE: &str = "
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=10)
for statement in sys.argv[2].split(';'):
    for row in db.execute(statement):
        print('\\t'.join('' if value is None else str(value) for value in row))
db.commit()
";

impl Rows {
    pub fn of(server: &Server, url: Option<String>) -> Self {
        url.map_or_else(|| Self::Sqlite(server.folder().join("data/souk.db")), Self::Postgres)
    }

    /// Runs a statement and gives the columns of its rows.
    pub fn run(&self, sql: &str) -> Vec<Vec<String>> {
        let mut command = match self {
            Self::Sqlite(file) => {
                let mut command = Command::new("python3");
                command.args(["-c", SQLITE]).arg(file).arg(sql);
                command
            }
            Self::Postgres(url) => {
                let mut command = Command::new("psql");
                command.args(["--no-psqlrc", "-qAt", "-F", "\t", "--set=ON_ERROR_STOP=1", "--command", sql, url]);
                command
            }
        };
        let done = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("psql or python3");
        assert!(done.status.success(), "{sql}");
        let text = String::from_utf8(done.stdout).unwrap();
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    /// Events that the relay has not seen yet.
    pub fn pending(&self) -> u64 {
        self.run("SELECT count(*) FROM events WHERE seq IS NULL AND failure IS NULL")[0][0].parse().unwrap()
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

    pub fn literal(&self, hex: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!("'{hex}'::uuid"),
        }
    }

    fn hex(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("lower(hex({column}))"),
            Self::Postgres(_) => format!("replace({column}::text, '-', '')"),
        }
    }
}
