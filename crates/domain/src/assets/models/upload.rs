//! Bringing a model, and a further version of one.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    Declared, Fault, Model, ModelFormat, ProcessModel, Version, VersionNumber, VersionState, events,
    ports::{Analysis, Gate},
};
use crate::{
    assets::{Chunks, Digest, Holder, Kept, Storeroom, Terms, charge, files::FileName, ports::Reach, uploads::Origin},
    catalog::{Product, policy::may_change},
    error::{Error, Result, Violations},
    id::{ModelId, ProductId},
    permission::{Authorized, WriteProducts},
    shop::Shop,
    store::Tx,
    text,
};

/// Most characters of a name.
pub(in crate::assets) const NAME_MAX: usize = 100;
/// Most versions of a model.
const VERSIONS_MAX: u32 = 1_000;

/// What models are brought to and examined by.
#[derive(Clone)]
pub struct Workshop {
    /// Where files lie.
    pub room: Storeroom,
    /// Examines them.
    pub analysis: Arc<dyn Analysis>,
    /// Most bytes of one file.
    pub most: u64,
}

impl std::fmt::Debug for Workshop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workshop").field("most", &self.most).finish_non_exhaustive()
    }
}

/// A model to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewModel {
    /// The product it belongs to.
    pub product: ProductId,
    /// Its name; that of the file when absent.
    pub name: Option<String>,
}

/// A file on its way.
pub struct Upload<'a> {
    /// Its bytes.
    pub source: &'a mut dyn Chunks,
    /// How many were announced.
    pub size: Option<u64>,
    /// What they were said to be.
    pub digest: Option<Digest>,
    /// What it is called. What it is said to be, is said by how that ends.
    pub file_name: String,
    /// Where it comes from.
    pub origin: Origin,
}

impl std::fmt::Debug for Upload<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("size", &self.size).finish_non_exhaustive()
    }
}

/// Brings a model with its first version. A job examines it.
///
/// # Errors
/// [`Error::Invalid`] for names, and for a file that can be told to be no model; [`Error::NotFound`] and [`Error::Forbidden`] for
/// the product; [`Error::TooLarge`]; those of the store of files.
pub async fn create_model(
    shop: &Shop,
    by: &Authorized<WriteProducts>,
    workshop: &Workshop,
    new: &NewModel,
    upload: Upload<'_>,
) -> Result<(Model, Version)> {
    let mut violations = Violations::default();
    let file_name = violations.check("fileName", FileName::new(&upload.file_name));
    let name = new.name.as_deref().map(|name| violations.check("name", text::line(name, 1, NAME_MAX)));
    let declared = file_name.as_ref().and_then(|name| declared(name.as_str(), "fileName", &mut violations));
    violations.into_result()?;
    let (Some(file_name), Some(declared)) = (file_name, declared) else { return Err(Error::internal("checked")) };
    let name = name.flatten().unwrap_or_else(|| file_name.as_str().chars().take(NAME_MAX).collect());
    // Before the bytes are asked for.
    product(&mut *shop.store.begin().await?, by, Some(new.product)).await?;
    let origin = upload.origin;
    let (kept, format) = put(shop, workshop, declared, upload).await?;
    let (name, file_name, kept, by_id) = (&name, file_name.as_str(), &kept, by.principal().user);
    shop.write("create_model", |mut tx| async move {
        let product = product(&mut *tx, by, Some(new.product)).await?;
        let now = tx.now();
        let number = VersionNumber(1);
        let model = Model {
            id: shop.id(),
            product: Some(product.id),
            seller: product.seller,
            name: name.clone(),
            latest: number,
            created_at: now,
            updated_at: now,
        };
        origin.became(shop, &mut *tx, model.id.0, Some(number.0)).await?;
        tx.models().insert(&model).await?;
        let version = Version::new(&model, number, by_id, file_name, format, kept, now);
        store(shop, &mut *tx, &model, &version, kept).await?;
        shop.record(&mut *tx, Some(by_id), events::created(&model, &product, &version)).await?;
        tx.commit((model, version)).await
    })
    .await
}

