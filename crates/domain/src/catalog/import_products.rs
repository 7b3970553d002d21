//! Bringing many products in at once: new skus are created, known ones updated, equal ones left alone.
//!
//! A batch is one transaction with an audit row and an event per product, so an imported product cannot be told from
//! a created one (ruling R21), and a run that is cut off has lost its last batch at most: the next run completes it.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Image, ImportRow, KnownCategories, Product, Slug, create_product::images, events, ports::Stored};
use crate::{
    error::{Error, Result},
    event::Change,
    id::CategoryId,
    identity::{ports::Owner, stand_in},
    shop::Shop,
    store::Tx,
};

/// Whether a batch is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportMode {
    /// It is committed.
    Keep,
    /// It is done and rolled back, to see what would happen.
    Trial,
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Products made.
    pub created: u64,
    /// Products that were there and are another now.
    pub updated: u64,
    /// Products that were there, just so.
    pub unchanged: u64,
}

/// Imports a batch for one seller account, in one transaction. For the operator at the command line, who needs no
/// permission inside the shop. Of two rows with one sku the later one wins.
///
/// `known` is what earlier batches saw of the category tree; it grows with this one.
///
/// # Errors
/// Those of the store; the rows themselves were checked before.
pub async fn import_products(
    shop: &Shop,
    owner: Owner,
    rows: &[ImportRow],
    mode: ImportMode,
    known: &mut KnownCategories,
) -> Result<Imported> {
    let before = &*known;
    let (done, after) = shop
        .write("import_products", |mut tx| async move {
            let owner = match mode {
                ImportMode::Keep => owner,
                ImportMode::Trial => stand_in(shop, &mut *tx, owner).await?,
            };
            let mut batch =
                Batch { shop, owner, known: before.clone(), changes: Vec::new(), done: Imported::default() };
            batch.know_categories(&mut *tx, rows).await?;
            for part in without_repeats(rows) {
                batch.store(&mut *tx, part).await?;
            }
            for change in std::mem::take(&mut batch.changes) {
                shop.record(&mut *tx, Some(owner.user), change).await?;
            }
            match mode {
                ImportMode::Keep => tx.commit((batch.done, batch.known)).await,
                // The categories made in a trial are gone with it.
                ImportMode::Trial => Ok(tx.discard((batch.done, before.clone()))),
            }
        })
        .await?;
    *known = after;
    Ok(done)
}

