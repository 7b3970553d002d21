//! The job that examines a version: measures it, draws it, and says what became of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Fault, Model, Rendition, RenditionKind, Version, VersionNumber, VersionState, Workshop, events,
    ports::{Depiction, Source},
    upload::holders,
};
use crate::{
    assets::{Kept, Terms, Whole, ports::Reach},
    catalog::Product,
    error::{Error, Result},
    event::Change,
    id::ModelId,
    job::{Job, Policy, Request},
    shop::Shop,
    store::Tx,
};

/// The job that examines a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessModel {
    /// The model.
    pub model: ModelId,
    /// Which version of it.
    pub version: VersionNumber,
}

impl Job for ProcessModel {
    const NAME: &'static str = "process_model";

    fn policy() -> Policy {
        // One at a time bounds the memory of a process; each takes a processor for itself.
        Policy { timeout: Duration::from_mins(30), at_once: 1, ..Policy::default() }
    }
}

impl ProcessModel {
    /// That it be done; known by the version while it is not.
    pub(super) fn request(&self) -> Request {
        Request::of(self).keyed(self.key())
    }

    pub(super) fn key(&self) -> String {
        format!("{} {}", self.model, self.version.0)
    }
}

/// Examines a version. Run again it goes on where it was; of one that is done or gone it changes nothing.
///
/// # Errors
/// Those of the store of files and of the database. What is wrong with the file is no error: the version fails then.
pub async fn process_model(shop: &Shop, with: &Workshop, job: ProcessModel) -> Result<()> {
    let mut tx = shop.store.begin().await?;
    let found = tx.models().find_version(job.model, job.version).await?;
    tx.rollback().await?;
    let Some(mut version) = found.filter(|version| version.state == VersionState::Processing) else { return Ok(()) };
    let digest = version.source.ok_or_else(|| Error::internal("a version that is processed has a file"))?;
    let held = with.room.find(&digest).await?;
    let held = held.ok_or_else(|| Error::internal("the file of a version is held"))?;
    let source = Source { room: with.room.clone(), held, format: version.format };

    if version.findings.is_none() {
        match with.analysis.measure(source.clone()).await? {
            Err(fault) => return fail(shop, job, &fault).await,
            Ok(findings) => version.findings = Some(findings),
        }
        let measured = &version.findings;
        advance(shop, job, events::version_measured, |_, version| version.findings.clone_from(measured)).await?;
    }
    let Some(findings) = version.findings else { return Ok(()) };
    let Depiction { renditions, overhang } = match with.analysis.depict(source, &findings).await? {
        Err(fault) => return fail(shop, job, &fault).await,
        Ok(depiction) => depiction,
    };
    let mut made = Vec::new();
    for (kind, bytes) in RenditionKind::ALL.into_iter().zip(renditions) {
        let most = u64::try_from(bytes.len()).map_err(Error::internal)?;
        let kept = with.room.put(shop, &mut Whole::new(bytes), &Terms::at_most(most).unscanned()).await?;
        made.push((kind, kept));
    }
    finish(shop, job, &made, overhang).await
}

/// Notes how far a version is, unless it is done or gone meanwhile.
async fn advance(
    shop: &Shop,
    job: ProcessModel,
    told: impl Fn(&Model, &Product, &Version) -> Change,
    change: impl Fn(&Model, &mut Version),
) -> Result<()> {
    let (told, change) = (&told, &change);
    shop.write(ProcessModel::NAME, |mut tx| async move {
        let now = tx.now();
        if let Some((model, product, mut version)) = open(&mut *tx, job).await? {
            change(&model, &mut version);
            version.updated_at = now;
            tx.models().update_version(&version).await?;
            shop.record(&mut *tx, None, told(&model, &product, &version)).await?;
        }
        tx.commit(()).await
    })
    .await
}

async fn finish(shop: &Shop, job: ProcessModel, made: &[(RenditionKind, Kept)], overhang: f64) -> Result<()> {
    shop.write(ProcessModel::NAME, |mut tx| async move {
        let now = tx.now();
        if let Some((model, product, mut version)) = open(&mut *tx, job).await? {
            for (kind, kept) in made {
                // Anybody who may see the product may have its pictures, and who has a picture knows its address.
                tx.blobs().hold(kept, Reach::Public).await?;
                version.renditions.push(Rendition { kind: *kind, digest: kept.digest(), size: kept.size });
            }
            if let Some(findings) = &mut version.findings {
                findings.overhang = Some(overhang);
            }
            version.state = VersionState::Ready;
            version.updated_at = now;
            tx.models().update_version(&version).await?;
            touch(&mut *tx, model.clone(), now).await?;
            shop.record(&mut *tx, None, events::version_ready(&model, &product, &version)).await?;
        }
        tx.commit(()).await
    })
    .await
}

/// Lets go of a file that is no model. That it was brought, by whom, and why it failed stays.
async fn fail(shop: &Shop, job: ProcessModel, fault: &Fault) -> Result<()> {
    shop.write(ProcessModel::NAME, |mut tx| async move {
        fail_in(shop, &mut *tx, job, fault).await?;
        tx.commit(()).await
    })
    .await
}

/// Like [`fail`], in a transaction that has begun; whether the version was still looked at.
pub(super) async fn fail_in(shop: &Shop, tx: &mut dyn Tx, job: ProcessModel, fault: &Fault) -> Result<bool> {
    let now = shop.now();
    let Some((model, product, mut version)) = open(tx, job).await? else { return Ok(false) };
    if let Some(digest) = version.source.take() {
        tx.blobs().release(&digest, Reach::Private, now).await?;
        for holder in holders(&model, &version) {
            tx.usage().refund(holder, version.size).await?;
        }
    }
    version.state = VersionState::Failed;
    version.fault = Some(fault.clone());
    version.updated_at = now;
    tx.models().update_version(&version).await?;
    touch(tx, model.clone(), now).await?;
    shop.record(tx, None, events::version_failed(&model, &product, &version, fault)).await?;
    Ok(true)
}

async fn touch(tx: &mut dyn Tx, mut model: Model, now: crate::clock::Timestamp) -> Result<()> {
    model.updated_at = now;
    tx.models().update(&model).await
}

/// The version, while it is processed and its product is there.
async fn open(tx: &mut dyn Tx, job: ProcessModel) -> Result<Option<(Model, Product, Version)>> {
    let Some(model) = tx.models().find(job.model).await? else { return Ok(None) };
    let Some(version) = tx.models().find_version(job.model, job.version).await? else { return Ok(None) };
    let Some(product) = model.product else { return Ok(None) };
    let Some(product) = tx.products().find(product).await? else { return Ok(None) };
    Ok((version.state == VersionState::Processing).then_some((model, product, version)))
}
