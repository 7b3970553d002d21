//! The rows of every table, to be compared.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

/// A row: the text of each column.
type Row = BTreeMap<String, String>;

/// The columns and rows of each table.
pub(super) struct Rows(BTreeMap<String, Table>);

struct Table {
    columns: BTreeSet<String>,
    rows: Vec<Row>,
}

/// Tables with their columns. The steps that ran are another list at each level. The inner tables of a full-text index
/// hold what its rows say once more, in an order that depends on how they came.
const SQLITE: &str = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
    WHERE m.type = 'table' AND m.name NOT IN ('seaql_migrations', 'sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4') \
    AND NOT EXISTS (SELECT 1 FROM sqlite_master v WHERE v.sql LIKE 'CREATE VIRTUAL TABLE%' AND m.name LIKE v.name || '%')";
const POSTGRES: &str = "SELECT c.relname::text, a.attname::text FROM pg_class c \
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'seaql_migrations'";

impl Rows {
    /// Reads every row of every table. Meant for the few rows of a proof.
    pub(super) async fn read(on: &DatabaseConnection) -> Result<Self, DbErr> {
        let backend = on.get_database_backend();
        let sqlite = backend == DbBackend::Sqlite;
        let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let sql = if sqlite { SQLITE } else { POSTGRES };
        for row in on.query_all_raw(Statement::from_string(backend, sql)).await? {
            columns.entry(row.try_get_by_index(0)?).or_default().insert(row.try_get_by_index(1)?);
        }
        let mut tables = BTreeMap::new();
        for (table, columns) in columns {
            let texts: Vec<String> =
                columns
                    .iter()
                    .map(|name| {
                        if sqlite {
                            format!("quote(\"{name}\")")
                        } else {
                            format!("coalesce(\"{name}\"::text, 'NULL')")
                        }
                    })
                    .collect();
            let sql = format!("SELECT {} FROM \"{table}\"", texts.join(", "));
            let mut rows = Vec::new();
            for found in on.query_all_raw(Statement::from_string(backend, sql)).await? {
                let cells = columns.iter().enumerate();
                rows.push(
                    cells
                        .map(|(i, name)| Ok((name.clone(), found.try_get_by_index(i)?)))
                        .collect::<Result<Row, DbErr>>()?,
                );
            }
            tables.insert(table, Table { columns, rows });
        }
        Ok(Self(tables))
    }

    /// What is no longer as it was in the tables and columns that are in both.
    pub(super) fn changed_in(&self, later: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for (name, before) in &self.0 {
            let Some(after) = later.0.get(name) else { continue };
            let kept: BTreeSet<&String> = before.columns.intersection(&after.columns).collect();
            let (old, new) = (before.only(&kept), after.only(&kept));
            if old != new {
                changes.push(format!(
                    "rows of {name}: {} before, {} after, or their values differ",
                    old.len(),
                    new.len()
                ));
                changes.extend(old.iter().filter(|row| !new.contains(row)).map(|row| format!("- {name} {row:?}")));
                changes.extend(new.iter().filter(|row| !old.contains(row)).map(|row| format!("+ {name} {row:?}")));
            }
        }
        changes
    }
}

impl Table {
    /// The rows with these columns only, in an order of their own.
    fn only(&self, kept: &BTreeSet<&String>) -> Vec<Vec<&str>> {
        let mut rows: Vec<Vec<&str>> = self
            .rows
            .iter()
            .map(|row| row.iter().filter(|(name, _)| kept.contains(name)).map(|(_, text)| text.as_str()).collect())
            .collect();
        rows.sort_unstable();
        rows
    }
}