/// Cuts the rows so that no sku stands twice in a part: a later row must find what an earlier one made.
fn without_repeats(rows: &[ImportRow]) -> Vec<&[ImportRow]> {
    let (mut parts, mut rest, mut seen, mut length) = (Vec::new(), rows, HashSet::new(), 0);
    for row in rows {
        if !seen.insert(row.sku.as_str()) {
            let (part, later) = rest.split_at(length);
            parts.push(part);
            (rest, length) = (later, 0);
            seen.clear();
            seen.insert(row.sku.as_str());
        }
        length += 1;
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

struct Batch<'a> {
    shop: &'a Shop,
    owner: Owner,
    known: KnownCategories,
    changes: Vec<Change>,
    done: Imported,
}

impl Batch<'_> {
    /// Finds or makes every category the rows name.
    async fn know_categories(&mut self, tx: &mut dyn Tx, rows: &[ImportRow]) -> Result<()> {
        // In the order of the file, so that two runs over one file make one tree.
        let paths = rows.iter().map(|row| row.path.as_slice());
        self.known.know(self.shop, tx, paths, &mut self.changes).await
    }

    /// Stores rows of which no two have one sku.
    async fn store(&mut self, tx: &mut dyn Tx, rows: &[ImportRow]) -> Result<()> {
        let skus: Vec<String> = rows.iter().map(|row| row.sku.clone()).collect();
        let found = tx.products().by_sku(self.owner.seller, &skus).await?;
        let mut found: HashMap<String, Product> =
            found.into_iter().filter_map(|product| Some((product.sku.clone()?, product))).collect();
        let mut fresh = Vec::new();
        for row in rows {
            let category = self.known.find(&row.path);
            match found.remove(&row.sku) {
                Some(product) if row.is_in(&product, category) => self.done.unchanged += 1,
                Some(product) => self.change(tx, row, product, category).await?,
                None => fresh.push(Product { category, ..row.new.product(self.shop, self.owner.seller) }),
            }
        }
        self.create(tx, fresh).await
    }

    async fn create(&mut self, tx: &mut dyn Tx, mut fresh: Vec<Product>) -> Result<()> {
        if fresh.is_empty() {
            return Ok(());
        }
        let slugs: Vec<Slug> = fresh.iter().map(|product| product.slug.clone()).collect();
        let mut taken: HashSet<Slug> = tx.products().taken_slugs(&slugs).await?.into_iter().collect();
        for product in &mut fresh {
            if !taken.insert(product.slug.clone()) {
                product.slug = product.slug.with_suffix(product.id.0);
                taken.insert(product.slug.clone());
            }
        }
        // What was free a statement ago was taken by another writer: the batch runs again.
        tx.products().insert_many(&fresh).await.map_err(|error| match error {
            Error::Conflict(message) => Error::Transient(message.into()),
            other => other,
        })?;
        self.done.created += u64::try_from(fresh.len()).unwrap_or(u64::MAX);
        self.changes.extend(fresh.iter().map(events::created));
        Ok(())
    }

    async fn change(
        &mut self,
        tx: &mut dyn Tx,
        row: &ImportRow,
        before: Product,
        category: Option<CategoryId>,
    ) -> Result<()> {
        let mut after = row.applied_to(self.shop, &before, category);
        if after.stock != before.stock {
            let delta = after.stock - before.stock;
            // The stock has no version: what was read must still be on hand.
            let held = tx.products().add_stock(before.id, delta, Some(before.stock), after.updated_at).await?;
            held.ok_or_else(changed_meanwhile)?;
        }
        let mut stored = tx.products().update(&after, &before).await.map_err(again_when_stale)?;
        if stored == Stored::SlugTaken {
            after.slug = after.slug.with_suffix(after.id.0);
            stored = tx.products().update(&after, &before).await.map_err(again_when_stale)?;
        }
        if stored != Stored::Yes {
            return Err(changed_meanwhile());
        }
        self.changes.push(events::updated(&before, &after));
        self.done.updated += 1;
        Ok(())
    }
}

fn changed_meanwhile() -> Error {
    Error::Transient("a product was changed while it was imported".into())
}

fn again_when_stale(error: Error) -> Error {
    if matches!(error, Error::Stale(_)) { changed_meanwhile() } else { error }
}

/// The pictures of a product that are links.
fn links(product: &Product) -> impl Iterator<Item = &Image> {
    product.images.iter().filter(|image| image.picture.is_none())
}

impl ImportRow {
    /// Whether the product is already as this row says.
    fn is_in(&self, product: &Product, category: Option<CategoryId>) -> bool {
        let (new, given) = (&self.new, self.given);
        product.name == new.name
            && product.price == new.price
            && (!given.description || product.description == new.description)
            && (!given.stock || product.stock == new.stock)
            && (!given.category || product.category == category)
            && (!given.images || links(product).map(|image| &image.url).eq(&new.images))
            && (!given.status || product.status == new.status)
            && (!given.metadata || same_fields(&product.metadata, &new.metadata))
    }

    /// The product as this row wants it, one version on.
    fn applied_to(&self, shop: &Shop, before: &Product, category: Option<CategoryId>) -> Product {
        let (new, given) = (&self.new, self.given);
        let mut after = before.clone();
        if before.name != new.name {
            // A slug made unique by a suffix stays while the words stay.
            if Slug::of(&new.name) != Slug::of(&before.name) {
                after.slug = Slug::of(&new.name);
            }
            after.name.clone_from(&new.name);
        }
        after.price = new.price;
        if given.description {
            after.description.clone_from(&new.description);
        }
        if given.stock {
            after.stock = new.stock;
        }
        if given.category {
            after.category = category;
        }
        if given.images && !links(before).map(|image| &image.url).eq(&new.images) {
            // Uploaded pictures are not what a file can name: they stay, before the links.
            after.images.retain(|image| image.picture.is_some());
            after.images.extend(images(shop, &new.images));
        }
        if given.metadata {
            after.metadata.clone_from(&new.metadata);
        }
        if given.status {
            after.status = new.status;
        }
        after.version = before.version.next();
        after.updated_at = shop.now();
        after
    }
}

/// Equality of JSON by value: a database may give `1.0` or `1e2` back as `1` and `100`.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => same_fields(a, b),
        _ => a == b,
    }
}

fn same_fields(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
}

#[cfg(test)]
mod tests;
