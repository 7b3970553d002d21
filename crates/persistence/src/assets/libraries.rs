//! Libraries of large files.

use std::{fmt::Write as _, sync::Arc};

use async_trait::async_trait;
use domain::{
    Error, Result,
    assets::{
        Digest,
        lfs::{
            Library, LibraryName, LibrarySummary, Lock, LockFilter, LockPath, NamedLock, Object,
            ports::{LibraryQueries, LibraryRepo},
        },
    },
    id::{LibraryId, LockId, SellerId, UserId},
    page::{Page, PageRequest},
};
use sea_orm::{QueryResult, Value};

use super::blobs::{bytes, digest};
use crate::{
    database::Database,
    paging::{Paged, paged},
    statement::{all, at, count, execute, one, placeholders, statement},
    tx::SeaTx,
};

const LIBRARY: &str = "l.id, l.seller_id, l.name, l.created_at";
const LOCK: &str = "k.id, k.library_id, k.path, k.owner_id, k.locked_at, u.name";
const SUMMARY: &str = "l.id, l.seller_id, l.name, l.created_at, s.slug, \
    (SELECT count(*) FROM library_objects o WHERE o.library_id = l.id) AS objects, \
    (SELECT CAST(coalesce(sum(o.size), 0) AS bigint) FROM library_objects o WHERE o.library_id = l.id) AS bytes, \
    (SELECT count(*) FROM library_locks k WHERE k.library_id = l.id) AS locks";

#[async_trait]
impl LibraryRepo for SeaTx {
    async fn find(&mut self, seller: SellerId, name: &LibraryName) -> Result<Option<Library>> {
        let sql = format!("SELECT {LIBRARY} FROM libraries l WHERE l.seller_id = $1 AND l.name = $2");
        let values = [seller.0.into(), name.as_str().into()];
        let found = one(&self.tx, statement(self.engine, sql, values)).await?;
        found.map(|row| library(&row, 0)).transpose()
    }

    async fn by_id(&mut self, id: LibraryId) -> Result<Option<Library>> {
        let held = self.engine.pick("", " FOR UPDATE");
        let sql = format!("SELECT {LIBRARY} FROM libraries l WHERE l.id = $1{held}");
        let found = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        found.map(|row| library(&row, 0)).transpose()
    }

    async fn insert(&mut self, new: &Library) -> Result<bool> {
        let sql = "INSERT INTO libraries (id, seller_id, name, created_at) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (seller_id, name) DO NOTHING";
        let values = [new.id.0.into(), new.seller.0.into(), new.name.as_str().into(), new.created_at.into()];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? == 1)
    }

    async fn add(&mut self, object: &Object) -> Result<bool> {
        let sql = "INSERT INTO library_objects (library_id, digest, size, added_by, added_at) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (library_id, digest) DO NOTHING";
        let size = i64::try_from(object.size).map_err(Error::internal)?;
        let values = [
            object.library.0.into(),
            bytes(&object.digest),
            size.into(),
            object.added_by.0.into(),
            object.added_at.into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? == 1)
    }

    async fn take(&mut self, library: LibraryId, limit: u32) -> Result<Vec<Object>> {
        let sql = "DELETE FROM library_objects WHERE library_id = $1 AND digest IN \
                   (SELECT digest FROM library_objects WHERE library_id = $1 ORDER BY digest LIMIT $2) \
                   RETURNING digest, size, added_by, added_at, \
                   (SELECT l.seller_id FROM libraries l WHERE l.id = library_id)";
        let values = [library.0.into(), i64::from(limit).into()];
        let rows = all(&self.tx, statement(self.engine, sql, values)).await?;
        let object = |row: &QueryResult| {
            Ok(Object {
                library,
                seller: SellerId(at(row, 4)?),
                digest: digest(row, 0)?,
                size: count(row, 1)?,
                added_by: UserId(at(row, 2)?),
                added_at: at(row, 3)?,
            })
        };
        rows.iter().map(object).collect()
    }

    async fn delete(&mut self, id: LibraryId) -> Result<()> {
        for sql in ["DELETE FROM library_locks WHERE library_id = $1", "DELETE FROM libraries WHERE id = $1"] {
            execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        }
        Ok(())
    }

    async fn lock(&mut self, lock: &Lock) -> Result<bool> {
        let sql = "INSERT INTO library_locks (id, library_id, path, owner_id, locked_at) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (library_id, path) DO NOTHING";
        let values = [
            lock.id.0.into(),
            lock.library.0.into(),
            lock.path.as_str().into(),
            lock.owner.0.into(),
            lock.locked_at.into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? == 1)
    }

    async fn lock_of(&mut self, library: LibraryId, path: &LockPath) -> Result<Option<NamedLock>> {
        let sql = format!(
            "SELECT {LOCK} FROM library_locks k JOIN users u ON u.id = k.owner_id \
             WHERE k.library_id = $1 AND k.path = $2"
        );
        let values = [library.0.into(), path.as_str().into()];
        one(&self.tx, statement(self.engine, sql, values)).await?.map(|row| named(&row)).transpose()
    }

    async fn lock_by_id(&mut self, library: LibraryId, id: LockId) -> Result<Option<NamedLock>> {
        let sql = format!(
            "SELECT {LOCK} FROM library_locks k JOIN users u ON u.id = k.owner_id \
             WHERE k.library_id = $1 AND k.id = $2"
        );
        let values = [library.0.into(), id.0.into()];
        one(&self.tx, statement(self.engine, sql, values)).await?.map(|row| named(&row)).transpose()
    }

    async fn unlock(&mut self, id: LockId) -> Result<()> {
        let sql = "DELETE FROM library_locks WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }
}

