//! The tables as they stand, read and changed past Souk: by PostgreSQL's own client, or Python's own SQLite.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Where the tables are.
#[derive(Debug, Clone)]
pub enum Tables {
    /// A file.
    Sqlite(PathBuf),
    /// A URL.
    Postgres(String),
}

const SQLITE: &str = "
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=10)
for statement in sys.argv[2].split(';'):
    for row in db.execute(statement):
        print('\\t'.join('' if value is None else str(value) for value in row))
db.commit()
";

impl Tables {
    /// Runs statements and gives the columns of their rows.
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

    /// The one number that a statement gives.
    pub fn number(&self, sql: &str) -> u64 {
        self.run(sql)[0][0].parse().unwrap()
    }

    /// Waits until a statement gives this number, for what is written down soon after it was told.
    pub async fn until(&self, sql: &str, number: u64) {
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            let now = self.number(sql);
            if now == number {
                return;
            }
            assert!(Instant::now() < until, "{sql}: {now}, not {number}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Events that the relay has not seen yet.
    pub fn pending(&self) -> u64 {
        self.number("SELECT count(*) FROM events WHERE seq IS NULL AND failure IS NULL")
    }

    /// An id of 32 hexadecimal digits as a literal.
    pub fn literal(&self, hex: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!("'{hex}'::uuid"),
        }
    }

    /// The expression that gives an id as 32 hexadecimal digits.
    pub fn hex(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("lower(hex({column}))"),
            Self::Postgres(_) => format!("replace({column}::text, '-', '')"),
        }
    }
}
