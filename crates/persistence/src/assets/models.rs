//! 3D models and their versions.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    assets::{
        Digest,
        models::{
            Model, ModelFormat, Rendition, RenditionKind, Version, VersionNumber, VersionState,
            ports::{ModelQueries, ModelRepo},
        },
    },
    catalog::policy::Scope,
    id::{ModelId, ProductId, SellerId, UserId},
    page::{Page, PageRequest},
};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use uuid::Uuid;

use super::blobs::{bytes, digest};
use crate::{
    database::Database,
    engine::Engine,
    paging::{Paged, paged},
    statement::{all, at, count, execute, one, placeholders, statement},
    tx::SeaTx,
};

const MODEL: &str = "m.id, m.product_id, m.seller_id, m.name, m.latest, m.created_at, m.updated_at";
const VERSION: &str = "model_id, number, uploaded_by, file_name, format, digest, size, state, findings, fault, \
    created_at, updated_at";

#[async_trait]
impl ModelRepo for SeaTx {
    async fn insert(&mut self, model: &Model) -> Result<()> {
        let sql = "INSERT INTO models (id, product_id, seller_id, name, latest, created_at, updated_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = [
            model.id.0.into(),
            model.product.map(|id| id.0).into(),
            model.seller.0.into(),
            model.name.clone().into(),
            number(model.latest)?,
            model.created_at.into(),
            model.updated_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn find(&mut self, id: ModelId) -> Result<Option<Model>> {
        let lock = self.engine.pick("", "FOR UPDATE");
        let sql = format!("SELECT {MODEL} FROM models m WHERE m.id = $1 {lock}");
        one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?.map(|row| model(&row, 0)).transpose()
    }

    async fn update(&mut self, model: &Model) -> Result<()> {
        let sql = "UPDATE models SET product_id = $2, name = $3, latest = $4, updated_at = $5 WHERE id = $1";
        let values = [
            model.id.0.into(),
            model.product.map(|id| id.0).into(),
            model.name.clone().into(),
            number(model.latest)?,
            model.updated_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn insert_version(&mut self, version: &Version) -> Result<()> {
        let sql = format!(
            "INSERT INTO model_versions ({VERSION}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        );
        let values = [
            version.model.0.into(),
            number(version.number)?,
            version.by.0.into(),
            version.file_name.clone().into(),
            version.format.name().into(),
            version.source.as_ref().map(|digest| digest.0.to_vec()).into(),
            i64::try_from(version.size).map_err(Error::internal)?.into(),
            version.state.name().into(),
            written(version.findings.as_ref())?,
            written(version.fault.as_ref())?,
            version.created_at.into(),
            version.updated_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await?;
        self.insert_renditions(version).await
    }

    async fn find_version(&mut self, id: ModelId, number_: VersionNumber) -> Result<Option<Version>> {
        let sql = format!("SELECT {VERSION} FROM model_versions WHERE model_id = $1 AND number = $2");
        let row = one(&self.tx, statement(self.engine, sql, [id.0.into(), number(number_)?])).await?;
        let found = row.map(|row| version(&row, 0)).transpose()?;
        Ok(with_renditions(&self.tx, self.engine, found.into_iter().collect()).await?.pop())
    }

    async fn versions_of(&mut self, id: ModelId) -> Result<Vec<Version>> {
        let sql = format!("SELECT {VERSION} FROM model_versions WHERE model_id = $1 ORDER BY number");
        let rows = all(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        let found = rows.iter().map(|row| version(row, 0)).collect::<Result<_>>()?;
        with_renditions(&self.tx, self.engine, found).await
    }

    async fn update_version(&mut self, version: &Version) -> Result<()> {
        let sql = "UPDATE model_versions SET digest = $3, state = $4, findings = $5, fault = $6, updated_at = $7 \
                   WHERE model_id = $1 AND number = $2";
        let values = [
            version.model.0.into(),
            number(version.number)?,
            version.source.as_ref().map(|digest| digest.0.to_vec()).into(),
            version.state.name().into(),
            written(version.findings.as_ref())?,
            written(version.fault.as_ref())?,
            version.updated_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await?;
        let sql = "DELETE FROM model_renditions WHERE model_id = $1 AND number = $2";
        execute(&self.tx, statement(self.engine, sql, [version.model.0.into(), number(version.number)?])).await?;
        self.insert_renditions(version).await
    }

    async fn delete_version(&mut self, id: ModelId, number_: VersionNumber) -> Result<()> {
        let sql = "DELETE FROM model_versions WHERE model_id = $1 AND number = $2";
        execute(&self.tx, statement(self.engine, sql, [id.0.into(), number(number_)?])).await.map(|_| ())
    }

    async fn delete(&mut self, id: ModelId) -> Result<()> {
        let sql = "DELETE FROM models WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }

    async fn orphans(&mut self, limit: u32) -> Result<Vec<Model>> {
        let lock = self.engine.pick("", "FOR UPDATE");
        let sql = format!("SELECT {MODEL} FROM models m WHERE m.product_id IS NULL ORDER BY m.id LIMIT $1 {lock}");
        let rows = all(&self.tx, statement(self.engine, sql, [i64::from(limit).into()])).await?;
        rows.iter().map(|row| model(row, 0)).collect()
    }
}

impl SeaTx {
    async fn insert_renditions(&mut self, version: &Version) -> Result<()> {
        let sql = "INSERT INTO model_renditions (model_id, number, kind, digest, size) VALUES ($1, $2, $3, $4, $5)";
        for rendition in &version.renditions {
            let values = [
                version.model.0.into(),
                number(version.number)?,
                rendition.kind.name().into(),
                bytes(&rendition.digest),
                i64::try_from(rendition.size).map_err(Error::internal)?.into(),
            ];
            execute(&self.tx, statement(self.engine, sql, values)).await?;
        }
        Ok(())
    }
}

impl Database {
    /// The read side of 3D models.
    pub fn models(&self) -> Arc<dyn ModelQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl ModelQueries for Database {
    async fn list(&self, scope: Scope, product: Option<ProductId>, page: PageRequest) -> Result<Page<Model>> {
        let (mut condition, mut values) = visible(scope, 3);
        if let Some(product) = product {
            values.push(product.0.into());
            condition = format!("{condition} AND m.product_id = ${}", values.len() + 2);
        }
        let from = format!("models m JOIN products p ON p.id = m.product_id WHERE {condition}");
        paged(self, &Paged { columns: MODEL, from: &from, order: "m.id DESC" }, values, page, model).await
    }

    async fn get(&self, id: ModelId, scope: Scope) -> Result<Option<Model>> {
        let (condition, mut values) = visible(scope, 2);
        values.insert(0, id.0.into());
        let sql = format!(
            "SELECT {MODEL} FROM models m JOIN products p ON p.id = m.product_id WHERE m.id = $1 AND {condition}"
        );
        one(&self.reader, statement(self.engine, sql, values)).await?.map(|row| model(&row, 0)).transpose()
    }

    async fn versions(&self, id: ModelId, page: PageRequest) -> Result<Page<Version>> {
        let listed = Paged { columns: VERSION, from: "model_versions WHERE model_id = $3", order: "number DESC" };
        let Page { items, total, page, pages } = paged(self, &listed, vec![id.0.into()], page, version).await?;
        Ok(Page { items: with_renditions(&self.reader, self.engine, items).await?, total, page, pages })
    }

    async fn version(&self, id: ModelId, wanted: Option<VersionNumber>) -> Result<Option<Version>> {
        let mut values: Vec<Value> = vec![id.0.into()];
        let condition = match wanted {
            Some(wanted) => {
                values.push(number(wanted)?);
                "number = $2"
            }
            None => "state = 'ready'",
        };
        let sql = format!(
            "SELECT {VERSION} FROM model_versions WHERE model_id = $1 AND {condition} ORDER BY number DESC LIMIT 1"
        );
        let row = one(&self.reader, statement(self.engine, sql, values)).await?;
        let found = row.map(|row| version(&row, 0)).transpose()?;
        Ok(with_renditions(&self.reader, self.engine, found.into_iter().collect()).await?.pop())
    }

    async fn processing(&self, limit: u32) -> Result<Vec<(ModelId, VersionNumber)>> {
        let sql = "SELECT model_id, number FROM model_versions WHERE state = 'processing' \
                   ORDER BY model_id, number LIMIT $1";
        let rows = all(&self.reader, statement(self.engine, sql, [i64::from(limit).into()])).await?;
        rows.iter()
            .map(|row| {
                Ok((ModelId(at(row, 0)?), VersionNumber(u32::try_from(at::<i32>(row, 1)?).map_err(Error::internal)?)))
            })
            .collect()
    }
}

/// Which models somebody may see: those of the products they may see. Parameters begin with `first`.
fn visible(scope: Scope, first: usize) -> (String, Vec<Value>) {
    let live = "p.deleted_at IS NULL";
    match scope {
        Scope::All => (live.to_owned(), Vec::new()),
        Scope::Published => (format!("{live} AND p.status = 'published'"), Vec::new()),
        Scope::Sellers(own) => {
            let own = own.as_slice();
            let among = placeholders(first, own.len());
            let condition = format!("{live} AND (p.status = 'published' OR p.seller_id IN ({among}))");
            (condition, own.iter().map(|seller| seller.0.into()).collect())
        }
    }
}

/// Versions of one model, each with what was made of it.
async fn with_renditions(
    on: &impl ConnectionTrait,
    engine: Engine,
    mut versions: Vec<Version>,
) -> Result<Vec<Version>> {
    let Some(model) = versions.first().map(|version| version.model) else { return Ok(versions) };
    let numbers = versions.iter().map(|version| number(version.number));
    let mut values: Vec<Value> = numbers.collect::<Result<_>>()?;
    let among = placeholders(2, values.len());
    values.insert(0, model.0.into());
    let sql =
        format!("SELECT kind, digest, size, number FROM model_renditions WHERE model_id = $1 AND number IN ({among})");
    for row in &all(on, statement(engine, sql, values)).await? {
        let of = VersionNumber(u32::try_from(at::<i32>(row, 3)?).map_err(Error::internal)?);
        if let Some(version) = versions.iter_mut().find(|version| version.number == of) {
            version.renditions.push(rendition(row, 0)?);
        }
    }
    for version in &mut versions {
        version.renditions.sort_by_key(|made| RenditionKind::ALL.iter().position(|kind| *kind == made.kind));
    }
    Ok(versions)
}

fn model(row: &QueryResult, first: usize) -> Result<Model> {
    Ok(Model {
        id: ModelId(at(row, first)?),
        product: at::<Option<Uuid>>(row, first + 1)?.map(ProductId),
        seller: SellerId(at(row, first + 2)?),
        name: at(row, first + 3)?,
        latest: VersionNumber(u32::try_from(at::<i32>(row, first + 4)?).map_err(Error::internal)?),
        created_at: at(row, first + 5)?,
        updated_at: at(row, first + 6)?,
    })
}

fn version(row: &QueryResult, first: usize) -> Result<Version> {
    let unknown = || Error::internal("a stored version has a known format and state");
    let format = ModelFormat::named(&at::<String>(row, first + 4)?).ok_or_else(unknown)?;
    let state = VersionState::named(&at::<String>(row, first + 7)?).ok_or_else(unknown)?;
    let source: Option<Vec<u8>> = at(row, first + 5)?;
    Ok(Version {
        model: ModelId(at(row, first)?),
        number: VersionNumber(u32::try_from(at::<i32>(row, first + 1)?).map_err(Error::internal)?),
        by: UserId(at(row, first + 2)?),
        file_name: at(row, first + 3)?,
        format,
        source: source.map(|bytes| Digest::stored(&bytes).ok_or_else(unknown)).transpose()?,
        size: count(row, first + 6)?,
        state,
        findings: read(at(row, first + 8)?)?,
        fault: read(at(row, first + 9)?)?,
        renditions: Vec::new(),
        created_at: at(row, first + 10)?,
        updated_at: at(row, first + 11)?,
    })
}

fn rendition(row: &QueryResult, first: usize) -> Result<Rendition> {
    let kind = RenditionKind::named(&at::<String>(row, first)?);
    let kind = kind.ok_or_else(|| Error::internal("a stored rendition has a known kind"))?;
    Ok(Rendition { kind, digest: digest(row, first + 1)?, size: count(row, first + 2)? })
}

fn number(number: VersionNumber) -> Result<Value> {
    i32::try_from(number.0).map(Into::into).map_err(Error::internal)
}

fn written<T: serde::Serialize>(value: Option<&T>) -> Result<Value> {
    Ok(value.map(serde_json::to_string).transpose().map_err(Error::internal)?.into())
}

fn read<T: serde::de::DeserializeOwned>(text: Option<String>) -> Result<Option<T>> {
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(Error::internal)
}