impl Database {
    /// The read side of libraries of large files.
    pub fn libraries(&self) -> Arc<dyn LibraryQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl LibraryQueries for Database {
    async fn account(&self, slug: &str) -> Result<Option<SellerId>> {
        let sql = "SELECT id FROM sellers WHERE slug = $1";
        let found = one(&self.reader, statement(self.engine, sql, [slug.into()])).await?;
        found.map(|row| at(&row, 0).map(SellerId)).transpose()
    }

    async fn find(&self, seller: SellerId, name: &LibraryName) -> Result<Option<Library>> {
        let sql = format!("SELECT {LIBRARY} FROM libraries l WHERE l.seller_id = $1 AND l.name = $2");
        let values = [seller.0.into(), name.as_str().into()];
        let found = one(&self.reader, statement(self.engine, sql, values)).await?;
        found.map(|row| library(&row, 0)).transpose()
    }

    async fn sizes(&self, library: LibraryId, digests: &[Digest]) -> Result<Vec<(Digest, u64)>> {
        if digests.is_empty() {
            return Ok(Vec::new());
        }
        let these = placeholders(2, digests.len());
        let sql = format!("SELECT digest, size FROM library_objects WHERE library_id = $1 AND digest IN ({these})");
        let values: Vec<Value> = std::iter::once(library.0.into()).chain(digests.iter().map(bytes)).collect();
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        rows.iter().map(|row| Ok((digest(row, 0)?, count(row, 1)?))).collect()
    }

    async fn locks(
        &self,
        library: LibraryId,
        filter: &LockFilter,
        after: Option<LockId>,
        limit: u32,
    ) -> Result<Vec<NamedLock>> {
        let mut sql =
            format!("SELECT {LOCK} FROM library_locks k JOIN users u ON u.id = k.owner_id WHERE k.library_id = $1");
        let mut values: Vec<Value> = vec![library.0.into(), i64::from(limit).into()];
        let wanted = [
            ("k.id >", after.map(|id| id.0.into())),
            ("k.id =", filter.id.map(|id| id.0.into())),
            ("k.path =", filter.path.as_deref().map(Value::from)),
        ];
        for (condition, value) in wanted {
            if let Some(value) = value {
                values.push(value);
                // Writing to a String cannot fail.
                let _ = write!(sql, " AND {condition} ${}", values.len());
            }
        }
        sql += " ORDER BY k.id LIMIT $2";
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        rows.iter().map(named).collect()
    }

    async fn list(&self, sellers: &[SellerId], page: PageRequest) -> Result<Page<LibrarySummary>> {
        if sellers.is_empty() {
            return Ok(Page::new(Vec::new(), 0, page));
        }
        let from = format!(
            "libraries l JOIN sellers s ON s.id = l.seller_id WHERE l.seller_id IN ({})",
            placeholders(3, sellers.len())
        );
        let listed = Paged { columns: SUMMARY, from: &from, order: "l.id" };
        paged(self, &listed, sellers.iter().map(|seller| seller.0.into()).collect(), page, summary).await
    }

    async fn get(&self, id: LibraryId) -> Result<Option<LibrarySummary>> {
        let sql = format!("SELECT {SUMMARY} FROM libraries l JOIN sellers s ON s.id = l.seller_id WHERE l.id = $1");
        let found = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        found.map(|row| summary(&row, 0)).transpose()
    }
}

fn library(row: &QueryResult, from: usize) -> Result<Library> {
    Ok(Library {
        id: LibraryId(at(row, from)?),
        seller: SellerId(at(row, from + 1)?),
        name: LibraryName::stored(at(row, from + 2)?),
        created_at: at(row, from + 3)?,
    })
}

fn summary(row: &QueryResult, from: usize) -> Result<LibrarySummary> {
    Ok(LibrarySummary {
        library: library(row, from)?,
        seller_slug: at(row, from + 4)?,
        objects: count(row, from + 5)?,
        bytes: count(row, from + 6)?,
        locks: count(row, from + 7)?,
    })
}

fn named(row: &QueryResult) -> Result<NamedLock> {
    let lock = Lock {
        id: LockId(at(row, 0)?),
        library: LibraryId(at(row, 1)?),
        path: LockPath::stored(at(row, 2)?),
        owner: UserId(at(row, 3)?),
        locked_at: at(row, 4)?,
    };
    Ok(NamedLock { lock, owner_name: at(row, 5)? })
}