/// Brings a further version of a model. A job examines it.
///
/// # Errors
/// Those of [`create_model`]; [`Error::NotFound`] for the model.
pub async fn add_version(
    shop: &Shop,
    by: &Authorized<WriteProducts>,
    workshop: &Workshop,
    id: ModelId,
    upload: Upload<'_>,
) -> Result<Version> {
    let mut violations = Violations::default();
    let file_name = violations.check("fileName", FileName::new(&upload.file_name));
    let declared = file_name.as_ref().and_then(|name| declared(name.as_str(), "fileName", &mut violations));
    violations.into_result()?;
    let (Some(file_name), Some(declared)) = (file_name, declared) else { return Err(Error::internal("checked")) };
    model(&mut *shop.store.begin().await?, by, id).await?;
    let origin = upload.origin;
    let (kept, format) = put(shop, workshop, declared, upload).await?;
    let (file_name, kept, by_id) = (file_name.as_str(), &kept, by.principal().user);
    shop.write("add_model_version", |mut tx| async move {
        let (mut model, product) = model(&mut *tx, by, id).await?;
        if model.latest.0 >= VERSIONS_MAX {
            return Err(Error::conflict(format!("A model has at most {VERSIONS_MAX} versions; make another one")));
        }
        let now = tx.now();
        model.latest = VersionNumber(model.latest.0 + 1);
        model.updated_at = now;
        origin.became(shop, &mut *tx, model.id.0, Some(model.latest.0)).await?;
        tx.models().update(&model).await?;
        let version = Version::new(&model, model.latest, by_id, file_name, format, kept, now);
        store(shop, &mut *tx, &model, &version, kept).await?;
        shop.record(&mut *tx, Some(by_id), events::version_added(&model, &product, &version)).await?;
        tx.commit(version).await
    })
    .await
}

/// The model with its product, if the caller may change it.
pub(in crate::assets) async fn model(
    tx: &mut dyn Tx,
    by: &Authorized<WriteProducts>,
    id: ModelId,
) -> Result<(Model, Product)> {
    let model = tx.models().find(id).await?.ok_or(Error::NotFound("3D model"))?;
    let product = product(tx, by, model.product).await;
    match product {
        Ok(product) => Ok((model, product)),
        Err(Error::NotFound(_)) => Err(Error::NotFound("3D model")),
        Err(error) => Err(error),
    }
}

async fn product(tx: &mut dyn Tx, by: &Authorized<WriteProducts>, id: Option<ProductId>) -> Result<Product> {
    let found = match id {
        Some(id) => tx.products().find(id).await?,
        None => None,
    };
    let product = found.filter(|product| product.deleted.is_none()).ok_or(Error::NotFound("Product"))?;
    may_change(by.principal(), &product)?;
    Ok(product)
}

async fn put(shop: &Shop, workshop: &Workshop, declared: Declared, upload: Upload<'_>) -> Result<(Kept, ModelFormat)> {
    let terms = Terms { size: upload.size, digest: upload.digest, ..Terms::at_most(workshop.most) };
    let mut through = Through { source: upload.source, gate: workshop.analysis.gate(declared), format: None };
    let kept = workshop.room.put(shop, &mut through, &terms).await?;
    Ok((kept, through.format.ok_or_else(|| Error::internal("a source was not read to its end"))?))
}

async fn store(shop: &Shop, tx: &mut dyn Tx, model: &Model, version: &Version, kept: &Kept) -> Result<()> {
    charge(tx, &holders(model, version), version.size, &shop.rules.assets.quotas).await?;
    tx.blobs().hold(kept, Reach::Private).await?;
    tx.models().insert_version(version).await?;
    let job = ProcessModel { model: model.id, version: version.number };
    shop.enqueue(tx, job.request()).await?;
    Ok(())
}

/// For whom the file of a version counts.
pub(super) fn holders(model: &Model, version: &Version) -> [Holder; 2] {
    [Holder::Person(version.by), Holder::Seller(model.seller)]
}

impl Version {
    fn new(
        model: &Model,
        number: VersionNumber,
        by: crate::id::UserId,
        file_name: &str,
        format: ModelFormat,
        kept: &Kept,
        now: crate::clock::Timestamp,
    ) -> Self {
        Self {
            model: model.id,
            number,
            by,
            file_name: file_name.to_owned(),
            format,
            source: Some(kept.digest()),
            size: kept.size,
            state: VersionState::Processing,
            findings: None,
            fault: None,
            renditions: Vec::new(),
            created_at: now,
            updated_at: now,
        }
    }
}

pub(in crate::assets) fn declared(name: &str, field: &'static str, violations: &mut Violations) -> Option<Declared> {
    let declared = Declared::of_name(name);
    if declared.is_none() {
        violations.add(field, "file_type", "must end with .stl, .obj or .3mf");
    }
    declared
}

/// A source whose bytes are looked at on their way: what is refused never becomes a file.
struct Through<'a> {
    source: &'a mut dyn Chunks,
    gate: Box<dyn Gate>,
    format: Option<ModelFormat>,
}

#[async_trait]
impl Chunks for Through<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let next = self.source.next().await?;
        match &next {
            Some(piece) => self.gate.push(piece).map_err(|fault| refused(&fault))?,
            None if self.format.is_none() => self.format = Some(self.gate.finish().map_err(|fault| refused(&fault))?),
            None => {}
        }
        Ok(next)
    }
}

fn refused(fault: &Fault) -> Error {
    Error::invalid("file", "model_file", format!("{} ({})", fault.message, fault.code))
}
