//! Who holds which bytes.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    assets::{
        Digest, Edition, Holder, Kept, Place, Stored,
        ports::{BlobQueries, BlobRepo, Held, Reach},
    },
    clock::Timestamp,
};
use sea_orm::{QueryResult, Value};

use super::usage;
use crate::{
    database::Database,
    statement::{all, at, count, execute, one, placeholders, statement},
    tx::SeaTx,
};

const COLUMNS: &str = "digest, edition, size, refs, public_refs, touched_at";
const CLAIM: &str = "INSERT INTO blobs (digest, size, edition, touched_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (digest) DO UPDATE SET touched_at = excluded.touched_at RETURNING edition";
const HOLD: &str =
    "UPDATE blobs SET refs = refs + 1, public_refs = public_refs + $3 WHERE digest = $1 AND edition = $2";
const SHARE: &str = "UPDATE blobs SET refs = refs + 1, public_refs = public_refs + $2 WHERE digest = $1 AND refs > 0";
const RELEASE: &str = "UPDATE blobs SET refs = refs - 1, public_refs = public_refs - $2, touched_at = $3 \
    WHERE digest = $1 AND public_refs >= $2 AND refs - public_refs >= 1 - $2";

#[async_trait]
impl BlobRepo for SeaTx {
    async fn claim(&mut self, stored: &Stored, fresh: Edition, at_: Timestamp) -> Result<Edition> {
        let size = i64::try_from(stored.size).map_err(Error::internal)?;
        let values = [bytes(&stored.digest), size.into(), edition(fresh).into(), at_.into()];
        let row = one(&self.tx, statement(self.engine, CLAIM, values)).await?;
        let row = row.ok_or_else(|| Error::internal("a claim gives its edition"))?;
        Ok(Edition(u64::from_be_bytes(at::<i64>(&row, 0)?.to_be_bytes())))
    }

    async fn hold(&mut self, kept: &Kept, reach: Reach) -> Result<()> {
        let values = [bytes(&kept.digest()), edition(kept.place.edition).into(), public(reach).into()];
        if execute(&self.tx, statement(self.engine, HOLD, values)).await? == 1 {
            return Ok(());
        }
        let source = "the bytes were taken out before they were held".into();
        Err(Error::Unavailable { what: "File store", source })
    }

    async fn share(&mut self, digest: &Digest, reach: Reach) -> Result<bool> {
        let values = [bytes(digest), public(reach).into()];
        Ok(execute(&self.tx, statement(self.engine, SHARE, values)).await? == 1)
    }

    async fn release(&mut self, digest: &Digest, reach: Reach, at: Timestamp) -> Result<()> {
        let values = [bytes(digest), public(reach).into(), at.into()];
        match execute(&self.tx, statement(self.engine, RELEASE, values)).await? {
            1 => Ok(()),
            _ => Err(Error::internal("bytes were let go that nobody held")),
        }
    }
}

impl Database {
    /// The read side of who holds bytes.
    pub fn blobs(&self) -> Arc<dyn BlobQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl BlobQueries for Database {
    async fn find(&self, digest: &Digest) -> Result<Option<Held>> {
        let sql = format!("SELECT {COLUMNS} FROM blobs WHERE digest = $1");
        one(&self.reader, statement(self.engine, sql, [bytes(digest)])).await?.map(|row| held(&row)).transpose()
    }

    async fn list(&self, after: Option<&Digest>, limit: u32) -> Result<Vec<Held>> {
        // No digest is empty, so all lie behind nothing.
        let after = after.map_or_else(|| Vec::<u8>::new().into(), bytes);
        let sql = format!("SELECT {COLUMNS} FROM blobs WHERE digest > $1 ORDER BY digest LIMIT $2");
        let rows = all(&self.reader, statement(self.engine, sql, [after, i64::from(limit).into()])).await?;
        rows.iter().map(held).collect()
    }

    async fn known(&self, places: &[Place]) -> Result<Vec<Place>> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let among = placeholders(1, places.len());
        let sql = format!("SELECT {COLUMNS} FROM blobs WHERE digest IN ({among})");
        let rows =
            all(&self.reader, statement(self.engine, sql, places.iter().map(|place| bytes(&place.digest)))).await?;
        let found: Vec<Place> = rows.iter().map(|row| held(row).map(|held| held.place)).collect::<Result<_>>()?;
        Ok(places.iter().filter(|place| found.contains(place)).copied().collect())
    }

    async fn condemn(&self, before: Timestamp, limit: u32) -> Result<Vec<Place>> {
        // What somebody holds just now is locked by them; the conditions are asked again when a row is free.
        let pass = self.engine.pick("", "FOR UPDATE SKIP LOCKED");
        let sql = format!(
            "DELETE FROM blobs WHERE refs = 0 AND touched_at < $1 AND digest IN (SELECT digest FROM blobs \
             WHERE refs = 0 AND touched_at < $1 ORDER BY touched_at LIMIT $2 {pass}) RETURNING {COLUMNS}"
        );
        let values = [before.into(), i64::from(limit).into()];
        let rows = all(&self.writer, statement(self.engine, sql, values)).await?;
        rows.iter().map(|row| held(row).map(|held| held.place)).collect()
    }

    async fn usage(&self, holder: Holder) -> Result<u64> {
        usage::of(self, holder).await
    }
}

pub(crate) fn bytes(digest: &Digest) -> Value {
    digest.0.to_vec().into()
}

pub(crate) fn digest(row: &QueryResult, index: usize) -> Result<Digest> {
    let bytes: Vec<u8> = at(row, index)?;
    Digest::stored(&bytes).ok_or_else(|| Error::internal("a digest has 32 bytes"))
}

/// The databases know signed numbers alone; the bits are the same.
fn edition(edition: Edition) -> i64 {
    i64::from_be_bytes(edition.0.to_be_bytes())
}

fn public(reach: Reach) -> i64 {
    i64::from(reach == Reach::Public)
}

fn held(row: &QueryResult) -> Result<Held> {
    let edition = Edition(u64::from_be_bytes(at::<i64>(row, 1)?.to_be_bytes()));
    Ok(Held {
        place: Place { digest: digest(row, 0)?, edition },
        size: count(row, 2)?,
        references: count(row, 3)?,
        public: count(row, 4)?,
        touched_at: at(row, 5)?,
    })
}
