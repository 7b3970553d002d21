//! Everything a schema holds, one line each, from the catalogue of the database.

use std::collections::BTreeSet;

use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

/// Tables, indexes, triggers and views, with the text that made them; not what SQLite makes by itself.
const SQLITE: &str = "SELECT type || ' ' || name || ' on ' || tbl_name || ': ' || coalesce(sql, '') FROM sqlite_master \
    WHERE name NOT LIKE 'sqlite@_%' ESCAPE '@'";

/// What PostgreSQL knows of the schema `public`, apart from what extensions brought. Places of columns are left out: a
/// column that comes back stands last.
const POSTGRES: &str = "
WITH own AS (
  SELECT c.oid, c.relname, c.relkind FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
)
SELECT 'relation ' || relname::text || ' ' || relkind::text FROM own
UNION ALL
SELECT 'column ' || own.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || ' ' || a.attidentity::text || a.attgenerated::text
    || coalesce(' collate ' || NULLIF(a.attcollation, 0)::regcollation::text, '')
    || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
  FROM own JOIN pg_attribute a ON a.attrelid = own.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE own.relkind IN ('r', 'p', 'v', 'm', 'f')
UNION ALL
SELECT 'constraint ' || own.relname || '.' || c.conname || ' ' || pg_get_constraintdef(c.oid)
  FROM own JOIN pg_constraint c ON c.conrelid = own.oid
UNION ALL
SELECT 'index ' || pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' invalid' END
  FROM own JOIN pg_index i ON i.indrelid = own.oid
UNION ALL
SELECT 'trigger ' || pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
  FROM own JOIN pg_trigger t ON t.tgrelid = own.oid AND NOT t.tgisinternal
UNION ALL
SELECT 'view ' || relname || ' ' || pg_get_viewdef(oid) FROM own WHERE relkind IN ('v', 'm')
UNION ALL
SELECT 'sequence ' || own.relname || ' ' || format_type(s.seqtypid, NULL) || ' ' || s.seqstart || ' ' || s.seqincrement
    || ' ' || s.seqmin || ' ' || s.seqmax || ' ' || s.seqcycle FROM own JOIN pg_sequence s ON s.seqrelid = own.oid
UNION ALL
SELECT 'option ' || relname || ' ' || unnest(reloptions) FROM pg_class WHERE oid IN (SELECT oid FROM own)
UNION ALL
SELECT 'function ' || pg_get_functiondef(p.oid) FROM pg_proc p
  WHERE p.pronamespace = 'public'::regnamespace AND p.prokind IN ('f', 'p')
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT 'enum ' || t.typname || ' ' || string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)
  FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid WHERE t.typnamespace = 'public'::regnamespace GROUP BY t.typname
UNION ALL
SELECT 'extension ' || extname FROM pg_extension";

/// The lines of the present schema.
pub(super) async fn schema(on: &DatabaseConnection) -> Result<BTreeSet<String>, DbErr> {
    let backend = on.get_database_backend();
    let sql = if backend == DbBackend::Sqlite { SQLITE } else { POSTGRES };
    let rows = on.query_all_raw(Statement::from_string(backend, sql)).await?;
    // The spaces of a definition are its author's; what `ALTER TABLE` leaves of them says nothing.
    rows.iter()
        .map(|row| row.try_get_by_index::<String>(0).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")))
        .collect()
}
