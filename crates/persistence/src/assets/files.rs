//! Files of products.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    assets::{
        files::{
            FileName, Grant, MediaType, NewFile, ProductFile,
            ports::{FileQueries, FileRepo, FoundFile},
        },
        ports::Reach,
    },
    catalog::ProductStatus,
    clock::Timestamp,
    id::{FileId, GrantId, ProductId, SellerId, UserId},
    page::{Page, PageRequest},
};
use sea_orm::QueryResult;

use super::{
    blobs::{bytes, digest},
    grants,
};
use crate::{
    database::Database,
    error,
    paging::{Paged, paged},
    statement::{all, at, count, execute, one, statement},
    transaction::Purpose,
    tx::SeaTx,
};

const COLUMNS: &str = "f.id, f.product_id, f.seller_id, f.uploaded_by, f.digest, f.size, f.name, f.media_type, f.licence, \
    f.is_public, f.downloads, f.created_at";
const INSERT: &str = "INSERT INTO product_files (id, product_id, seller_id, uploaded_by, digest, size, name, media_type, licence, \
    is_public, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

#[async_trait]
impl FileRepo for SeaTx {
    async fn insert(&mut self, file: &ProductFile) -> Result<()> {
        let values = [
            file.id.0.into(),
            file.product.0.into(),
            file.seller.0.into(),
            file.uploaded_by.0.into(),
            bytes(&file.digest),
            i64::try_from(file.size).map_err(Error::internal)?.into(),
            file.told.name.as_str().into(),
            file.told.media_type.as_str().into(),
            file.told.licence.clone().into(),
            file.is_public().into(),
            file.created_at.into(),
        ];
        execute(&self.tx, statement(self.engine, INSERT, values)).await.map(|_| ())
    }

    async fn find(&mut self, id: FileId) -> Result<Option<ProductFile>> {
        let lock = self.engine.pick("", "FOR UPDATE");
        let sql = format!("SELECT {COLUMNS} FROM product_files f WHERE f.id = $1 {lock}");
        one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?.map(|row| file(&row, 0)).transpose()
    }

    async fn delete(&mut self, id: FileId) -> Result<()> {
        let sql = "DELETE FROM product_files WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }

    async fn of_deleted(&mut self, before: Timestamp, limit: u32) -> Result<Vec<ProductFile>> {
        let lock = self.engine.pick("", "FOR UPDATE OF f");
        let sql = format!(
            "SELECT {COLUMNS} FROM product_files f JOIN products p ON p.id = f.product_id WHERE p.deleted_at < $1 \
             ORDER BY f.digest, f.id LIMIT $2 {lock}"
        );
        let rows = all(&self.tx, statement(self.engine, sql, [before.into(), i64::from(limit).into()])).await?;
        rows.iter().map(|row| file(row, 0)).collect()
    }
}

impl Database {
    /// The read side of files of products, and of who was granted them.
    pub fn files(&self) -> Arc<dyn FileQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl FileQueries for Database {
    async fn get(&self, id: FileId) -> Result<Option<FoundFile>> {
        let sql = format!(
            "SELECT {COLUMNS}, p.status, p.deleted_at IS NULL FROM product_files f JOIN products p ON p.id = f.product_id \
             WHERE f.id = $1"
        );
        let Some(row) = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await? else { return Ok(None) };
        let status: String = at(&row, 12)?;
        let there: bool = at(&row, 13)?;
        let status =
            ProductStatus::named(&status).ok_or_else(|| Error::internal(format!("a product is {status:?}")))?;
        Ok(Some(FoundFile { file: file(&row, 0)?, product: there.then_some(status) }))
    }

    async fn list(&self, product: ProductId, all: bool, page: PageRequest) -> Result<Page<ProductFile>> {
        let from = if all {
            "product_files f WHERE f.product_id = $3"
        } else {
            "product_files f WHERE f.product_id = $3 AND f.is_public"
        };
        let listed = Paged { columns: COLUMNS, from, order: "f.id DESC" };
        paged(self, &listed, vec![product.0.into()], page, file).await
    }

    async fn grant_of(&self, product: ProductId, user: UserId) -> Result<Option<GrantId>> {
        grants::grant_of(self, product, user).await
    }

    async fn grants(&self, product: ProductId, page: PageRequest) -> Result<Page<Grant>> {
        grants::list(self, product, page).await
    }

    async fn downloaded(&self, times: &[(FileId, u64)]) -> Result<()> {
        let mut times = times.to_vec();
        // One order for all writers, so that two batches cannot wait for each other.
        times.sort_unstable();
        let sql = "UPDATE product_files SET downloads = downloads + $2 WHERE id = $1";
        let tx = self.writer.begin(Purpose::Write).await.map_err(error::of)?;
        for (id, times) in times {
            let times = i64::try_from(times).map_err(Error::internal)?;
            execute(&tx, statement(self.engine, sql, [id.0.into(), times.into()])).await?;
        }
        tx.commit().await.map_err(error::of)
    }
}

fn file(row: &QueryResult, first: usize) -> Result<ProductFile> {
    let public: bool = at(row, first + 9)?;
    Ok(ProductFile {
        id: FileId(at(row, first)?),
        product: ProductId(at(row, first + 1)?),
        seller: SellerId(at(row, first + 2)?),
        uploaded_by: UserId(at(row, first + 3)?),
        digest: digest(row, first + 4)?,
        size: count(row, first + 5)?,
        told: NewFile {
            name: FileName::stored(at(row, first + 6)?),
            media_type: MediaType::stored(at(row, first + 7)?),
            licence: at(row, first + 8)?,
            reach: if public { Reach::Public } else { Reach::Private },
        },
        downloads: count(row, first + 10)?,
        created_at: at(row, first + 11)?,
    })
}
